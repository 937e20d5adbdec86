//! Retry-After (RFC 9110, section 10.2.3): seconds, or a date that is compared with the response's own Date.

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};

/// A shorter pause is of no use, and providers that say 0 mean "not now".
const SHORTEST: SignedDuration = SignedDuration::from_secs(10);
/// A longer pause would outlive most tokens.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// The pause that the provider asks for, clamped to 10 seconds … 1 hour. A header that cannot be read counts as absent.
pub(super) fn pause(header: Option<&str>, date: Option<Timestamp>) -> Option<SignedDuration> {
    let header = header?.trim();
    let pause = if !header.is_empty() && header.bytes().all(|b| b.is_ascii_digit()) {
        // More digits than fit are a long pause, not an absent one.
        header.parse().map_or(LONGEST, SignedDuration::from_secs)
    } else {
        // The provider's clock may be wrong, so the date is compared with its own Date only.
        http_date(header)?.duration_since(date?)
    };
    Some(pause.clamp(SHORTEST, LONGEST))
}

/// An IMF-fixdate, which is also RFC 2822.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    rfc2822::parse(text.trim())
        .ok()
        .map(|zoned| zoned.timestamp())
}
