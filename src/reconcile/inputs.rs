//! What a token depends on, and keyed hashes of it.
//!
//! The hash of the inputs stands on the target for everybody who may describe Secrets. It is keyed with the access token, so
//! that nobody can test guesses of a client secret against it.

use std::fmt::{self, Write as _};

use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};

use super::settings::Settings;
use crate::oauth::authentication::Authentication;

/// The keyed hash of the inputs.
pub(super) fn hash(token: &SecretString, settings: &Settings, client: &Authentication) -> String {
    keyed(token, &encode(settings, client))
}

/// A hash of the inputs for this process alone: it is not keyed, so it must never be stored or shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Digest([u8; 32]);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

pub(super) fn digest(settings: &Settings, client: &Authentication) -> Digest {
    Digest(Sha256::digest(encode(settings, client)).into())
}

/// HMAC-SHA-256 with a token as the key, in hexadecimal digits.
pub(super) fn keyed(token: &SecretString, message: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(token.expose_secret().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(message);
    hex(&mac.finalize().into_bytes())
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}

fn encode(settings: &Settings, client: &Authentication) -> Vec<u8> {
    let scopes = if settings.grant.sends_scopes() {
        settings.scopes.join(" ")
    } else {
        String::new()
    };
    let mut fields = Fields::default();
    fields.push(settings.endpoint.url().as_str());
    fields.push(settings.grant.name_in_hash());
    fields.push(client.client_id());
    fields.push(
        client
            .client_secret()
            .map_or("", ExposeSecret::expose_secret),
    );
    fields.push(client.name_in_hash());
    fields.push(&scopes);
    for (name, value) in &settings.parameters {
        fields.push(name);
        fields.push(value);
    }
    fields.0
}

/// Fields with their lengths, so that no two lists have the same bytes.
#[derive(Default)]
pub(super) struct Fields(pub(super) Vec<u8>);

impl Fields {
    pub(super) fn push(&mut self, field: &str) {
        self.0.extend((field.len() as u64).to_be_bytes());
        self.0.extend(field.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_of_a_secret_is_not_shown() {
        let digest = Digest(Sha256::digest("secret").into());
        assert_eq!(format!("{digest:?}"), "<redacted>");
    }
}
