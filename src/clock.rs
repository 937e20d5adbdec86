//! The one clock: everything that decides takes the time as a parameter.

use jiff::Timestamp;

/// The current time in whole seconds, as Kubernetes stores times: comparing it with a stored time would flap otherwise.
#[expect(clippy::disallowed_methods, reason = "this is the one clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second())
        .expect("the current time is within the range of time")
}
