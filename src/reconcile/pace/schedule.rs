//! The time at which a live token is refreshed, in whole seconds. Jitter comes from the uid.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::delays;
use crate::reconcile::{settings::Settings, time::later, token::TokenMetadata};

/// The time at which a live token is refreshed: min(refreshBefore, lifetime / 3) before the end of the token or of its login, and up
/// to a tenth of that earlier still.
pub(in crate::reconcile) fn refresh_at(
    token: &TokenMetadata,
    settings: &Settings,
    uid: &str,
) -> Timestamp {
    let due = |end| {
        let margin = margin_before(end, token, settings);
        let jitter = (margin / 10).mul_f64(fraction(uid, 0));
        later(end, -whole(margin + jitter))
    };
    let planned = due(token.expires_at);
    let planned = token
        .login
        .map_or(planned, |login| planned.min(due(login.at)));
    planned.max(earliest_after(token.issued_at))
}

/// The least time before its expiry at which a token is replaced.
pub(in crate::reconcile) fn margin(token: &TokenMetadata, settings: &Settings) -> SignedDuration {
    margin_before(token.expires_at, token, settings)
}

fn margin_before(end: Timestamp, token: &TokenMetadata, settings: &Settings) -> SignedDuration {
    let lifetime = end.duration_since(token.issued_at);
    settings.refresh_before.min(lifetime / 3)
}

/// The earliest time for the next exchange of a healthy credential after one at this time.
pub(in crate::reconcile) fn earliest_after(exchange: Timestamp) -> Timestamp {
    later(exchange, delays::BETWEEN_EXCHANGES)
}

/// Returns whether a time in the past lies ahead: it was forged, or comes from a clock that is wrong, or was set back since.
pub(in crate::reconcile) fn is_ahead(past: Timestamp, now: Timestamp) -> bool {
    past > later(now, delays::CLOCK_SKEW)
}

/// Returns whether it is too early for an attempt that was planned for this time. One that is further away than any delay was
/// planned before the clock was set back.
pub(in crate::reconcile) fn is_early(planned: Timestamp, now: Timestamp) -> bool {
    now < planned && planned <= later(now, delays::LONGEST_DELAY)
}

/// A number in [0, 1) that is always the same for this uid and attempt.
pub(super) fn fraction(uid: &str, attempt: i32) -> f64 {
    let hash = Sha256::new()
        .chain_update(uid)
        .chain_update(attempt.to_be_bytes())
        .finalize();
    f64::from(u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])) / 2f64.powi(32)
}

pub(super) fn whole(duration: SignedDuration) -> SignedDuration {
    SignedDuration::from_secs(duration.as_secs())
}
