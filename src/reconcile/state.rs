//! The stored refresh token: what the state Secret holds, and the only ways in which that changes.
//!
//! A refresh token that rotates is spent by its use, and its successor is in the answer alone. So the state is claimed before
//! a token is sent, the successor is written before anything else happens, and every write is fenced by the version of the
//! Secret and by the hash of the token that it replaces. Each function here makes the next content from the present one.

mod found;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    attempt::later,
    inputs::hex,
    target::{ACCESS_TOKEN, Record},
};
use crate::oauth::response::is_token;
pub use found::{State, StateReading, StateSecret, is_state_of};

/// The type of a state Secret.
pub const STATE_TYPE: &str = "cube-operator.dev/state";

const REFRESH_TOKEN: &str = "refresh-token";
const REPLACED_TOKEN: &str = "replaced-refresh-token";
const RECORD: &str = "record";

/// How long a claim holds.
const CLAIM: SignedDuration = SignedDuration::from_secs(40);
/// What of it must be left when the request is sent: an exchange (at most 30 s), and 5 s by which the clocks of two nodes may
/// differ.
const CLAIM_LEFT: SignedDuration = SignedDuration::from_secs(35);
/// A revoked token stays revoked, but a provider may err once: when a rejection is confirmed.
const CONFIRMATION: SignedDuration = SignedDuration::from_mins(5);
/// The most seeds that are remembered as used up.
const PAST_SEEDS: usize = 32;

/// What a state Secret holds.
#[derive(Clone, Debug)]
pub struct Stored {
    pub(super) refresh_token: SecretString,
    /// The last access token, if one came with this refresh token.
    pub(super) access_token: Option<SecretString>,
    /// The refresh token of the login before, until this one has worked.
    pub(super) replaced_token: Option<SecretString>,
    pub(super) record: StateRecord,
}

/// What stands beside the tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StateRecord {
    /// How many answers have been stored since the state began.
    pub(super) generation: u64,
    /// The SHA-256 of the seed that this login began with.
    pub(super) seed: String,
    /// The resourceVersion of the Secret in which it was last found to be no new one.
    pub(super) seed_version: Option<String>,
    /// The only hosts that the owner of the seed permits; they hold also when that Secret is deleted.
    pub(super) token_hosts: Option<String>,
    /// Seeds of earlier logins: whoever applies one again changes nothing.
    pub(super) past_seeds: Vec<String>,
    /// The record of the access token.
    pub(super) issued: Option<Record>,
    pub(super) claim: Option<Claim>,
    /// The refresh token was sent at least once without an answer that says what became of it.
    #[serde(rename = "inDoubt")]
    pub(super) outcome_unknown: bool,
    pub(super) rejection: Option<Rejection>,
    /// The record of the login before, until this one has worked: a wrong seed must not cost a good login.
    pub(super) replaced: Option<Box<StateRecord>>,
}

/// Who is about to send a refresh token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claim {
    /// The SHA-256 of the token.
    pub(super) of: String,
    /// The uid of the pod.
    pub(super) by: String,
    pub(super) until: Timestamp,
}

/// The provider's `invalid_grant`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rejection {
    /// Whether a try before may have spent the token: then its successor was lost.
    pub(super) lost: bool,
    /// What the provider said, as it may be shown.
    pub(super) what: String,
    pub(super) at: Timestamp,
    /// Whether it was said twice.
    pub(super) confirmed: bool,
    /// A keyed hash of the inputs that it was said to.
    pub(super) inputs: String,
    /// The refresh request at that time.
    pub(super) request: Option<String>,
}

/// Whether the current token may be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody claims it.
    Free,
    /// This process has claimed it, and has not sent it since.
    Ours(Timestamp),
    /// Another process sends it, at most until then.
    Others(Timestamp),
    /// Somebody claimed it and never told what came of it: it may have been sent.
    OutcomeUnknown,
}

impl Stored {
    /// A login begins with this seed, or comes back if it is the seed of the one that the present one was to replace.
    ///
    /// The login before is kept until the new one has worked: a wrong seed must not cost a good login.
    pub(super) fn begin(
        seed: &SecretString,
        seed_version: Option<String>,
        before: Option<&Self>,
    ) -> Self {
        let record = StateRecord {
            seed: hash(seed),
            seed_version: seed_version.clone(),
            ..StateRecord::default()
        };
        let fresh = Self {
            refresh_token: seed.clone(),
            access_token: None,
            replaced_token: None,
            record,
        };
        let Some(before) = before else {
            return fresh;
        };
        let (replaced_token, replaced) = match &before.record.replaced {
            // What never worked is not worth keeping, but what it was to replace.
            Some(replaced) => (before.replaced_token.clone(), (**replaced).clone()),
            None => (
                Some(before.refresh_token.clone()),
                StateRecord {
                    issued: None,
                    ..before.record.clone()
                },
            ),
        };
        if let Some(token) = replaced_token
            .as_ref()
            .filter(|_| replaced.seed == fresh.record.seed)
        {
            return Self {
                refresh_token: token.clone(),
                access_token: None,
                replaced_token: None,
                record: StateRecord {
                    seed_version,
                    ..replaced
                },
            };
        }
        Self {
            replaced_token,
            record: StateRecord {
                generation: replaced.generation,
                past_seeds: replaced.past_seeds.clone(),
                replaced: Some(Box::new(replaced)),
                ..fresh.record
            },
            ..fresh
        }
    }

    /// Whether this seed is the one of this login.
    pub(super) fn began_with(&self, seed: &SecretString) -> bool {
        self.record.seed == hash(seed)
    }

    /// Whether this seed is the one of this login, or of one that it has replaced for good.
    pub(super) fn knows(&self, seed: &SecretString) -> bool {
        let seed = hash(seed);
        self.record.seed == seed || self.record.past_seeds.contains(&seed)
    }

    /// The hash of the refresh token.
    pub(super) fn of(&self) -> String {
        hash(&self.refresh_token)
    }

    /// Whether the token may be sent. `unspent` is a claim of this process with which surely nothing was spent.
    pub(super) fn standing(
        &self,
        identity: &str,
        unspent: Option<&Claim>,
        now: Timestamp,
    ) -> Standing {
        let claim = self.record.claim.as_ref();
        let Some(claim) = claim.filter(|claim| claim.of == self.of()) else {
            return Standing::Free;
        };
        if unspent == Some(claim) {
            return Standing::Ours(claim.until);
        }
        // A claim of this pod is of an earlier container: that one is gone.
        if claim.by != identity && claim.until > now {
            return Standing::Others(claim.until);
        }
        Standing::OutcomeUnknown
    }

    /// Claimed by this process; what was in doubt stays in doubt until the provider says what became of it.
    pub(super) fn claimed(
        &self,
        identity: &str,
        (seed_version, token_hosts): (Option<String>, Option<String>),
        unspent: Option<&Claim>,
        now: Timestamp,
    ) -> Self {
        let standing = self.standing(identity, unspent, now);
        let doubt = matches!(standing, Standing::OutcomeUnknown | Standing::Others(_));
        let record = StateRecord {
            claim: Some(Claim {
                of: self.of(),
                by: identity.to_owned(),
                until: later(now, CLAIM),
            }),
            seed_version,
            token_hosts,
            outcome_unknown: self.record.outcome_unknown || doubt,
            ..self.record.clone()
        };
        Self {
            record,
            ..self.clone()
        }
    }

    /// The same answer, to be stored after another one that brought no new refresh token.
    pub(super) fn renumbered(&self, generation: u64) -> Self {
        self.with(|record| {
            record.generation = generation;
            if let Some(issued) = &mut record.issued {
                issued.rotation = Some(generation);
            }
        })
    }

    /// Without the claim: nothing was spent.
    pub(super) fn released(&self) -> Self {
        self.with(|record| record.claim = None)
    }

    /// The answer of a provider that took the refresh token. Without a new one it stays the old one.
    ///
    /// `published` is the number of the published token: a state from a backup counts on from there.
    pub(super) fn succeeded(
        &self,
        refresh_token: Option<SecretString>,
        issued: Option<(SecretString, Record)>,
        published: Option<u64>,
    ) -> Self {
        let before = &self.record;
        let mut past_seeds = before.past_seeds.clone();
        past_seeds.extend(
            before
                .replaced
                .as_ref()
                .map(|replaced| replaced.seed.clone()),
        );
        let surplus = past_seeds.len().saturating_sub(PAST_SEEDS);
        past_seeds.drain(..surplus);
        let generation = before
            .generation
            .max(published.unwrap_or(0))
            .saturating_add(1);
        let (access_token, issued) = issued.unzip();
        let issued = issued.map(|record| Record {
            rotation: Some(generation),
            ..record
        });
        Self {
            refresh_token: refresh_token.unwrap_or_else(|| self.refresh_token.clone()),
            access_token,
            replaced_token: None,
            record: StateRecord {
                generation,
                past_seeds,
                issued,
                claim: None,
                outcome_unknown: false,
                rejection: None,
                replaced: None,
                ..before.clone()
            },
        }
    }

    /// The provider does not take this refresh token any more.
    pub(super) fn rejected(
        &self,
        what: &str,
        inputs: String,
        request: Option<String>,
        now: Timestamp,
    ) -> Self {
        let before = self.record.rejection.as_ref();
        let rejection = Rejection {
            lost: before.map_or(self.record.outcome_unknown, |before| before.lost),
            what: what.to_owned(),
            at: now,
            confirmed: before.is_some(),
            inputs,
            request,
        };
        self.with(|record| {
            record.claim = None;
            record.rejection = Some(rejection);
        })
    }

    fn with(&self, change: impl FnOnce(&mut StateRecord)) -> Self {
        let mut changed = self.clone();
        change(&mut changed.record);
        changed
    }

    /// What somebody edited so that it is no token any more is not sent, and not published.
    fn read(data: &BTreeMap<String, SecretString>) -> Option<Self> {
        let record = data.get(RECORD)?.expose_secret();
        let token = |key| {
            let found = data.get(key).cloned();
            found.filter(|token| is_token(token.expose_secret()))
        };
        Some(Self {
            refresh_token: token(REFRESH_TOKEN)?,
            access_token: token(ACCESS_TOKEN),
            replaced_token: token(REPLACED_TOKEN),
            record: serde_json::from_str(record).ok()?,
        })
    }

    /// The data of the Secret.
    #[must_use]
    pub fn data(&self) -> BTreeMap<String, SecretString> {
        let record = serde_json::to_string(&self.record).expect("it has only texts as keys");
        let tokens = [
            (REFRESH_TOKEN, Some(self.refresh_token.clone())),
            (ACCESS_TOKEN, self.access_token.clone()),
            (REPLACED_TOKEN, self.replaced_token.clone()),
            (RECORD, Some(record.into())),
        ];
        tokens
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect()
    }
}

impl Claim {
    /// When a claim ends that was first seen at this time, whatever end it states.
    pub(super) fn latest_end(observed: Timestamp) -> Timestamp {
        later(observed, CLAIM)
    }

    /// Whether enough of it is left to send a request and to hear its answer.
    pub(super) fn suffices(until: Timestamp, now: Timestamp) -> bool {
        until.duration_since(now) >= CLAIM_LEFT
    }
}

impl Rejection {
    /// When it is to be confirmed; what was lost or said twice is never asked again.
    pub(super) fn next_try(&self) -> Option<Timestamp> {
        (!self.lost && !self.confirmed).then(|| later(self.at, CONFIRMATION))
    }
}

fn hash(token: &SecretString) -> String {
    hex(&Sha256::digest(token.expose_secret()))
}

#[cfg(test)]
mod tests;
