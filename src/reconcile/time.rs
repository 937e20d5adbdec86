//! Arithmetic on points in time that cannot overflow.

use jiff::{SignedDuration, Timestamp};

/// `time + duration`, or the end of time where that would overflow.
pub(super) fn later(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.saturating_add(duration).unwrap_or(Timestamp::MAX)
}
