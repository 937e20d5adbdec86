//! When: the next refresh of a live token, and the next try after a failure. Whole seconds, jitter from the uid.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::{attempt::later, settings::Settings, target::Record};
use crate::api::{Reason, RetryClass};

/// No two exchanges of a healthy credential are closer: a provider that issues tokens of a few seconds is not hammered.
/// Cubewire allows ten token requests a minute.
const SHORTEST_INTERVAL: SignedDuration = SignedDuration::from_secs(12);
/// The longest pause that a provider may ask for, and its jitter.
pub(super) const LONGEST_PAUSE: SignedDuration = SignedDuration::from_secs(3600 + 10);

/// When a live token is refreshed: min(refreshBefore, lifetime / 3) before its expiry, less up to a tenth of that.
pub(super) fn refresh_at(record: &Record, settings: &Settings, uid: &str) -> Timestamp {
    let margin = margin(record, settings);
    let jitter = part(margin / 10, fraction(uid, 0));
    let planned = later(record.expires_at, -whole(margin + jitter));
    planned.max(at_least_after(record.issued_at))
}

/// How long before its expiry a token is replaced, at least.
pub(super) fn margin(record: &Record, settings: &Settings) -> SignedDuration {
    let lifetime = record.expires_at.duration_since(record.issued_at);
    settings.refresh_before.min(lifetime / 3)
}

/// The earliest time for the next exchange of a healthy credential after one at this time.
pub(super) fn at_least_after(exchange: Timestamp) -> Timestamp {
    later(exchange, SHORTEST_INTERVAL)
}

/// How long after the `failures`-th failure in a row the next try is; `None`: not by itself.
pub(super) fn retry_delay(
    reason: Reason,
    pause: Option<SignedDuration>,
    outcome_unknown: bool,
    failures: i32,
    uid: &str,
) -> Option<SignedDuration> {
    let jitter = fraction(uid, failures);
    // 1–10 s more: counted from whole seconds, the pause alone would end up to a second too early.
    let pausing = |pause| {
        whole(pause + SignedDuration::from_secs(1) + part(SignedDuration::from_secs(9), jitter))
    };
    if let Some(pause) = pause {
        return Some(pausing(pause));
    }
    let nth = |seconds: &[i64]| {
        let index = usize::try_from(failures.max(1) - 1)
            .unwrap_or(0)
            .min(seconds.len() - 1);
        SignedDuration::from_secs(seconds[index])
    };
    // ±20 %
    let spread = |delay: SignedDuration| Some(whole(delay * 4 / 5 + part(delay * 2 / 5, jitter)));
    match reason.retry_class()? {
        RetryClass::Terminal => None,
        RetryClass::Slow => spread(nth(&[300, 900, 1800, 3600])),
        // A provider's grace for the token before is short, and nobody else holds its successor.
        RetryClass::Fast if outcome_unknown => spread(nth(&[2, 8, 20, 60, 120, 300])),
        RetryClass::Fast => spread(nth(&[10, 20, 40, 80, 160, 300])),
        RetryClass::RateLimited => Some(pausing(nth(&[60, 120, 240, 480, 900]))),
    }
}

/// Whether the next try after so many of them that left a doubt is one of those that a provider's grace is waiting for: 2, 8 and 20 s.
/// All later ones can wait for their turn like others.
pub(super) fn is_in_grace(unknown_outcomes: i32) -> bool {
    unknown_outcomes <= 3
}

/// The longest delay that a failure with this reason can ever have.
pub(super) fn longest_delay(reason: Reason) -> SignedDuration {
    match reason.retry_class() {
        Some(RetryClass::Slow) => SignedDuration::from_secs(3600 * 6 / 5),
        Some(RetryClass::Fast) if reason != Reason::Unavailable => {
            SignedDuration::from_secs(300 * 6 / 5)
        }
        // Unavailable may carry a Retry-After.
        _ => LONGEST_PAUSE,
    }
}

/// A number in [0, 1) that is always the same for this uid and attempt.
fn fraction(uid: &str, attempt: i32) -> f64 {
    let hash = Sha256::new()
        .chain_update(uid)
        .chain_update(attempt.to_be_bytes())
        .finalize();
    f64::from(u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])) / 2f64.powi(32)
}

fn part(duration: SignedDuration, fraction: f64) -> SignedDuration {
    duration.mul_f64(fraction)
}

fn whole(duration: SignedDuration) -> SignedDuration {
    SignedDuration::from_secs(duration.as_secs())
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
