//! The inputs of a token.
//!
//! The hash of the inputs is on the target, where everybody who may describe Secrets can read it. It is keyed with the access
//! token, so that guesses of a client secret cannot be tested against it.

use std::fmt;

use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::{Digest as _, Sha256};

use crate::{
    oauth::authentication::Authentication,
    reconcile::{
        digest::{Fields, keyed},
        settings::{Settings, SubjectToken},
        source::UsableClient,
    },
};

/// The inputs of a token: token URL, grant, client, authentication, scopes and parameters. It contains the client secrets.
///
/// Of two client secrets, a token was issued for the one that was sent. It fits while the Secret has that one, so a rotation
/// replaces no live token before the secret of that token is removed.
///
/// A private key is no input: it proves the client as long as the provider knows it, and a token of the client is as good with the
/// next key. It counts only in the digest, which tells a failure whether another attempt could end otherwise.
#[derive(Clone, Debug)]
pub struct TokenInputs {
    /// With the client secret that is sent.
    sent: SecretSlice<u8>,
    /// With the other client secret, if there is one.
    other: Option<SecretSlice<u8>>,
    /// With both client secrets in the order of their keys, if there are two.
    both: Option<SecretSlice<u8>>,
    /// A hash of the private key.
    key: Option<[u8; 32]>,
}

/// A hash of the inputs for this process alone. It is not keyed, so it must never be stored or shown.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::reconcile) struct InputsDigest([u8; 32]);

impl fmt::Debug for InputsDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

impl TokenInputs {
    pub(in crate::reconcile) fn new(settings: &Settings, client: &UsableClient) -> Self {
        let authentication = &client.authentication;
        let with = |secret: Option<&SecretString>| {
            fields(settings, authentication, secret).into_bytes().into()
        };
        let other = client.other_secret();
        Self {
            sent: with(authentication.client_secret()),
            other: other.map(|secret| with(Some(secret))),
            both: other.map(|_| {
                let [first, second] = client.client_secrets();
                let mut fields = fields(settings, authentication, first);
                fields.push(second.map_or("", ExposeSecret::expose_secret));
                fields.into_bytes().into()
            }),
            key: match &client.bearer {
                Some(bearer) => Some(bearer.evidence()),
                None => authentication.evidence(),
            },
        }
    }

    /// The hash that may be stored beside this token.
    pub(in crate::reconcile) fn hash(&self, token: &SecretString) -> String {
        keyed(token, self.sent.expose_secret())
    }

    /// Returns whether this is the hash of these inputs beside this token, with either client secret.
    pub(in crate::reconcile) fn fit(&self, token: &SecretString, hash: &str) -> bool {
        let mut variants = [Some(&self.sent), self.other.as_ref()]
            .into_iter()
            .flatten();
        variants.any(|inputs| keyed(token, inputs.expose_secret()) == hash)
    }

    /// The hash of the whole evidence that a provider's verdict on this token rests on: a change of either client secret changes it.
    pub(in crate::reconcile) fn evidence(&self, token: &SecretString) -> String {
        keyed(token, self.whole())
    }

    /// A digest of the same evidence, and of the private key.
    pub(in crate::reconcile) fn digest(&self) -> InputsDigest {
        let mut hash = Sha256::new();
        hash.update(self.whole());
        hash.update(self.key.unwrap_or_default());
        InputsDigest(hash.finalize().into())
    }

    fn whole(&self) -> &[u8] {
        self.both.as_ref().unwrap_or(&self.sent).expose_secret()
    }
}

fn fields(settings: &Settings, client: &Authentication, secret: Option<&SecretString>) -> Fields {
    let scopes = if settings.grant.sends_scopes() {
        settings.scopes.join(" ")
    } else {
        String::new()
    };
    let mut fields = Fields::default();
    fields.push(settings.endpoint.url().as_str());
    fields.push(settings.grant.spec_name());
    fields.push(client.client_id());
    fields.push(secret.map_or("", ExposeSecret::expose_secret));
    fields.push(client.spec_name());
    // A new token of the same ServiceAccount is no other input.
    if let Some(account) = &settings.service_account {
        fields.push(&account.service_account);
        fields.push(&account.audience);
    }
    if let Some(claims) = settings.grant.assertion() {
        fields.push(claims.issuer.as_deref().unwrap_or(client.client_id()));
        fields.push(claims.subject.as_deref().unwrap_or_default());
        fields.push(&claims.audience);
    }
    if let Some(exchange) = settings.grant.token_exchange() {
        match &exchange.subject_token {
            SubjectToken::Secret(secret) => {
                fields.push(&secret.name);
                fields.push(&secret.key);
            }
            // A slash is in no name of a Secret.
            SubjectToken::ServiceAccount(account) => {
                fields.push(&format!("serviceaccount/{}", account.service_account));
                fields.push(&account.audience);
            }
        }
        fields.push(&exchange.subject_token_type);
        fields.push(exchange.requested_token_type.as_deref().unwrap_or_default());
        fields.push(&exchange.audience.join(" "));
        fields.push(&exchange.resource.join(" "));
    }
    fields.push(&scopes);
    for (name, value) in &settings.parameters {
        fields.push(name);
        fields.push(value);
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_of_a_secret_is_not_shown() {
        let inputs = TokenInputs {
            sent: b"S3CRET".to_vec().into(),
            other: Some(b"S3CRET-2".to_vec().into()),
            both: None,
            key: None,
        };
        assert_eq!(format!("{:?}", inputs.digest()), "<redacted>");
        assert!(!format!("{inputs:?}").contains("S3CRET"));
    }
}
