//! The assertion that a client authenticates with (RFC 7523, section 2.2 and 3; `OpenID` Connect Core, section 9).

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, Header};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{identity::ClientCertificate, private_key::PrivateKey};
use crate::api::SigningAlgorithm;

/// The value of `client_assertion_type`.
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The lifetime of an assertion. It is made for one request, which takes half of it at most.
pub(super) const LIFETIME: SignedDuration = SignedDuration::from_secs(60);
/// A provider whose clock is this much behind accepts it all the same.
pub(super) const EARLIER: SignedDuration = SignedDuration::from_secs(5);

/// Returns whether an assertion is accepted by a clock that is ahead of ours by `skew`.
pub(crate) fn is_valid_at(skew: SignedDuration) -> bool {
    -EARLIER <= skew && skew < LIFETIME
}

/// The header of an assertion.
pub(super) fn header(algorithm: SigningAlgorithm, key_id: Option<&String>) -> Header {
    let mut header = Header::new(match algorithm {
        SigningAlgorithm::RS256 => Algorithm::RS256,
        SigningAlgorithm::PS256 => Algorithm::PS256,
        SigningAlgorithm::ES256 => Algorithm::ES256,
        SigningAlgorithm::ES384 => Algorithm::ES384,
        SigningAlgorithm::EdDSA => Algorithm::EdDSA,
    });
    header.kid = key_id.cloned();
    header
}

/// A client that signs an assertion for each request.
#[derive(Clone, Debug)]
pub struct Signer {
    /// The client id; not a secret.
    pub id: String,
    /// The key that signs.
    pub key: Arc<PrivateKey>,
    /// An algorithm of this key.
    pub algorithm: SigningAlgorithm,
    /// The provider's name of the key.
    pub key_id: Option<String>,
    /// The key's certificate, for providers that know the key by it.
    pub certificate: Option<Arc<ClientCertificate>>,
    /// The provider, as it names itself.
    pub audience: String,
}

/// The claims of an assertion. The lifetime is in seconds since 1970.
#[derive(Serialize)]
pub(super) struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    jti: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

impl Signer {
    /// The claims of an assertion that is made now. `unique` is random: no provider sees it twice.
    pub(super) fn claims(&self, now: Timestamp, unique: [u8; 16]) -> Claims<'_> {
        let now = now.as_second();
        Claims {
            iss: &self.id,
            sub: &self.id,
            aud: &self.audience,
            jti: URL_SAFE_NO_PAD.encode(unique),
            iat: now,
            nbf: now - EARLIER.as_secs(),
            exp: now + LIFETIME.as_secs(),
        }
    }

    /// The header. The certificate is named by its hash alone: some providers refuse one that comes with a request.
    pub(super) fn header(&self) -> Header {
        let mut header = header(self.algorithm, self.key_id.as_ref());
        let thumbprint = self.thumbprint();
        header.x5t_s256 = thumbprint.map(|hash| URL_SAFE_NO_PAD.encode(hash));
        header
    }

    fn thumbprint(&self) -> Option<[u8; 32]> {
        let certificate = self.certificate.as_ref();
        certificate.map(|certificate| certificate.thumbprint())
    }

    /// A hash of what proves the client. It is for this process alone.
    pub(super) fn evidence(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.key.digest());
        hash.update(self.thumbprint().unwrap_or_default());
        hash.finalize().into()
    }
}
