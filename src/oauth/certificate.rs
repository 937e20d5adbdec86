//! A server's certificate in words, so that a person recognises a company's proxy, a missing CA certificate or a wrong host.
//!
//! The other side chooses all names in it: they are bounded, and cannot write to a terminal.

use std::{fmt::Write, net::IpAddr};

use jiff::Timestamp;
use rustls::pki_types::CertificateDer;
use x509_cert::{
    Certificate,
    der::{
        Decode, Reader, SliceReader,
        asn1::{ObjectIdentifier, UintRef},
    },
    ext::pkix::{BasicConstraints, SubjectAltName, name::GeneralName},
    name::Name,
    time::Time,
};

/// The limits on the names that are shown, because the other side chooses them.
const MOST_NAMES: usize = 5;
const LONGEST_NAME: usize = 100;

/// The issuer of a certificate, its hosts and its validity.
#[must_use]
pub(in crate::oauth) fn describe(der: &[u8]) -> String {
    let Ok(certificate) = Certificate::from_der(der) else {
        return "a certificate that cannot be read".into();
    };
    let certificate = certificate.tbs_certificate();
    let validity = certificate.validity();
    format!(
        "issued by {} for {}, valid from {} to {}",
        distinguished(certificate.issuer()),
        hosts(&alternative_names(certificate)),
        time(validity.not_before),
        time(validity.not_after)
    )
}

/// A server's certificate, and the others that it sent. Those that cannot be read are left out.
pub(in crate::oauth) struct Chain {
    leaf: Option<Certificate>,
    others: Vec<Certificate>,
}

/// The most certificates of a chain that are looked at.
const LONGEST_CHAIN: usize = 16;
/// The shortest RSA key that is accepted, in bits.
const SHORTEST_RSA_KEY: usize = 2048;

impl Chain {
    pub(in crate::oauth) fn of(leaf: &CertificateDer<'_>, others: &[CertificateDer<'_>]) -> Self {
        let read = |der: &CertificateDer<'_>| Certificate::from_der(der).ok();
        Self {
            leaf: read(leaf),
            others: others.iter().take(LONGEST_CHAIN).filter_map(read).collect(),
        }
    }

    pub(in crate::oauth) fn is_self_signed(&self) -> bool {
        self.leaf.as_ref().is_some_and(|leaf| {
            let leaf = leaf.tbs_certificate();
            leaf.issuer() == leaf.subject()
        })
    }

    /// Returns whether the server presents a CA certificate as its own.
    pub(in crate::oauth) fn is_ca(&self) -> bool {
        self.leaf.as_ref().is_some_and(|leaf| {
            let constraints = leaf.tbs_certificate().get_extension::<BasicConstraints>();
            matches!(constraints, Ok(Some((_, constraints))) if constraints.ca)
        })
    }

    /// The hosts of the server's certificate.
    pub(in crate::oauth) fn hosts(&self) -> String {
        let leaf = self.leaf.as_ref();
        leaf.map_or_else(
            || hosts(&[]),
            |leaf| hosts(&alternative_names(leaf.tbs_certificate())),
        )
    }

    /// The issuer of the server's own certificate.
    pub(in crate::oauth) fn issuer(&self) -> Option<String> {
        let leaf = self.leaf.as_ref()?;
        Some(distinguished(leaf.tbs_certificate().issuer()))
    }

    /// The issuer of the last certificate of the chain, which would have to be trusted.
    pub(in crate::oauth) fn last_issuer(&self) -> String {
        let Some(leaf) = &self.leaf else {
            return "an unknown CA".into();
        };
        let mut issuer = leaf.tbs_certificate().issuer();
        // Each step takes another certificate, or the last one again.
        for _ in &self.others {
            let above = self.others.iter().map(Certificate::tbs_certificate);
            let Some(next) = above.into_iter().find(|above| above.subject() == issuer) else {
                break;
            };
            issuer = next.issuer();
        }
        distinguished(issuer)
    }

    /// The certificate above the server's own that expires at this time.
    pub(in crate::oauth) fn above_expiring_at(&self, seconds: u64) -> Option<String> {
        let expires = |certificate: &Certificate| {
            let validity = certificate.tbs_certificate().validity();
            validity.not_after.to_unix_duration().as_secs() == seconds
        };
        if self.leaf.as_ref().is_some_and(expires) {
            return None;
        }
        let above = self.others.iter().find(|above| expires(above))?;
        Some(distinguished(above.tbs_certificate().subject()))
    }

    /// The length in bits of an RSA key that is too short.
    pub(in crate::oauth) fn short_rsa_key(&self) -> Option<usize> {
        let mut certificates = self.leaf.iter().chain(&self.others);
        certificates.find_map(|certificate| {
            let key = certificate.tbs_certificate().subject_public_key_info();
            let bits = rsa_bits(key.subject_public_key.as_bytes()?)?;
            (key.algorithm.oid == RSA && bits < SHORTEST_RSA_KEY).then_some(bits)
        })
    }
}

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// The length of the modulus of a PKCS #1 public key.
fn rsa_bits(key: &[u8]) -> Option<usize> {
    let mut reader = SliceReader::new(key).ok()?;
    let modulus = reader.sequence(|inner| {
        let modulus = UintRef::decode(inner)?;
        inner.drain(inner.remaining_len())?;
        Ok::<_, x509_cert::der::Error>(modulus)
    });
    let modulus = modulus.ok()?.as_bytes();
    let first = usize::try_from(modulus.first()?.leading_zeros()).ok()?;
    Some(modulus.len() * 8 - first)
}

/// The name of an algorithm, from its identifier without tag and length. Of a key on an elliptic curve, the curve is what matters.
pub(in crate::oauth) fn algorithm(identifier: &[u8]) -> String {
    let read = || {
        let mut reader = SliceReader::new(identifier).ok()?;
        let first = ObjectIdentifier::decode(&mut reader).ok()?;
        if first == EC {
            return ObjectIdentifier::decode(&mut reader).ok();
        }
        Some(first)
    };
    let Some(oid) = read() else {
        return "an unknown algorithm".into();
    };
    let oid = oid.to_string();
    let known = ALGORITHMS.iter().find(|(known, _)| *known == oid);
    known.map_or(oid, |(_, name)| (*name).to_owned())
}

/// Algorithms that are in use, and are not supported because they are broken or rare.
const ALGORITHMS: [(&str, &str); 14] = [
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption"),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption"),
    (
        "1.2.840.113549.1.1.10",
        "RSASSA-PSS with unusual parameters",
    ),
    ("1.2.840.113549.1.1.14", "sha224WithRSAEncryption"),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1"),
    ("1.2.840.10045.4.3.1", "ecdsa-with-SHA224"),
    ("1.2.840.10040.4.3", "dsa-with-sha1"),
    ("2.16.840.1.101.3.4.3.2", "dsa-with-sha256"),
    ("1.3.101.113", "Ed448"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.132.0.33", "secp224r1"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"),
];

/// The time so many seconds after 1970.
pub(in crate::oauth) fn timestamp(seconds: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

fn alternative_names(certificate: &x509_cert::TbsCertificate) -> Vec<String> {
    let names = certificate.get_extension::<SubjectAltName>();
    let Ok(Some((_, SubjectAltName(names)))) = names else {
        return Vec::new();
    };
    let names = names.iter().filter_map(|name| match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(bytes) => address(bytes.as_bytes()).map(|ip| ip.to_string()),
        _ => None,
    });
    names.collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

fn hosts(names: &[String]) -> String {
    if names.is_empty() {
        return "no host".into();
    }
    let mut shown: Vec<_> = names
        .iter()
        .take(MOST_NAMES)
        .map(|name| quoted(name))
        .collect();
    if names.len() > MOST_NAMES {
        shown.push(format!("{} more", names.len() - MOST_NAMES));
    }
    shown.join(", ")
}

fn distinguished(name: &Name) -> String {
    let mut text = String::new();
    // A part that cannot be written is left out.
    let _ = write!(text, "{name}");
    quoted(&text)
}

/// In quotes, with control characters escaped.
fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(LONGEST_NAME).collect();
    format!("{shown:?}")
}

fn time(time: Time) -> String {
    let time = timestamp(time.to_unix_duration().as_secs());
    time.map_or("an unknown time".into(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType, date_time_ymd};

    use super::*;

    fn certificate(issuer: &str, names: Vec<SanType>) -> Vec<u8> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, issuer);
        params.subject_alt_names = names;
        params.not_before = date_time_ymd(2026, 1, 2);
        params.not_after = date_time_ymd(2027, 3, 4);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    fn host(name: &str) -> SanType {
        SanType::DnsName(name.try_into().unwrap())
    }

    #[test]
    fn a_certificate_shows_issuer_hosts_and_validity() {
        let address = SanType::IpAddress([127, 0, 0, 1].into());
        for (names, shown) in [
            (
                vec![host("a.example"), address],
                "\"a.example\", \"127.0.0.1\"",
            ),
            (vec![], "no host"),
            (
                (0..7).map(|number| host(&number.to_string())).collect(),
                "\"0\", \"1\", \"2\", \"3\", \"4\", 2 more",
            ),
        ] {
            assert_eq!(
                describe(&certificate("Example Proxy", names)),
                format!(
                    "issued by \"CN=Example Proxy\" for {shown}, valid from 2026-01-02T00:00:00Z to 2027-03-04T00:00:00Z"
                )
            );
        }
    }

    #[test]
    fn names_are_bounded_and_cannot_write_to_a_terminal() {
        let long = "x".repeat(1000);
        let issuer = format!("\u{1b}[31m\n{long}");
        let shown = describe(&certificate(&issuer, vec![]));
        assert!(
            shown.len() < 300 && !shown.contains(char::is_control),
            "{shown}"
        );
    }

    #[test]
    fn a_certificate_that_cannot_be_read_is_reported_as_such() {
        for der in [&b""[..], b"\x30\x00", b"garbage"] {
            assert_eq!(describe(der), "a certificate that cannot be read");
        }
    }
}
