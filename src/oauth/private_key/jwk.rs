//! A private key as a JWK (RFC 7517, RFC 7518 section 6, RFC 8037).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use secrecy::{
    SecretString,
    zeroize::{Zeroize, Zeroizing},
};
use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use super::{der, flaw::KeyFlaw, key::PrivateKey, kind::KeyKind};
use crate::api::SigningAlgorithm;

const LONGEST_ID: usize = 256;

/// The members that are used. Those of the private key are wiped.
#[derive(Deserialize)]
struct Jwk {
    kty: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<String>,
    p: Option<String>,
    q: Option<String>,
    dp: Option<String>,
    dq: Option<String>,
    qi: Option<String>,
    keys: Option<IgnoredAny>,
}

impl Drop for Jwk {
    fn drop(&mut self) {
        for member in self.private() {
            member.zeroize();
        }
    }
}

type Bytes = Zeroizing<Vec<u8>>;

pub(super) fn read(json: &str) -> Result<PrivateKey, KeyFlaw> {
    let mut jwk: Jwk = parsed(json).ok_or(KeyFlaw::Unreadable)?;
    if jwk.keys.is_some() {
        return Err(KeyFlaw::JwkSet);
    }
    let mut key = jwk.key()?;
    key.algorithm = match jwk.alg.as_deref() {
        None => None,
        Some(alg) => Some(algorithm(alg).ok_or(KeyFlaw::JwkAlgorithm)?),
    };
    let is_id = |id: &str| {
        (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|b| matches!(b, b' '..=b'~'))
    };
    if jwk.kid.as_deref().is_some_and(|id| !is_id(id)) {
        return Err(KeyFlaw::JwkId);
    }
    key.id = jwk.kid.take();
    let parts = jwk.private().into_iter().flatten();
    key.parts = parts
        .map(|part| SecretString::from(part.as_str()))
        .collect();
    Ok(key)
}

/// Returns whether a text is a JWK, or a set of them, that has a private key. It may be on one line, as a client secret is.
pub(super) fn is_private(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Member {
        kty: Option<IgnoredAny>,
        d: Option<IgnoredAny>,
        keys: Option<IgnoredAny>,
    }
    let text = text.trim();
    text.starts_with('{')
        && parsed::<Member>(text)
            .is_some_and(|jwk| jwk.keys.is_some() || (jwk.kty.is_some() && jwk.d.is_some()))
}

fn parsed<T: DeserializeOwned>(json: &str) -> Option<T> {
    serde_json::from_str(json).ok()
}

fn algorithm(name: &str) -> Option<SigningAlgorithm> {
    Some(match name {
        "RS256" => SigningAlgorithm::RS256,
        "PS256" => SigningAlgorithm::PS256,
        "ES256" => SigningAlgorithm::ES256,
        "ES384" => SigningAlgorithm::ES384,
        // RFC 9864 names the curve.
        "EdDSA" | "Ed25519" => SigningAlgorithm::EdDSA,
        _ => return None,
    })
}

impl Jwk {
    fn private(&mut self) -> [&mut Option<String>; 6] {
        [
            &mut self.d,
            &mut self.p,
            &mut self.q,
            &mut self.dp,
            &mut self.dq,
            &mut self.qi,
        ]
    }

    fn key(&self) -> Result<PrivateKey, KeyFlaw> {
        let kty = self.kty.as_deref().ok_or(KeyFlaw::JwkMember("kty"))?;
        if self.d.is_none() && matches!(kty, "RSA" | "EC" | "OKP") {
            return Err(KeyFlaw::Public);
        }
        match (kty, self.crv.as_deref()) {
            ("RSA", _) => self.rsa(),
            ("EC", Some("P-256")) => self.ec(KeyKind::P256, &ECDSA_P256_SHA256_FIXED_SIGNING, 32),
            ("EC", Some("P-384")) => self.ec(KeyKind::P384, &ECDSA_P384_SHA384_FIXED_SIGNING, 48),
            ("EC", _) => Err(KeyFlaw::Curve),
            ("OKP", Some("Ed25519")) => {
                let (d, x) = (member("d", self.d.as_ref())?, member("x", self.x.as_ref())?);
                let pair = Ed25519KeyPair::from_seed_and_public_key(&d, &x);
                PrivateKey::ed25519(&pair.map_err(|_| KeyFlaw::Unreadable)?)
            }
            _ => Err(KeyFlaw::Type),
        }
    }

    fn rsa(&self) -> Result<PrivateKey, KeyFlaw> {
        let numbers = [
            member("n", self.n.as_ref())?,
            member("e", self.e.as_ref())?,
            member("d", self.d.as_ref())?,
            member("p", self.p.as_ref())?,
            member("q", self.q.as_ref())?,
            member("dp", self.dp.as_ref())?,
            member("dq", self.dq.as_ref())?,
            member("qi", self.qi.as_ref())?,
        ];
        let pkcs1 = der::pkcs1(&numbers.each_ref().map(|number| number.as_slice()));
        let pkcs1 = Zeroizing::new(pkcs1.ok_or(KeyFlaw::Unreadable)?);
        PrivateKey::rsa(&pkcs1)
    }

    fn ec(
        &self,
        kind: KeyKind,
        algorithm: &'static EcdsaSigningAlgorithm,
        bytes: usize,
    ) -> Result<PrivateKey, KeyFlaw> {
        let (x, y) = (member("x", self.x.as_ref())?, member("y", self.y.as_ref())?);
        let d = padded(&member("d", self.d.as_ref())?, bytes)?;
        // An uncompressed point (SEC1, section 2.3.3).
        let mut public = vec![4];
        public.extend_from_slice(&padded(&x, bytes)?);
        public.extend_from_slice(&padded(&y, bytes)?);
        let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, &d, &public);
        PrivateKey::ec(kind, &pair.map_err(|_| KeyFlaw::Unreadable)?)
    }
}

fn member(name: &'static str, value: Option<&String>) -> Result<Bytes, KeyFlaw> {
    let text = value.ok_or(KeyFlaw::JwkMember(name))?;
    let bytes = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
    Ok(Zeroizing::new(bytes.map_err(|_| KeyFlaw::Unreadable)?))
}

/// A number of this many bytes. Some programs leave out leading zeros.
fn padded(number: &[u8], bytes: usize) -> Result<Bytes, KeyFlaw> {
    let missing = bytes.checked_sub(number.len()).ok_or(KeyFlaw::Unreadable)?;
    let mut padded = Zeroizing::new(vec![0; missing]);
    padded.extend_from_slice(number);
    Ok(padded)
}
