//! Errors without a complete response of a token endpoint. The texts are our own, because a library's text may quote the other
//! side.

use jiff::SignedDuration;
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
    #[error("the token endpoint {endpoint} gave no complete answer {cause}")]
    NoResponse { endpoint: String, cause: NoResponse },
    /// What is left of one of the errors above, or of a response, for people who may not know the operator's network.
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
    #[error("its name was not looked up within {LOOKUP_SECONDS} s")]
    LookupTimedOut,
    #[error("no connection within {CONNECTION_SECONDS} s")]
    NoConnection,
    #[error("there is a connection, and no TLS handshake within {HANDSHAKE_SECONDS} s")]
    HandshakeTimedOut,
    #[error("no TLS connection through the proxy within {PROXY_SECONDS} s")]
    NoProxiedConnection,
    #[error("what answers there does not speak TLS")]
    NotTls,
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

/// The flaw of a certificate that is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum Untrusted {
    #[error("it was issued by an authority that is not trusted")]
    UnknownIssuer,
    #[error("it has expired")]
    Expired,
    #[error("it is not valid yet")]
    NotValidYet,
    #[error("it is for another host name")]
    WrongHost,
    #[error("it was revoked")]
    Revoked,
    #[error("a server cannot use it, mostly because it is self-signed and made for an authority")]
    NotForServers,
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
            Self::Unreachable { .. } | Self::Hidden { .. } => Reason::Unreachable,
            Self::Untrusted { .. } => Reason::TLSUntrusted,
            Self::NoResponse { .. } => Reason::NoResponse,
            Self::NoTlsClient => Reason::CABundleInvalid,
            Self::SecretNotSendable => Reason::ClientSecretMalformed,
        }
    }

    /// Whether the request may have arrived, and been served.
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
            | Self::NoTlsClient
            | Self::SecretNotSendable => false,
        }
    }
}
