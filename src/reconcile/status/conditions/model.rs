//! The conditions of a status, and how Ready follows from what is published.

use jiff::Timestamp;

use crate::{
    api::{ConditionStatus, Reason},
    reconcile::{case::Case, memory::Failure, status::message},
};

/// One condition, without the fields that the API conventions add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reconcile) struct Condition {
    pub(in crate::reconcile) status: ConditionStatus,
    pub(in crate::reconcile) reason: Reason,
    pub(in crate::reconcile) message: String,
}

/// The party that must act while the credential is not ready (kstatus).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reconcile) enum Progress {
    /// Nobody: it is ready, or suspended.
    None,
    /// The operator, soon.
    Reconciling,
    /// A person.
    Stalled,
}

/// The conditions of a status.
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
    pub(super) fn new(status: ConditionStatus, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            status,
            reason,
            message: message.into(),
        }
    }

    pub(super) fn failed(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(ConditionStatus::False, reason, message)
    }

    pub(super) fn unknown(reason: Reason, message: impl Into<String>) -> Self {
        Self::new(ConditionStatus::Unknown, reason, message)
    }
}

impl Conditions {
    /// The same conditions, decided again by this time although no exchange is planned for it.
    pub(super) fn wake_by(self, time: Timestamp) -> Self {
        Self {
            wake_at: Some(self.wake_at.map_or(time, |at| at.min(time))),
            ..self
        }
    }

    /// Conditions whose Ready depends on the published token alone. Without a good token, Ready has the reason of Refreshed.
    pub(super) fn from_published_token(
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

/// Condition Ready beside this condition Refreshed. `good` and `outdated` are when the published tokens expire.
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
pub(super) fn failed(failure: &Failure, postponed: Option<Timestamp>) -> Condition {
    let sentence = message::failure(failure, postponed);
    Condition::failed(failure.cause.reason(), sentence)
}

/// A credential that waits for something else has not failed; an earlier failure stays reported.
pub(super) fn failed_before_or(case: &Case<'_>, reason: Reason, message: &str) -> Condition {
    match case.observed.memory.exchange.failure() {
        Some(failure) => failed(failure, None),
        None => Condition::unknown(reason, message),
    }
}
