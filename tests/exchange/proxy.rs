//! `HTTPS_PROXY` and `NO_PROXY`, together with the CA bundle and the rules about networks.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use cube_operator::api::Reason;

use crate::{
    fine,
    process::{Lone, shown},
    refused,
    scripted::{Authority, CLOSED, Provider, Reply},
};

/// A proxy that connects every tunnel to one server, for any name.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub(crate) fn start(answer: &'static str, server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let observed = Arc::clone(&heads);
        thread::spawn(move || {
            for socket in listener.incoming() {
                let (mut socket, observed) = (socket.unwrap(), Arc::clone(&observed));
                thread::spawn(move || {
                    observed.lock().unwrap().push(head(&mut socket)?);
                    socket.write_all(answer.as_bytes())?;
                    tunnel(&socket, &TcpStream::connect(server)?)
                });
            }
        });
        Self { address, heads }
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn head(socket: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(String::from_utf8(head).unwrap())
}

fn tunnel(client: &TcpStream, server: &TcpStream) -> io::Result<()> {
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || io::copy(&mut from, &mut to));
    io::copy(&mut &*server, &mut &*client).map(drop)
}

/// The response of a proxy that lets everything through.
pub(crate) const OPEN: &str = "HTTP/1.1 200 OK\r\n\r\n";

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
            "the certificate of the token endpoint provider.invalid is not trusted: it was issued by an authority that is \
             not trusted"
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
                        "the token endpoint {authority} is on a network that is refused by default (loopback)"
                    )
                )),
                "NO_PROXY={no_proxy}"
            );
            assert_eq!(world.proxy.heads(), [] as [String; 0]);
            assert_eq!(world.provider.connections(), 0);
        }
    }
}

#[test]
fn a_proxy_that_refuses_or_is_not_there_is_unreachable() {
    let world = world("provider.invalid", "HTTP/1.1 403 Forbidden\r\n\r\n");
    let closed = SocketAddr::from(([127, 0, 0, 1], CLOSED));
    for (proxy, why) in [
        (world.proxy.address, "the connection failed"),
        (closed, "the connection was refused"),
    ] {
        let made = world
            .to("https://provider.invalid/token")
            .exchange(&[("HTTPS_PROXY", format!("http://{proxy}"))]);
        assert_eq!(
            made.outcome,
            shown(&refused(
                Reason::Unreachable,
                format!("the token endpoint provider.invalid could not be reached: {why}")
            ))
        );
    }
    assert_eq!(world.provider.requests(), []);
}
