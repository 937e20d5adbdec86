//! The one clock: everything that decides takes the time as a parameter.

use jiff::Timestamp;
use tokio::time::Instant;

/// The current time with its fraction, for what people sort by and for the length of a sleep. No decision depends on it.
#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
pub(crate) fn precisely() -> Timestamp {
    Timestamp::now()
}

/// The current time in whole seconds, as Kubernetes stores times: a comparison of finer values with stored times would flap.
#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second())
        .expect("the current time is within the range of time")
}

/// The current time by the clock of the timers, which delays count by. No decision depends on it.
#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}
