//! The first connection that opens to one of several addresses (RFC 8305, "happy eyeballs"). An address that drops packets, as an
//! IPv6 address in a cluster without a route for it, must not use up the time of the others.

use std::{io, net::SocketAddr, time::Duration};

use futures::future::select_ok;
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{
    classify,
    error::{CONNECTION_SECONDS, Unreachable},
};
use crate::oauth::networks::Address;

/// The time between two attempts (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);
/// The most addresses that are tried: the owner of the name chooses how many it has.
const MOST: usize = 8;

/// The sockets of the addresses that are not refused.
pub(in crate::oauth) fn usable(addresses: &[Address], port: u16) -> Vec<SocketAddr> {
    let allowed = addresses.iter().filter(|address| address.refused.is_none());
    allowed
        .map(|address| SocketAddr::new(address.ip, port))
        .collect()
}

/// Opens a connection to the first of these addresses that accepts one.
///
/// # Errors
/// The cause of a connection that could not be opened.
pub(in crate::oauth) async fn first(sockets: &[SocketAddr]) -> Result<TcpStream, Unreachable> {
    let attempts = alternating(sockets).into_iter().zip(0_u32..);
    let attempts: Vec<_> = attempts
        .map(|(socket, before)| Box::pin(attempt(socket, STAGGER * before)))
        .collect();
    if attempts.is_empty() {
        return Err(Unreachable::NoRoute);
    }
    match timeout(Duration::from_secs(CONNECTION_SECONDS), select_ok(attempts)).await {
        Ok(Ok((stream, _))) => Ok(stream),
        Ok(Err(error)) => Err(classify::connection(error.kind())),
        Err(_) => Err(Unreachable::NoConnection),
    }
}

async fn attempt(socket: SocketAddr, delay: Duration) -> io::Result<TcpStream> {
    if !delay.is_zero() {
        sleep(delay).await;
    }
    let stream = TcpStream::connect(socket).await?;
    // The whole response was sent: there is nothing to wait for.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The two families in turn, starting with the family of the first address. Each keeps its order.
fn alternating(sockets: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_is_v6 = sockets.first().is_some_and(SocketAddr::is_ipv6);
    let (one, other): (Vec<_>, Vec<_>) = sockets
        .iter()
        .copied()
        .partition(|socket| socket.is_ipv6() == first_is_v6);
    let mut found = Vec::new();
    for place in 0..one.len().max(other.len()) {
        found.extend(one.get(place));
        found.extend(other.get(place));
    }
    found.truncate(MOST);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_take_turns_and_there_is_an_end() {
        let sockets = |list: &[&str]| -> Vec<SocketAddr> {
            let ips = list.iter().map(|ip| ip.parse().unwrap());
            ips.map(|ip| SocketAddr::new(ip, 443)).collect()
        };
        assert_eq!(
            alternating(&sockets(&["::1", "::2", "::3", "10.0.0.1", "10.0.0.2"])),
            sockets(&["::1", "10.0.0.1", "::2", "10.0.0.2", "::3"])
        );
        assert_eq!(alternating(&sockets(&["::1"; 100])).len(), MOST);
        assert_eq!(alternating(&[]), []);
    }
}
