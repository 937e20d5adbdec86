//! Addresses of the operator's own host are refused, however they are written, unless they are allowed.

use std::net::ToSocketAddrs;

use cube_operator::api::Reason;

use crate::{
    Outcome, client, exchange, fine, refused,
    scripted::{Authority, LOCAL, Provider, Reply},
    trusting,
};

/// The outcome of an exchange with a server of this machine by the name `host`, how many connections it saw, and the endpoint.
fn with_host(host: &str, networks: &[&str]) -> (Outcome, usize, String) {
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| Reply::json(200, "{}"));
    let port = provider.address.port();
    let request = trusting(&authority, &format!("https://{host}:{port}/token"));
    let outcome = exchange(&client(networks), &request);
    (
        outcome,
        provider.connections(),
        request.endpoint.authority(),
    )
}

#[test]
fn the_own_host_is_refused_by_address_and_by_name() {
    for (host, shown, kind) in [
        ("127.0.0.1", "127.0.0.1", "loopback"),
        ("127.1.2.3", "127.1.2.3", "loopback"),
        ("2130706433", "127.0.0.1", "loopback"),
        ("0x7f.1", "127.0.0.1", "loopback"),
        ("0177.0.0.1", "127.0.0.1", "loopback"),
        ("%31%32%37.0.0.1", "127.0.0.1", "loopback"),
        ("127。0。0。1", "127.0.0.1", "loopback"),
        ("[::1]", "[::1]", "loopback"),
        ("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "loopback"),
        ("0.0.0.0", "0.0.0.0", "unspecified"),
        ("[::]", "[::]", "unspecified"),
        ("169.254.169.254", "169.254.169.254", "link-local"),
        ("[fe80::1]", "[fe80::1]", "link-local"),
        ("224.0.0.1", "224.0.0.1", "multicast"),
        ("localhost", "localhost", "loopback"),
        ("LocalHost", "localhost", "loopback"),
        ("localhost.", "localhost.", "loopback"),
        ("any.localhost", "any.localhost", "loopback"),
    ] {
        let (outcome, connections, authority) = with_host(host, &[]);
        assert!(authority.starts_with(&format!("{shown}:")), "{authority}");
        assert_eq!(
            outcome,
            refused(
                Reason::HostNotAllowed,
                format!(
                    "token endpoint {authority} is on a network that is refused by default ({kind})"
                )
            ),
            "{host}"
        );
        assert_eq!(connections, 0, "{host}");
    }
}

#[test]
fn an_allowed_network_is_reached_by_address_and_by_name() {
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "localhost"] {
        let (outcome, connections, _) = with_host(host, &["127.0.0.1/32"]);
        assert_eq!(outcome, Ok(fine()), "{host}");
        assert_eq!(connections, 1, "{host}");
    }
}

#[test]
fn allowing_one_network_allows_no_other() {
    for host in ["127.0.0.1", "localhost"] {
        let (outcome, connections, authority) =
            with_host(host, &["127.0.0.2/32", "169.254.0.0/16"]);
        assert_eq!(
            outcome,
            refused(
                Reason::HostNotAllowed,
                format!(
                    "token endpoint {authority} is on a network that is refused by default (loopback)"
                )
            )
        );
        assert_eq!(connections, 0);
    }
}

#[test]
fn a_name_with_two_addresses_is_reached_by_the_allowed_one_only() {
    // This machine may have only one address for the name.
    let allowed = ("localhost", 0).to_socket_addrs().unwrap();
    let expected = if allowed.into_iter().any(|address| address.is_ipv6()) {
        (
            Reason::Unreachable,
            "could not be reached: connection refused",
        )
    } else {
        (
            Reason::HostNotAllowed,
            "is on a network that is refused by default (loopback)",
        )
    };
    let (outcome, connections, authority) = with_host("localhost", &["::1/128"]);
    assert_eq!(connections, 0);
    let (reason, what) = expected;
    assert_eq!(
        outcome,
        refused(reason, format!("token endpoint {authority} {what}"))
    );
}
