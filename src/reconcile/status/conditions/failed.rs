//! Conditions of a credential for which something failed, or a person must act.

use super::model::{Condition, Conditions, Progress, failed, failed_before_or};
use crate::{
    api::{Reason, RetryClass, label},
    reconcile::{
        case::Case,
        login::{RejectedToken, StateConflict},
        memory::{Failure, Unwritable},
        pace::delays,
        settings::SettingsError,
        source::Rejection,
        status::{inputs, message},
        target::{TargetConflict, TargetSecret},
        time::later,
        write_error::WriteError,
    },
};

impl Conditions {
    pub(in crate::reconcile) fn failed(case: &Case<'_>, failure: &Failure) -> Self {
        let progress = match failure.cause.reason().retry_class() {
            Some(RetryClass::Fast | RetryClass::RateLimited) => Progress::Reconciling,
            Some(RetryClass::Slow | RetryClass::Terminal) | None => Progress::Stalled,
        };
        Self::from_published_token(
            case,
            failed(case, failure, None),
            progress,
            failure.next_attempt,
        )
    }

    /// The inputs are rejected before anything is sent: only a change helps.
    pub(in crate::reconcile) fn rejected_inputs(case: &Case<'_>, rejection: &Rejection) -> Self {
        let sentence = inputs::rejected_inputs(rejection, case.settings);
        let refreshed = Condition::failed(rejection.reason(), sentence);
        let conditions = Self::from_published_token(case, refreshed, Progress::Stalled, None);
        if rejection.is_unwatched() {
            return conditions.wake_by(later(case.now, delays::UNWATCHED));
        }
        conditions
    }

    /// The refresh token is dead, as the state says.
    pub(in crate::reconcile) fn rejected_token(case: &Case<'_>, rejection: &RejectedToken) -> Self {
        let reason = if rejection.lost {
            Reason::RefreshTokenLost
        } else {
            Reason::RefreshTokenRejected
        };
        let sentence = message::rejected_token(rejection, case.settings);
        let refreshed = Condition::failed(reason, sentence);
        Self::from_published_token(case, refreshed, Progress::Stalled, rejection.next_attempt())
    }

    /// The Secret by the state's name cannot be used, so there is no place to keep a refresh token in.
    pub(in crate::reconcile) fn state_conflict(case: &Case<'_>, conflict: &StateConflict) -> Self {
        let sentence = message::state_conflict(conflict);
        let refreshed = Condition::failed(Reason::StateConflict, sentence);
        Self::from_published_token(case, refreshed, Progress::Stalled, None)
            .wake_by(later(case.now, delays::UNWATCHED))
    }

    /// No token can be published, so none is requested. Ready fails, not Refreshed.
    pub(in crate::reconcile) fn target_conflict(
        case: &Case<'_>,
        conflict: &TargetConflict,
    ) -> Self {
        Self {
            ready: Condition::failed(conflict.reason(), message::target_conflict(conflict)),
            refreshed: failed_before_or(case, Reason::Pending, message::waits_for_target()),
            progress: Progress::Stalled,
            usable_until: None,
            refresh_at: None,
            wake_at: Some(later(case.now, delays::UNWATCHED)),
        }
    }

    /// The spec cannot be read: nothing is known of the target either.
    pub(in crate::reconcile) fn unreadable(error: &SettingsError) -> Self {
        let reason = Reason::InvalidSpec;
        Self {
            ready: Condition::failed(reason, reason.meaning()),
            refreshed: Condition::failed(reason, error.to_string()),
            progress: Progress::Stalled,
            usable_until: None,
            refresh_at: None,
            wake_at: None,
        }
    }

    /// The API server refuses the target, whose token is kept for the next attempt, or the state, so that nothing is sent.
    pub(in crate::reconcile) fn not_writable(
        case: &Case<'_>,
        reason: Reason,
        unwritable: &Unwritable,
    ) -> Self {
        let next_attempt = unwritable.next_attempt;
        let message = message::not_writable(&unwritable.why, reason, next_attempt);
        let refreshed = Condition::failed(reason, message);
        Self::from_published_token(case, refreshed, Progress::Reconciling, None)
            .wake_by(next_attempt)
    }

    /// The target is being deleted, because its type has changed, and finalizers hold it. Consumers have its token until it expires.
    pub(in crate::reconcile) fn held_by_finalizers(
        case: &Case<'_>,
        target: &TargetSecret,
        finalizers: &[String],
    ) -> Self {
        let message = message::held_by_finalizers(&target.name, finalizers);
        let refreshed = Condition::failed(Reason::TargetNotWritable, message);
        let conditions = Self::from_published_token(case, refreshed, Progress::Stalled, None);
        if label::is_set(&target.labels, label::MANAGED) {
            // The watch shows when it is gone.
            return conditions;
        }
        conditions.wake_by(later(case.now, delays::UNWATCHED))
    }

    /// The provider's response is in no Secret yet: the login is lost if the process stops.
    pub(in crate::reconcile) fn storing(case: &Case<'_>, why: &WriteError) -> Self {
        let refreshed = Condition::failed(Reason::StateNotWritable, message::storing(why));
        Self::from_published_token(case, refreshed, Progress::Reconciling, None)
    }
}
