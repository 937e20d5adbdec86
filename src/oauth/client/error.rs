//! Why there is no complete response of a token endpoint, in words of our own: an error's text may quote what the other side sent.

use jiff::SignedDuration;
use thiserror::Error;

use crate::{
    api::Reason,
    oauth::{ca_bundle::CaBundleError, networks::RefusedNetwork},
};

/// Why there is no complete response. `endpoint` is `host` or `host:port`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum NetworkError {
    #[error("the token endpoint {endpoint} is on a network that is refused by default ({network})")]
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
    #[error(transparent)]
    CaBundle(#[from] CaBundleError),
    #[error(
        "no TLS client could be made: the system's certificates or the CA bundle cannot be used"
    )]
    NoTlsClient,
    #[error("the client secret does not fit into a header")]
    SecretNotSendable,
}

/// Why nothing could be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum Unreachable {
    #[error("its name does not resolve")]
    NameNotFound,
    #[error("no connection within 5 s")]
    NoConnection,
    // Whether there was a connection without TLS is not known.
    #[error("no TLS connection within 5 s")]
    NoTlsConnection,
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

/// Why a certificate is not trusted.
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

/// Why a request that may have arrived has no complete response.
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
            Self::Unreachable { .. } => Reason::Unreachable,
            Self::Untrusted { .. } => Reason::TLSUntrusted,
            Self::NoResponse { .. } => Reason::NoResponse,
            Self::CaBundle(_) | Self::NoTlsClient => Reason::CABundleInvalid,
            Self::SecretNotSendable => Reason::ClientSecretMalformed,
        }
    }

    /// Whether the request may have arrived, and been served.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        matches!(self, Self::NoResponse { .. })
    }
}
