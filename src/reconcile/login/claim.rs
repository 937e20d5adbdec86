//! The claim on a refresh token: only one process may send it at a time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::reconcile::{pace::delays, time::later};

/// The process that is about to send a refresh token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::reconcile) struct Claim {
    /// The SHA-256 of the token.
    pub(in crate::reconcile) of: String,
    /// The uid of the pod.
    pub(in crate::reconcile) by: String,
    pub(in crate::reconcile) until: Timestamp,
}

/// Whether the current refresh token may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reconcile) enum ClaimState {
    /// No process claims it.
    Free,
    /// This process has claimed it, and has not sent it since.
    Ours { until: Timestamp },
    /// Another process may be sending it, at most until then.
    Others { until: Timestamp },
    /// A process claimed it and left no result: it may have been sent.
    OutcomeUnknown,
}

impl Claim {
    pub(super) fn new(token_hash: String, identity: &str, now: Timestamp) -> Self {
        Self {
            of: token_hash,
            by: identity.to_owned(),
            until: later(now, delays::CLAIM),
        }
    }

    /// The latest end of a claim that was first observed at this time, whatever end it states: the clock of its pod may be wrong.
    pub(in crate::reconcile) fn latest_end(first_observed: Timestamp) -> Timestamp {
        later(first_observed, delays::CLAIM)
    }

    /// Whether enough of a claim is left to send a request and receive its response.
    pub(in crate::reconcile) fn suffices(until: Timestamp, now: Timestamp) -> bool {
        until.duration_since(now) >= delays::CLAIM_LEFT
    }
}
