//! The parts of a DER-encoded key that the crypto provider does not show.

use x509_cert::der::{
    AnyRef, Decode, Encode, Reader, SliceReader,
    asn1::{ObjectIdentifier, OctetStringRef, UintRef},
};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// The key in a PKCS#8 text, by its algorithm.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inner<'a> {
    /// With the key as PKCS#1.
    Rsa(&'a [u8]),
    P256,
    P384,
    OtherCurve,
    Ed25519,
    Other,
}

/// Reads the algorithm of a PKCS#8 key (RFC 5208).
pub(super) fn inner(pkcs8: &[u8]) -> Option<Inner<'_>> {
    let mut reader = SliceReader::new(pkcs8).ok()?;
    let read = reader.sequence(|key| {
        UintRef::decode(key)?;
        let (algorithm, curve) = key.sequence(|algorithm| {
            let id = ObjectIdentifier::decode(algorithm)?;
            let parameters = Option::<AnyRef<'_>>::decode(algorithm)?;
            let curve = parameters.and_then(|found| found.decode_as().ok());
            Ok::<_, x509_cert::der::Error>((id, curve))
        })?;
        let inner = <&OctetStringRef>::decode(key)?.as_bytes();
        // Attributes and the public key follow in some.
        let rest = key.remaining_len();
        key.read_slice(rest)?;
        Ok::<_, x509_cert::der::Error>((algorithm, curve, inner))
    });
    let (algorithm, curve, inner): (_, Option<ObjectIdentifier>, _) = read.ok()?;
    Some(match (algorithm, curve) {
        (RSA, _) => Inner::Rsa(inner),
        (EC, Some(P256)) => Inner::P256,
        (EC, Some(P384)) => Inner::P384,
        (EC, _) => Inner::OtherCurve,
        (ED25519, _) => Inner::Ed25519,
        _ => Inner::Other,
    })
}

/// The length of the modulus of a PKCS#1 key (RFC 8017, appendix A.1.2).
pub(super) fn modulus_bits(pkcs1: &[u8]) -> Option<usize> {
    let mut reader = SliceReader::new(pkcs1).ok()?;
    let bits = reader.sequence(|key| {
        UintRef::decode(key)?;
        let modulus = UintRef::decode(key)?.as_bytes();
        let rest = key.remaining_len();
        key.read_slice(rest)?;
        let zeros = modulus.first().map_or(0, |first| first.leading_zeros());
        Ok::<_, x509_cert::der::Error>(modulus.len() * 8 - zeros as usize)
    });
    bits.ok()
}

/// A PKCS#1 key of these numbers: n, e, d, p, q, dp, dq, qi.
pub(super) fn pkcs1(numbers: &[&[u8]; 8]) -> Option<Vec<u8>> {
    let mut content = UintRef::new(&[0]).ok()?.to_der().ok()?;
    for number in numbers {
        UintRef::new(number)
            .ok()?
            .encode_to_vec(&mut content)
            .ok()?;
    }
    let sequence = AnyRef::new(x509_cert::der::Tag::Sequence, &content).ok()?;
    let der = sequence.to_der().ok();
    secrecy::zeroize::Zeroize::zeroize(&mut content);
    der
}
