//! Every delay of the operator's decisions, in one table. A test compares the retry delays with
//! `docs/reference/conditions.md` and `docs/troubleshooting.md`.

use jiff::SignedDuration;

const fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// Delays after a failure that is mostly fixed at the provider, where the cluster cannot see it. In seconds, ±20 %; the last one
/// repeats.
pub(in crate::reconcile) const SLOW: [i64; 4] = [300, 900, 1800, 3600];
/// Delays after a failure that mostly ends by itself. In seconds, ±20 %; the last one repeats.
pub(in crate::reconcile) const FAST: [i64; 6] = [10, 20, 40, 80, 160, 300];
/// A refusal is retried as often with the delays of `FAST`, while a live token of the same inputs remains to be saved.
pub(in crate::reconcile) const EARLY_RETRIES: i32 = 5;
/// The last attempt before the end of such a token comes so long before it.
pub(in crate::reconcile) const LAST_ATTEMPT: SignedDuration = seconds(8);
/// It is no closer to the attempt before, and neither is the one just after the end.
pub(in crate::reconcile) const BETWEEN_RETRIES: SignedDuration = seconds(5);
/// Delays after a refresh whose outcome is unknown. A provider's grace period for the previous token is short, and no other
/// process has its successor. In seconds, ±20 %; the last one repeats.
pub(in crate::reconcile) const OUTCOME_UNKNOWN: [i64; 6] = [2, 8, 20, 60, 120, 300];
/// The number of these that fall into the grace period of a provider. All later ones wait for the budget like other requests.
pub(in crate::reconcile) const WITHIN_GRACE: i32 = 3;
/// Delays after a rate limit that states no pause. In seconds, plus 1–10 s; the last one repeats.
pub(in crate::reconcile) const RATE_LIMITED: [i64; 5] = [60, 120, 240, 480, 900];
/// A failing server that asks for a longer pause delays a retry within the grace period of a provider by no more than this. Without
/// that retry, a refresh token that it has consumed would be lost.
pub(in crate::reconcile) const PAUSE_WITHIN_GRACE: SignedDuration = seconds(30);
/// The longest pause that a provider may ask for, with its jitter.
pub(in crate::reconcile) const LONGEST_PAUSE: SignedDuration = seconds(3600 + 10);

/// No attempt is further away than this, the last delay of `SLOW` with its spread.
pub(in crate::reconcile) const LONGEST_DELAY: SignedDuration = seconds(3600 * 6 / 5);

/// No two exchanges of a healthy credential are closer, so that a provider with tokens of a few seconds is not hammered.
/// Cubewire allows ten token requests a minute.
pub(in crate::reconcile) const BETWEEN_EXCHANGES: SignedDuration = seconds(12);
/// The least time between two requests for a token that the provider repeats until its end. Closer to the end, only the end
/// itself is left.
pub(in crate::reconcile) const BETWEEN_REPEATS: SignedDuration = seconds(12);
/// A provider that replaces a token so long before its end repeats none.
pub(in crate::reconcile) const FORGOTTEN_REPEATS: SignedDuration = seconds(24 * 3600);
/// Tokens of client credentials live for an hour or a few. A longer lifetime may be a number of milliseconds.
pub(in crate::reconcile) const LONG_LIFETIME: SignedDuration = seconds(24 * 3600);
/// The time that a kubelet may take to show a changed Secret to a pod that mounts it. Measured: at most 90 s, mostly 47 s.
pub(in crate::reconcile) const PROPAGATION: SignedDuration = seconds(90);
/// A difference between two clocks that is worth an event.
pub(in crate::reconcile) const CLOCK_SKEW: SignedDuration = seconds(60);

/// The least time between two probes of one token, whatever has changed: the author of a spec chooses the API.
pub(in crate::reconcile) const BETWEEN_PROBES: SignedDuration = seconds(5);
/// Where there is no other token, it is published after so many failed probes.
pub(in crate::reconcile) const PROBES_BEFORE_PUBLISHING: i32 = 3;

/// The metadata of an issuer is read again after this time, less 0–10 %.
pub(in crate::reconcile) const READ_AGAIN: SignedDuration = seconds(24 * 3600);
/// The least time between two reads of an issuer's metadata if its token endpoint does not respond as one.
pub(in crate::reconcile) const READ_SUSPECTED: SignedDuration = seconds(3600);
/// Delays after a failure to read the metadata of an issuer. In seconds, ±20 %; the last one repeats.
pub(in crate::reconcile) const LOOKUP: [i64; 7] = [10, 30, 60, 300, 900, 1800, 3600];
/// The least time between two reads for one provider object, whatever has changed.
pub(in crate::reconcile) const BETWEEN_LOOKUPS: SignedDuration = seconds(10);
/// The most reads for the objects of a namespace together, and the time after which one more is allowed.
pub(in crate::reconcile) const LOOKUPS_OF_NAMESPACE: (i32, SignedDuration) = (10, seconds(6));
/// The same for one host. Many namespaces may have the same provider.
pub(in crate::reconcile) const LOOKUPS_OF_HOST: (i32, SignedDuration) = (20, seconds(1));

/// Foreign, missing and unlabelled Secrets are not watched, and a rival that moves away before it has published anything leaves
/// no trace: they are looked up this often.
pub(in crate::reconcile) const UNWATCHED: SignedDuration = seconds(60);

/// The pods that use a Secret under an earlier name of the target are listed this often.
pub(in crate::reconcile) const PODS: SignedDuration = seconds(600);

/// The least time that the rollout of a workload is likely to take.
pub(in crate::reconcile) const ROLLOUT: SignedDuration = seconds(60);
/// A workload whose restart is in progress is looked at this often.
pub(in crate::reconcile) const RESTARTING: SignedDuration = seconds(5);
/// A workload that changed since it was looked at is looked at again after this time.
pub(in crate::reconcile) const RESTART_CONFLICT: SignedDuration = seconds(2);
/// A workload that cannot be restarted because of another rollout, or while the API server does not respond, is looked at this often.
pub(in crate::reconcile) const BUSY_WORKLOAD: SignedDuration = seconds(60);
/// The delay before a refused restart is retried: the missing right has to be granted first.
pub(in crate::reconcile) const REFUSED_RESTART: SignedDuration = seconds(600);

/// The duration of a claim on a refresh token.
pub(in crate::reconcile) const CLAIM: SignedDuration = seconds(40);
/// The time that must be left of a claim when the request is sent: an exchange (at most 30 s), and the 5 s that the clocks of two
/// nodes may differ.
pub(in crate::reconcile) const CLAIM_LEFT: SignedDuration = seconds(35);
/// A revoked token stays revoked, but a provider may err once. A rejection is confirmed after this time.
pub(in crate::reconcile) const CONFIRMATION: SignedDuration = seconds(300);
/// The pauses between attempts to store a response, in milliseconds; the last one repeats forever.
pub(in crate::reconcile) const STORE: [i64; 9] =
    [200, 400, 800, 1600, 3200, 5000, 10_000, 20_000, 30_000];

/// A permit that is not used within this time must be requested again: an API server that hangs would hold many requests back,
/// and then let all of them go at the same moment.
pub(in crate::reconcile) const PERMIT: SignedDuration = seconds(5);
/// A queued request that is not claimed within this time after its turn loses its place.
pub(in crate::reconcile) const PLACE_IN_QUEUE: SignedDuration = seconds(60);

#[cfg(test)]
mod tests {
    use super::*;

    /// `5, 15, 30, then every 60 min`.
    fn list(delays: &[i64], unit: i64, name: &str) -> String {
        let (last, first) = delays.split_last().unwrap();
        let first: Vec<_> = first
            .iter()
            .map(|delay| (delay / unit).to_string())
            .collect();
        format!("{}, then every {} {name}", first.join(", "), last / unit)
    }

    #[test]
    fn the_pages_state_these_delays() {
        let reference = include_str!("../../../docs/reference/conditions.md");
        let troubleshooting = include_str!("../../../docs/troubleshooting.md");
        for (delays, unit, short, long) in [
            (&SLOW[..], 60, "min", "minutes"),
            (&FAST[..], 1, "s", "seconds"),
            (&OUTCOME_UNKNOWN[..], 1, "s", "seconds"),
        ] {
            let text = list(delays, unit, short);
            assert!(
                reference.contains(&text),
                "docs/reference/conditions.md lacks {text:?}"
            );
            let text = list(delays, unit, long);
            assert!(
                troubleshooting.contains(&text),
                "docs/troubleshooting.md lacks {text:?}"
            );
        }
    }
}
