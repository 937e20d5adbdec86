//! The kind of a key, and the algorithms that it can sign with.

use std::fmt;

use crate::api::SigningAlgorithm;

/// The kind of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the kinds of keys")]
pub enum KeyKind {
    Rsa { bits: usize },
    P256,
    P384,
    Ed25519,
}

impl KeyKind {
    /// The algorithms that such a key can sign with; the first one is usual.
    pub(super) fn algorithms(self) -> &'static [SigningAlgorithm] {
        match self {
            Self::Rsa { .. } => &[SigningAlgorithm::RS256, SigningAlgorithm::PS256],
            Self::P256 => &[SigningAlgorithm::ES256],
            Self::P384 => &[SigningAlgorithm::ES384],
            Self::Ed25519 => &[SigningAlgorithm::EdDSA],
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::P256 => f.write_str("P-256"),
            Self::P384 => f.write_str("P-384"),
            Self::Ed25519 => f.write_str("Ed25519"),
        }
    }
}
