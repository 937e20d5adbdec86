//! The content of a state Secret.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::record::LoginRecord;
use crate::{
    api::label,
    reconcile::{
        digest::{hex, keyed},
        token::{Details, Token},
    },
};

/// The content of a state Secret.
#[derive(Clone, Debug)]
pub struct StoredLogin {
    pub(in crate::reconcile) refresh_token: SecretString,
    /// The last access token, if one came with this refresh token.
    pub(in crate::reconcile) access_token: Option<SecretString>,
    /// The details of that token; `None`: an earlier version stored it.
    pub(in crate::reconcile) details: Option<Box<Details>>,
    /// The refresh token of the login before, until this one has worked.
    pub(in crate::reconcile) replaced_token: Option<SecretString>,
    pub(in crate::reconcile) record: LoginRecord,
}

impl StoredLogin {
    /// Returns whether this login began with this initial refresh token.
    pub(in crate::reconcile) fn began_with(&self, initial: &SecretString) -> bool {
        self.record.seed == hash(initial)
    }

    /// Returns whether this login, or one that it has replaced for good, began with this initial refresh token.
    pub(in crate::reconcile) fn knows(&self, initial: &SecretString) -> bool {
        let seed = hash(initial);
        self.record.seed == seed || self.record.past_seeds.contains(&seed)
    }

    /// Returns whether the stored refresh token is this one: the provider has not rotated it, so consent to
    /// one is consent to the other.
    pub(in crate::reconcile) fn holds(&self, initial: &SecretString) -> bool {
        self.token_hash() == hash(initial)
    }

    /// The hash of the refresh token.
    pub(in crate::reconcile) fn token_hash(&self) -> String {
        hash(&self.refresh_token)
    }
}

impl StoredLogin {
    /// The last access token.
    pub(in crate::reconcile) fn token(&self) -> Option<Token> {
        Some(Token {
            value: self.access_token.clone()?,
            metadata: self.record.issued.clone()?,
            details: self.details.clone(),
        })
    }
}

/// The refresh tokens that no other login may send.
impl StoredLogin {
    /// Returns whether the provider has accepted a refresh token of this login.
    pub(in crate::reconcile) fn has_worked(&self) -> bool {
        self.record.rotation > 0 && self.record.replaced.is_none()
    }

    /// Returns whether its initial refresh token was sent, or may have been.
    fn may_have_sent_its_seed(&self) -> bool {
        let record = &self.record;
        self.has_worked()
            || record.claim.is_some()
            || record.outcome_unknown
            || record.rejection.is_some()
    }

    /// The hashes of all refresh tokens that belong to this login or to one that it replaced, as far as they are known. Another
    /// login that sent one of them would end this one.
    fn own_tokens(&self) -> impl Iterator<Item = String> {
        let record = &self.record;
        let replaced = record.replaced.iter().map(|replaced| &replaced.seed);
        let seed = self.may_have_sent_its_seed().then_some(&record.seed);
        let current = self.has_worked().then(|| self.token_hash());
        let seeds = record.past_seeds.iter().chain(replaced).chain(seed);
        let tokens = self.replaced_token.iter().map(hash).chain(current);
        seeds.cloned().chain(tokens)
    }

    /// Returns whether the refresh token with this hash belongs to this login.
    pub(in crate::reconcile) fn owns(&self, token_hash: &str) -> bool {
        self.own_tokens().any(|own| own == token_hash)
    }

    /// The labels of its state. They lead to the states that may know a token without a read of the others.
    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        let known = self.own_tokens().map(|hash| knows_label(&hash));
        known
            .chain([label::STATE.into()])
            .map(|name| (name, label::TRUE.into()))
            .collect()
    }
}

/// The label of a state that may know the refresh token with this hash. It has 16 bits of the hash: enough to leave out other
/// states, and too few to confirm a guess. Labels and the selectors that name them end up in logs.
pub(in crate::reconcile) fn knows_label(token_hash: &str) -> String {
    let start: String = token_hash.chars().take(4).collect();
    format!("{}{start}", label::KNOWS)
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

/// The hash of an initial refresh token that is recorded beside this access token: on the target, which others may describe.
pub(super) fn consumed_seed(seed: &str, access_token: &SecretString) -> String {
    keyed(access_token, seed.as_bytes())
}

/// Returns whether this token came from a login that began with this initial refresh token, and whose provider has replaced that
/// one.
pub(in crate::reconcile) fn has_consumed(token: &Token, initial: &SecretString) -> bool {
    let mark = token.metadata.consumed_seed.as_ref();
    mark.is_some_and(|mark| is_mark_of(mark, initial, &token.value))
}

/// Returns whether a mark with this key says that this initial refresh token is consumed.
pub(in crate::reconcile) fn is_mark_of(
    mark: &str,
    initial: &SecretString,
    key: &SecretString,
) -> bool {
    mark == consumed_seed(&hash(initial), key)
}
