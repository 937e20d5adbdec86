//! A server's certificate in words, so that a person recognises a company's proxy, a missing CA certificate or a wrong host.

use std::{fmt::Write, net::IpAddr};

use jiff::Timestamp;
use x509_cert::{
    Certificate,
    der::Decode,
    ext::pkix::{SubjectAltName, name::GeneralName},
    name::Name,
    time::Time,
};

/// The most names, and the most characters of a name, that are shown: the other side chooses them.
const MOST_NAMES: usize = 5;
const LONGEST_NAME: usize = 100;

/// Who issued it, for which hosts, and when it is valid.
#[must_use]
pub(super) fn describe(der: &[u8]) -> String {
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
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_or("an unknown time".into(), |time| time.to_string())
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
    fn what_is_no_certificate_is_told_as_such() {
        for der in [&b""[..], b"\x30\x00", b"garbage"] {
            assert_eq!(describe(der), "a certificate that cannot be read");
        }
    }
}
