//! What the conditions say, once nothing is left to do.

use jiff::{SignedDuration, Timestamp};

use super::{
    attempt::{Failure, Pending, Unwritable, later},
    case::Case,
    local::PreflightError,
    message,
    state::Rejection,
    target::Record,
};
use crate::api::{CaBundleKind, ConditionStatus, Reason, RetryClass};

/// A foreign or unlabelled Secret is not watched, so what is said of it would stay however it changes; and a rival that moves away
/// before it had published anything leaves no trace. They are looked for.
const LOOK_AT_UNWATCHED: SignedDuration = SignedDuration::from_secs(60);

/// One condition, without what the API conventions add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) status: ConditionStatus,
    pub(super) reason: Reason,
    pub(super) message: String,
}

/// Who has to act while the credential is not ready (kstatus).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// Nobody: it is ready, or rests on purpose.
    None,
    /// The operator, soon.
    Reconciling,
    /// A person.
    Stalled,
}

/// What the conditions say.
#[derive(Clone, Debug)]
pub(super) struct Conditions {
    pub(super) ready: Condition,
    pub(super) refreshed: Condition,
    pub(super) pressure: Progress,
    /// The next planned exchange.
    pub(super) refresh_at: Option<Timestamp>,
    pub(super) wake_at: Option<Timestamp>,
}

impl Condition {
    fn new(status: ConditionStatus, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            status,
            reason,
            message: message.into(),
        }
    }
}

impl Conditions {
    pub(super) fn good(case: &Case<'_>, record: &Record) -> Self {
        let refresh_at = case.refresh_at(record);
        Self {
            ready: ready(case, record),
            refreshed: issued(record, refresh_at),
            pressure: Progress::None,
            refresh_at: Some(refresh_at),
            wake_at: Some(refresh_at.min(record.expires_at)),
        }
    }

    /// The token has expired before the next one may be requested.
    pub(super) fn short_lived(case: &Case<'_>, record: &Record) -> Self {
        let refresh_at = case.refresh_at(record);
        let message = format!(
            "the token has expired after {}: ask the provider for tokens that live longer; the next one is requested at \
             {refresh_at}",
            message::span(record.expires_at.duration_since(record.issued_at))
        );
        Self {
            ready: Condition::new(ConditionStatus::False, Reason::Pending, message),
            refreshed: issued(record, refresh_at),
            pressure: Progress::Reconciling,
            refresh_at: Some(refresh_at),
            wake_at: Some(refresh_at),
        }
    }

    pub(super) fn suspended(case: &Case<'_>) -> Self {
        let message = "spec.suspend is true, so no token is requested: set it to false to go on";
        let refreshed = Condition::new(ConditionStatus::Unknown, Reason::Suspended, message);
        Self::troubled(case, refreshed, Progress::None, None)
    }

    pub(super) fn failed(case: &Case<'_>, failure: &Failure) -> Self {
        let refreshed = Condition::new(ConditionStatus::False, failure.reason, &failure.message);
        let pressure = match failure.reason.retry_class() {
            Some(RetryClass::Fast | RetryClass::RateLimited) => Progress::Reconciling,
            Some(RetryClass::Slow | RetryClass::Terminal) | None => Progress::Stalled,
        };
        Self::troubled(case, refreshed, pressure, failure.next_try)
    }

    /// The exchange is due, and other token requests of its client come first. That is no failure; an earlier one stays told.
    pub(super) fn waits_for_turn(case: &Case<'_>, at: Timestamp, paused: bool) -> Self {
        let too_late = case.record().is_some_and(|record| record.expires_at <= at);
        let refreshed = match &case.observed.memory.failure {
            Some(failure) => Condition::new(
                ConditionStatus::False,
                failure.reason,
                message::postponed(&failure.message, at),
            ),
            None => Condition::new(
                match case.published_record() {
                    Some(_) => ConditionStatus::True,
                    None => ConditionStatus::Unknown,
                },
                Reason::RateBudget,
                message::waits_for_turn(at, paused, too_late),
            ),
        };
        Self::troubled(case, refreshed, Progress::Reconciling, Some(at))
    }

    /// A local check refuses the exchange: only a change helps.
    pub(super) fn refused(case: &Case<'_>, refusal: &PreflightError) -> Self {
        let refreshed = Condition::new(ConditionStatus::False, refusal.reason, &refusal.message);
        let verdict = Self::troubled(case, refreshed, Progress::Stalled, None);
        let bundle = case.settings.ca_bundle.as_ref();
        let is_unwatched = match refusal.reason {
            Reason::ClientSecretNotFound
            | Reason::ClientSecretNotLabelled
            | Reason::RefreshTokenNotFound
            | Reason::RefreshTokenNotLabelled => true,
            Reason::CABundleInvalid => {
                bundle.is_some_and(|bundle| bundle.kind == CaBundleKind::Secret)
            }
            _ => false,
        };
        if is_unwatched {
            verdict.looked_at_by(later(case.now, LOOK_AT_UNWATCHED))
        } else {
            verdict
        }
    }

    /// The API server refuses the target, whose token is kept for the next try, or the state, so that nothing is sent.
    pub(super) fn not_writable(case: &Case<'_>, reason: Reason, unwritable: &Unwritable) -> Self {
        let refreshed = Condition::new(ConditionStatus::False, reason, &unwritable.message);
        Self::troubled(case, refreshed, Progress::Reconciling, None)
            .looked_at_by(unwritable.next_try)
    }

    /// The provider's answer is in no Secret yet: whoever stops the process loses the login.
    pub(super) fn storing(case: &Case<'_>, pending: &Pending) -> Self {
        let message = message::storing(pending.trouble.as_deref().unwrap_or_default());
        let reason = Reason::StateNotWritable;
        let refreshed = Condition::new(ConditionStatus::False, reason, message);
        Self::troubled(case, refreshed, Progress::Reconciling, None)
    }

    /// The refresh token is dead, as the state says.
    pub(super) fn rejected(case: &Case<'_>, rejection: &Rejection) -> Self {
        let (reason, message) = message::rejected(rejection, case.settings);
        let refreshed = Condition::new(ConditionStatus::False, reason, message);
        Self::troubled(case, refreshed, Progress::Stalled, rejection.next_try())
    }

    /// Another process sends the refresh token; it is looked at again when its claim ends.
    pub(super) fn claimed(case: &Case<'_>, until: Timestamp) -> Self {
        let refreshed = failed_before_or_pending(case, message::claimed(until));
        Self::troubled(case, refreshed, Progress::Reconciling, Some(until))
    }

    /// The Secret by the state's name cannot be used, so there is no place to keep a refresh token in.
    pub(super) fn state_conflict(case: &Case<'_>, message: String) -> Self {
        let refreshed = Condition::new(ConditionStatus::False, Reason::StateConflict, message);
        Self::troubled(case, refreshed, Progress::Stalled, None)
            .looked_at_by(later(case.now, LOOK_AT_UNWATCHED))
    }

    /// The spec cannot be read: nothing is known of the target either.
    pub(super) fn unreadable(why: &str) -> Self {
        let message = format!("{why}; it is looked at again as soon as the spec changes");
        let fact = Condition::new(ConditionStatus::False, Reason::InvalidSpec, message);
        Self {
            ready: fact.clone(),
            refreshed: fact,
            pressure: Progress::Stalled,
            refresh_at: None,
            wake_at: None,
        }
    }

    /// No token can be published, so none is requested. It is Ready's trouble, not Refreshed's.
    pub(super) fn target_trouble(case: &Case<'_>, reason: Reason, message: String) -> Self {
        let waits = "no token is requested while there is no Secret to publish it in";
        Self {
            ready: Condition::new(ConditionStatus::False, reason, message),
            refreshed: failed_before_or_pending(case, waits),
            pressure: Progress::Stalled,
            refresh_at: None,
            wake_at: Some(later(case.now, LOOK_AT_UNWATCHED)),
        }
    }

    /// At this time at the latest, although no exchange is planned for it.
    fn looked_at_by(self, time: Timestamp) -> Self {
        Self {
            wake_at: Some(self.wake_at.map_or(time, |at| at.min(time))),
            ..self
        }
    }

    /// Ready by the published token alone; the trouble is Ready's reason once there is no good one left.
    fn troubled(
        case: &Case<'_>,
        refreshed: Condition,
        pressure: Progress,
        next_try: Option<Timestamp>,
    ) -> Self {
        let target = &case.settings.target_name;
        let good = case.published_record().map(|record| record.expires_at);
        let outdated = case.outdated_record().map(|record| record.expires_at);
        let ready = match (good, outdated) {
            (Some(expires_at), _) => {
                let message = match refreshed.status {
                    ConditionStatus::False => message::synced_until(target, expires_at),
                    _ => message::synced(target, expires_at),
                };
                Condition::new(ConditionStatus::True, Reason::Synced, message)
            }
            (None, Some(expires_at)) => {
                let message = message::until(&refreshed.message, target, expires_at);
                Condition::new(ConditionStatus::False, refreshed.reason, message)
            }
            (None, None) => Condition {
                status: ConditionStatus::False,
                ..refreshed.clone()
            },
        };
        let pressure = match good {
            Some(_) => Progress::None,
            None => pressure,
        };
        let expires_at = good.or(outdated);
        Self {
            ready,
            refreshed,
            pressure,
            refresh_at: next_try,
            wake_at: [next_try, expires_at].into_iter().flatten().min(),
        }
    }
}

fn ready(case: &Case<'_>, record: &Record) -> Condition {
    Condition::new(
        ConditionStatus::True,
        Reason::Synced,
        message::synced(&case.settings.target_name, record.expires_at),
    )
}

/// What waits for something else is no failure; an earlier one stays told.
fn failed_before_or_pending(case: &Case<'_>, message: impl Into<String>) -> Condition {
    match &case.observed.memory.failure {
        Some(failure) => Condition::new(ConditionStatus::False, failure.reason, &failure.message),
        None => Condition::new(ConditionStatus::Unknown, Reason::Pending, message),
    }
}

fn issued(record: &Record, refresh_at: Timestamp) -> Condition {
    let message = format!(
        "a token was issued at {}; the next one is requested at {refresh_at}",
        record.issued_at
    );
    Condition::new(ConditionStatus::True, Reason::TokenIssued, message)
}
