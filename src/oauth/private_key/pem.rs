//! A private key in PEM.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use secrecy::SecretString;

use super::{
    der::{self, Inner},
    flaw::KeyFlaw,
    key::PrivateKey,
    kind::KeyKind,
};

/// A PEM line has 64 characters (RFC 7468, section 2), and the last one of a key may have fewer.
const SHORTEST_LINE: usize = 16;

/// Reads the one key in a text. Other blocks are skipped: certificates, and the parameters that OpenSSL writes before a SEC1 key.
pub(super) fn read(text: &str) -> Result<PrivateKey, KeyFlaw> {
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(KeyFlaw::Encrypted);
    }
    if text.contains("BEGIN OPENSSH PRIVATE KEY") {
        return Err(KeyFlaw::OpenSsh);
    }
    let mut keys = PrivateKeyDer::pem_slice_iter(text.as_bytes());
    let found = match keys.next() {
        Some(Ok(found)) => found,
        Some(Err(_)) => return Err(KeyFlaw::Unreadable),
        None => return Err(missing(text)),
    };
    if keys.next().is_some() {
        return Err(KeyFlaw::Several);
    }
    let mut key = of_der(&found)?;
    key.parts = lines_of_key(text).map(SecretString::from).collect();
    Ok(key)
}

/// The lines of the key, which a provider's text may repeat. A shorter line could be a part of an ordinary word.
fn lines_of_key(text: &str) -> impl Iterator<Item = &str> {
    let is_begin =
        |line: &&str| line.starts_with("-----BEGIN ") && line.ends_with("PRIVATE KEY-----");
    let lines = text.lines().map(str::trim);
    let block = lines.skip_while(move |line| !is_begin(line)).skip(1);
    let block = block.take_while(|line| !line.starts_with("-----END "));
    block.filter(|line| line.len() >= SHORTEST_LINE)
}

fn missing(text: &str) -> KeyFlaw {
    if text.contains("PRIVATE KEY-----") {
        // The library knows PKCS#8, SEC1 and PKCS#1.
        return KeyFlaw::Type;
    }
    if text.contains("-----BEGIN ") {
        return KeyFlaw::Public;
    }
    KeyFlaw::NoKey
}

fn of_der(found: &PrivateKeyDer<'_>) -> Result<PrivateKey, KeyFlaw> {
    match found {
        PrivateKeyDer::Pkcs1(pkcs1) => PrivateKey::rsa(pkcs1.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(sec1) => of_sec1(sec1.secret_sec1_der()),
        PrivateKeyDer::Pkcs8(pkcs8) => of_pkcs8(pkcs8.secret_pkcs8_der()),
        _ => Err(KeyFlaw::Type),
    }
}

fn of_pkcs8(pkcs8: &[u8]) -> Result<PrivateKey, KeyFlaw> {
    match der::inner(pkcs8).ok_or(KeyFlaw::Unreadable)? {
        Inner::Rsa(pkcs1) => PrivateKey::rsa(pkcs1),
        Inner::P256 => {
            let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8);
            PrivateKey::ec(KeyKind::P256, &pair.map_err(|_| KeyFlaw::Unreadable)?)
        }
        Inner::P384 => {
            let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P384_SHA384_FIXED_SIGNING, pkcs8);
            PrivateKey::ec(KeyKind::P384, &pair.map_err(|_| KeyFlaw::Unreadable)?)
        }
        Inner::Ed25519 => {
            let pair = Ed25519KeyPair::from_pkcs8(pkcs8);
            PrivateKey::ed25519(&pair.map_err(|_| KeyFlaw::Unreadable)?)
        }
        Inner::OtherCurve => Err(KeyFlaw::Curve),
        Inner::Other => Err(KeyFlaw::Type),
    }
}

/// A SEC1 key (RFC 5915) may leave its curve out, so each one is tried.
fn of_sec1(sec1: &[u8]) -> Result<PrivateKey, KeyFlaw> {
    for (kind, algorithm) in [
        (KeyKind::P256, &ECDSA_P256_SHA256_FIXED_SIGNING),
        (KeyKind::P384, &ECDSA_P384_SHA384_FIXED_SIGNING),
    ] {
        if let Ok(pair) = EcdsaKeyPair::from_private_key_der(algorithm, sec1) {
            return PrivateKey::ec(kind, &pair);
        }
    }
    Err(KeyFlaw::Curve)
}
