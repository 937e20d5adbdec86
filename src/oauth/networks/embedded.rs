//! IPv4 addresses inside IPv6 addresses. A translator or a tunnel sends on what such an address carries.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The IPv4 addresses that an IPv6 address carries, in each form that it has.
///
/// The prefix of a translator can be any network of the cluster's own. Only the installer knows it, and can deny it.
pub(super) fn addresses(address: Ipv6Addr) -> Vec<Ipv4Addr> {
    let octets = address.octets();
    let v4 = |places: [usize; 4]| Ipv4Addr::from(places.map(|place| octets[place]));
    let last = v4([12, 13, 14, 15]);
    let mut found = match address.segments() {
        // ::1 and :: are addresses of their own.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Vec::new(),
        // IPv4-compatible (RFC 4291, 2.5.5.1), IPv4-translated (RFC 2765, 2.1), and NAT64's well-known prefix (RFC 6052).
        [0, 0, 0, 0, 0 | 0xffff, 0, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
            vec![last]
        }
        [0x64, 0xff9b, 1, ..] => local_nat64(&octets, v4),
        // 6to4 (RFC 3056).
        [0x2002, ..] => vec![v4([2, 3, 4, 5])],
        // Teredo (RFC 4380, 4): the server, and the client with its bits inverted.
        [0x2001, 0, ..] => vec![v4([4, 5, 6, 7]), Ipv4Addr::from_bits(!last.to_bits())],
        _ => Vec::new(),
    };
    // ISATAP (RFC 5214, 6.1) has any prefix.
    if matches!(address.segments(), [_, _, _, _, 0 | 0x200, 0x5efe, ..]) {
        found.push(last);
    }
    found
}

/// NAT64's prefix for local use (RFC 8215). The translator's prefix is any part of it (RFC 6052, 2.2), so the address is in one of
/// four places: the first that leaves nothing but zeros behind it.
fn local_nat64(octets: &[u8; 16], v4: impl Fn([usize; 4]) -> Ipv4Addr) -> Vec<Ipv4Addr> {
    let places = [
        [6, 7, 9, 10],
        [7, 9, 10, 11],
        [9, 10, 11, 12],
        [12, 13, 14, 15],
    ];
    let place = places.into_iter().find(|[.., end]| {
        let behind = &octets[end + 1..];
        behind.iter().all(|octet| *octet == 0)
    });
    place.map(v4).into_iter().collect()
}
