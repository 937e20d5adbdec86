//! Conditions of a credential that waits: nothing failed, and no person must act.

use jiff::Timestamp;

use super::model::{Condition, Conditions, Progress, failed, failed_before_or};
use crate::{
    api::{ConditionStatus, Reason},
    reconcile::{case::Case, pace::Wait, status::message},
};

impl Conditions {
    pub(in crate::reconcile) fn suspended(case: &Case<'_>) -> Self {
        let refreshed = Condition::unknown(Reason::Suspended, message::suspended());
        Self::from_published_token(case, refreshed, Progress::None, None)
    }

    /// The exchange is due, and the budget of its client has no permit for it. That is no failure; an earlier one stays reported.
    pub(in crate::reconcile) fn waits_for_permit(
        case: &Case<'_>,
        at: Timestamp,
        wait: Wait,
    ) -> Self {
        let refreshed = match case.observed.memory.exchange.failure() {
            Some(failure) => failed(case, failure, Some(at)),
            None => in_the_queue(case, at, wait),
        };
        Self::from_published_token(case, refreshed, Progress::Reconciling, Some(at))
    }

    /// The exchange is due, and token requests of the same namespace are in progress, as many as may be.
    pub(in crate::reconcile) fn waits_for_slot(case: &Case<'_>) -> Self {
        let refreshed = match case.observed.memory.exchange.failure() {
            Some(failure) => failed(case, failure, None),
            None => Condition::new(
                while_due(case),
                Reason::RateBudget,
                message::waits_for_slot(),
            ),
        };
        Self::from_published_token(case, refreshed, Progress::Reconciling, None)
    }

    /// Another process sends the refresh token. The state is read again when its claim ends.
    pub(in crate::reconcile) fn claimed(case: &Case<'_>, until: Timestamp) -> Self {
        let refreshed = failed_before_or(case, Reason::Pending, &message::claimed(until));
        Self::from_published_token(case, refreshed, Progress::Reconciling, Some(until))
    }
}

fn in_the_queue(case: &Case<'_>, at: Timestamp, wait: Wait) -> Condition {
    let too_late = case.token().is_some_and(|token| token.expires_at <= at);
    let message = message::waits_for_permit(at, wait, too_late, case.settings);
    Condition::new(while_due(case), Reason::RateBudget, message)
}

/// The status of Refreshed while an exchange is due and has not failed.
fn while_due(case: &Case<'_>) -> ConditionStatus {
    match case.published_token() {
        Some(_) => ConditionStatus::True,
        None => ConditionStatus::Unknown,
    }
}
