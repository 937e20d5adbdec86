//! The connection of one exchange, to a token endpoint itself or through a proxy.
//!
//! Each exchange has a connection of its own. A stale keep-alive connection looks like a lost response, and would be an invitation
//! to send a refresh token twice.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::client::TlsStream;

use super::{
    TokenClient, classify,
    error::{HANDSHAKE_SECONDS, NetworkError, PROXY_SECONDS, ProxyFault, Unreachable},
    proxy::Proxy,
    race,
    tls::Tls,
    trust::Trusted,
    tunnel,
};
use crate::oauth::endpoint::Endpoint;

/// A connection that is encrypted as far as the endpoint.
pub(in crate::oauth) type Connection = TlsStream<Box<dyn Stream>>;

/// The connection below that: to the endpoint, or through a proxy.
pub(in crate::oauth) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

impl TokenClient {
    /// Opens a connection to the endpoint. Its name is looked up once, so that it cannot change its address between the check and
    /// the use; a proxy looks it up itself.
    pub(in crate::oauth) async fn open(
        &self,
        endpoint: &Endpoint,
        trusted: &Trusted,
        tls: Tls,
    ) -> Result<Connection, NetworkError> {
        let Some(proxy) = Proxy::of(endpoint) else {
            return self.open_directly(endpoint, tls).await;
        };
        let through = through(&proxy, endpoint, trusted, tls);
        let opened = timeout(Duration::from_secs(PROXY_SECONDS), through).await;
        opened
            .unwrap_or_else(|_| {
                let endpoint = endpoint.authority();
                Err(Fault::Proxy(ProxyFault::TimedOut { endpoint }))
            })
            .map_err(|fault| match fault {
                Fault::Proxy(cause) => NetworkError::Proxy {
                    proxy: proxy.authority(),
                    cause,
                },
                Fault::Endpoint(error) => error,
            })
    }

    async fn open_directly(
        &self,
        endpoint: &Endpoint,
        tls: Tls,
    ) -> Result<Connection, NetworkError> {
        let unreachable = |cause| NetworkError::Unreachable {
            endpoint: endpoint.authority(),
            cause,
        };
        let addresses = self.addresses(endpoint).await?;
        let sockets = race::usable(&addresses, endpoint.port());
        let opened = timeout(Duration::from_secs(HANDSHAKE_SECONDS), async {
            let stream = race::first(&sockets).await.map_err(unreachable)?;
            let verifier = Arc::clone(&tls.verifier);
            let connection = tls.connect(&endpoint.host(), boxed(stream)).await;
            connection.map_err(|error| classify::handshake(&error, endpoint, &verifier))
        });
        let opened = opened.await;
        opened.unwrap_or_else(|_| Err(unreachable(Unreachable::HandshakeTimedOut)))
    }
}

/// Whose fault it is that there is no connection.
enum Fault {
    Proxy(ProxyFault),
    Endpoint(NetworkError),
}

impl From<ProxyFault> for Fault {
    fn from(fault: ProxyFault) -> Self {
        Self::Proxy(fault)
    }
}

async fn through(
    proxy: &Proxy,
    endpoint: &Endpoint,
    trusted: &Trusted,
    tls: Tls,
) -> Result<Connection, Fault> {
    let mut stream = connect_to(proxy, trusted).await?;
    tunnel::open(&mut stream, proxy, endpoint).await?;
    let verifier = Arc::clone(&tls.verifier);
    let connection = tls.connect(&endpoint.host(), stream).await;
    connection.map_err(|error| match classify::tunnel(&error, endpoint) {
        Some(fault) => Fault::Proxy(fault),
        None => Fault::Endpoint(classify::handshake(&error, endpoint, &verifier)),
    })
}

/// Connects to a proxy. Its name is looked up as the system does, and its address is not checked: the operator's installer chose
/// it.
async fn connect_to(proxy: &Proxy, trusted: &Trusted) -> Result<Box<dyn Stream>, ProxyFault> {
    let found = lookup_host((proxy.host(), proxy.port())).await;
    let found = found.map_err(|_| ProxyFault::Unreachable(Unreachable::NameNotFound))?;
    let sockets: Vec<_> = found.collect();
    let stream = race::first(&sockets)
        .await
        .map_err(ProxyFault::Unreachable)?;
    if !proxy.is_tls() {
        return Ok(boxed(stream));
    }
    let tls = Tls::of_proxy(trusted);
    let verifier = Arc::clone(&tls.verifier);
    match tls.connect(proxy.host(), stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(classify::handshake_of_proxy(&error, &verifier)),
    }
}

fn boxed(stream: TcpStream) -> Box<dyn Stream> {
    Box::new(stream)
}
