//! The content of a state Secret.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::{
    claim::{Claim, ClaimState},
    record::LoginRecord,
};
use crate::reconcile::digest::hex;

/// The content of a state Secret.
#[derive(Clone, Debug)]
pub struct StoredLogin {
    pub(in crate::reconcile) refresh_token: SecretString,
    /// The last access token, if one came with this refresh token.
    pub(in crate::reconcile) access_token: Option<SecretString>,
    /// The refresh token of the login before, until this one has worked.
    pub(in crate::reconcile) replaced_token: Option<SecretString>,
    pub(in crate::reconcile) record: LoginRecord,
}

impl StoredLogin {
    /// Whether this login began with this initial refresh token.
    pub(in crate::reconcile) fn began_with(&self, initial: &SecretString) -> bool {
        self.record.seed == hash(initial)
    }

    /// Whether this login, or one that it has replaced for good, began with this initial refresh token.
    pub(in crate::reconcile) fn knows(&self, initial: &SecretString) -> bool {
        let seed = hash(initial);
        self.record.seed == seed || self.record.past_seeds.contains(&seed)
    }

    /// The hash of the refresh token.
    pub(in crate::reconcile) fn token_hash(&self) -> String {
        hash(&self.refresh_token)
    }

    /// Whether the token may be sent. `unused` is a claim of this process with which certainly nothing was consumed.
    pub(in crate::reconcile) fn claim_state(
        &self,
        identity: &str,
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
        if claim.by != identity && until > now {
            return ClaimState::Others { until };
        }
        ClaimState::OutcomeUnknown
    }
}

pub(super) fn hash(token: &SecretString) -> String {
    hex(&Sha256::digest(token.expose_secret()))
}
