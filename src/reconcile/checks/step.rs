//! The result of a check.

use jiff::Timestamp;

use crate::reconcile::{
    plan::{Action, Next, Read},
    status::Conditions,
};

/// The result of a check.
pub(in crate::reconcile) enum Step {
    /// Do this, then decide again.
    Do(Next),
    /// Nothing is left to do before this time, and the status stays as it is.
    Rest(Timestamp),
    /// Nothing is left to do now; this is what the status says.
    Settle(Box<Conditions>),
}

pub(super) fn settle(conditions: Conditions) -> Step {
    Step::Settle(Box::new(conditions))
}

pub(super) fn read(what: Read) -> Step {
    Step::Do(Next::Read(what))
}

pub(super) fn act(action: Action) -> Step {
    Step::Do(Next::Act(Box::new(action)))
}
