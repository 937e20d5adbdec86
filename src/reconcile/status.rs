//! Every sentence that people read in conditions, events and `cube-operator check`: the cause, the remedy, and the next attempt.
//!
//! The errors of each topic and boundary state the causes; here they are joined with their remedies and the time of the next
//! attempt. Nothing parses, cuts or stores such a sentence, except the status itself.

mod conditions;
mod denial;
mod events;
mod findings;
mod inputs;
mod message;
mod provider;
mod remedy;
mod report;
mod restarts;

pub(super) use conditions::Conditions;
pub(crate) use provider::{Named, provider_status};
use remedy::remedy;
pub(super) use report::report;
pub(super) use restarts::{not_restarted, restarted, waits_too_long};
