//! What the conditions say, once nothing is left to do.

mod waiting;

use jiff::Timestamp;

use super::message;
use crate::{
    api::{ConditionStatus, Reason, RetryClass},
    reconcile::{
        case::Case,
        login::{RejectedToken, StateConflict},
        memory::Failure,
        pace::delays,
        settings::SettingsError,
        source::Rejection,
        target::TargetConflict,
        time::later,
        token::TokenMetadata,
    },
};

/// One condition, without what the API conventions add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reconcile) struct Condition {
    pub(in crate::reconcile) status: ConditionStatus,
    pub(in crate::reconcile) reason: Reason,
    pub(in crate::reconcile) message: String,
}

/// Who must act while the credential is not ready (kstatus).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reconcile) enum Progress {
    /// Nobody: it is ready, or suspended.
    None,
    /// The operator, soon.
    Reconciling,
    /// A person.
    Stalled,
}

/// What the conditions say.
#[derive(Clone, Debug)]
pub(in crate::reconcile) struct Conditions {
    pub(in crate::reconcile) ready: Condition,
    pub(in crate::reconcile) refreshed: Condition,
    pub(in crate::reconcile) progress: Progress,
    /// The next planned exchange.
    pub(in crate::reconcile) refresh_at: Option<Timestamp>,
    pub(in crate::reconcile) wake_at: Option<Timestamp>,
}

impl Condition {
    fn new(status: ConditionStatus, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            status,
            reason,
            message: message.into(),
        }
    }

    fn failed(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(ConditionStatus::False, reason, message)
    }

    fn unknown(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(ConditionStatus::Unknown, reason, message)
    }
}

/// A token is live, and nothing is in the way.
impl Conditions {
    pub(in crate::reconcile) fn good(case: &Case<'_>, token: &TokenMetadata) -> Self {
        let refresh_at = case.refresh_at(token);
        let synced = message::synced(&case.settings.target_name, token.expires_at);
        Self {
            ready: Condition::new(ConditionStatus::True, Reason::Synced, synced),
            refreshed: issued(token, refresh_at),
            progress: Progress::None,
            refresh_at: Some(refresh_at),
            wake_at: Some(refresh_at.min(token.expires_at)),
        }
    }

    /// The token has expired before the next one may be requested.
    pub(in crate::reconcile) fn short_lived(case: &Case<'_>, token: &TokenMetadata) -> Self {
        let refresh_at = case.refresh_at(token);
        let message = format!(
            "the token has expired after {}: ask the provider for tokens that live longer; the next one is requested at \
             {refresh_at}",
            message::span(token.expires_at.duration_since(token.issued_at))
        );
        Self {
            ready: Condition::failed(Reason::Pending, message),
            refreshed: issued(token, refresh_at),
            progress: Progress::Reconciling,
            refresh_at: Some(refresh_at),
            wake_at: Some(refresh_at),
        }
    }
}

/// Something failed, or a person must act.
impl Conditions {
    pub(in crate::reconcile) fn failed(case: &Case<'_>, failure: &Failure) -> Self {
        let progress = match failure.cause.reason().retry_class() {
            RetryClass::Fast | RetryClass::RateLimited => Progress::Reconciling,
            RetryClass::Slow | RetryClass::Terminal => Progress::Stalled,
        };
        Self::troubled(case, failed(failure, None), progress, failure.next_attempt)
    }

    /// The inputs are rejected before anything is sent: only a change helps.
    pub(in crate::reconcile) fn rejected_inputs(case: &Case<'_>, rejection: &Rejection) -> Self {
        let sentence = super::rejected_inputs(rejection, case.settings);
        let refreshed = Condition::failed(rejection.reason(), sentence);
        let conditions = Self::troubled(case, refreshed, Progress::Stalled, None);
        if rejection.is_unwatched() {
            return conditions.looked_at_by(later(case.now, delays::UNWATCHED));
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
        Self::troubled(case, refreshed, Progress::Stalled, rejection.next_attempt())
    }

    /// The Secret by the state's name cannot be used, so there is no place to keep a refresh token in.
    pub(in crate::reconcile) fn state_conflict(case: &Case<'_>, conflict: &StateConflict) -> Self {
        let sentence = message::state_conflict(conflict);
        let refreshed = Condition::failed(Reason::StateConflict, sentence);
        Self::troubled(case, refreshed, Progress::Stalled, None)
            .looked_at_by(later(case.now, delays::UNWATCHED))
    }

    /// No token can be published, so none is requested. It is Ready's trouble, not Refreshed's.
    pub(in crate::reconcile) fn target_conflict(
        case: &Case<'_>,
        conflict: &TargetConflict,
    ) -> Self {
        let waits = "no token is requested while there is no Secret to publish it in";
        Self {
            ready: Condition::failed(conflict.reason(), message::target_conflict(conflict)),
            refreshed: waiting::failed_before_or(case, Reason::Pending, waits),
            progress: Progress::Stalled,
            refresh_at: None,
            wake_at: Some(later(case.now, delays::UNWATCHED)),
        }
    }

    /// The spec cannot be read: nothing is known of the target either.
    pub(in crate::reconcile) fn unreadable(error: &SettingsError) -> Self {
        let message = format!("{error}; it is looked at again as soon as the spec changes");
        let condition = Condition::failed(Reason::InvalidSpec, message);
        Self {
            ready: condition.clone(),
            refreshed: condition,
            progress: Progress::Stalled,
            refresh_at: None,
            wake_at: None,
        }
    }

    /// At this time at the latest, although no exchange is planned for it.
    fn looked_at_by(self, time: Timestamp) -> Self {
        Self {
            wake_at: Some(self.wake_at.map_or(time, |at| at.min(time))),
            ..self
        }
    }

    /// Ready by the published token alone. The trouble is Ready's reason once there is no good token left.
    fn troubled(
        case: &Case<'_>,
        refreshed: Condition,
        progress: Progress,
        next_attempt: Option<Timestamp>,
    ) -> Self {
        let good = case.published_token().map(|token| token.expires_at);
        let outdated = case.outdated_token().map(|token| token.expires_at);
        let expires_at = good.or(outdated);
        Self {
            ready: ready(&case.settings.target_name, &refreshed, good, outdated),
            refreshed,
            progress: match good {
                Some(_) => Progress::None,
                None => progress,
            },
            refresh_at: next_attempt,
            wake_at: [next_attempt, expires_at].into_iter().flatten().min(),
        }
    }
}

/// Condition Ready beside this trouble. `good` and `outdated` are when the published tokens expire.
fn ready(
    target: &str,
    refreshed: &Condition,
    good: Option<Timestamp>,
    outdated: Option<Timestamp>,
) -> Condition {
    if let Some(expires_at) = good {
        let message = match refreshed.status {
            ConditionStatus::False => message::synced_until(target, expires_at),
            ConditionStatus::True | ConditionStatus::Unknown => message::synced(target, expires_at),
        };
        return Condition::new(ConditionStatus::True, Reason::Synced, message);
    }
    let message = match outdated {
        Some(expires_at) => message::until(&refreshed.message, target, expires_at),
        None => refreshed.message.clone(),
    };
    Condition::failed(refreshed.reason, message)
}

/// Condition Refreshed after this failure.
fn failed(failure: &Failure, postponed: Option<Timestamp>) -> Condition {
    let sentence = message::failure(failure, postponed);
    Condition::failed(failure.cause.reason(), sentence)
}

fn issued(token: &TokenMetadata, refresh_at: Timestamp) -> Condition {
    let message = format!(
        "a token was issued at {}; the next one is requested at {refresh_at}",
        token.issued_at
    );
    Condition::new(ConditionStatus::True, Reason::TokenIssued, message)
}
