//! The steps between the operator and a token endpoint.

use std::net::SocketAddr;

use crate::{
    oauth::{
        diagnose::probe::Unclear,
        error::{NetworkError, TokenError, Unreachable},
        networks::Address,
        response::ResponseError,
    },
    reconcile::settings::Settings,
};

/// The steps of an exchange that is only looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NetworkStep {
    Address,
    Connection,
    Certificate,
    Response,
}

impl NetworkStep {
    /// In the order in which they are made.
    pub(crate) const ALL: [Self; 4] = [
        Self::Address,
        Self::Connection,
        Self::Certificate,
        Self::Response,
    ];
}

#[derive(Clone, Debug)]
pub(crate) enum NetworkFact {
    NotChecked(NetworkStep),
    Addresses {
        host: String,
        addresses: Vec<Address>,
    },
    /// A proxy is `host:port`.
    ResolvedByProxy {
        host: String,
        proxy: String,
    },
    Connected(SocketAddr),
    ProxyConnected {
        proxy: String,
    },
    ProxyUnreachable {
        proxy: String,
        cause: Unreachable,
    },
    /// The version of TLS, and whose certificate it is.
    Trusted {
        version: &'static str,
        certificate: String,
    },
    Untrusted {
        failed: FailedStep,
        certificate: String,
    },
    /// An exchange fails at this step too.
    Failed(FailedStep),
    /// A token endpoint refuses a request without a client.
    Refused(ResponseError),
    Unclear(Unclear),
    /// The token endpoint asks for the client certificate that the spec names.
    AsksForCertificate,
    /// The way to the host of the probe was not checked.
    ProbeHostNotChecked {
        host: String,
    },
    /// There is no token to send.
    ProbeNotSent {
        host: String,
    },
}

/// The error of an exchange. The remedy speaks of the settings.
#[derive(Clone, Debug)]
pub(crate) struct FailedStep {
    pub(crate) error: TokenError,
    pub(crate) settings: Box<Settings>,
    /// The way leads to the host of the probe.
    pub(crate) of_probe: bool,
}

impl FailedStep {
    pub(crate) fn new(error: impl Into<TokenError>, settings: &Settings) -> Self {
        Self {
            error: error.into(),
            settings: Box::new(settings.clone()),
            of_probe: false,
        }
    }

    /// The error of a probe.
    pub(crate) fn of_probe(error: NetworkError, settings: &Settings) -> Self {
        Self {
            of_probe: true,
            ..Self::new(error, settings)
        }
    }
}
