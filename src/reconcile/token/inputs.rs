//! What a token depends on.
//!
//! The hash of the inputs stands on the target, for everybody who may describe Secrets. It is keyed with the access token, so
//! that nobody can test guesses of a client secret against it.

use std::fmt;

use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::{Digest as _, Sha256};

use crate::{
    oauth::authentication::Authentication,
    reconcile::{
        digest::{Fields, keyed},
        settings::Settings,
    },
};

/// What a token depends on: token URL, grant, client, authentication, scopes and parameters. It contains the client secret.
#[derive(Clone, Debug)]
pub struct TokenInputs(SecretSlice<u8>);

/// A hash of the inputs for this process alone. It is not keyed, so it must never be stored or shown.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::reconcile) struct InputsDigest([u8; 32]);

impl fmt::Debug for InputsDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

impl TokenInputs {
    pub(in crate::reconcile) fn new(settings: &Settings, client: &Authentication) -> Self {
        let scopes = if settings.grant.sends_scopes() {
            settings.scopes.join(" ")
        } else {
            String::new()
        };
        let mut fields = Fields::default();
        fields.push(settings.endpoint.url().as_str());
        fields.push(settings.grant.spec_name());
        fields.push(client.client_id());
        fields.push(
            client
                .client_secret()
                .map_or("", ExposeSecret::expose_secret),
        );
        fields.push(client.spec_name());
        fields.push(&scopes);
        for (name, value) in &settings.parameters {
            fields.push(name);
            fields.push(value);
        }
        Self(fields.into_bytes().into())
    }

    /// The hash that may be stored beside this token.
    pub(in crate::reconcile) fn hash(&self, token: &SecretString) -> String {
        keyed(token, self.0.expose_secret())
    }

    pub(in crate::reconcile) fn digest(&self) -> InputsDigest {
        InputsDigest(Sha256::digest(self.0.expose_secret()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_of_a_secret_is_not_shown() {
        let inputs = TokenInputs(b"S3CRET".to_vec().into());
        assert_eq!(format!("{:?}", inputs.digest()), "<redacted>");
        assert!(!format!("{inputs:?}").contains("S3CRET"));
    }
}
