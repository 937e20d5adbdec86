//! Checks by a keyed hash that a target holds the data and the token metadata that were written.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::secret::{Content, TargetSecret};
use crate::{
    api::annotation,
    reconcile::{
        digest::{Fields, keyed},
        token::{ACCESS_TOKEN, Token, TokenMetadata, fingerprint},
    },
};

pub(super) const TOKEN_TYPE: &str = "token-type";
pub(super) const EXPIRES_AT: &str = "expires-at";

impl TargetSecret {
    /// Compares the data with the annotations, and returns the token if both are as they were written.
    pub(in crate::reconcile) fn inspect(
        &mut self,
        data: &BTreeMap<String, SecretString>,
    ) -> Option<Token> {
        let token = self.token(data);
        self.content = match &token {
            Some(token) => Content::Confirmed(fingerprint(&token.value)),
            None => Content::Damaged,
        };
        token
    }

    /// The token, if data and annotations are as they were written.
    fn token(&self, data: &BTreeMap<String, SecretString>) -> Option<Token> {
        let metadata = self.metadata()?;
        let value = data.get(ACCESS_TOKEN)?.clone();
        let expected = content_hash(&value, data, &metadata);
        (self.annotations.get(annotation::CONTENT_HASH) == Some(&expected))
            .then_some(Token { value, metadata })
    }
}

/// The hash of our own keys and of the metadata. Keys that others add do not count.
pub(super) fn content_hash(
    token: &SecretString,
    data: &BTreeMap<String, SecretString>,
    metadata: &TokenMetadata,
) -> String {
    keyed(token, &content(data, metadata))
}

fn content(data: &BTreeMap<String, SecretString>, token: &TokenMetadata) -> Vec<u8> {
    let mut fields = Fields::default();
    for key in [ACCESS_TOKEN, TOKEN_TYPE, EXPIRES_AT] {
        fields.push(key);
        fields.push(data.get(key).map_or("", |value| value.expose_secret()));
    }
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
    if let Some(number) = token.rotation {
        fields.push(&number.to_string());
    }
    if let Some(hash) = &token.spent_seed {
        fields.push(annotation::SPENT_SEED);
        fields.push(hash);
    }
    if let Some(login) = token.login {
        fields.push(annotation::LOGIN_EXPIRES_AT);
        fields.push(&login.at.to_string());
        fields.push(&login.fixed.to_string());
    }
    fields.into_bytes()
}
