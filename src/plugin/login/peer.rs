//! The user at the other end of a connection on this machine.
//!
//! On a machine that several people use, another one of them could read the address of a sign-in from the arguments of the browser,
//! and hand in a code of their own. The kernel knows who opened a connection. Without its tables (macOS, Windows) nobody is refused.

use std::net::SocketAddr;
#[cfg(unix)]
use std::{
    fs, io,
    net::{IpAddr, SocketAddrV6, UdpSocket},
};

/// Programs of this user, such as the forwarder of a port, need no trick to get a sign-in.
#[cfg(unix)]
const ROOT: u32 = 0;

/// The state of a connection that is open (`TCP_ESTABLISHED`).
#[cfg(unix)]
const OPEN: &str = "01";

/// Returns whether another user of this machine opened this connection. One that its user has closed already is refused too: the
/// kernel shows it as root's.
#[cfg(unix)]
pub(super) fn is_another_user(peer: SocketAddr, own: SocketAddr) -> bool {
    // The kernel does not show a table as of one moment, so a connection can be missing once.
    for _ in 0..3 {
        match owner(peer, own) {
            Ok(Some(user)) => return user != own_user() && user != ROOT,
            Ok(None) => {}
            Err(_) => return false,
        }
    }
    is_of_this_machine(peer.ip()) && !shares_its_addresses()
}

#[cfg(not(unix))]
pub(super) fn is_another_user(_peer: SocketAddr, _own: SocketAddr) -> bool {
    false
}

#[cfg(unix)]
fn own_user() -> u32 {
    rustix::process::getuid().as_raw()
}

/// Returns whether this address belongs to this machine. No packet with it comes from elsewhere.
#[cfg(unix)]
fn is_of_this_machine(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind((address, 0)).is_ok()
}

/// Returns whether another kernel can use the loopback addresses of this one, as Windows does with those of WSL. It has the browser.
#[cfg(unix)]
fn shares_its_addresses() -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    release.to_ascii_lowercase().contains("microsoft")
}

/// The user who opened this connection. An IPv6 socket can be connected to an IPv4 address; it is in the table of its own kind.
#[cfg(unix)]
fn owner(peer: SocketAddr, own: SocketAddr) -> io::Result<Option<u32>> {
    let of_ipv6 = || fs::read_to_string("/proc/self/net/tcp6");
    if peer.is_ipv6() {
        return Ok(user_in(&of_ipv6()?, peer, own));
    }
    let table = fs::read_to_string("/proc/self/net/tcp")?;
    let user = user_in(&table, peer, own);
    Ok(user.or_else(|| user_in(&of_ipv6().ok()?, mapped(peer), mapped(own))))
}

/// The address as an IPv6 socket has it.
#[cfg(unix)]
fn mapped(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V4(address) => {
            SocketAddrV6::new(address.ip().to_ipv6_mapped(), address.port(), 0, 0).into()
        }
        SocketAddr::V6(_) => address,
    }
}

/// The user of the open socket from `local` to `remote` (proc(5), /proc/net/tcp).
#[cfg(unix)]
fn user_in(table: &str, local: SocketAddr, remote: SocketAddr) -> Option<u32> {
    let (local, remote) = (shown(local), shown(remote));
    table.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (from, to, state) = (fields.next()?, fields.next()?, fields.next()?);
        if from != local || to != remote || state != OPEN {
            return None;
        }
        // Between them: queues, timer, retransmissions.
        fields.nth(3)?.parse().ok()
    })
}

/// An address as the kernel shows it: groups of four bytes as numbers of this machine, and the port.
#[cfg(unix)]
fn shown(address: SocketAddr) -> String {
    let bytes = match address {
        SocketAddr::V4(address) => address.ip().octets().to_vec(),
        SocketAddr::V6(address) => address.ip().octets().to_vec(),
    };
    let groups = bytes.chunks_exact(4).map(|group| {
        let group = [group[0], group[1], group[2], group[3]];
        format!("{:08X}", u32::from_ne_bytes(group))
    });
    format!("{}:{:04X}", groups.collect::<String>(), address.port())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:83A5 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 9 1 0000000000000000 100 0 0 10 0
   1: 0100007F:9C40 0100007F:83A5 01 00000000:00000000 00:00000000 00000000  1001        0 9 1 0000000000000000 20 4 0 10 -1
   2: 0100007F:9C41 0100007F:83A5 05 00000000:00000000 03:00000FD2 00000000     0        0 0 3 0000000000000000
";

    #[test]
    #[cfg(target_endian = "little")]
    fn the_user_of_an_open_connection_is_read_from_the_kernels_table() {
        let peer = "127.0.0.1:40000".parse().unwrap();
        let closed = "127.0.0.1:40001".parse().unwrap();
        let own = "127.0.0.1:33701".parse().unwrap();
        assert_eq!(user_in(TABLE, peer, own), Some(1001));
        assert_eq!(user_in(TABLE, closed, own), None);
        assert_eq!(user_in(TABLE, own, peer), None);
        assert_eq!(user_in("", peer, own), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_connection_of_this_process_is_no_other_users_with_a_socket_of_either_kind() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap();
        for host in ["127.0.0.1", "[::ffff:127.0.0.1]"] {
            let address = format!("{host}:{}", own.port());
            let client = std::net::TcpStream::connect(address).unwrap();
            let (_accepted, peer) = listener.accept().unwrap();
            assert_eq!(client.local_addr().unwrap().port(), peer.port());
            assert_eq!(owner(peer, own).unwrap(), Some(own_user()), "{host}");
            assert!(!is_another_user(peer, own), "{host}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_connection_that_its_user_has_closed_is_refused() {
        if shares_its_addresses() {
            return;
        }
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap();
        let client = std::net::TcpStream::connect(own).unwrap();
        let (_accepted, peer) = listener.accept().unwrap();
        drop(client);
        assert!(is_another_user(peer, own));
    }
}
