//! Every sentence that people read in conditions and events: the cause, the remedy, and the next attempt.
//!
//! The causes come from the errors of each boundary; here they meet their remedies and the time of the next attempt. Nothing
//! outside this room makes a sentence for the status, and nothing parses one.

mod conditions;
mod events;
mod inputs;
mod message;
mod remedy;
mod report;

pub(super) use conditions::Conditions;
pub(super) use inputs::rejected_inputs;
pub(super) use message::{rejected_token, synced};
pub use remedy::remedy;
pub(super) use report::report;
