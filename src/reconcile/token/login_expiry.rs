//! The end of the login that a token comes from, as far as the provider states it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Two responses that are closer than this do not show whether a refresh extends the login.
const TOO_CLOSE: SignedDuration = SignedDuration::from_secs(10);

/// The end of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::reconcile) struct LoginExpiry {
    pub(in crate::reconcile) at: Timestamp,
    /// The last refresh did not extend the login, so only another sign-in does. An idle lifetime begins anew with each refresh.
    #[serde(default)]
    pub(in crate::reconcile) fixed: bool,
}

impl LoginExpiry {
    /// The end that a response states after another one, which was requested at that time.
    pub(in crate::reconcile) fn following(
        at: Timestamp,
        before: Option<(Self, Timestamp)>,
        requested_at: Timestamp,
    ) -> Self {
        let fixed = before.is_some_and(|(before, since)| {
            if requested_at.duration_since(since) < TOO_CLOSE {
                return before.fixed;
            }
            !has_moved(before.at, at, since, requested_at)
        });
        Self { at, fixed }
    }
}

/// Returns whether an end has moved on with the time between two requests. A fixed end seems to move by seconds, because
/// responses state whole seconds and take their time.
pub(in crate::reconcile) fn has_moved(
    before: Timestamp,
    end: Timestamp,
    since: Timestamp,
    requested_at: Timestamp,
) -> bool {
    end.duration_since(before) > requested_at.duration_since(since) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn following(end: i64, before: (i64, bool), since: i64, requested: i64) -> bool {
        let (before, fixed) = before;
        let before = LoginExpiry {
            at: at(before),
            fixed,
        };
        LoginExpiry::following(at(end), Some((before, at(since))), at(requested)).fixed
    }

    #[test]
    fn an_end_is_fixed_once_a_refresh_has_not_moved_it() {
        assert!(!LoginExpiry::following(at(1800), None, at(0)).fixed);
        // An idle lifetime of half an hour begins anew with each refresh.
        assert!(!following(1800 + 240, (1800, false), 0, 240));
        // A session ends at one time, which each response states a little differently.
        assert!(following(36_000, (36_000, false), 0, 240));
        assert!(following(36_001, (36_000, false), 0, 240));
        assert!(following(35_975, (36_000, true), 0, 240));
        // Two responses in a row show nothing new.
        assert!(following(36_003, (36_000, true), 0, 3));
        assert!(!following(36_003, (36_000, false), 0, 3));
    }
}
