//! The only ways in which a stored login changes. Each function makes the next content from the present one.

use jiff::Timestamp;
use secrecy::SecretString;

use super::{
    record::{LoginRecord, RejectedToken},
    stored::{StoredLogin, consumed_seed, hash},
};
use crate::reconcile::token::{LAST_ROTATION, Token, TokenMetadata};

/// The most seeds that are remembered as replaced for good.
const PAST_SEEDS: usize = 32;

/// A token that the provider rejected, with what it was sent with.
#[derive(Debug)]
pub(in crate::reconcile) struct Rejected {
    pub(in crate::reconcile) what: String,
    pub(in crate::reconcile) inputs: String,
    pub(in crate::reconcile) request: Option<String>,
}

impl StoredLogin {
    /// A login begins with this initial refresh token, or the replaced one comes back if it began with it.
    ///
    /// The login before is kept until the new one has worked: a wrong seed must not cost a good login.
    pub(in crate::reconcile) fn begin(
        initial: &SecretString,
        seed_version: Option<String>,
        before: Option<&Self>,
    ) -> Self {
        let seed = hash(initial);
        let Some((replaced_token, replaced)) = before.map(Self::worth_keeping) else {
            return Self::fresh(initial, seed, seed_version);
        };
        if let Some(token) = replaced_token.as_ref().filter(|_| replaced.seed == seed) {
            return Self {
                refresh_token: token.clone(),
                access_token: None,
                details: None,
                replaced_token: None,
                record: LoginRecord {
                    seed_version,
                    ..replaced
                },
            };
        }
        let fresh = Self::fresh(initial, seed, seed_version);
        Self {
            replaced_token,
            record: LoginRecord {
                rotation: replaced.rotation,
                past_seeds: replaced.past_seeds.clone(),
                replaced: Some(Box::new(replaced)),
                ..fresh.record
            },
            ..fresh
        }
    }

    fn fresh(initial: &SecretString, seed: String, seed_version: Option<String>) -> Self {
        Self {
            refresh_token: initial.clone(),
            access_token: None,
            details: None,
            replaced_token: None,
            record: LoginRecord {
                seed,
                seed_version,
                ..LoginRecord::default()
            },
        }
    }

    /// The refresh token and record that a new login keeps. A login that never worked gives way to the one that it replaced.
    fn worth_keeping(&self) -> (Option<SecretString>, LoginRecord) {
        match &self.record.replaced {
            Some(replaced) => (self.replaced_token.clone(), (**replaced).clone()),
            None => (
                Some(self.refresh_token.clone()),
                LoginRecord {
                    issued: None,
                    ..self.record.clone()
                },
            ),
        }
    }

    /// The login after a response of a provider that accepted the refresh token. Without a successor, the token stays the old
    /// one.
    ///
    /// `published` is the number of the published token: a state that was restored from a backup continues from there.
    pub(in crate::reconcile) fn succeeded(
        &self,
        successor: Option<SecretString>,
        issued: Option<Token>,
        published: Option<u64>,
    ) -> Self {
        let before = &self.record;
        let rotation = before
            .rotation
            .max(published.unwrap_or(0))
            .saturating_add(1)
            .min(LAST_ROTATION);
        let refresh_token = successor.unwrap_or_else(|| self.refresh_token.clone());
        let consumed = hash(&refresh_token) != before.seed;
        let (issued, access_token, details) = match issued {
            Some(token) => {
                let metadata = TokenMetadata {
                    consumed_seed: consumed.then(|| consumed_seed(&before.seed, &token.value)),
                    ..token.metadata.numbered(rotation)
                };
                (Some(metadata), Some(token.value), token.details)
            }
            None => (None, None, None),
        };
        Self {
            refresh_token,
            access_token,
            details,
            replaced_token: None,
            record: LoginRecord {
                rotation,
                past_seeds: past_seeds(before),
                issued,
                claim: None,
                outcome_unknown: false,
                rejection: None,
                replaced: None,
                ..before.clone()
            },
        }
    }

    /// The same response, to be stored after another one that brought no new refresh token.
    pub(in crate::reconcile) fn renumbered(&self, rotation: u64) -> Self {
        self.with(|record| {
            record.rotation = rotation;
            record.issued = record.issued.take().map(|issued| issued.numbered(rotation));
        })
    }

    /// The provider does not accept this refresh token any more.
    pub(in crate::reconcile) fn rejected(&self, rejected: Rejected, now: Timestamp) -> Self {
        let before = self.record.rejection.as_ref();
        let rejection = RejectedToken {
            lost: before.map_or(self.record.outcome_unknown, |before| before.lost),
            what: rejected.what,
            at: now,
            confirmed: before.is_some(),
            inputs: rejected.inputs,
            request: rejected.request,
        };
        self.with(|record| {
            record.claim = None;
            record.rejection = Some(rejection);
        })
    }
}

/// A login that has worked replaces the one before for good.
fn past_seeds(before: &LoginRecord) -> Vec<String> {
    let mut seeds = before.past_seeds.clone();
    seeds.extend(before.replaced.iter().map(|replaced| replaced.seed.clone()));
    let surplus = seeds.len().saturating_sub(PAST_SEEDS);
    seeds.drain(..surplus);
    seeds
}
