//! Errors without a complete response of a token endpoint. The texts are our own, because a library's text may quote the other
//! side.

use jiff::{SignedDuration, Timestamp};
use rustls::AlertDescription;
use thiserror::Error;

use crate::{api::Reason, oauth::networks::RefusedNetwork};

/// The limit for the lookup of a name.
pub(super) const LOOKUP_SECONDS: u64 = 10;
/// The limit for opening a connection.
pub(in crate::oauth) const CONNECTION_SECONDS: u64 = 5;
/// The limit for a connection and the TLS handshake on it. At least 10 s of the exchange are left for the response, because a
/// response that is not awaited may have consumed a refresh token.
pub(super) const HANDSHAKE_SECONDS: u64 = 10;
/// The limit for all of these through a proxy, which looks up the name and opens the connection itself.
pub(super) const PROXY_SECONDS: u64 = LOOKUP_SECONDS + HANDSHAKE_SECONDS;

/// A token request without a complete response. `endpoint` is `host` or `host:port`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum NetworkError {
    #[error("the token endpoint {endpoint} is on a network that {}", network.refused_by())]
    RefusedNetwork {
        endpoint: String,
        network: RefusedNetwork,
    },
    #[error("the token endpoint {endpoint} could not be reached: {cause}")]
    Unreachable {
        endpoint: String,
        cause: Unreachable,
    },
    #[error("the certificate of the token endpoint {endpoint} is not trusted: {cause}")]
    Untrusted { endpoint: String, cause: Untrusted },
    /// The server ended the handshake, so it has not read the request, even if that was sent; or an HTTP server in front of it
    /// refused the request.
    #[error(
        "the token endpoint {endpoint} wants a TLS client certificate, and the operator has none"
    )]
    ClientCertificateRequired { endpoint: String },
    /// `proxy` is `host:port`. Nothing was sent to the token endpoint.
    #[error("the proxy {proxy} {cause}")]
    Proxy { proxy: String, cause: ProxyFault },
    #[error("the token endpoint {endpoint} gave no complete answer {cause}")]
    NoResponse { endpoint: String, cause: NoResponse },
    /// The rest of one of the errors above, or of a response, for people who may not know the operator's network.
    #[error(
        "the token endpoint {endpoint} could not be reached, or did not respond as a token endpoint does (the operator's log has the \
         details)"
    )]
    Hidden {
        endpoint: String,
        outcome_unknown: bool,
    },
    #[error(
        "no TLS client could be made: there is no CA certificate, neither the system's nor one of a CA bundle"
    )]
    NoTlsClient,
    #[error("the client secret does not fit into a header")]
    SecretNotSendable,
}

/// The cause of a request that could not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum Unreachable {
    #[error("its name does not resolve")]
    NameNotFound,
    #[error(
        "its name does not resolve, and no search list completes it: write that of a Service as NAME.NAMESPACE.svc.cluster.local"
    )]
    NameNotFull,
    #[error("the name servers could not look up its name")]
    LookupFailed,
    #[error("the DNS lookup of its name took longer than {LOOKUP_SECONDS} s")]
    LookupTimedOut,
    #[error("opening a connection took longer than {CONNECTION_SECONDS} s")]
    NoConnection,
    #[error("there is a connection, and the TLS handshake took longer than {HANDSHAKE_SECONDS} s")]
    HandshakeTimedOut,
    #[error("what answers there does not speak TLS")]
    NotTls,
    #[error("it speaks neither TLS 1.2 nor TLS 1.3")]
    TlsVersion,
    #[error("it accepts none of the cipher suites, groups and signature algorithms of this client")]
    NoCommonCipher,
    #[error("it does not know this host name (TLS alert unrecognized_name)")]
    UnknownHostName,
    #[error("it does not speak HTTP/1.1")]
    NoHttp1,
    #[error("it refused the TLS handshake (alert {0:?})")]
    HandshakeRefused(AlertDescription),
    #[error("the TLS handshake failed")]
    HandshakeFailed,
    #[error("the connection was refused")]
    ConnectionRefused,
    #[error("the connection was closed")]
    ConnectionClosed,
    #[error("there is no route to it")]
    NoRoute,
    #[error("the connection timed out")]
    ConnectionTimedOut,
    #[error("the connection failed")]
    ConnectionFailed,
}

/// The action of a proxy that opened no tunnel.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum ProxyFault {
    #[error("could not be reached: {0}")]
    Unreachable(Unreachable),
    #[error("has a certificate that is not trusted: {0}")]
    Untrusted(Untrusted),
    #[error("wants other credentials (407)")]
    AuthenticationRequired,
    #[error("refused a connection to {endpoint}{}", status.map_or_else(String::new, |status| format!(" ({status})")))]
    Refused {
        endpoint: String,
        status: Option<u16>,
    },
    #[error("closed the connection before it had opened one to {endpoint}")]
    Closed { endpoint: String },
    /// The tunnel that it opened may end at the proxy itself.
    #[error("opened a connection to {endpoint} that cannot be used: {cause}")]
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
    #[error(
        "{0} names no proxy that can be used: write http://HOST:PORT or http://USER:PASSWORD@HOST:PORT"
    )]
    Unreadable(&'static str),
}

/// The flaw of a certificate that is not trusted. Names are quoted and bounded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum Untrusted {
    #[error("it was issued by {issuer}, a CA that is not trusted")]
    UnknownIssuer {
        issuer: String,
        /// The server sent only its own certificate, so an intermediate certificate may be missing.
        alone: bool,
    },
    #[error("it is self-signed")]
    SelfSigned,
    #[error("it is the certificate of a CA, which no server can use")]
    CaCertificate,
    #[error("the trusted CA certificate of {issuer} has another key than the one that signed it")]
    OtherKey { issuer: String },
    #[error("{}expired{}", above.as_ref().map_or_else(|| "it ".into(), |name| format!("the certificate of {name} above it ")), at.map_or_else(String::new, |at| format!(" at {at}")))]
    Expired {
        at: Option<Timestamp>,
        /// The CA whose certificate expired; `None`: the server's own certificate did.
        above: Option<String>,
    },
    #[error("it is not valid{}", from.map_or_else(|| " yet".into(), |from| format!(" before {from}")))]
    NotValidYet { from: Option<Timestamp> },
    #[error("it is for {hosts}, and not for this host")]
    WrongHost { hosts: String },
    #[error("it was revoked")]
    Revoked,
    #[error("it may not be used by servers")]
    NotForServers,
    #[error("it is signed with {algorithm}, which is not supported")]
    Algorithm { algorithm: String },
    #[error("it has an RSA key of {bits} bits, or was signed by one, and 2048 are the least")]
    ShortKey { bits: usize },
    #[error("it cannot be used")]
    Unusable,
}

/// The cause of a missing response to a request that may have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum NoResponse {
    #[error("within {0:#}")]
    Timeout(SignedDuration),
    #[error("(the connection ended early, or what came cannot be read)")]
    Incomplete,
    #[error("before the TLS connection broke")]
    TlsBroke,
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
            Self::Untrusted { .. } => Reason::TLSUntrusted,
            Self::NoResponse { .. } => Reason::NoResponse,
            Self::NoTlsClient => Reason::CABundleInvalid,
            Self::SecretNotSendable => Reason::ClientSecretMalformed,
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
            | Self::Proxy { .. }
            | Self::NoTlsClient
            | Self::SecretNotSendable => false,
        }
    }
}
