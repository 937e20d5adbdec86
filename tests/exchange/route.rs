//! The way to a token endpoint step by step: what each step shows, and that nothing but the harmless probe is sent.

use std::net::{TcpListener, ToSocketAddrs};

use cube_operator::{
    api::Reason,
    oauth::{
        ca_bundle::TrustedCa,
        diagnose::{
            Handshake,
            probe::{Judgement, judge},
        },
        endpoint::Endpoint,
        networks::{Address, RefusedNetwork},
    },
};
use rustls::{SupportedProtocolVersion, version};

use crate::{
    Refused, block_on, client, local, refused,
    scripted::{Authority, LOCAL, Provider, Reply, Request},
};

fn endpoint(url: &str) -> Endpoint {
    Endpoint::parse(url).unwrap()
}

fn start(authority: &Authority) -> Provider {
    let refusal = || Reply::json(400, r#"{"error":"unsupported_grant_type"}"#);
    Provider::start(&authority.certificate(&LOCAL), move |_: &Request| refusal())
}

/// The handshake of a client that trusts this authority.
fn look(provider: &Provider, trusted: &Authority) -> Result<Handshake, Refused> {
    let endpoint = endpoint(&provider.url("/token?secret=planted"));
    block_on(local().handshake(
        &endpoint,
        Some(&TrustedCa::besides_system(trusted.pem()).unwrap()),
    ))
    .map_err(Into::into)
}

#[test]
fn the_probe_is_one_post_that_names_no_client_and_carries_no_secret() {
    let authority = Authority::new("private");
    let provider = start(&authority);
    let endpoint = endpoint(&provider.url("/token?tenant=a"));
    let answer = block_on(local().probe(
        &endpoint,
        Some(&TrustedCa::besides_system(authority.pem()).unwrap()),
    ))
    .unwrap();
    let expected = "token endpoint responded 400 unsupported_grant_type";
    let Judgement::Expected(error) = judge(&answer) else {
        panic!("{answer:?}")
    };
    assert_eq!(error.to_string(), expected);
    let [request] = &provider.requests()[..] else {
        panic!("{:?}", provider.requests())
    };
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("POST", "/token?tenant=a")
    );
    assert_eq!(request.body, "grant_type=cube-operator-check");
    let mut names: Vec<_> = request
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accept",
            "accept-encoding",
            "content-length",
            "content-type",
            "host",
            "user-agent"
        ]
    );
}

#[test]
fn a_redirect_is_told_and_not_followed() {
    let authority = Authority::new("private");
    let other = start(&authority);
    let url = other.url("/elsewhere");
    let location = url.clone();
    let provider = Provider::start(&authority.certificate(&LOCAL), move |_: &Request| {
        Reply::json(307, "").header("Location", &location)
    });
    let endpoint = endpoint(&provider.url("/token"));
    let answer = block_on(local().probe(
        &endpoint,
        Some(&TrustedCa::besides_system(authority.pem()).unwrap()),
    ))
    .unwrap();
    let Judgement::Refused(refusal) = judge(&answer) else {
        panic!("{answer:?}")
    };
    assert_eq!(refusal.reason(), Reason::Redirected);
    assert_eq!(other.connections(), 0);
}

#[test]
fn a_handshake_shows_version_and_certificate_and_sends_nothing() {
    let authority = Authority::new("private");
    for (versions, shown) in [
        (&[&version::TLS13][..], "TLS 1.3"),
        (&[&version::TLS12], "TLS 1.2"),
    ] {
        let versions: &[&'static SupportedProtocolVersion] = versions;
        let provider = Provider::start_with_tls(&authority.certificate(&LOCAL), versions, |_| {
            Reply::token("planted")
        });
        let observed = look(&provider, &authority).unwrap();
        assert_eq!(observed.outcome, Ok(shown));
        assert!(
            observed.certificate.starts_with(
                "issued by \"CN=private\" for \"localhost\", \"127.0.0.1\", valid from "
            ),
            "{}",
            observed.certificate
        );
        assert_eq!(provider.requests(), []);
        assert_eq!(provider.connections(), 1);
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_shown_with_the_words_of_an_exchange() {
    let (trusted, other) = (Authority::new("trusted"), Authority::new("Example Proxy"));
    let provider = start(&other);
    let observed = look(&provider, &trusted).unwrap();
    let port = provider.address.port();
    let what = format!(
        "TLS certificate of localhost:{port} is signed by \"CN=Example Proxy\", an unknown CA"
    );
    assert_eq!(
        observed.outcome.map_err(Refused::from),
        refused(Reason::TLSUntrusted, what)
    );
    assert!(
        observed
            .certificate
            .starts_with("issued by \"CN=Example Proxy\" for "),
        "{}",
        observed.certificate
    );
    assert_eq!(provider.requests(), []);
}

#[test]
fn a_server_without_tls_shows_no_certificate() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut socket, _) = listener.accept().unwrap();
        socket
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        while socket.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {}
    });
    let endpoint = endpoint(&format!("https://localhost:{port}/token"));
    let observed = block_on(local().handshake(&endpoint, None));
    let what = format!(
        "token endpoint localhost:{port} could not be reached: the server does not speak TLS"
    );
    assert_eq!(
        observed.map_err(Refused::from),
        refused(Reason::Unreachable, what)
    );
}

#[test]
fn addresses_are_shown_with_what_is_refused_of_them() {
    let loopback = |networks: &[&str]| {
        let endpoint = endpoint("https://127.0.0.1:1/token");
        block_on(client(networks).addresses(&endpoint)).map_err(Refused::from)
    };
    let ip = "127.0.0.1".parse().unwrap();
    assert_eq!(
        loopback(&["127.0.0.0/8"]),
        Ok(vec![Address { ip, refused: None }])
    );
    assert_eq!(
        loopback(&[]),
        refused(
            Reason::HostNotAllowed,
            "token endpoint 127.0.0.1:1 is on a network that is refused by default (loopback)"
        )
    );
    // This machine may have only one address for the name.
    let local = ("localhost", 0).to_socket_addrs().unwrap();
    let v6 = local.into_iter().any(|address| address.is_ipv6());
    let endpoint = endpoint("https://localhost:1/token");
    let found = block_on(client(&["127.0.0.0/8"]).addresses(&endpoint)).unwrap();
    assert_eq!(
        found
            .iter()
            .any(|address| address.refused == Some(RefusedNetwork::Loopback)),
        v6
    );
}

#[test]
fn a_connection_is_opened_to_allowed_addresses_only() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let endpoint = endpoint(&format!("https://localhost:{}/token", address.port()));
    let at = |refused| {
        [Address {
            ip: address.ip(),
            refused,
        }]
    };
    assert_eq!(
        block_on(local().connect_to(&endpoint, &at(None))),
        Ok(address)
    );
    let nowhere = block_on(local().connect_to(&endpoint, &at(Some(RefusedNetwork::Loopback))));
    assert_eq!(nowhere.unwrap_err().reason(), Reason::Unreachable);
    drop(listener);
    let what = format!(
        "token endpoint localhost:{} could not be reached: connection refused",
        address.port()
    );
    assert_eq!(
        block_on(local().connect_to(&endpoint, &at(None))).map_err(Refused::from),
        refused(Reason::Unreachable, what)
    );
}
