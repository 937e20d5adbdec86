//! The one clock of everything that is stored or compared with what is stored.

use jiff::Timestamp;

/// Now, in whole seconds: Kubernetes' own times have no finer ones, and comparing finer values would make decisions flap.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second())
        .expect("the current time is within the range of time")
}
