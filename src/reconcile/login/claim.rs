//! The claim on a refresh token: only one process may send it at a time. Claiming is a write of the state, and the last one before
//! the request.

use jiff::Timestamp;

use super::{binding::Binding, record::Claim, stored::StoredLogin};
use crate::reconcile::{pace::delays, time::later};

/// The state of the claim on the current refresh token.
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

/// The Secret with the initial refresh token at the moment of a claim.
#[derive(Clone, Debug, Default)]
pub(in crate::reconcile) struct SeedNow {
    pub(in crate::reconcile) version: Option<String>,
    /// The hosts that its owner allows.
    pub(in crate::reconcile) token_hosts: Option<String>,
    /// The CA bundles that its owner allows.
    pub(in crate::reconcile) token_ca: Option<String>,
    /// The use that the spec asks for.
    pub(in crate::reconcile) binding: Option<Binding>,
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

    /// Returns whether enough of a claim is left to send a request and receive its response.
    pub(in crate::reconcile) fn suffices(until: Timestamp, now: Timestamp) -> bool {
        until.duration_since(now) >= delays::CLAIM_LEFT
    }
}

impl StoredLogin {
    /// Returns whether the token may be sent. `unused` is a claim of this process with which certainly nothing was consumed.
    /// `identity` is this pod if only this object can have claimed the token here.
    pub(in crate::reconcile) fn claim_state(
        &self,
        identity: Option<&str>,
        unused: Option<&Claim>,
        now: Timestamp,
    ) -> ClaimState {
        let claim = self.record.claim.as_ref();
        let Some(claim) = claim.filter(|claim| claim.of == self.token_hash()) else {
            return ClaimState::Free;
        };
        let until = claim.until;
        if unused == Some(claim) {
            return ClaimState::Ours { until };
        }
        // A claim of this pod comes from an earlier container, which is gone.
        if Some(&*claim.by) != identity && until > now {
            return ClaimState::Others { until };
        }
        ClaimState::OutcomeUnknown
    }

    /// The login, claimed by this process. An unknown outcome stays unknown until the provider says what happened to the token.
    pub(in crate::reconcile) fn claimed(
        &self,
        identity: &str,
        seed: SeedNow,
        unused: Option<&Claim>,
        now: Timestamp,
    ) -> Self {
        let unknown = match self.claim_state(Some(identity), unused, now) {
            ClaimState::Free | ClaimState::Ours { .. } => false,
            ClaimState::OutcomeUnknown | ClaimState::Others { .. } => true,
        };
        self.with(|record| {
            record.claim = Some(Claim::new(self.token_hash(), identity, now));
            record.seed_version = seed.version;
            record.token_hosts = seed.token_hosts;
            record.token_ca = seed.token_ca;
            record.binding = seed.binding.map(Box::new);
            record.outcome_unknown |= unknown;
        })
    }

    /// The login without its claim, because nothing was consumed.
    pub(in crate::reconcile) fn released(&self) -> Self {
        self.with(|record| record.claim = None)
    }
}
