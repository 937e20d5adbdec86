//! Every word that people read in conditions, events and `cube-operator check`: what happened, what to do, and what happens next.
//!
//! The causes come from the errors of each boundary; here they meet their remedies and the time of the next attempt. Nothing
//! outside this room makes a sentence for conditions, events or `check`, and nothing parses one.

mod conditions;
mod events;
mod findings;
mod inputs;
mod message;
mod remedy;
mod report;

pub(super) use conditions::Conditions;
use remedy::remedy;
pub(super) use report::report;
