//! Asks a proxy for a tunnel to a token endpoint (RFC 9110, section 9.3.6).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{
    classify::connection,
    error::ProxyFault,
    proxy::Proxy,
    request::{USER_AGENT, host_and_port},
};
use crate::oauth::endpoint::Endpoint;

/// The most bytes of a response's head.
const LARGEST_HEAD: usize = 8 * 1024;
/// Enough for the version and the status.
const STATUS_LINE: usize = "HTTP/1.1 403".len();

/// Makes a connection to a proxy one to the endpoint.
pub(super) async fn open(
    connection: &mut (impl AsyncRead + AsyncWrite + Unpin),
    proxy: &Proxy,
    endpoint: &Endpoint,
) -> Result<(), ProxyFault> {
    let asked = connection.write_all(&request(proxy, endpoint)).await;
    asked.map_err(|error| unreachable(&error))?;
    let status = match status(connection).await {
        Ok(status) => status,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            let endpoint = endpoint.authority();
            return Err(ProxyFault::Closed { endpoint });
        }
        Err(error) => return Err(unreachable(&error)),
    };
    match status {
        Some(200..=299) => Ok(()),
        Some(407) => Err(ProxyFault::AuthenticationRequired),
        status => {
            let endpoint = endpoint.authority();
            Err(ProxyFault::Refused { endpoint, status })
        }
    }
}

fn request(proxy: &Proxy, endpoint: &Endpoint) -> Vec<u8> {
    let to = host_and_port(endpoint);
    let mut request =
        format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\nuser-agent: {USER_AGENT}\r\n").into_bytes();
    if let Some(authorization) = proxy.authorization() {
        request.extend([b"Proxy-Authorization: ", authorization, b"\r\n"].concat());
    }
    request.extend(b"\r\n");
    request
}

/// The status of the response, whose head is read to its end if there is a tunnel; `None`: it cannot be read.
async fn status(connection: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<u16>> {
    let mut head = Vec::with_capacity(1024);
    loop {
        if connection.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let status = match head.get(..STATUS_LINE) {
            None => continue,
            Some(start) => status_of(start),
        };
        let has_tunnel = status.is_some_and(|status| (200..300).contains(&status));
        if !has_tunnel || head.windows(4).any(|end| end == b"\r\n\r\n") {
            return Ok(status);
        }
        if head.len() > LARGEST_HEAD {
            return Ok(None);
        }
    }
}

fn status_of(start: &[u8]) -> Option<u16> {
    let start = std::str::from_utf8(start).ok()?;
    start.strip_prefix("HTTP/1.")?.get(2..)?.parse().ok()
}

fn unreachable(error: &io::Error) -> ProxyFault {
    ProxyFault::Unreachable(connection(error.kind()))
}
