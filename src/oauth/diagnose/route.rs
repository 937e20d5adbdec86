//! The steps before the handshake (proxy, addresses, connection), and the probe after it.

use std::net::SocketAddr;

use hyper_util::client::proxy::matcher::Matcher;
use tokio::{
    net::{TcpStream, ToSocketAddrs, lookup_host},
    time::timeout,
};

use super::probe;
use crate::oauth::{
    client::{
        CONNECT_TIMEOUT, TokenClient, classify,
        error::{NetworkError, Unreachable},
    },
    endpoint::Endpoint,
    networks::Address,
    response::Response,
};

/// The proxy that requests to this endpoint go through, as `host:port`. The HTTP client uses the same rules.
#[must_use]
pub(crate) fn proxy(endpoint: &Endpoint) -> Option<String> {
    let destination = endpoint.url().as_str().parse().ok()?;
    let proxy = Matcher::from_system().intercept(&destination)?;
    let proxy = proxy.uri();
    let default = if proxy.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    // The rest of the URI is left out, because it may hold a password.
    Some(format!(
        "{}:{}",
        proxy.host()?,
        proxy.port_u16().unwrap_or(default)
    ))
}

impl TokenClient {
    /// The addresses of an endpoint, at least one of which may be used.
    ///
    /// # Errors
    /// The error of an exchange.
    pub async fn addresses(&self, endpoint: &Endpoint) -> Result<Vec<Address>, NetworkError> {
        let unreachable = |cause| unreachable(endpoint, cause);
        let found = timeout(CONNECT_TIMEOUT, lookup_host((endpoint.host(), 0)))
            .await
            .map_err(|_| unreachable(Unreachable::NoConnection))?
            .map_err(|_| unreachable(Unreachable::NameNotFound))?;
        let mut addresses: Vec<_> = found
            .map(|address| Address {
                ip: address.ip(),
                refused: self.networks.refusal(address.ip()),
            })
            .collect();
        addresses.dedup();
        let Some(first) = addresses.first() else {
            return Err(unreachable(Unreachable::NameNotFound));
        };
        match first.refused {
            Some(network) if addresses.iter().all(|address| address.refused.is_some()) => {
                Err(NetworkError::RefusedNetwork {
                    endpoint: endpoint.authority(),
                    network,
                })
            }
            _ => Ok(addresses),
        }
    }

    /// Opens a connection to the endpoint at one of these addresses, and closes it.
    ///
    /// # Errors
    /// The error of an exchange.
    pub async fn connect_to(
        &self,
        endpoint: &Endpoint,
        addresses: &[Address],
    ) -> Result<SocketAddr, NetworkError> {
        let allowed = addresses.iter().filter(|address| address.refused.is_none());
        let sockets: Vec<_> = allowed
            .map(|address| SocketAddr::new(address.ip, endpoint.port()))
            .collect();
        let connected = self.connect(&sockets[..]).await;
        connected.map_err(|cause| unreachable(endpoint, cause))
    }

    /// Opens a connection, and closes it.
    ///
    /// # Errors
    /// The cause of a connection that could not be opened.
    pub(crate) async fn connect(&self, to: impl ToSocketAddrs) -> Result<SocketAddr, Unreachable> {
        let connected = async { TcpStream::connect(to).await?.peer_addr() };
        match timeout(CONNECT_TIMEOUT, connected).await {
            Ok(connected) => connected.map_err(|error| classify::connection(error.kind())),
            Err(_) => Err(Unreachable::NoConnection),
        }
    }

    /// Sends the harmless request of [`probe`], exactly as an exchange is sent.
    ///
    /// # Errors
    /// The error of an exchange.
    pub async fn probe(
        &self,
        endpoint: &Endpoint,
        ca_bundle: Option<&str>,
    ) -> Result<Response, NetworkError> {
        let form = probe::FORM.to_owned().into();
        self.post(endpoint, ca_bundle, false, &form, None).await
    }
}

fn unreachable(endpoint: &Endpoint, cause: Unreachable) -> NetworkError {
    let endpoint = endpoint.authority();
    NetworkError::Unreachable { endpoint, cause }
}
