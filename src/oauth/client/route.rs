//! The way to a token endpoint, step by step, for people who ask where it ends. An exchange takes all of it at once.

use std::net::{IpAddr, SocketAddr};

use hyper_util::client::proxy::matcher::Matcher;
use tokio::{
    net::{TcpStream, ToSocketAddrs, lookup_host},
    time::timeout,
};

use super::{CONNECT_TIMEOUT, TokenClient, trouble};
use crate::oauth::{
    endpoint::Endpoint,
    probe,
    response::{Response, TokenError},
};

/// An address of a token endpoint, and why it is refused, if it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// The kind of network that it is on.
    pub refused: Option<&'static str>,
}

impl TokenClient {
    /// The proxy that requests to this endpoint go through, as `host:port`. The HTTP client asks the same rules.
    #[must_use]
    pub fn proxy(&self, endpoint: &Endpoint) -> Option<String> {
        let destination = endpoint.url().as_str().parse().ok()?;
        let proxy = Matcher::from_system().intercept(&destination)?;
        let proxy = proxy.uri();
        let default = if proxy.scheme_str() == Some("https") {
            443
        } else {
            80
        };
        // Not the whole URI: it may hold a password.
        Some(format!(
            "{}:{}",
            proxy.host()?,
            proxy.port_u16().unwrap_or(default)
        ))
    }

    /// The addresses of an endpoint, at least one of which may be used.
    ///
    /// # Errors
    /// As an exchange would be refused.
    pub async fn addresses(&self, endpoint: &Endpoint) -> Result<Vec<Address>, TokenError> {
        let authority = endpoint.authority();
        let unreachable = |why| trouble::unreachable(&authority, why);
        let found = timeout(CONNECT_TIMEOUT, lookup_host((endpoint.host(), 0)))
            .await
            .map_err(|_| unreachable(trouble::NO_CONNECTION))?
            .map_err(|_| unreachable(trouble::NO_NAME))?;
        let mut addresses: Vec<_> = found
            .map(|address| Address {
                ip: address.ip(),
                refused: self.networks.refusal(address.ip()),
            })
            .collect();
        addresses.dedup();
        let refused = addresses.first().and_then(|address| address.refused);
        match refused {
            _ if addresses.is_empty() => Err(unreachable(trouble::NO_NAME)),
            Some(why) if addresses.iter().all(|address| address.refused.is_some()) => {
                Err(trouble::refused_network(&authority, why))
            }
            _ => Ok(addresses),
        }
    }

    /// Opens a connection to the endpoint at one of these addresses, and closes it.
    ///
    /// # Errors
    /// As an exchange would be refused.
    pub async fn connect_to(
        &self,
        endpoint: &Endpoint,
        addresses: &[Address],
    ) -> Result<SocketAddr, TokenError> {
        let permitted = addresses.iter().filter(|address| address.refused.is_none());
        let sockets: Vec<_> = permitted
            .map(|address| SocketAddr::new(address.ip, endpoint.port()))
            .collect();
        let connected = self.connect(&sockets[..]).await;
        connected.map_err(|why| trouble::unreachable(&endpoint.authority(), why))
    }

    /// Opens a connection, and closes it.
    ///
    /// # Errors
    /// Says why that is not possible.
    pub async fn connect(&self, to: impl ToSocketAddrs) -> Result<SocketAddr, &'static str> {
        let connected = async { TcpStream::connect(to).await?.peer_addr() };
        match timeout(CONNECT_TIMEOUT, connected).await {
            Ok(connected) => connected.map_err(|error| trouble::connection(error.kind())),
            Err(_) => Err(trouble::NO_CONNECTION),
        }
    }

    /// Asks the harmless question of [`probe`], in the very way of an exchange.
    ///
    /// # Errors
    /// As an exchange would be refused.
    pub async fn probe(
        &self,
        endpoint: &Endpoint,
        ca_bundle: Option<&str>,
    ) -> Result<Response, TokenError> {
        let form = probe::FORM.to_owned().into();
        self.post(endpoint, ca_bundle, &form, None).await
    }
}
