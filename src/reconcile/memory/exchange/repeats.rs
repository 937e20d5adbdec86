//! Providers that issue the same token until its end, or until shortly before: requests before that bring nothing.

use jiff::{SignedDuration, Timestamp};

use crate::reconcile::{pace::delays, time::later};

/// How long before the end of a token the provider is expected to issue another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Repeats {
    margin: SignedDuration,
}

impl Repeats {
    /// A token with this end came again. Half of what is left is waited for, and at last all of it: few requests find out how late
    /// the provider replaces a token, and the last of them comes when it must.
    pub(super) fn again(end: Timestamp, now: Timestamp) -> Self {
        let half = end.duration_since(now) / 2;
        let margin = if half < delays::BETWEEN_REPEATS {
            SignedDuration::ZERO
        } else {
            half
        };
        Self { margin }
    }

    /// Another token came so long before the end of the one before. The next one is requested a little earlier, in case the
    /// provider has learned something; `None`: it repeats nothing any more.
    pub(super) fn next(self, end: Timestamp, at: Timestamp) -> Option<Self> {
        let left = end.duration_since(at).max(delays::BETWEEN_REPEATS / 2);
        let margin = left.max(self.margin) * 2;
        (margin < delays::FORGOTTEN_REPEATS).then_some(Self { margin })
    }

    /// The time at which another token is expected in place of one with this end. It is a second after the end, if the provider
    /// waits for that.
    pub(super) fn over_at(self, end: Timestamp) -> Timestamp {
        if self.margin.is_zero() {
            return later(end, SignedDuration::from_secs(1));
        }
        later(end, -self.margin)
    }
}
