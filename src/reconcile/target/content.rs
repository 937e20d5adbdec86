//! Checks by a keyed hash that a target holds the data and the token metadata that were written.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::{
    secret::{Content, TargetSecret},
    shape::Shape,
};
use crate::{
    api::annotation,
    reconcile::{
        digest::{Fields, hex, keyed},
        token::{ACCESS_TOKEN, Token, TokenMetadata, fingerprint},
    },
};

pub(super) const TOKEN_TYPE: &str = "token-type";
pub(super) const EXPIRES_AT: &str = "expires-at";

/// The data of a target.
pub(super) type Data = BTreeMap<String, SecretString>;

/// The content of a target that is as it was written.
#[derive(Debug)]
pub(in crate::reconcile) enum Found {
    /// The token itself, where no template hides it.
    Token(Token),
    /// The product of the templates.
    Rendered {
        metadata: TokenMetadata,
        fingerprint: String,
        /// The key of the hashes on this target.
        key: SecretString,
    },
}

impl Found {
    /// Returns whether it makes a token that waits to be published superfluous: it is the same (the response to our write was
    /// lost), or was issued later (another process wrote it).
    pub(in crate::reconcile) fn replaces(&self, waiting: &Token) -> bool {
        match self {
            Self::Token(token) => {
                token.value.expose_secret() == waiting.value.expose_secret()
                    || token.metadata.follows(&waiting.metadata)
            }
            Self::Rendered {
                metadata,
                fingerprint: found,
                ..
            } => *found == fingerprint(&waiting.value) || metadata.follows(&waiting.metadata),
        }
    }
}

impl TargetSecret {
    /// Compares the data with the annotations, and returns the content if both are as they were written.
    pub(in crate::reconcile) fn inspect(&mut self, data: &Data) -> Option<Found> {
        let found = self.found(data);
        self.content = match &found {
            Some(Found::Token(token)) => Content::Confirmed(fingerprint(&token.value)),
            Some(Found::Rendered { fingerprint, .. }) => Content::Confirmed(fingerprint.clone()),
            None => Content::Damaged,
        };
        found
    }

    fn found(&self, data: &Data) -> Option<Found> {
        let metadata = self.metadata()?;
        let shape = self.shape();
        let key = hash_key(&shape, data)?;
        let expected = content_hash(&key, &shape, data, &metadata);
        if self.annotations.get(annotation::CONTENT_HASH) != Some(&expected) {
            return None;
        }
        Some(match shape {
            Shape::Plain => Found::Token(Token {
                value: key,
                metadata,
                details: None,
            }),
            Shape::Rendered { fingerprint, .. } => Found::Rendered {
                metadata,
                fingerprint: fingerprint.into_owned(),
                key,
            },
        })
    }
}

/// The key of the hashes on a target: nobody can test guesses of a secret against them without reading the Secret. It is the token,
/// or what all of its data says where no key holds the token alone.
pub(super) fn hash_key(shape: &Shape<'_>, data: &Data) -> Option<SecretString> {
    match shape {
        Shape::Plain => data.get(ACCESS_TOKEN).cloned(),
        Shape::Rendered { keys, .. } => {
            let mut fields = Fields::default();
            for key in keys {
                fields.push(key);
                fields.push(data.get(&**key)?.expose_secret());
            }
            Some(hex(&Sha256::digest(fields.into_bytes())).into())
        }
    }
}

/// The hash of our own keys and of the metadata. Keys that others add do not count.
pub(super) fn content_hash(
    key: &SecretString,
    shape: &Shape<'_>,
    data: &Data,
    metadata: &TokenMetadata,
) -> String {
    let mut fields = Fields::default();
    match shape {
        Shape::Plain => {
            for key in [ACCESS_TOKEN, TOKEN_TYPE, EXPIRES_AT] {
                fields.push(key);
                fields.push(data.get(key).map_or("", |value| value.expose_secret()));
            }
        }
        // The key of the hash says what the data is.
        Shape::Rendered {
            templates,
            keys,
            fingerprint,
        } => {
            fields.push(templates);
            fields.push(&keys.join(","));
            fields.push(fingerprint);
        }
    }
    push_metadata(&mut fields, metadata);
    keyed(key, &fields.into_bytes())
}

fn push_metadata(fields: &mut Fields, token: &TokenMetadata) {
    fields.push(&token.issued_at.to_string());
    fields.push(&token.expires_at.to_string());
    fields.push(&token.inputs_hash);
    fields.push(&token.generation.to_string());
    fields.push(&token.source_version);
    fields.push(token.refresh_request.as_deref().unwrap_or_default());
    fields.push(&token.scopes.join(" "));
    if let Some(version) = &token.seed_version {
        fields.push(version);
    }
    if let Some(version) = &token.provider_version {
        fields.push(annotation::PROVIDER_VERSION);
        fields.push(version);
    }
    if let Some(number) = token.rotation {
        fields.push(&number.to_string());
    }
    if let Some(hash) = &token.consumed_seed {
        fields.push(annotation::SPENT_SEED);
        fields.push(hash);
    }
    if let Some(login) = token.login {
        fields.push(annotation::LOGIN_EXPIRES_AT);
        fields.push(&login.at.to_string());
        fields.push(&login.fixed.to_string());
    }
}
