//! The endpoints of a provider object with an issuer: the metadata of the issuer names them, and the object says on which hosts they
//! may be.
//!
//! The status of the object keeps them, so that neither a restart nor an outage of the issuer loses them. What is in a status is
//! judged as what is in the metadata: it counts for this issuer only, and never for another host than the spec allows.

use thiserror::Error;

use crate::{
    api::{CubeProviderSpec, ProviderEndpoints},
    oauth::{
        ca_bundle::TrustedCa,
        discovery::{Issuer, Metadata},
        endpoint::Endpoint,
        error::MetadataError,
        hosts::HostList,
        parameters,
    },
};

use super::flaw::Unusable;

/// The way of a provider object to its endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    issuer: Issuer,
    /// The issuer as an endpoint.
    address: Endpoint,
    /// The other hosts on which endpoints may be.
    hosts: HostList,
    ca: Option<TrustedCa>,
    /// False if the spec has an authorization endpoint of its own.
    wants_authorization: bool,
}

/// The error of an attempt to find the endpoints.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum DiscoveryFailure {
    #[error("the operator may not ask host {host}")]
    HostNotAllowed { host: String },
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error("the metadata has the {field} on {host}, which is not the issuer's host")]
    OtherHost { field: &'static str, host: String },
    #[error("the query of the {field} in the metadata has the reserved parameter {name:?}")]
    Reserved { field: &'static str, name: String },
    /// The rest of the errors above, for people who may not know the operator's network.
    #[error("the metadata cannot be read (details are in the operator's log)")]
    Hidden,
}

/// The endpoints of a provider object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Endpoints {
    pub(super) token: String,
    pub(super) authorization: Option<String>,
}

impl Discovery {
    /// The way of a spec with an issuer.
    pub(super) fn of(
        issuer: &str,
        spec: &CubeProviderSpec,
        ca: Option<&TrustedCa>,
    ) -> Result<Self, Unusable> {
        let issuer = Issuer::parse(issuer).map_err(Unusable::Issuer)?;
        let address = Endpoint::parse(issuer.as_str())?;
        // A comma would make two entries of one.
        let entries = spec.endpoint_hosts.join(",");
        let hosts = match spec.endpoint_hosts.iter().find(|entry| entry.contains(',')) {
            Some(entry) => Err(entry.clone()),
            None => HostList::parse(&entries),
        };
        Ok(Self {
            issuer,
            address,
            hosts: hosts.map_err(Unusable::EndpointHost)?,
            ca: ca.cloned(),
            wants_authorization: spec.authorization_url.is_none(),
        })
    }

    /// The issuer.
    #[must_use]
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// `host` or `host:port` of the issuer. All requests go there.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.authority()
    }

    /// The CA certificates that the issuer's server may be proven with.
    #[must_use]
    pub fn trusted(&self) -> Option<&TrustedCa> {
        self.ca.as_ref()
    }

    /// The same way with these CA certificates.
    pub(super) fn trusting(self, ca: &TrustedCa) -> Self {
        Self {
            ca: Some(ca.clone()),
            ..self
        }
    }

    /// Checks that the issuer may be asked.
    ///
    /// # Errors
    /// If the installer's list of hosts lacks it.
    pub fn check(&self, allowed: Option<&HostList>) -> Result<(), DiscoveryFailure> {
        if allowed.is_none_or(|hosts| hosts.allows(&self.address)) {
            return Ok(());
        }
        let host = self.host();
        Err(DiscoveryFailure::HostNotAllowed { host })
    }

    /// The endpoints that the metadata names, as the status keeps them.
    ///
    /// # Errors
    /// If the token endpoint is on a host that the spec does not allow, or cannot be used.
    pub fn endpoints(
        &self,
        metadata: &Metadata,
        now: jiff::Timestamp,
    ) -> Result<ProviderEndpoints, DiscoveryFailure> {
        self.pinned("token_endpoint", &metadata.token_endpoint)?;
        let authorization = metadata.authorization_endpoint.as_ref();
        let authorization = authorization.filter(|_| self.wants_authorization);
        // A place to sign in that cannot be used costs no tokens.
        let pinned = |endpoint: &&Endpoint| self.pinned("authorization_endpoint", endpoint).is_ok();
        let authorization = authorization.filter(pinned);
        let url = |endpoint: &Endpoint| endpoint.url().to_string();
        Ok(ProviderEndpoints {
            issuer: self.issuer.as_str().to_owned(),
            token_url: url(&metadata.token_endpoint),
            authorization_url: authorization.map(url),
            read_at: now,
        })
    }

    /// The endpoints in a status, if they are of this issuer and where the spec allows them.
    pub(super) fn known(&self, found: Option<&ProviderEndpoints>) -> Option<Endpoints> {
        let found = found.filter(|found| found.issuer == self.issuer.as_str())?;
        let usable = |field, url: &String| {
            let endpoint = Endpoint::parse(url).ok()?;
            self.pinned(field, &endpoint).ok()?;
            Some(url.clone())
        };
        let authorization = found.authorization_url.as_ref();
        Some(Endpoints {
            token: usable("token_endpoint", &found.token_url)?,
            authorization: authorization
                .filter(|_| self.wants_authorization)
                .and_then(|url| usable("authorization_endpoint", url)),
        })
    }

    /// Returns whether these endpoints of a status can be used.
    #[must_use]
    pub(crate) fn is_known(&self, found: &ProviderEndpoints) -> bool {
        self.known(Some(found)).is_some()
    }

    fn pinned(&self, field: &'static str, endpoint: &Endpoint) -> Result<(), DiscoveryFailure> {
        let host = endpoint.authority();
        if host != self.host() && !self.hosts.allows(endpoint) {
            return Err(DiscoveryFailure::OtherHost { field, host });
        }
        let mut names = endpoint.url().query_pairs().map(|(name, _)| name);
        let is_reserved = |name: &str| match field {
            "token_endpoint" => parameters::is_reserved(name),
            _ => parameters::is_set_by_login(name),
        };
        match names.find(|name| is_reserved(name)) {
            Some(name) => Err(DiscoveryFailure::Reserved {
                field,
                name: name.into_owned(),
            }),
            None => Ok(()),
        }
    }
}

impl DiscoveryFailure {
    /// The failure without the details of the network: neither the status of an inner service nor whether there is one.
    #[must_use]
    pub(crate) fn without_network_detail(self) -> Self {
        match self {
            Self::Metadata(error) if !error.is_about_metadata() => Self::Hidden,
            other => other,
        }
    }
}
