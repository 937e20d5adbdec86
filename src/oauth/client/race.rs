//! The address of a host to which a connection opens first (RFC 8305, "happy eyeballs"). One that drops packets, as an IPv6 address
//! in a cluster without a route for it, must not use up the time of the others.

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

/// The time between two attempts (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);
/// The most addresses that are tried: the owner of the name chooses how many it has.
const MOST: usize = 8;

/// Opens a connection to the first of these addresses that accepts one, and closes it.
///
/// # Errors
/// The cause of a connection that could not be opened.
pub(in crate::oauth) async fn first(sockets: &[SocketAddr]) -> Result<SocketAddr, Unreachable> {
    let attempts = alternating(sockets).into_iter().zip(0_u32..);
    let attempts: Vec<_> = attempts
        .map(|(socket, before)| Box::pin(attempt(socket, STAGGER * before)))
        .collect();
    if attempts.is_empty() {
        return Err(Unreachable::NoRoute);
    }
    match timeout(Duration::from_secs(CONNECTION_SECONDS), select_ok(attempts)).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(error)) => Err(classify::connection(error.kind())),
        Err(_) => Err(Unreachable::NoConnection),
    }
}

async fn attempt(socket: SocketAddr, delay: Duration) -> io::Result<SocketAddr> {
    sleep(delay).await;
    TcpStream::connect(socket).await?;
    Ok(socket)
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
