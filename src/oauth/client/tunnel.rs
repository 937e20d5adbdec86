//! Asks a proxy once more for a tunnel that it has refused: the HTTP client does not tell the status, which says whom to ask for
//! help. Nothing is sent through the tunnel.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::proxy::Proxy;
use crate::oauth::endpoint::Endpoint;

const LIMIT: Duration = Duration::from_secs(3);
/// Enough for the version and the status.
const STATUS_LINE: usize = "HTTP/1.1 403".len();

/// The status of the refusal; `None` if there is none now.
pub(super) async fn refusal(proxy: &Proxy, endpoint: &Endpoint) -> Option<u16> {
    // A proxy behind TLS is rare enough to do without.
    if proxy.is_tls() {
        return None;
    }
    let status = timeout(LIMIT, ask(proxy, endpoint)).await.ok()??;
    (status >= 300).then_some(status)
}

async fn ask(proxy: &Proxy, endpoint: &Endpoint) -> Option<u16> {
    let host = endpoint.url().host_str()?;
    let port = endpoint.port();
    let mut request =
        format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes();
    if let Some(authorization) = proxy.authorization() {
        request.extend([b"Proxy-Authorization: ", authorization, b"\r\n"].concat());
    }
    request.extend(b"\r\n");
    let mut socket = TcpStream::connect(proxy.authority()).await.ok()?;
    socket.write_all(&request).await.ok()?;
    let mut start = [0; STATUS_LINE];
    socket.read_exact(&mut start).await.ok()?;
    let start = std::str::from_utf8(&start).ok()?;
    start.strip_prefix("HTTP/1.")?.get(2..)?.parse().ok()
}
