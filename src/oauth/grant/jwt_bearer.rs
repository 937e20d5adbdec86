//! The assertion that is a grant: the client signs it, and the provider issues a token for its subject (RFC 7523, section 2.1).

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::Header;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use url::form_urlencoded::Serializer;

use crate::{
    api::SigningAlgorithm,
    oauth::{
        assertion::{EARLIER, LIFETIME, header},
        private_key::PrivateKey,
    },
    scrub::Scrubber,
};

/// The claims of a spec, and the key as far as the spec describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BearerClaims {
    /// The `iss` claim; `None`: the client id.
    pub issuer: Option<String>,
    /// The `sub` claim, if there is one.
    pub subject: Option<String>,
    /// The `aud` claim.
    pub audience: String,
    /// The provider's name of the key.
    pub key_id: Option<String>,
    /// The algorithm that the spec demands.
    pub algorithm: Option<SigningAlgorithm>,
}

/// The assertion of a request.
#[derive(Clone, Debug)]
pub struct JwtBearer {
    /// The `iss` claim.
    pub issuer: String,
    /// The `sub` claim, if there is one.
    pub subject: Option<String>,
    /// The `aud` claim.
    pub audience: String,
    /// The key that signs.
    pub key: Arc<PrivateKey>,
    /// An algorithm of this key.
    pub algorithm: SigningAlgorithm,
    /// The provider's name of the key.
    pub key_id: Option<String>,
    /// The signed assertion; empty before it is signed, when the request is sent.
    pub assertion: SecretString,
}

/// The claims. Times are in seconds since 1970. There is no `nbf`: not every provider expects it, so the time of issue is a little
/// earlier.
#[derive(Serialize)]
pub(in crate::oauth) struct Claims<'a> {
    iss: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    aud: &'a str,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    jti: String,
    iat: i64,
    exp: i64,
}

impl JwtBearer {
    /// The claims of an assertion that is made now. `unique` is random: no provider sees it twice.
    pub(in crate::oauth) fn claims(
        &self,
        scopes: &[String],
        now: Timestamp,
        unique: [u8; 16],
    ) -> Claims<'_> {
        let now = now.as_second();
        Claims {
            iss: &self.issuer,
            sub: self.subject.as_deref(),
            aud: &self.audience,
            scope: scopes.join(" "),
            jti: URL_SAFE_NO_PAD.encode(unique),
            iat: now - EARLIER.as_secs(),
            exp: now + LIFETIME.as_secs(),
        }
    }

    pub(in crate::oauth) fn header(&self) -> Header {
        header(self.algorithm, self.key_id.as_ref())
    }

    /// A hash of the private key, for this process alone: the key may change while the token stays as good as before.
    pub(crate) fn evidence(&self) -> [u8; 32] {
        self.key.digest()
    }

    /// Without an assertion, a provider issues nothing.
    pub(super) fn add_fields(&self, form: &mut Serializer<'_, String>) {
        form.append_pair("assertion", self.assertion.expose_secret());
    }

    pub(super) fn add_secrets(&self, scrubber: &mut Scrubber) {
        self.key.add_parts(scrubber);
        scrubber.add(self.assertion.expose_secret());
    }
}
