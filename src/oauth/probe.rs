//! The probe: a request that tries a new access token at its API. The API decides with its status alone.

use std::{collections::BTreeMap, fmt, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use super::{
    ca_bundle::TrustedCa,
    endpoint::{Endpoint, EndpointError},
};
use crate::api::{ProbeMethod, ProbeSpec};

/// The probe of a spec.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Probe {
    pub endpoint: Endpoint,
    pub method: ProbeMethod,
    /// Further headers.
    pub headers: BTreeMap<String, String>,
    /// The statuses that prove a token; empty: 200 to 299.
    expected: Vec<u16>,
}

/// The values of headers are left out, because some APIs know their callers by them.
impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Probe({} {:?})", self.method.name(), self.endpoint)
    }
}

/// A probe that cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum ProbeFlaw {
    #[error("url {0}")]
    Url(#[from] EndpointError),
    #[error("headers has the name {0:?}: write 1 to 64 letters, digits and !#$%&'*+-.^_`|~")]
    Name(String),
    #[error("headers has {0:?}, which the operator or HTTP itself sets: remove it")]
    Reserved(String),
    /// The value itself is not shown.
    #[error(
        "headers has a value for {0:?} that is not printable ASCII, or begins or ends with a blank"
    )]
    Value(String),
}

impl Probe {
    /// Reads the probe of a spec. The API server checks the same at admission, but an older CRD may not.
    ///
    /// # Errors
    /// Names the field and says what to write.
    pub fn read(spec: &ProbeSpec) -> Result<Self, ProbeFlaw> {
        let endpoint = Endpoint::parse(&spec.url)?;
        for (name, value) in &spec.headers {
            check_header(name, value)?;
        }
        Ok(Self {
            endpoint,
            method: spec.method,
            headers: spec.headers.clone(),
            expected: spec.expect_status.clone(),
        })
    }

    /// Returns whether a response with this status proves the token.
    #[must_use]
    pub fn accepts(&self, status: u16) -> bool {
        if self.expected.is_empty() {
            return (200..300).contains(&status);
        }
        self.expected.contains(&status)
    }

    /// The statuses that prove a token, for people.
    #[must_use]
    pub fn expected(&self) -> String {
        if self.expected.is_empty() {
            return "any of 200 to 299".into();
        }
        let statuses: Vec<_> = self.expected.iter().map(u16::to_string).collect();
        statuses.join(", ")
    }
}

fn check_header(name: &str, value: &str) -> Result<(), ProbeFlaw> {
    if !is_name(name) {
        return Err(ProbeFlaw::Name(name.into()));
    }
    if is_reserved(name) {
        return Err(ProbeFlaw::Reserved(name.into()));
    }
    if !is_value(value) {
        return Err(ProbeFlaw::Value(name.into()));
    }
    Ok(())
}

/// A token of RFC 9110, section 5.6.2.
fn is_name(name: &str) -> bool {
    let is_of_a_name = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
    (1..=64).contains(&name.len()) && name.bytes().all(is_of_a_name)
}

/// Headers that carry credentials, or that decide where a request goes and where it ends.
fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let reserved = [
        "authorization",
        "host",
        "transfer-encoding",
        "te",
        "trailer",
        "connection",
        "keep-alive",
        "upgrade",
        "http2-settings",
        "expect",
        "cookie",
        "cookie2",
    ];
    reserved.contains(&name.as_str()) || name.starts_with("content-") || name.starts_with("proxy-")
}

fn is_value(value: &str) -> bool {
    let printable = value.bytes().all(|c| (b' '..=b'~').contains(&c));
    (1..=1024).contains(&value.len()) && printable && value.trim() == value
}

/// A probe with the token that it tries.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ProbeRequest {
    pub probe: Arc<Probe>,
    pub token: SecretString,
    /// The trusted CA certificates; `None`: the system's.
    pub ca_bundle: Option<TrustedCa>,
}

impl ProbeRequest {
    /// The value of the Authorization header (RFC 6750, section 2.1).
    #[must_use]
    pub fn authorization(&self) -> SecretString {
        format!("Bearer {}", self.token.expose_secret()).into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(spec: serde_json::Value) -> Result<Probe, ProbeFlaw> {
        Probe::read(&serde_json::from_value(spec).unwrap())
    }

    #[test]
    fn a_probe_is_a_get_that_expects_any_success() {
        let probe = read(json!({"url": "https://api.example.com/me"})).unwrap();
        assert_eq!(probe.method.name(), "GET");
        for (status, accepted) in [
            (199, false),
            (200, true),
            (299, true),
            (300, false),
            (403, false),
        ] {
            assert_eq!(probe.accepts(status), accepted, "{status}");
        }
        let other = json!({"url": "https://api.example.com/me", "method": "HEAD", "expectStatus": [204, 404]});
        let probe = read(other).unwrap();
        assert_eq!(probe.method.name(), "HEAD");
        assert!(probe.accepts(404) && probe.accepts(204) && !probe.accepts(200));
        assert_eq!(probe.expected(), "204, 404");
    }

    #[test]
    fn a_header_that_could_carry_credentials_or_split_a_request_is_refused() {
        let of = |name: &str, value: &str| {
            read(json!({"url": "https://api.example.com/", "headers": {name: value}})).map(|_| ())
        };
        for name in [
            "Authorization",
            "HOST",
            "Content-Length",
            "content-type",
            "Transfer-Encoding",
            "Connection",
            "Cookie",
            "Proxy-Authorization",
            "upgrade",
            "TE",
            "Expect",
        ] {
            assert_eq!(of(name, "x"), Err(ProbeFlaw::Reserved(name.into())));
        }
        for name in ["", "a b", "a:b", "a\r\nb", "ä", &"x".repeat(65)] {
            assert_eq!(of(name, "x"), Err(ProbeFlaw::Name(name.into())));
        }
        for value in ["", " x", "x ", "x\r\nHost: y", "ü", "\0", &"x".repeat(1025)] {
            assert_eq!(of("X-A", value), Err(ProbeFlaw::Value("X-A".into())));
        }
        assert_eq!(of("X-Tenant", "a b"), Ok(()));
    }

    #[test]
    fn a_probe_shows_neither_token_nor_header_values_nor_query() {
        let probe = read(json!({
            "url": "https://api.example.com/me?key=S3CRET-q", "headers": {"X-Key": "S3CRET-h"},
        }));
        let request = ProbeRequest {
            probe: Arc::new(probe.unwrap()),
            token: "S3CRET-t".into(),
            ca_bundle: None,
        };
        assert!(!format!("{request:?}").contains("S3CRET"));
        assert_eq!(request.authorization().expose_secret(), "Bearer S3CRET-t");
    }
}
