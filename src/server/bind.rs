//! Opens a port for clients of IPv4 and IPv6 alike.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV6},
};

use rustix::net::{
    AddressFamily, SocketFlags, SocketType, bind as bind_to, listen, socket_with, sockopt,
};
use tokio::net::TcpListener;

/// The connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// Opens a port. `[::]` stands for all addresses, also of IPv4, and without IPv6 for those of IPv4.
///
/// # Errors
/// If it is taken, or may not be opened.
pub(crate) async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    bind_by(address, dual_stack).await
}

async fn bind_by(
    address: SocketAddr,
    dual_stack: impl Fn(SocketAddrV6) -> io::Result<TcpListener>,
) -> io::Result<TcpListener> {
    let all = match address {
        SocketAddr::V6(all) if all.ip().is_unspecified() => all,
        one => return TcpListener::bind(one).await,
    };
    match dual_stack(all) {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, all.port())).await
        }
        bound_or_taken => bound_or_taken,
    }
}

/// The system may be set to keep IPv4 clients away from `[::]`, so it is told otherwise.
fn dual_stack(address: SocketAddrV6) -> io::Result<TcpListener> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::INET6, SocketType::STREAM, flags, None)?;
    sockopt::set_ipv6_v6only(&socket, false)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind_to(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    TcpListener::from_std(socket.into())
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv6Addr};

    use tokio::net::TcpStream;

    use super::*;

    const ALL: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), 0);

    #[tokio::test]
    async fn all_addresses_are_those_of_both_families() {
        let listener = bind(ALL).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for client in [Ipv4Addr::LOCALHOST.into(), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            TcpStream::connect((client, port)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn without_ipv6_all_addresses_are_those_of_ipv4() {
        let none = |_| Err(io::Error::from(rustix::io::Errno::AFNOSUPPORT));
        let listener = bind_by(ALL, none).await.unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(address.ip(), Ipv4Addr::UNSPECIFIED);
        TcpStream::connect((Ipv4Addr::LOCALHOST, address.port()))
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_not_opened_for_ipv4_alone() {
        let taken = bind(ALL).await.unwrap().local_addr().unwrap();
        let listener = bind(taken).await.unwrap();
        let error = bind(listener.local_addr().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[tokio::test]
    async fn an_explicit_address_is_the_only_one() {
        let listener = bind((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap();
        assert_eq!(address.ip(), Ipv4Addr::LOCALHOST);
        let other = (Ipv6Addr::LOCALHOST, address.port());
        assert!(TcpStream::connect(other).await.is_err());
    }
}
