//! The sentences about the steps between the operator and a token endpoint.

use std::fmt::{self, Display, Formatter};

use crate::{
    oauth::{
        error::{ProbeError, TokenError},
        networks::Address,
    },
    reconcile::{
        finding::{FailedStep, NetworkFact, NetworkStep},
        status::remedy,
    },
};

impl Display for NetworkStep {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "the address",
            Self::Connection => "the connection",
            Self::Certificate => "the certificate",
            Self::Response => "the response of the token endpoint",
        })
    }
}

impl Display for NetworkFact {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotChecked(step) => write!(f, "{step} was not checked"),
            Self::Addresses { host, addresses } => {
                write!(f, "{host} has the address {}", listed(addresses))
            }
            Self::ResolvedByProxy { host, proxy } => write!(
                f,
                "{host} is resolved by the proxy {proxy}, which the environment names"
            ),
            Self::Connected(address) => write!(f, "{address} accepts connections"),
            Self::ProxyConnected { proxy } => write!(f, "the proxy {proxy} accepts connections"),
            Self::ProxyUnreachable { proxy, cause } => write!(
                f,
                "failed to connect to the proxy {proxy}: {cause}: check HTTPS_PROXY, and network policies and firewalls between here \
                 and the proxy"
            ),
            Self::Trusted {
                version,
                certificate,
            } => write!(f, "{version}, with a trusted certificate: {certificate}"),
            Self::Untrusted {
                failed,
                certificate,
            } => write!(f, "{} ({certificate}): {}", failed.cause(), failed.remedy()),
            Self::Failed(failed) => write!(f, "{}: {}", failed.cause(), failed.remedy()),
            Self::Refused(error) => write!(
                f,
                "{error} to a request without client and secret, as token endpoints do"
            ),
            Self::Unclear(unclear) => write!(
                f,
                "{unclear} to a request without client and secret, which may be the reason"
            ),
            Self::AsksForCertificate => f.write_str(
                "the token endpoint asks for a TLS client certificate, which only a token request presents",
            ),
            Self::ProbeHostNotChecked { host } => {
                write!(
                    f,
                    "the way to {host}, the host of the probe, was not checked"
                )
            }
            Self::ProbeNotSent { host } => {
                write!(f, "nothing was sent to {host}: a probe needs a new token")
            }
        }
    }
}

impl FailedStep {
    /// As a condition would state it.
    fn remedy(&self) -> String {
        match &self.error {
            TokenError::Network(error) if self.of_probe => {
                remedy::of_probe(&ProbeError::Network(error.clone()), &self.settings)
            }
            error => remedy(error, &self.settings, false),
        }
    }

    fn cause(&self) -> String {
        match &self.error {
            TokenError::Network(error) if self.of_probe => {
                ProbeError::Network(error.clone()).to_string()
            }
            error => error.to_string(),
        }
    }
}

fn listed(addresses: &[Address]) -> String {
    let shown = addresses.iter().map(|address| match address.refused {
        Some(why) => format!("{} ({why}: not used)", address.ip),
        None => address.ip.to_string(),
    });
    shown.collect::<Vec<_>>().join(", ")
}
