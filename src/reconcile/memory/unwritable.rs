//! A Secret that the API server refuses: a quota, an admission policy, a missing right.

use jiff::Timestamp;

use crate::reconcile::{
    pace::{retry::fast_delay, schedule::is_early},
    time::later,
    write_error::WriteError,
};

/// A Secret of ours that the API server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reconcile) struct Unwritable {
    pub(in crate::reconcile) why: WriteError,
    pub(in crate::reconcile) next_attempt: Timestamp,
    attempts: i32,
    /// Another generation may name another Secret: it is written immediately.
    generation: i64,
}

impl Unwritable {
    /// The Secret was refused, perhaps once more.
    pub(super) fn again(
        earlier: Option<&Self>,
        why: WriteError,
        (generation, uid): (i64, &str),
        now: Timestamp,
    ) -> Self {
        let attempts = earlier
            .map_or(0, |earlier| earlier.attempts)
            .saturating_add(1);
        let delay = fast_delay(attempts, uid);
        Self {
            why,
            next_attempt: later(now, delay),
            attempts,
            generation,
        }
    }

    /// Returns whether it is too early to write the Secret of this generation again.
    pub(in crate::reconcile) fn waits(&self, generation: i64, now: Timestamp) -> bool {
        self.generation == generation && is_early(self.next_attempt, now)
    }
}
