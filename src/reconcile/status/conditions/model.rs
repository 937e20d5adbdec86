//! The conditions of a status, and how Ready follows from what is published.

use jiff::Timestamp;

use crate::{
    api::{ConditionStatus, ConditionType, Reason},
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
    /// The end of the published token, as long as consumers can use it.
    pub(in crate::reconcile) usable_until: Option<Timestamp>,
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
    /// The reason that matters most, which `kubectl get` shows: why there is no token, or else what keeps the next one away.
    pub(in crate::reconcile::status) fn foremost_reason(&self) -> Reason {
        let nothing_wrong = self.refreshed.reason == Reason::TokenIssued;
        if nothing_wrong || self.ready.status != ConditionStatus::True {
            return self.ready.reason;
        }
        self.refreshed.reason
    }

    /// Condition Reconciling or Stalled, which points to the condition with the details.
    pub(in crate::reconcile::status) fn progress_condition(&self) -> Condition {
        let details = if self.ready.reason == self.refreshed.reason {
            ConditionType::Refreshed
        } else {
            ConditionType::Ready
        };
        let message = match self.progress {
            Progress::Stalled => message::stalled(details, self.refresh_at),
            Progress::Reconciling | Progress::None => {
                message::reconciling(self.ready.reason, details)
            }
        };
        Condition::new(ConditionStatus::True, self.ready.reason, message)
    }

    /// The same conditions, decided again by this time although no exchange is planned for it.
    pub(in crate::reconcile) fn wake_by(self, time: Timestamp) -> Self {
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
            ready: ready(case, &refreshed, good, outdated),
            refreshed,
            progress: match good {
                Some(_) => Progress::None,
                None => progress,
            },
            usable_until: expires_at,
            refresh_at: next_attempt,
            wake_at: [next_attempt, expires_at].into_iter().flatten().min(),
        }
    }
}

/// Condition Ready beside this condition Refreshed. `good` and `outdated` are when the published tokens expire.
fn ready(
    case: &Case<'_>,
    refreshed: &Condition,
    good: Option<Timestamp>,
    outdated: Option<Timestamp>,
) -> Condition {
    let (target, reason) = (&case.settings.target_name, refreshed.reason);
    if let Some(expires_at) = good {
        let message = match refreshed.status {
            ConditionStatus::False => message::valid_but_failing(target, expires_at, reason),
            _ if reason == Reason::Suspended => message::valid_but_suspended(target, expires_at),
            ConditionStatus::True | ConditionStatus::Unknown => message::valid(target, expires_at),
        };
        return Condition::new(ConditionStatus::True, Reason::Synced, message);
    }
    let expired = case.token_on_target().map(|token| token.expires_at);
    let message = match (outdated, expired.filter(|at| *at <= case.now)) {
        (Some(expires_at), _) => message::outdated(target, expires_at, reason),
        (None, Some(expired_at)) => message::expired(target, expired_at, reason),
        (None, None) => message::no_token(target, reason),
    };
    Condition::failed(reason, message)
}

/// Condition Refreshed after this failure.
pub(super) fn failed(
    case: &Case<'_>,
    failure: &Failure,
    postponed: Option<Timestamp>,
) -> Condition {
    let worked = case.observed.credential.status.issued_at.is_some();
    let sentence = message::failure(failure, worked, postponed);
    Condition::failed(failure.cause.reason(), sentence)
}

/// A credential that waits for something else has not failed; an earlier failure stays reported.
pub(super) fn failed_before_or(case: &Case<'_>, reason: Reason, message: &str) -> Condition {
    match case.observed.memory.exchange.failure() {
        Some(failure) => failed(case, failure, None),
        None => Condition::unknown(reason, message),
    }
}
