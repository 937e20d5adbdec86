//! The flaws of a private key. They show nothing of it.

use thiserror::Error;

use super::kind::KeyKind;
use crate::api::SigningAlgorithm;

/// The most bytes of a text with a key: an RSA key of 8192 bits takes less than a tenth of it.
pub(super) const LARGEST: usize = 64 * 1024;

/// Why a text is no private key that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum KeyFlaw {
    #[error("is not UTF-8 text")]
    NotText,
    #[error("is empty")]
    Empty,
    #[error("has more than {} KiB", LARGEST / 1024)]
    TooLarge,
    #[error("is neither a PEM private key nor a JWK")]
    NoKey,
    #[error("is a private key with a passphrase")]
    Encrypted,
    #[error("is an OpenSSH private key")]
    OpenSsh,
    #[error("is a certificate or a public key, not the private key")]
    Public,
    #[error("has more than one private key")]
    Several,
    #[error("has a damaged private key")]
    Unreadable,
    #[error("is an RSA key of {0} bits; 2048 to 8192 are supported")]
    RsaBits(usize),
    #[error("is an elliptic curve key on another curve than P-256 and P-384")]
    Curve,
    #[error("is a key of a type that is not supported")]
    Type,
    #[error("is a JWK set: it must be one JWK")]
    JwkSet,
    #[error("is a JWK without {0:?}")]
    JwkMember(&'static str),
    #[error("is a JWK with an \"alg\" that is not supported")]
    JwkAlgorithm,
    #[error("is a JWK with a \"kid\" that is not printable ASCII of at most 256 characters")]
    JwkId,
    #[error("holds a key ({kind}) that cannot sign with {algorithm:?}")]
    Algorithm {
        kind: KeyKind,
        algorithm: SigningAlgorithm,
    },
}

impl KeyFlaw {
    /// The remedy.
    pub(crate) fn remedy(self) -> &'static str {
        match self {
            Self::Encrypted => "write it without the passphrase: `openssl pkey -in KEY.pem`",
            Self::OpenSsh => "convert it: `ssh-keygen -p -m PKCS8 -f KEY`",
            Self::RsaBits(_) | Self::Curve | Self::Type => {
                "create one of RSA 2048, P-256, P-384 or Ed25519, and register it at the provider"
            }
            Self::Algorithm { .. } => "correct spec.clientAssertion.algorithm, or remove it",
            Self::JwkAlgorithm => "write RS256, PS256, ES256, ES384 or EdDSA",
            Self::JwkId => "correct it, or remove it and set spec.clientAssertion.keyID",
            Self::NotText
            | Self::Empty
            | Self::TooLarge
            | Self::NoKey
            | Self::Public
            | Self::Several
            | Self::Unreadable
            | Self::JwkSet
            | Self::JwkMember(_) => {
                "write the private key that is registered at the provider, as PEM or JWK"
            }
        }
    }
}
