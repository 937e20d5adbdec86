//! Conditions of a credential that waits: nothing failed, and no person must act.

use jiff::Timestamp;

use super::model::{Condition, Conditions, Progress, failed, failed_before_or};
use crate::{
    api::{ConditionStatus, Reason},
    reconcile::{case::Case, memory::Unwritable, status::message, write_error::WriteError},
};

impl Conditions {
    pub(in crate::reconcile) fn suspended(case: &Case<'_>) -> Self {
        let refreshed = Condition::unknown(Reason::Suspended, message::suspended());
        Self::troubled(case, refreshed, Progress::None, None)
    }

    /// The exchange is due, and other token requests of its client come first. That is no failure; an earlier one stays told.
    pub(in crate::reconcile) fn waits_for_permit(
        case: &Case<'_>,
        at: Timestamp,
        paused: bool,
    ) -> Self {
        let refreshed = match case.observed.memory.exchange.failure() {
            Some(failure) => failed(failure, Some(at)),
            None => in_the_queue(case, at, paused),
        };
        Self::troubled(case, refreshed, Progress::Reconciling, Some(at))
    }

    /// Another process sends the refresh token. It is looked at again when its claim ends.
    pub(in crate::reconcile) fn claimed(case: &Case<'_>, until: Timestamp) -> Self {
        let refreshed = failed_before_or(case, Reason::Pending, &message::claimed(until));
        Self::troubled(case, refreshed, Progress::Reconciling, Some(until))
    }

    /// The API server refuses the target, whose token is kept for the next attempt, or the state, so that nothing is sent.
    pub(in crate::reconcile) fn not_writable(
        case: &Case<'_>,
        reason: Reason,
        unwritable: &Unwritable,
    ) -> Self {
        let next_attempt = unwritable.next_attempt;
        let message = message::not_writable(&unwritable.why.to_string(), next_attempt);
        let refreshed = Condition::failed(reason, message);
        Self::troubled(case, refreshed, Progress::Reconciling, None).looked_at_by(next_attempt)
    }

    /// The provider's response is in no Secret yet: the login is lost if the process stops.
    pub(in crate::reconcile) fn storing(case: &Case<'_>, why: &WriteError) -> Self {
        let refreshed =
            Condition::failed(Reason::StateNotWritable, message::storing(&why.to_string()));
        Self::troubled(case, refreshed, Progress::Reconciling, None)
    }
}

fn in_the_queue(case: &Case<'_>, at: Timestamp, paused: bool) -> Condition {
    let too_late = case.token().is_some_and(|token| token.expires_at <= at);
    let status = match case.published_token() {
        Some(_) => ConditionStatus::True,
        None => ConditionStatus::Unknown,
    };
    let message = message::waits_for_permit(at, paused, too_late);
    Condition::new(status, Reason::RateBudget, message)
}
