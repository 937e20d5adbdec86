//! The user at the other end of a connection on this machine.
//!
//! On a machine that several people use, another one of them could read the address of a sign-in from the arguments of the browser,
//! and hand in a code of their own. The kernel knows who opened a connection.

#[cfg(unix)]
use std::fs;
use std::net::SocketAddr;

/// Returns whether another user of this machine opened this connection. Where the kernel does not say, nobody did: the other end may
/// be outside this container or virtual machine.
#[cfg(unix)]
pub(super) fn is_another_user(peer: SocketAddr, own: SocketAddr) -> bool {
    let table = match peer {
        SocketAddr::V4(_) => "/proc/self/net/tcp",
        SocketAddr::V6(_) => "/proc/self/net/tcp6",
    };
    let table = fs::read_to_string(table).unwrap_or_default();
    owner(&table, peer, own).is_some_and(|user| user != own_user())
}

#[cfg(not(unix))]
pub(super) fn is_another_user(_peer: SocketAddr, _own: SocketAddr) -> bool {
    false
}

#[cfg(unix)]
fn own_user() -> u32 {
    rustix::process::getuid().as_raw()
}

/// The user of the socket from `local` to `remote` (proc(5), /proc/net/tcp).
#[cfg(unix)]
fn owner(table: &str, local: SocketAddr, remote: SocketAddr) -> Option<u32> {
    let (local, remote) = (shown(local), shown(remote));
    table.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let (from, to) = (fields.next()?, fields.next()?);
        if from != local || to != remote {
            return None;
        }
        // Between them: state, queues, timer, retransmissions.
        fields.nth(4)?.parse().ok()
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
";

    #[test]
    #[cfg(target_endian = "little")]
    fn the_user_of_a_connection_is_read_from_the_kernels_table() {
        let peer = "127.0.0.1:40000".parse().unwrap();
        let own = "127.0.0.1:33701".parse().unwrap();
        assert_eq!(owner(TABLE, peer, own), Some(1001));
        assert_eq!(owner(TABLE, own, peer), None);
        assert_eq!(owner("", peer, own), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_connection_of_this_process_is_no_other_users() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap();
        let client = std::net::TcpStream::connect(own).unwrap();
        let peer = client.local_addr().unwrap();
        let table = fs::read_to_string("/proc/self/net/tcp").unwrap();
        assert_eq!(owner(&table, peer, own), Some(own_user()));
        assert!(!is_another_user(peer, own));
    }
}
