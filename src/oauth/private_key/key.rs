//! A private key that was read.

use std::{fmt, ops::RangeInclusive};

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair},
};
use jsonwebtoken::EncodingKey;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::{der, flaw::KeyFlaw, kind::KeyKind};
use crate::{api::SigningAlgorithm, scrub::Scrubber};

/// The shortest and the longest RSA key that are accepted, in bits (RFC 7518, section 3.3; the crypto provider's limit).
const RSA_BITS: RangeInclusive<usize> = 2048..=8192;

/// A private key that can sign.
pub struct PrivateKey {
    kind: KeyKind,
    /// PKCS#1 for RSA, PKCS#8 for the others.
    key: EncodingKey,
    /// The public key, as a certificate has it (`SubjectPublicKeyInfo`).
    public: Vec<u8>,
    /// The `kid` of a JWK.
    pub(super) id: Option<String>,
    /// The `alg` of a JWK.
    pub(super) algorithm: Option<SigningAlgorithm>,
    /// The parts of its text that nobody may see.
    pub(super) parts: Vec<SecretString>,
}

impl PrivateKey {
    pub(super) fn rsa(pkcs1: &[u8]) -> Result<Self, KeyFlaw> {
        let bits = der::modulus_bits(pkcs1).ok_or(KeyFlaw::Unreadable)?;
        if !RSA_BITS.contains(&bits) {
            return Err(KeyFlaw::RsaBits(bits));
        }
        let pair = RsaKeyPair::from_der(pkcs1).map_err(|_| KeyFlaw::Unreadable)?;
        let key = EncodingKey::from_rsa_der(pkcs1);
        Self::of(KeyKind::Rsa { bits }, key, pair.public_key())
    }

    pub(super) fn ec(kind: KeyKind, pair: &EcdsaKeyPair) -> Result<Self, KeyFlaw> {
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| KeyFlaw::Unreadable)?;
        let key = EncodingKey::from_ec_der(pkcs8.as_ref());
        Self::of(kind, key, pair.public_key())
    }

    pub(super) fn ed25519(pair: &Ed25519KeyPair) -> Result<Self, KeyFlaw> {
        let pkcs8 = pair.to_pkcs8().map_err(|_| KeyFlaw::Unreadable)?;
        let key = EncodingKey::from_ed_der(pkcs8.as_ref());
        Self::of(KeyKind::Ed25519, key, pair.public_key())
    }

    fn of<'a>(
        kind: KeyKind,
        key: EncodingKey,
        public: &impl AsDer<PublicKeyX509Der<'a>>,
    ) -> Result<Self, KeyFlaw> {
        let public = public.as_der().map_err(|_| KeyFlaw::Unreadable)?;
        Ok(Self {
            kind,
            key,
            public: public.as_ref().to_vec(),
            id: None,
            algorithm: None,
            parts: Vec::new(),
        })
    }

    /// The kind of the key.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The key for a signature.
    pub(in crate::oauth) fn key(&self) -> &EncodingKey {
        &self.key
    }

    /// The public key, as a certificate has it (`SubjectPublicKeyInfo`).
    #[must_use]
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// The `kid` of a JWK.
    pub(crate) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The algorithm of a signature: this one, the JWK's own, or the usual one of the key.
    ///
    /// # Errors
    /// If the key cannot sign with it.
    pub fn algorithm(&self, chosen: Option<SigningAlgorithm>) -> Result<SigningAlgorithm, KeyFlaw> {
        let algorithm = chosen
            .or(self.algorithm)
            .unwrap_or(self.kind.algorithms()[0]);
        if self.kind.algorithms().contains(&algorithm) {
            return Ok(algorithm);
        }
        Err(KeyFlaw::Algorithm {
            kind: self.kind,
            algorithm,
        })
    }

    /// A hash of the private key. It is for this process alone.
    pub(crate) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.key.as_bytes()).into()
    }

    /// Adds the parts of its text that nobody may see. They are never sent; but nobody can say where else they stand.
    pub(in crate::oauth) fn add_parts(&self, scrubber: &mut Scrubber) {
        for part in self.parts() {
            scrubber.add_form(part.to_owned());
        }
    }

    /// The key for a TLS handshake.
    pub(in crate::oauth) fn der(&self) -> PrivateKeyDer<'_> {
        let der = self.key.as_bytes();
        match self.kind {
            KeyKind::Rsa { .. } => PrivatePkcs1KeyDer::from(der).into(),
            KeyKind::P256 | KeyKind::P384 | KeyKind::Ed25519 => {
                PrivatePkcs8KeyDer::from(der).into()
            }
        }
    }

    /// The parts of its text that nobody may see.
    pub(super) fn parts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(ExposeSecret::expose_secret)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, <redacted>)", self.kind)
    }
}
