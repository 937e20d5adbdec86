//! The connection of one exchange, to a token endpoint itself or through a proxy.
//!
//! Each exchange has a connection of its own. A stale keep-alive connection looks like a lost response, and would be an invitation
//! to send a refresh token twice.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::client::TlsStream;

use super::{
    classify,
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

/// Opens a connection to the first of these sockets that accepts one, all of the endpoint.
pub(super) async fn direct(
    sockets: &[SocketAddr],
    endpoint: &Endpoint,
    tls: &Tls,
) -> Result<Connection, NetworkError> {
    let unreachable = |cause| NetworkError::Unreachable {
        endpoint: endpoint.authority(),
        cause,
    };
    let opened = timeout(Duration::from_secs(HANDSHAKE_SECONDS), async {
        let stream = race::first(sockets).await.map_err(unreachable)?;
        let connection = tls.connect(&endpoint.host(), boxed(stream)).await;
        connection.map_err(|error| classify::handshake(&error, endpoint, &tls.verifier))
    });
    let opened = opened.await;
    opened.unwrap_or_else(|_| Err(unreachable(Unreachable::HandshakeTimedOut)))
}

/// Opens a connection through a proxy, which looks up the endpoint's name itself.
pub(super) async fn through(
    proxy: &Proxy,
    endpoint: &Endpoint,
    trusted: &Trusted,
    tls: &Tls,
) -> Result<Connection, NetworkError> {
    let tunneled = tunneled(proxy, endpoint, trusted, tls);
    let opened = timeout(Duration::from_secs(PROXY_SECONDS), tunneled).await;
    let opened = opened.unwrap_or_else(|_| {
        let endpoint = endpoint.authority();
        Err(Fault::Proxy(ProxyFault::TimedOut { endpoint }))
    });
    opened.map_err(|fault| match fault {
        Fault::Proxy(cause) => NetworkError::Proxy {
            proxy: proxy.authority(),
            cause,
        },
        Fault::Endpoint(error) => error,
    })
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

async fn tunneled(
    proxy: &Proxy,
    endpoint: &Endpoint,
    trusted: &Trusted,
    tls: &Tls,
) -> Result<Connection, Fault> {
    let mut stream = connect_to(proxy, trusted).await?;
    tunnel::open(&mut stream, proxy, endpoint).await?;
    let connection = tls.connect(&endpoint.host(), stream).await;
    connection.map_err(|error| match classify::tunnel(&error, endpoint) {
        Some(fault) => Fault::Proxy(fault),
        None => Fault::Endpoint(classify::handshake(&error, endpoint, &tls.verifier)),
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
    match tls.connect(proxy.host(), stream).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => Err(classify::handshake_of_proxy(&error, &tls.verifier)),
    }
}

fn boxed(stream: TcpStream) -> Box<dyn Stream> {
    Box::new(stream)
}
