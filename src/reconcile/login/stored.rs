//! The content of a state Secret.

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::record::LoginRecord;
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

    /// Whether the stored refresh token is this one: the provider has not rotated it, so whoever may use the one may use the other.
    pub(in crate::reconcile) fn holds(&self, initial: &SecretString) -> bool {
        self.token_hash() == hash(initial)
    }

    /// The hash of the refresh token.
    pub(in crate::reconcile) fn token_hash(&self) -> String {
        hash(&self.refresh_token)
    }
}

impl StoredLogin {
    /// The login without its binding, its hosts and its CA bundles: the Secret that holds the very same token speaks for it again.
    pub(in crate::reconcile) fn unbound(&self) -> Self {
        self.with(|record| {
            record.binding = None;
            record.token_hosts = None;
            record.token_ca = None;
        })
    }

    pub(super) fn with(&self, change: impl FnOnce(&mut LoginRecord)) -> Self {
        let mut changed = self.clone();
        change(&mut changed.record);
        changed
    }
}

pub(super) fn hash(token: &SecretString) -> String {
    hex(&Sha256::digest(token.expose_secret()))
}
