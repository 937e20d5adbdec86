//! Absorbs a probe: the verdict of the API about a token.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    api::RetryClass,
    oauth::error::{NetworkError, ProbeError},
    reconcile::{
        case::Case, memory::ProbeFailure, observed::Observed, pace::retry::next_probe, plan::Probed,
    },
};

pub(super) fn probed(observed: &mut Observed, probed: Probed, now: Timestamp) {
    let Some(probe) = observed
        .settings
        .as_ref()
        .ok()
        .and_then(|settings| settings.probe.clone())
    else {
        return;
    };
    let error = probed.error(&probe);
    let hash = probed.hash;
    let Some(error) = error else {
        return observed.memory.probe.accept(hash);
    };
    let error = if observed.hides_network_detail {
        ProbeError::hidden(&probe.endpoint)
    } else {
        error
    };
    let before = observed.memory.probe.failure(&hash);
    let count = before.map_or(0, |before| before.count).saturating_add(1);
    let class = class(&error);
    let case = Case::of(observed, now);
    let beside = case.as_ref().and_then(Case::published_hash);
    let lives_until = case.and_then(|case| case.lives_beside(case.live_token()?));
    let uid = &observed.credential.uid;
    let failure = ProbeFailure {
        next_attempt: next_probe(class, count, lives_until, uid, now),
        is_refusal: is_refusal(&error),
        error,
        class,
        at: now,
        count,
        probe: Arc::clone(&probe),
        refresh_request: observed.credential.refresh_request.clone(),
    };
    observed.memory.probe.fail(hash, failure, beside);
}

/// Returns whether the API refused the token, and did not just fail. Where the network is hidden, both have to look the same, and
/// consumers keep what they have.
fn is_refusal(error: &ProbeError) -> bool {
    match error {
        ProbeError::Status(_) => class(error) == RetryClass::Slow,
        ProbeError::Network(error) => matches!(error, NetworkError::Hidden { .. }),
    }
}

/// The schedule of retries after this error.
fn class(error: &ProbeError) -> RetryClass {
    match error {
        ProbeError::Status(429) => RetryClass::RateLimited,
        ProbeError::Status(408 | 425 | 500..) => RetryClass::Fast,
        ProbeError::Status(_) => RetryClass::Slow,
        ProbeError::Network(error) => error.reason().retry_class().unwrap_or(RetryClass::Slow),
    }
}
