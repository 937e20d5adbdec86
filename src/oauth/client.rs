//! The network side of one exchange: one request on a fresh connection, never repeated, limited in time and size.

pub(in crate::oauth) mod classify;
mod connection;
pub mod error;
mod intermediates;
mod lookup;
mod metadata;
mod observed;
pub(crate) mod proxy;
pub(in crate::oauth) mod race;
mod receive;
mod request;
mod sessions;
mod sign;
mod ticket;
pub(in crate::oauth) mod tls;
mod trust;
mod tunnel;
pub(in crate::oauth) mod verifier;

pub use sign::{sign, signed};

use std::{pin::pin, sync::Arc, time::Duration};

use hickory_resolver::{
    Hosts,
    config::{ResolverConfig, ResolverOpts},
};
use hyper::{Request, client::conn::http1};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tokio::{
    select,
    time::{sleep, timeout},
};

use self::{
    connection::Connection,
    error::{NetworkError, NoResponse, STANDSTILL, Unreachable},
    lookup::Lookup,
    observed::Observed,
    proxy::Proxy,
    receive::receive,
    request::Head,
    sessions::Sessions,
    tls::Tls,
    trust::{Trust, Trusted},
};
#[cfg(feature = "plugin")]
use super::authorization::CodeRequest;
use super::{
    ca_bundle::TrustedCa,
    endpoint::Endpoint,
    identity::CertifiedClient,
    networks::{Address, Networks},
    probe::ProbeRequest,
    request::TokenRequest,
    response::{Cut, Response},
};
use crate::clock::now;

/// The limit for the whole exchange. Real servers hash the secret: 0.2–0.6 s is normal.
pub const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);

/// The limit for a whole probe: an API that takes longer for its status is of no use to consumers either.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(15);

/// Returns whether a connection that was begun then took longer than its limits, by the clock that runs on while a machine is
/// suspended. The claim on a refresh token may have ended since, and another process may have sent it.
fn has_stood_still(begun: Timestamp, now: Timestamp) -> bool {
    now.duration_since(begun) > STANDSTILL
}

/// Sends token requests, and tries tokens.
#[derive(Clone, Debug)]
pub struct TokenClient {
    pub(super) networks: Networks,
    pub(super) lookup: Lookup,
    pub(super) trust: Trust,
    sessions: Sessions,
    exchange_timeout: Duration,
}

impl TokenClient {
    /// A client that reaches these networks, and looks up names as the configuration of this machine or pod says.
    #[must_use]
    pub fn new(networks: Networks) -> Self {
        Self {
            networks,
            lookup: Lookup::of_system(),
            trust: Trust::default(),
            sessions: Sessions::default(),
            exchange_timeout: EXCHANGE_TIMEOUT,
        }
    }

    /// The same client with another limit for the whole exchange, for tests with a slow server.
    #[must_use]
    pub fn with_timeout(self, exchange_timeout: Duration) -> Self {
        Self {
            exchange_timeout,
            ..self
        }
    }

    /// The same client with other name servers and hosts, for tests that have their own.
    #[must_use]
    pub fn with_names(self, config: &ResolverConfig, options: ResolverOpts, hosts: Hosts) -> Self {
        Self {
            lookup: Lookup::new(config, options, hosts),
            ..self
        }
    }

    /// Sends one request and reads its response.
    ///
    /// # Errors
    /// The error says whether the request may have arrived: [`NetworkError::outcome_unknown`].
    pub async fn send(&self, request: &TokenRequest) -> Result<Response, NetworkError> {
        self.post(
            &request.endpoint,
            request.ca_bundle.as_ref(),
            request.authentication.certified(),
            &request.body(),
            request.authorization(),
            request.grant.has_successor(),
        )
        .await
    }

    /// Tries a token at its API, and returns the status of the response. Nothing else of it is kept: its connection is closed
    /// before the body is read.
    ///
    /// # Errors
    /// If there is no response.
    pub async fn try_token(&self, request: &ProbeRequest) -> Result<u16, NetworkError> {
        let endpoint = &request.probe.endpoint;
        let settings = request::settings_of_probe();
        let http = request::probe(request)?;
        let limit = self.exchange_timeout.min(PROBE_TIMEOUT);
        self.check_network(endpoint)?;
        let trusted = self.trust.of(request.ca_bundle.as_ref())?;
        // The certificate of the client is for its token endpoint alone, and so are its sessions.
        let tls = Tls::new(&trusted);
        let head = self.exchange(endpoint, &trusted, &tls, http, &settings);
        let head = timeout(limit, head).await;
        let head = head.unwrap_or_else(|_| {
            Err(NetworkError::NoResponse {
                endpoint: endpoint.authority(),
                cause: NoResponse::Timeout(
                    SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX),
                ),
            })
        })?;
        Ok(head.response.status().as_u16())
    }

    /// Exchanges the code of a sign-in, and reads the response.
    ///
    /// # Errors
    /// If no response was read. The code may be consumed all the same.
    #[cfg(feature = "plugin")]
    pub(crate) async fn redeem(&self, request: &CodeRequest) -> Result<Response, NetworkError> {
        self.post(
            &request.endpoint,
            request.ca_bundle.as_ref(),
            request.authentication.certified(),
            &request.body(),
            request.authorization(),
            true,
        )
        .await
    }

    /// Posts a form. The response may bring a refresh token that exists nowhere else, if `has_successor`.
    pub(super) async fn post(
        &self,
        endpoint: &Endpoint,
        trusted: Option<&TrustedCa>,
        certified: Option<&CertifiedClient>,
        form: &SecretString,
        authorization: Option<SecretString>,
        has_successor: bool,
    ) -> Result<Response, NetworkError> {
        let request = request::post(endpoint, form, authorization.as_ref())?;
        let settings = request::settings(has_successor);
        self.transmit(endpoint, trusted, certified, request, &settings)
            .await
    }

    /// Fetches a document, with the limits of an exchange.
    ///
    /// # Errors
    /// If there is no response.
    async fn get(
        &self,
        endpoint: &Endpoint,
        trusted: Option<&TrustedCa>,
    ) -> Result<Response, NetworkError> {
        let request = request::get(endpoint)?;
        let settings = request::settings(false);
        self.transmit(endpoint, trusted, None, request, &settings)
            .await
    }

    async fn transmit(
        &self,
        endpoint: &Endpoint,
        trusted: Option<&TrustedCa>,
        certified: Option<&CertifiedClient>,
        request: Request<String>,
        settings: &http1::Builder,
    ) -> Result<Response, NetworkError> {
        self.check_network(endpoint)?;
        let trusted = self.trust.of(trusted)?;
        let tls = match certified {
            Some(client) => Tls::certified(&trusted, tls::certified_key(client)?),
            None => self.sessions.take(&trusted, endpoint),
        };
        let result = self
            .respond(endpoint, &trusted, &tls, request, settings)
            .await;
        self.sessions.end(&trusted, endpoint, tls, &result);
        result
    }

    async fn respond(
        &self,
        endpoint: &Endpoint,
        trusted: &Trusted,
        tls: &Tls,
        request: Request<String>,
        settings: &http1::Builder,
    ) -> Result<Response, NetworkError> {
        let limit = self.exchange_timeout;
        let mut time = pin!(sleep(limit));
        let limit = SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX);
        let head = select! {
            head = self.exchange(endpoint, trusted, tls, request, settings) => head?,
            // The limits of the steps before the request are shorter: it has been sent by then.
            () = &mut time => return Err(NetworkError::NoResponse {
                endpoint: endpoint.authority(),
                cause: NoResponse::Timeout(limit),
            }),
        };
        let response = receive(head, time, Cut::Timeout(limit)).await;
        if tls.verifier.certificate_wanted() && response.is_refusing_page() {
            return Err(classify::certificate(endpoint, &tls.verifier, None));
        }
        Ok(response)
    }

    /// Sends the request, and waits for the head of its response.
    async fn exchange(
        &self,
        endpoint: &Endpoint,
        trusted: &Trusted,
        tls: &Tls,
        request: Request<String>,
        settings: &http1::Builder,
    ) -> Result<Head, NetworkError> {
        let begun = now();
        let connection = self.open(endpoint, trusted, tls).await?;
        if has_stood_still(begun, now()) {
            return Err(NetworkError::Unreachable {
                endpoint: endpoint.authority(),
                cause: Unreachable::StoodStill,
            });
        }
        let connection = Observed::new(connection, Arc::clone(&tls.verifier));
        let sent = request::send(connection, request, settings).await;
        sent.map_err(|error| classify::response(&error, endpoint, &tls.verifier))
    }

    /// The addresses of an endpoint, at least one of which may be used.
    ///
    /// # Errors
    /// The error of an exchange.
    pub async fn addresses(&self, endpoint: &Endpoint) -> Result<Vec<Address>, NetworkError> {
        let found = self.lookup.addresses(&endpoint.host()).await;
        let found = found.map_err(|cause| NetworkError::Unreachable {
            endpoint: endpoint.authority(),
            cause,
        })?;
        let addresses: Vec<_> = found
            .into_iter()
            .map(|ip| Address {
                ip,
                refused: self.networks.refusal(ip),
            })
            .collect();
        match addresses.first().and_then(|first| first.refused) {
            Some(network) if addresses.iter().all(|address| address.refused.is_some()) => {
                Err(NetworkError::RefusedNetwork {
                    endpoint: endpoint.authority(),
                    network,
                    looked_up: self.networks.refusal_of_host(endpoint).is_none(),
                })
            }
            _ => Ok(addresses),
        }
    }

    /// Opens a connection to the endpoint. Its name is looked up once, so that it cannot change its address between the check and
    /// the use.
    pub(super) async fn open(
        &self,
        endpoint: &Endpoint,
        trusted: &Trusted,
        tls: &Tls,
    ) -> Result<Connection, NetworkError> {
        if let Some(proxy) = Proxy::of(endpoint) {
            return connection::through(&proxy, endpoint, trusted, tls).await;
        }
        let addresses = self.addresses(endpoint).await?;
        let sockets = race::usable(&addresses, endpoint.port());
        connection::direct(&sockets, endpoint, tls).await
    }

    /// Checks by its host alone that an endpoint is on a network that is allowed. Its addresses are checked when they are looked
    /// up.
    ///
    /// # Errors
    /// [`NetworkError::RefusedNetwork`].
    pub(crate) fn check_network(&self, endpoint: &Endpoint) -> Result<(), NetworkError> {
        match self.networks.refusal_of_host(endpoint) {
            Some(network) => Err(NetworkError::RefusedNetwork {
                endpoint: endpoint.authority(),
                network,
                looked_up: false,
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_within_its_limits_is_used_and_none_after_a_standstill() {
        let begun = Timestamp::UNIX_EPOCH;
        let after = |seconds| begun + SignedDuration::from_secs(seconds);
        assert!(!has_stood_still(begun, after(21)));
        assert!(has_stood_still(begun, after(3600)));
        // A clock that was set back says nothing.
        assert!(!has_stood_still(begun, after(-3600)));
    }
}
