//! Errors without a complete response of a token endpoint. The texts are our own, because a library's text may quote the other
//! side.

use jiff::{SignedDuration, Timestamp};
use rustls::AlertDescription;
use thiserror::Error;

use crate::{
    api::Reason,
    oauth::{discovery::DiscoveryError, networks::RefusedNetwork},
};

/// The limit for the lookup of a name.
pub(super) const LOOKUP_SECONDS: u64 = 10;
/// The limit for opening a connection.
pub(in crate::oauth) const CONNECTION_SECONDS: u64 = 5;
/// The limit for a connection and the TLS handshake on it. At least 10 s of the exchange are left for the response, because a
/// response that is not awaited may have consumed a refresh token.
pub(super) const HANDSHAKE_SECONDS: u64 = 10;
/// The limit for all of these through a proxy, which looks up the name and opens the connection itself.
pub(super) const PROXY_SECONDS: u64 = LOOKUP_SECONDS + HANDSHAKE_SECONDS;

/// If a connection took longer than this to open, the process stood still in between, or its clock was set: the limits end earlier. At
/// least 10 s of a claim on a refresh token are left then.
pub(super) const STANDSTILL: SignedDuration =
    SignedDuration::from_secs(PROXY_SECONDS.cast_signed() + 5);

/// A token request without a complete response. `endpoint` is `host` or `host:port`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum NetworkError {
    #[error("token endpoint {endpoint} is on a network that {}", network.refused_by())]
    RefusedNetwork {
        endpoint: String,
        network: RefusedNetwork,
        /// It was looked up, and another look-up may find other addresses.
        looked_up: bool,
    },
    #[error("token endpoint {endpoint} could not be reached: {cause}")]
    Unreachable {
        endpoint: String,
        cause: Unreachable,
    },
    #[error("TLS certificate of {endpoint} {cause}")]
    Untrusted { endpoint: String, cause: Untrusted },
    /// The server ended the handshake, so it has not read the request, even if that was sent; or an HTTP server in front of it
    /// refused the request.
    #[error("token endpoint {endpoint} requires a TLS client certificate")]
    ClientCertificateRequired { endpoint: String },
    /// The same with a client certificate. The alert is the server's reason, if it ended the handshake.
    #[error("token endpoint {endpoint} refused the client certificate{}", shown(*alert))]
    ClientCertificateRefused {
        endpoint: String,
        alert: Option<AlertDescription>,
    },
    /// `proxy` is `host:port`. Nothing was sent to the token endpoint.
    #[error("proxy {proxy} {cause}")]
    Proxy { proxy: String, cause: ProxyFault },
    #[error("token endpoint {endpoint} sent no complete response {cause}")]
    NoResponse { endpoint: String, cause: NoResponse },
    /// The rest of one of the errors above, or of a response, for people who may not know the operator's network.
    #[error(
        "token endpoint {endpoint} could not be reached or did not respond as one (details are in the operator's log)"
    )]
    Hidden {
        endpoint: String,
        outcome_unknown: bool,
    },
    #[error("there is no CA certificate, neither of the system nor in a CA bundle")]
    NoTlsClient,
    #[error("the client secret cannot be sent in an HTTP header")]
    SecretNotSendable,
    #[error("the client's private key could not be used")]
    NotSigned,
}

/// The metadata of an issuer without endpoints that can be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum MetadataError {
    /// The text of the error speaks of a token endpoint, which no metadata was read for.
    #[error("{}", without_endpoint(.0))]
    Network(NetworkError),
    #[error("the metadata of the issuer {0}")]
    Document(DiscoveryError),
}

impl MetadataError {
    /// Returns whether the error shows that there is an issuer's metadata, and nothing else of a network.
    pub(crate) fn is_about_metadata(&self) -> bool {
        let none = matches!(
            self,
            Self::Network(_)
                | Self::Document(DiscoveryError::Status { .. } | DiscoveryError::NotMetadata)
        );
        !none
    }
}

fn without_endpoint(error: &NetworkError) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("token endpoint ").unwrap_or(&text);
    text.to_owned()
}

/// The cause of a request that could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum Unreachable {
    #[error("name not found in DNS")]
    NameNotFound,
    #[error("name not found in DNS, which is asked without a search list")]
    NameNotFull,
    #[error("DNS lookup failed")]
    LookupFailed,
    #[error("DNS lookup timed out after {LOOKUP_SECONDS} s")]
    LookupTimedOut,
    #[error("connecting timed out after {CONNECTION_SECONDS} s")]
    NoConnection,
    #[error("TLS handshake timed out after {HANDSHAKE_SECONDS} s")]
    HandshakeTimedOut,
    #[error("the server does not speak TLS")]
    NotTls,
    #[error("the server supports neither TLS 1.2 nor TLS 1.3")]
    TlsVersion,
    #[error("no TLS cipher suite, group or signature algorithm in common")]
    NoCommonCipher,
    #[error("the server does not know this host name (TLS alert unrecognized_name)")]
    UnknownHostName,
    #[error("the server does not speak HTTP/1.1")]
    NoHttp1,
    #[error("TLS handshake refused (alert {0:?})")]
    HandshakeRefused(AlertDescription),
    #[error("TLS handshake failed")]
    HandshakeFailed,
    #[error("connection refused")]
    ConnectionRefused,
    #[error("connection closed")]
    ConnectionClosed,
    #[error("no route to host")]
    NoRoute,
    #[error("connection timed out")]
    ConnectionTimedOut,
    #[error("connection failed")]
    ConnectionFailed,
    #[error("the operator stood still, or its clock was set, before the request was sent")]
    StoodStill,
}

/// The action of a proxy that opened no tunnel.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum ProxyFault {
    #[error("could not be reached: {0}")]
    Unreachable(Unreachable),
    #[error("has a TLS certificate that {0}")]
    Untrusted(Untrusted),
    #[error("requires other credentials (407)")]
    AuthenticationRequired,
    #[error("refused a connection to {endpoint}{}", status.map_or_else(String::new, |status| format!(" ({status})")))]
    Refused {
        endpoint: String,
        status: Option<u16>,
    },
    #[error("closed the connection before it opened one to {endpoint}")]
    Closed { endpoint: String },
    /// The tunnel that it opened may end at the proxy itself.
    #[error("opened an unusable connection to {endpoint}: {cause}")]
    Unusable {
        endpoint: String,
        cause: Unreachable,
    },
    #[error("opened no TLS connection to {endpoint} within {PROXY_SECONDS} s")]
    TimedOut { endpoint: String },
}

/// A variable that names no proxy that can be used. Its value may hold a password, so it is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum ProxyVariableError {
    #[error(
        "{0} names a SOCKS proxy, which is not supported: name an HTTP proxy, as http://HOST:PORT"
    )]
    Socks(&'static str),
    #[error("{0} is not a proxy URL: write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT")]
    Unreadable(&'static str),
}

/// The flaw of a certificate that is not trusted. Names are quoted and bounded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum Untrusted {
    #[error("is signed by {issuer}, an unknown CA")]
    UnknownIssuer { issuer: String },
    #[error("is self-signed and not trusted")]
    SelfSigned,
    #[error("is a CA certificate, which a server must not use")]
    CaCertificate,
    #[error("is signed with another key than the key of the trusted CA {issuer}")]
    OtherKey { issuer: String },
    #[error("{}", expired(*at, issuer.as_deref(), above.as_deref()))]
    Expired {
        at: Option<Timestamp>,
        /// The CA that issued it, as far as that is known.
        issuer: Option<String>,
        /// The CA whose certificate expired; `None`: the server's own certificate did.
        above: Option<String>,
    },
    #[error("is not valid{}", from.map_or_else(|| " yet".into(), |from| format!(" before {from}")))]
    NotValidYet { from: Option<Timestamp> },
    #[error("is for {hosts}, not for this host")]
    WrongHost { hosts: String },
    #[error("was revoked")]
    Revoked,
    #[error("must not be used by servers")]
    NotForServers,
    #[error("is signed with {algorithm}, which is not supported")]
    Algorithm { algorithm: String },
    #[error("has, or is signed by, an RSA key of {bits} bits; at least 2048 are required")]
    ShortKey { bits: usize },
    #[error("comes with more than {most} others")]
    TooMany { most: usize },
    #[error("cannot be used")]
    Unusable,
}

/// The cause of a missing response to a request that may have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum NoResponse {
    #[error("within {0:#}")]
    Timeout(SignedDuration),
    #[error("(connection closed, or not HTTP)")]
    Incomplete,
    #[error("before the TLS connection broke")]
    TlsBroke,
}

fn shown(alert: Option<AlertDescription>) -> String {
    alert.map_or_else(String::new, |alert| format!(" (alert {alert:?})"))
}

fn expired(at: Option<Timestamp>, issuer: Option<&str>, above: Option<&str>) -> String {
    let at = at.map_or_else(String::new, |at| format!(" at {at}"));
    match (above, issuer) {
        (Some(above), _) => format!("depends on the CA certificate of {above}, which expired{at}"),
        (None, Some(issuer)) => format!("expired{at} (issuer {issuer})"),
        (None, None) => format!("expired{at}"),
    }
}

impl NetworkError {
    /// The reason for conditions, events and metrics.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::RefusedNetwork { .. } => Reason::HostNotAllowed,
            Self::Unreachable { .. } | Self::Proxy { .. } | Self::Hidden { .. } => {
                Reason::Unreachable
            }
            Self::ClientCertificateRequired { .. } => Reason::ClientCertificateRequired,
            Self::ClientCertificateRefused { .. } => Reason::ClientCertificateRefused,
            Self::Untrusted { .. } => Reason::TLSUntrusted,
            Self::NoResponse { .. } => Reason::NoResponse,
            Self::NoTlsClient => Reason::CABundleInvalid,
            Self::SecretNotSendable => Reason::ClientSecretMalformed,
            Self::NotSigned => Reason::ClientKeyInvalid,
        }
    }

    /// Returns whether the request may have arrived, and been served.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::NoResponse { .. } => true,
            Self::Hidden {
                outcome_unknown, ..
            } => *outcome_unknown,
            Self::RefusedNetwork { .. }
            | Self::Unreachable { .. }
            | Self::Untrusted { .. }
            | Self::ClientCertificateRequired { .. }
            | Self::ClientCertificateRefused { .. }
            | Self::Proxy { .. }
            | Self::NoTlsClient
            | Self::SecretNotSendable
            | Self::NotSigned => false,
        }
    }
}
