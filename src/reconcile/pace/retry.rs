//! When a failed attempt is made again. Whole seconds; jitter comes from the uid and the attempt.

use jiff::SignedDuration;

use super::{
    delays,
    schedule::{fraction, whole},
};
use crate::api::{Reason, RetryClass};

/// How long after the `failures`-th failure in a row the next attempt is; `None`: there is none without a change.
pub(in crate::reconcile) fn retry_delay(
    reason: Reason,
    pause: Option<SignedDuration>,
    outcome_unknown: bool,
    failures: i32,
    uid: &str,
) -> Option<SignedDuration> {
    let jitter = fraction(uid, failures);
    if let Some(pause) = pause {
        return Some(pausing(pause, jitter));
    }
    match reason.retry_class()? {
        RetryClass::Terminal => None,
        RetryClass::Slow => Some(spread(nth(&delays::SLOW, failures), jitter)),
        RetryClass::Fast if outcome_unknown => {
            Some(spread(nth(&delays::OUTCOME_UNKNOWN, failures), jitter))
        }
        RetryClass::Fast => Some(spread(nth(&delays::FAST, failures), jitter)),
        RetryClass::RateLimited => Some(pausing(nth(&delays::RATE_LIMITED, failures), jitter)),
    }
}

/// Whether the next attempt, after so many with an unknown outcome, falls into a provider's grace period.
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

fn nth(seconds: &[i64], failures: i32) -> SignedDuration {
    let index = usize::try_from(failures.max(1) - 1).unwrap_or(0);
    SignedDuration::from_secs(seconds[index.min(seconds.len() - 1)])
}

fn last(seconds: &[i64]) -> i64 {
    seconds[seconds.len() - 1]
}

/// ±20 %.
fn spread(delay: SignedDuration, jitter: f64) -> SignedDuration {
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

    fn delay(reason: Reason, failures: i32) -> i64 {
        retry_delay(reason, None, false, failures, "uid")
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
            retry_delay(Reason::InvalidSpec, None, false, 1, "uid"),
            None
        );
    }

    #[test]
    fn a_refresh_that_may_have_arrived_is_tried_again_within_a_providers_grace() {
        for (failures, expected) in (1..).zip([2, 8, 20, 60, 120, 300, 300]) {
            let delay = retry_delay(Reason::NoResponse, None, true, failures, "uid").unwrap();
            assert!(
                (expected * 4 / 5..=expected * 6 / 5).contains(&delay.as_secs()),
                "{failures}: {delay:?}"
            );
        }
    }

    #[test]
    fn a_pause_of_the_provider_comes_before_the_class() {
        let pause = Some(SignedDuration::from_secs(30));
        let delay = retry_delay(Reason::Unavailable, pause, false, 5, "uid")
            .unwrap()
            .as_secs();
        assert!((30..=40).contains(&delay));
    }

    #[test]
    fn no_pause_is_cut_short_by_counting_in_whole_seconds() {
        for uid in (0..100).map(|number| number.to_string()) {
            for pause in [None, Some(SignedDuration::from_secs(60))] {
                let delay = retry_delay(Reason::RateLimited, pause, false, 1, &uid).unwrap();
                assert!((61..=70).contains(&delay.as_secs()), "{delay:?}");
            }
        }
    }

    #[test]
    fn jitter_differs_between_objects_and_not_between_calls() {
        let of = |uid: &str| retry_delay(Reason::InvalidClient, None, false, 4, uid).unwrap();
        assert_eq!(of("a"), of("a"));
        let distinct: std::collections::HashSet<_> = (0..20).map(|n| of(&n.to_string())).collect();
        assert!(distinct.len() > 10);
    }

    #[test]
    fn no_delay_is_longer_than_the_longest() {
        for reason in Reason::ALL {
            for failures in 0..50 {
                for pause in [None, Some(SignedDuration::from_hours(1))] {
                    let pause = pause
                        .filter(|_| matches!(reason, Reason::RateLimited | Reason::Unavailable));
                    if let Some(delay) =
                        retry_delay(reason, pause, false, failures, &failures.to_string())
                    {
                        assert!(delay <= longest_delay(reason), "{reason} {delay:?}");
                    }
                }
            }
        }
    }
}
