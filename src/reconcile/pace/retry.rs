//! The delay before a failed attempt is retried, in whole seconds. Jitter comes from the uid and the attempt.

use jiff::{SignedDuration, Timestamp};

use super::{
    delays,
    schedule::{fraction, whole},
};
use crate::{
    api::{Reason, RetryClass},
    reconcile::time::later,
};

/// The delay of the next attempt after the `failures`-th failure in a row; `None`: there is no attempt without a change.
pub(in crate::reconcile) fn retry_delay(
    class: RetryClass,
    outcome_unknown: bool,
    failures: i32,
    uid: &str,
) -> Option<SignedDuration> {
    let jitter = fraction(uid, failures);
    match class {
        RetryClass::Terminal => None,
        RetryClass::Slow => Some(spread(nth(&delays::SLOW, failures), jitter)),
        RetryClass::Fast if outcome_unknown => {
            Some(spread(nth(&delays::OUTCOME_UNKNOWN, failures), jitter))
        }
        RetryClass::Fast => Some(fast_delay(failures, uid)),
        RetryClass::RateLimited => Some(pausing(nth(&delays::RATE_LIMITED, failures), jitter)),
    }
}

/// The delay after the `failures`-th failure in a row of those that mostly end by themselves.
pub(in crate::reconcile) fn fast_delay(failures: i32, uid: &str) -> SignedDuration {
    spread(nth(&delays::FAST, failures), fraction(uid, failures))
}

/// The delay after the `failures`-th failure in a row if the provider asked for this pause.
pub(in crate::reconcile) fn delay_after_pause(
    pause: SignedDuration,
    failures: i32,
    uid: &str,
) -> SignedDuration {
    pausing(pause, fraction(uid, failures))
}

/// The delay of a retry within a provider's grace period after a failing server asked for this pause: the `failures`-th failure in a
/// row.
pub(in crate::reconcile) fn delay_within_grace(
    pause: SignedDuration,
    failures: i32,
    uid: &str,
) -> SignedDuration {
    delay_after_pause(pause, failures, uid).min(delays::PAUSE_WITHIN_GRACE)
}

/// The token that a refresh saves: a live token of the same inputs, which consumers have until its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reconcile) enum Saves {
    /// There was none since the attempts began to fail.
    Nothing,
    /// There was one, and it has ended.
    Ended,
    /// It ends then.
    Until(Timestamp),
}

impl Saves {
    /// The time of an attempt that was planned for this one: it comes before the end of the token.
    fn in_time(self, planned: Timestamp, now: Timestamp) -> Timestamp {
        match self {
            Self::Until(end) => planned.min(last_attempt(end, now)),
            Self::Nothing | Self::Ended => planned,
        }
    }
}

/// The time of the attempt after the `failures`-th failure in a row of a credential that has worked with the same inputs.
///
/// A refusal of such a credential may end by itself, with a roll-out or because the provider replaces no token earlier. So the
/// first attempts follow soon, one comes shortly before the end, and one just after it. Then the delays of its class begin.
pub(in crate::reconcile) fn next_attempt(
    reason: Reason,
    outcome_unknown: bool,
    failures: i32,
    saves: Saves,
    uid: &str,
    now: Timestamp,
) -> Option<Timestamp> {
    let class = reason.retry_class()?;
    let delay = |class, nth| retry_delay(class, outcome_unknown, nth, uid);
    if saves == Saves::Nothing || !matches!(class, RetryClass::Slow | RetryClass::Fast) {
        return Some(later(now, delay(class, failures)?));
    }
    let is_early = saves != Saves::Ended && failures <= delays::EARLY_RETRIES;
    let delay = match class {
        RetryClass::Slow if is_early => delay(RetryClass::Fast, failures)?,
        RetryClass::Slow => delay(class, (failures - delays::EARLY_RETRIES - 2).max(1))?,
        _ => delay(class, failures)?,
    };
    let planned = later(now, delay);
    Some(saves.in_time(planned, now))
}

/// The time of the next attempt after one for which this cluster is to blame, so that nothing was sent. Another lookup of the name,
/// or another read of the CA certificates, may show something else.
pub(in crate::reconcile) fn next_unsent_attempt(
    saves: Saves,
    uid: &str,
    now: Timestamp,
) -> Timestamp {
    let planned = later(now, spread(nth(&delays::SLOW, 1), fraction(uid, 1)));
    saves.in_time(planned, now)
}

/// The time of the probe after the `failures`-th failed one in a row. `lives_until` is the end of the token that consumers have
/// meanwhile.
///
/// A refusal may end by itself, because an API can learn of a new token late. So the first probes follow soon, as after a failure
/// that ends by itself.
pub(in crate::reconcile) fn next_probe(
    class: RetryClass,
    failures: i32,
    lives_until: Option<Timestamp>,
    uid: &str,
    now: Timestamp,
) -> Timestamp {
    let jitter = fraction(uid, failures);
    let delay = match class {
        RetryClass::RateLimited => pausing(nth(&delays::RATE_LIMITED, failures), jitter),
        RetryClass::Slow | RetryClass::Terminal if failures > delays::EARLY_RETRIES => {
            spread(nth(&delays::SLOW, failures - delays::EARLY_RETRIES), jitter)
        }
        RetryClass::Slow | RetryClass::Terminal | RetryClass::Fast => fast_delay(failures, uid),
    };
    let planned = later(now, delay);
    lives_until.map_or(planned, |end| planned.min(last_attempt(end, now)))
}

/// The last attempt before this end, or the one after it. None follows another one immediately.
fn last_attempt(end: Timestamp, now: Timestamp) -> Timestamp {
    let earliest = later(now, delays::BETWEEN_RETRIES);
    if earliest <= later(end, -delays::LAST_ATTEMPT / 2) {
        return earliest.max(later(end, -delays::LAST_ATTEMPT));
    }
    earliest.max(later(end, SignedDuration::from_secs(1)))
}

/// Returns whether the next attempt, after so many with an unknown outcome, falls into a provider's grace period.
pub(in crate::reconcile) fn is_within_grace(unknown_outcomes: i32) -> bool {
    unknown_outcomes <= delays::WITHIN_GRACE
}

/// The longest delay that a failure with this reason can ever have.
pub(in crate::reconcile) fn longest_delay(reason: Reason) -> SignedDuration {
    match reason.retry_class() {
        Some(RetryClass::Slow) => SignedDuration::from_secs(last(&delays::SLOW) * 6 / 5),
        // Unavailable may carry a Retry-After.
        Some(RetryClass::Fast) if reason != Reason::Unavailable => {
            SignedDuration::from_secs(last(&delays::FAST) * 6 / 5)
        }
        Some(RetryClass::Fast | RetryClass::RateLimited | RetryClass::Terminal) | None => {
            delays::LONGEST_PAUSE
        }
    }
}

pub(super) fn nth(seconds: &[i64], failures: i32) -> SignedDuration {
    let index = usize::try_from(failures.max(1) - 1).unwrap_or(0);
    SignedDuration::from_secs(seconds[index.min(seconds.len() - 1)])
}

fn last(seconds: &[i64]) -> i64 {
    seconds[seconds.len() - 1]
}

/// ±20 %.
pub(super) fn spread(delay: SignedDuration, jitter: f64) -> SignedDuration {
    whole(delay * 4 / 5 + (delay * 2 / 5).mul_f64(jitter))
}

/// 1–10 s more. The pause alone, counted from whole seconds, would end up to a second too early.
fn pausing(pause: SignedDuration, jitter: f64) -> SignedDuration {
    let more = SignedDuration::from_secs(9).mul_f64(jitter);
    whole(pause + SignedDuration::from_secs(1) + more)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(reason: Reason) -> RetryClass {
        reason.retry_class().unwrap()
    }

    fn delay(reason: Reason, failures: i32) -> i64 {
        retry_delay(class(reason), false, failures, "uid")
            .unwrap()
            .as_secs()
    }

    #[test]
    fn each_class_has_its_delays() {
        for (reason, delays) in [
            (
                Reason::InvalidClient,
                [300, 900, 1800, 3600, 3600, 3600, 3600],
            ),
            (Reason::Unreachable, [10, 20, 40, 80, 160, 300, 300]),
        ] {
            for (failures, expected) in (1..).zip(delays) {
                let delay = delay(reason, failures);
                assert!(
                    (expected * 4 / 5..=expected * 6 / 5).contains(&delay),
                    "{reason} {failures}: {delay}"
                );
            }
        }
        for (failures, expected) in (1..).zip([60, 120, 240, 480, 900, 900]) {
            let delay = delay(Reason::RateLimited, failures);
            assert!(
                (expected..=expected + 10).contains(&delay),
                "{failures}: {delay}"
            );
        }
        assert_eq!(
            retry_delay(class(Reason::InvalidSpec), false, 1, "uid"),
            None
        );
    }

    /// The attempts of a credential whose token ends at 300, from the first failure on, while all of them fail.
    fn attempts(reason: Reason, uid: &str) -> Vec<i64> {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut now = 0;
        let attempts = (1..12).map(|failures| {
            let saves = if now < 300 {
                Saves::Until(at(300))
            } else {
                Saves::Ended
            };
            now = next_attempt(reason, false, failures, saves, uid, at(now))
                .unwrap()
                .as_second();
            now
        });
        attempts.collect()
    }

    #[test]
    fn a_refusal_is_retried_early_while_a_live_token_remains_to_be_saved() {
        for uid in (0..50).map(|number| number.to_string()) {
            let attempts = attempts(Reason::EndpointNotFound, &uid);
            let early: Vec<_> = attempts.iter().copied().filter(|at| *at < 300).collect();
            assert!((5..=7).contains(&early.len()), "{attempts:?}");
            assert!((8..=12).contains(&early[0]), "{attempts:?}");
            let last = early.last().unwrap();
            assert!((290..=296).contains(last), "{attempts:?}");
            let late: Vec<_> = attempts[early.len()..].to_vec();
            assert_eq!(late[0], 301, "{attempts:?}");
            let delay = late[1] - late[0];
            assert!((240..=360).contains(&delay), "{attempts:?}");
            let gaps: Vec<_> = late.windows(2).map(|pair| pair[1] - pair[0]).collect();
            assert!(gaps.is_sorted_by(|a, b| a * 6 <= b * 8), "{attempts:?}");
        }
    }

    #[test]
    fn no_retry_follows_another_immediately_because_the_token_ends() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for now in 0..100 {
            for failures in 1..10 {
                let saves = Saves::Until(at(100));
                let reason = Reason::InvalidClient;
                let next = next_attempt(reason, false, failures, saves, "uid", at(now)).unwrap();
                assert!(next >= at(now + 5), "{now}: {next}");
                assert!(next <= at(now + 5).max(at(101)), "{now}: {next}");
            }
        }
    }

    #[test]
    fn a_credential_that_has_not_worked_has_the_delays_of_its_class() {
        let at = |second| Timestamp::from_second(second).unwrap();
        for failures in 1..5 {
            let next =
                |saves| next_attempt(Reason::Forbidden, false, failures, saves, "uid", at(0));
            let expected = later(
                at(0),
                retry_delay(class(Reason::Forbidden), false, failures, "uid").unwrap(),
            );
            assert_eq!(next(Saves::Nothing), Some(expected));
            assert_ne!(next(Saves::Until(at(3600))), Some(expected));
        }
        let dead = Reason::RefreshTokenRejected;
        assert_eq!(
            next_attempt(dead, false, 1, Saves::Until(at(300)), "uid", at(0)),
            None
        );
    }

    #[test]
    fn a_refresh_that_may_have_arrived_is_retried_within_a_providers_grace_period() {
        for (failures, expected) in (1..).zip([2, 8, 20, 60, 120, 300, 300]) {
            let delay = retry_delay(class(Reason::NoResponse), true, failures, "uid").unwrap();
            assert!(
                (expected * 4 / 5..=expected * 6 / 5).contains(&delay.as_secs()),
                "{failures}: {delay:?}"
            );
        }
    }

    #[test]
    fn a_pause_of_the_provider_is_the_delay_whatever_has_failed_before() {
        let delay = delay_after_pause(SignedDuration::from_secs(30), 5, "uid").as_secs();
        assert!((30..=40).contains(&delay));
    }

    #[test]
    fn a_pause_delays_a_retry_within_the_grace_period_by_half_a_minute_at_most() {
        for (pause, least, most) in [(10, 11, 20), (25, 26, 30), (30, 30, 30), (3600, 30, 30)] {
            for uid in (0..50).map(|number| number.to_string()) {
                let pause = SignedDuration::from_secs(pause);
                let delay = delay_within_grace(pause, 1, &uid).as_secs();
                assert!((least..=most).contains(&delay), "{pause:?}: {delay}");
                let whole = delay_after_pause(pause, 1, &uid).as_secs();
                assert!(delay <= whole, "{pause:?}: {delay}");
            }
        }
    }

    #[test]
    fn no_pause_is_cut_short_by_counting_in_whole_seconds() {
        for uid in (0..100).map(|number| number.to_string()) {
            for delay in [
                retry_delay(RetryClass::RateLimited, false, 1, &uid).unwrap(),
                delay_after_pause(SignedDuration::from_secs(60), 1, &uid),
            ] {
                assert!((61..=70).contains(&delay.as_secs()), "{delay:?}");
            }
        }
    }

    #[test]
    fn jitter_differs_between_objects_and_not_between_calls() {
        let of = |uid: &str| retry_delay(RetryClass::Slow, false, 4, uid).unwrap();
        assert_eq!(of("a"), of("a"));
        let distinct: std::collections::HashSet<_> = (0..20).map(|n| of(&n.to_string())).collect();
        assert!(distinct.len() > 10);
    }

    #[test]
    fn no_delay_is_longer_than_the_longest() {
        for reason in Reason::ALL {
            for failures in 0..50 {
                let uid = failures.to_string();
                let class = reason.retry_class();
                let of_class = class.and_then(|class| retry_delay(class, false, failures, &uid));
                let pauses = matches!(reason, Reason::RateLimited | Reason::Unavailable);
                let after_pause = pauses
                    .then(|| delay_after_pause(SignedDuration::from_hours(1), failures, &uid));
                for delay in of_class.into_iter().chain(after_pause) {
                    assert!(delay <= longest_delay(reason), "{reason} {delay:?}");
                }
            }
        }
    }
}
