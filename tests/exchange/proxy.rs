//! `HTTPS_PROXY` and `NO_PROXY`, together with the CA bundle and the rules about networks.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use cube_operator::api::Reason;

use crate::{
    fine,
    process::{Lone, shown},
    refused,
    scripted::{Authority, CLOSED, LOCAL, Provider, Reply},
    tunnel::{OPEN, Proxy, head},
};

struct World {
    authority: Authority,
    provider: Provider,
    proxy: Proxy,
}

/// A server whose certificate is for `name`, behind a proxy.
fn world(name: &str, answer: &'static str) -> World {
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&[name]), |_| Reply::json(200, "{}"));
    let proxy = Proxy::start(answer, provider.address);
    World {
        authority,
        provider,
        proxy,
    }
}

impl World {
    fn to(&self, url: &str) -> Lone {
        Lone::to(url).bundle(Some(self.authority.pem()))
    }

    fn proxy_by(&self, host: &str) -> (&'static str, String) {
        let port = self.proxy.address.port();
        ("HTTPS_PROXY", format!("http://{host}:{port}"))
    }
}

fn connect(host: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\nuser-agent: cube-operator/{version}\r\n\r\n"
    )
}

#[test]
fn a_proxy_on_loopback_tunnels_to_a_name_that_only_it_can_resolve() {
    for host in ["127.0.0.1", "localhost"] {
        let world = world("provider.invalid", OPEN);
        let made = world
            .to("https://provider.invalid/token")
            .exchange(&[world.proxy_by(host)]);
        assert_eq!(made.outcome, shown(&Ok(fine())));
        assert_eq!(world.proxy.heads(), [connect("provider.invalid:443")]);
        assert_eq!(world.provider.requests().len(), 1);
    }
}

#[test]
fn the_certificate_is_checked_through_a_proxy() {
    let world = world("provider.invalid", OPEN);
    let other = Authority::new("other");
    let made = Lone::to("https://provider.invalid/token")
        .bundle(Some(other.pem()))
        .exchange(&[world.proxy_by("127.0.0.1")]);
    assert_eq!(
        made.outcome,
        shown(&refused(
            Reason::TLSUntrusted,
            "TLS certificate of provider.invalid is signed by \"CN=private\", an unknown CA"
        ))
    );
    assert_eq!(world.provider.requests(), []);
}

#[test]
fn no_proxy_goes_around_the_proxy() {
    let world = world("localhost", OPEN);
    let made = world
        .to(&world.provider.url("/token"))
        .allow("127.0.0.0/8")
        .exchange(&[
            world.proxy_by("127.0.0.1"),
            ("NO_PROXY", "localhost".into()),
        ]);
    assert_eq!(made.outcome, shown(&Ok(fine())));
    assert_eq!(world.proxy.heads(), [] as [String; 0]);
    assert_eq!(world.provider.requests().len(), 1);
}

#[test]
fn the_own_host_stays_refused_with_a_proxy() {
    for host in [
        "127.0.0.1",
        "[::1]",
        "localhost",
        "localhost.",
        "x.localhost",
    ] {
        for no_proxy in ["", host] {
            let world = world("localhost", OPEN);
            let authority = format!("{host}:{}", world.provider.address.port());
            let made = world
                .to(&format!("https://{authority}/token"))
                .exchange(&[world.proxy_by("127.0.0.1"), ("NO_PROXY", no_proxy.into())]);
            assert_eq!(
                made.outcome,
                shown(&refused(
                    Reason::HostNotAllowed,
                    format!(
                        "token endpoint {authority} is on a network that is refused by default (loopback)"
                    )
                )),
                "NO_PROXY={no_proxy}"
            );
            assert_eq!(world.proxy.heads(), [] as [String; 0]);
            assert_eq!(world.provider.connections(), 0);
        }
    }
}

/// The outcome of an exchange with `provider.invalid` through this proxy.
fn through(proxy: &str, bundle: Option<String>) -> String {
    let lone = Lone::to("https://provider.invalid/token").bundle(bundle);
    lone.exchange(&[("HTTPS_PROXY", proxy.to_owned())]).outcome
}

fn proxy_error(what: &str) -> String {
    shown(&refused(Reason::Unreachable, what))
}

#[test]
fn a_proxy_that_refuses_is_named_with_its_status_and_without_its_password() {
    for (answer, what) in [
        (
            "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
            "requires other credentials (407)",
        ),
        (
            "HTTP/1.1 403 Forbidden\r\n\r\n<html>",
            "refused a connection to provider.invalid (403)",
        ),
        (
            "HTTP/1.0 502 Bad Gateway\r\n\r\n",
            "refused a connection to provider.invalid (502)",
        ),
        (
            "not HTTP at all, but long enough for a status",
            "refused a connection to provider.invalid",
        ),
    ] {
        let world = world("provider.invalid", answer);
        let proxy = world.proxy.address;
        assert_eq!(
            through(&format!("http://me:planted@{proxy}"), None),
            proxy_error(&format!("proxy {proxy} {what}"))
        );
        assert_eq!(world.provider.requests(), []);
        let [head] = &world.proxy.heads()[..] else {
            panic!("a proxy that refuses is asked once: {what}");
        };
        assert!(
            head.to_lowercase()
                .contains("\r\nproxy-authorization: basic bwu6cgxhbnrlza==\r\n"),
            "{head}"
        );
    }
}

#[test]
fn a_proxy_that_cannot_be_reached_is_named_in_place_of_the_token_endpoint() {
    for (proxy, why) in [
        (format!("127.0.0.1:{CLOSED}"), "connection refused"),
        ("nowhere.invalid:3128".into(), "name not found in DNS"),
    ] {
        assert_eq!(
            through(&format!("http://{proxy}"), None),
            proxy_error(&format!("proxy {proxy} could not be reached: {why}"))
        );
    }
}

#[test]
fn a_proxy_that_closes_or_does_not_answer_is_named_and_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closing = listener.local_addr().unwrap();
    thread::spawn(move || {
        for socket in listener.incoming() {
            head(&mut socket.unwrap()).unwrap();
        }
    });
    assert_eq!(
        through(&format!("http://{closing}"), None),
        proxy_error(&format!(
            "proxy {closing} closed the connection before it opened one to provider.invalid"
        ))
    );
    // The kernel accepts the connection, and nothing responds.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    assert_eq!(
        through(&format!("http://{address}"), None),
        proxy_error(&format!(
            "proxy {address} opened no TLS connection to provider.invalid within 20 s"
        ))
    );
}

#[test]
fn the_certificate_of_a_proxy_is_told_from_that_of_the_token_endpoint() {
    let (trusted, other) = (Authority::new("trusted"), Authority::new("other"));
    let proxy = Provider::start(&other.certificate(&LOCAL), |_| Reply::json(403, ""));
    let port = proxy.address.port();
    let outcome = through(&format!("https://localhost:{port}"), Some(trusted.pem()));
    let expected = format!(
        "proxy localhost:{port} has a TLS certificate that is signed by \"CN=other\", an unknown CA"
    );
    assert_eq!(outcome, proxy_error(&expected));
    let outcome = through(&format!("https://localhost:{port}"), Some(other.pem()));
    let expected = format!("proxy localhost:{port} refused a connection to provider.invalid (403)");
    assert_eq!(outcome, proxy_error(&expected));
}

#[test]
fn a_proxy_whose_tunnel_leads_nowhere_is_named() {
    for (after, why) in [
        ("", "connection closed"),
        ("<html>sign in", "the server does not speak TLS"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = listener.local_addr().unwrap();
        thread::spawn(move || {
            for socket in listener.incoming() {
                let mut socket = socket.unwrap();
                head(&mut socket).unwrap();
                socket.write_all(OPEN.as_bytes()).unwrap();
                // The client begins its handshake.
                socket.read_exact(&mut [0]).unwrap();
                socket.write_all(after.as_bytes()).unwrap();
            }
        });
        assert_eq!(
            through(&format!("http://{proxy}"), None),
            proxy_error(&format!(
                "proxy {proxy} opened an unusable connection to provider.invalid: {why}"
            ))
        );
    }
}
