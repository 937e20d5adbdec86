//! The connection before the handshake, and the probe after it.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    net::{TcpStream, ToSocketAddrs},
    time::timeout,
};

use super::probe;
use crate::oauth::{
    ca_bundle::TrustedCa,
    client::{
        TokenClient, classify,
        error::{CONNECTION_SECONDS, NetworkError, Unreachable},
        race,
    },
    endpoint::Endpoint,
    networks::Address,
    response::Response,
};

impl TokenClient {
    /// Opens a connection to the endpoint at one of these addresses, and closes it.
    ///
    /// # Errors
    /// The error of an exchange.
    pub async fn connect_to(
        &self,
        endpoint: &Endpoint,
        addresses: &[Address],
    ) -> Result<SocketAddr, NetworkError> {
        let sockets = race::usable(addresses, endpoint.port());
        let connected = race::first(&sockets).await.and_then(|stream| {
            let peer = stream.peer_addr();
            peer.map_err(|error| classify::connection(error.kind()))
        });
        connected.map_err(|cause| NetworkError::Unreachable {
            endpoint: endpoint.authority(),
            cause,
        })
    }

    /// Opens a connection, and closes it.
    ///
    /// # Errors
    /// The cause of a connection that could not be opened.
    pub(crate) async fn connect(&self, to: impl ToSocketAddrs) -> Result<SocketAddr, Unreachable> {
        let connected = async { TcpStream::connect(to).await?.peer_addr() };
        match timeout(Duration::from_secs(CONNECTION_SECONDS), connected).await {
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
        trusted: Option<&TrustedCa>,
    ) -> Result<Response, NetworkError> {
        let form = probe::FORM.to_owned().into();
        self.post(endpoint, trusted, None, &form, None, false).await
    }
}
