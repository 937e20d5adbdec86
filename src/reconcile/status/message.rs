//! The messages of conditions.
//!
//! Ready states until when consumers have a token, or why they have none. Refreshed states the cause, one remedy and the next
//! attempt. Reconciling and Stalled point to one of these. A message has at most 200 characters without a provider's own words.

mod exchange;
mod probe;
mod secrets;
mod wait;

use jiff::{SignedDuration, Timestamp};

pub(super) use exchange::{failure, rejected_token};
pub(super) use probe::{probe_failed, unproven};
pub(super) use secrets::{
    earlier_target, held_by_finalizers, kept_target, not_writable, refresh_token_left,
    state_conflict, storing, target_conflict,
};
pub(super) use wait::{claimed, waits_for_permit, waits_for_slot, waits_for_target};

use crate::{
    api::{ConditionType, Reason},
    reconcile::{settings::Settings, token::TokenMetadata},
};

pub(super) fn valid(target: &str, expires_at: Timestamp) -> String {
    format!("token in Secret {target:?} is valid until {expires_at}")
}

/// The target holds a token, and the next one cannot be obtained.
pub(super) fn valid_but_failing(target: &str, expires_at: Timestamp, reason: Reason) -> String {
    let valid = valid(target, expires_at);
    format!(
        "{valid}, but refresh is failing ({reason}): consumers lose access then unless this is fixed"
    )
}

pub(super) fn valid_but_suspended(target: &str, expires_at: Timestamp) -> String {
    let valid = valid(target, expires_at);
    format!("{valid}, and is not refreshed while spec.suspend is true")
}

/// The credential is not ready, but consumers can still use the token of the earlier inputs for a while.
pub(super) fn outdated(target: &str, expires_at: Timestamp, reason: Reason) -> String {
    format!(
        "token in Secret {target:?} predates the last change and is valid until {expires_at}: {}",
        reason.meaning()
    )
}

pub(super) fn expired(target: &str, expired_at: Timestamp, reason: Reason) -> String {
    format!(
        "token in Secret {target:?} expired at {expired_at}: {}",
        reason.meaning()
    )
}

pub(super) fn no_token(target: &str, reason: Reason) -> String {
    format!("Secret {target:?} has no valid token: {}", reason.meaning())
}

/// The token has expired before the next one may be requested.
pub(super) fn short_lived(target: &str, token: &TokenMetadata) -> String {
    let lifetime = token.expires_at.duration_since(token.issued_at);
    format!(
        "token in Secret {target:?} expired at {} after {}: ask the provider for tokens that live 5 minutes or longer",
        token.expires_at,
        span(lifetime)
    )
}

pub(super) fn stalled(details: ConditionType, retry: Option<Timestamp>) -> String {
    match retry {
        Some(_) => format!(
            "someone must act: a retry is planned, but unlikely to help without a change; see condition {details:?}"
        ),
        None => format!("someone must act: see condition {details:?}"),
    }
}

pub(super) fn reconciling(reason: Reason, details: ConditionType) -> String {
    let progress = if reason.is_waiting() {
        "waiting"
    } else {
        "retrying"
    };
    format!("the operator is {progress}: see condition {details:?}")
}

pub(super) fn suspended() -> &'static str {
    "no token is requested while spec.suspend is true: set it to false to resume"
}

/// A grant that may not work at its provider; `None`: nothing is known against it.
pub(super) fn unlisted_grant(settings: &Settings) -> Option<String> {
    let provider = settings.grant_unlisted_by?;
    let grant = settings.grant.name();
    Some(format!(
        "{provider}'s metadata does not list the {grant} grant: ask its support whether your client may use it"
    ))
}

fn retrying(at: Timestamp) -> String {
    format!("; retrying at {at}")
}

/// The beginning of a text of any length that others wrote.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// A span of time in whole seconds, as people write it.
pub(super) fn span(duration: SignedDuration) -> String {
    format!("{:#}", SignedDuration::from_secs(duration.as_secs()))
}
