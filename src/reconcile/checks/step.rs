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
    /// Nothing is left to do now; this is what the status says.
    Settle(Box<Conditions>),
}

/// Nothing is left to do before this time, and the status stays as it is.
pub(super) fn rest(until: Timestamp) -> Step {
    let wake_at = Some(until);
    Step::Do(Next::Done { wake_at })
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
