//! The conditions, once nothing is left to do.

mod failed;
mod live;
mod model;
mod probe;
mod waiting;

pub(in crate::reconcile) use model::Conditions;
pub(super) use model::{Condition, Progress};
