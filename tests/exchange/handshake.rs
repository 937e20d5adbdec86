//! Handshakes that a server does not finish: nothing was served, and the cause is named.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use cube_operator::api::Reason;
use rustls::{SupportedProtocolVersion, version};

use crate::{
    exchange, local, refused, request,
    scripted::{Authority, LOCAL, Provider, Reply},
    trusting,
};

/// A server that responds to the first message of a handshake with these bytes; its port.
fn responding(bytes: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut header = [0; 5];
        socket.read_exact(&mut header).unwrap();
        let mut hello = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
        socket.read_exact(&mut hello).unwrap();
        socket.write_all(bytes).unwrap();
        // The connection stays open until the client has read it.
        while socket.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {}
    });
    port
}

#[test]
fn a_server_that_refuses_a_handshake_is_quoted_by_its_alert() {
    let version = "the server supports neither TLS 1.2 nor TLS 1.3";
    let cipher = "no TLS cipher suite, group or signature algorithm in common";
    for (bytes, why) in [
        // Fatal alerts.
        (&[21, 3, 1, 0, 2, 2, 70][..], version),
        (&[21, 3, 3, 0, 2, 2, 40], cipher),
        (&[21, 3, 3, 0, 2, 2, 71], cipher),
        (
            &[21, 3, 3, 0, 2, 2, 112],
            "the server does not know this host name (TLS alert unrecognized_name)",
        ),
        (
            &[21, 3, 3, 0, 2, 2, 120],
            "the server does not speak HTTP/1.1",
        ),
        (
            &[21, 3, 3, 0, 2, 2, 80],
            "TLS handshake refused (alert InternalError)",
        ),
        // The hello of a server that knows TLS 1.1 at most: 32 bytes of chance, no session, a cipher suite, no compression.
        (
            b"\x16\x03\x02\0\x2a\x02\0\0\x26\x03\x0201234567890123456789012345678901\0\xc0\x13\0",
            version,
        ),
    ] {
        let port = responding(bytes);
        assert_eq!(
            exchange(
                &local(),
                &request(&format!("https://localhost:{port}/token"))
            ),
            refused(
                Reason::Unreachable,
                format!("token endpoint localhost:{port} could not be reached: {why}")
            ),
            "{bytes:?}"
        );
    }
}

#[test]
fn a_server_with_http_2_only_is_told_from_one_that_is_not_there() {
    let authority = Authority::new("private");
    let mut config = authority
        .certificate(&LOCAL)
        .config(rustls::DEFAULT_VERSIONS);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let provider = Provider::start_with(config, |_| Reply::json(200, "{}"));
    let port = provider.address.port();
    assert_eq!(
        exchange(&local(), &trusting(&authority, &provider.url("/token"))),
        refused(
            Reason::Unreachable,
            format!(
                "token endpoint localhost:{port} could not be reached: the server does not speak HTTP/1.1"
            )
        )
    );
}

#[test]
fn a_server_that_wants_a_client_certificate_has_served_nothing() {
    let authority = Authority::new("private");
    for versions in [&[&version::TLS13][..], &[&version::TLS12]] {
        let versions: &[&'static SupportedProtocolVersion] = versions;
        let config = authority
            .certificate(&LOCAL)
            .config_for_clients(versions, &authority);
        let provider = Provider::start_with(config, |_| Reply::token("planted"));
        let port = provider.address.port();
        // With TLS 1.3 the request is on its way when the server refuses, so it is tried until the order would have varied.
        for _ in 0..25 {
            assert_eq!(
                exchange(&local(), &trusting(&authority, &provider.url("/token"))),
                refused(
                    Reason::ClientCertificateRequired,
                    format!("token endpoint localhost:{port} requires a TLS client certificate")
                ),
                "{versions:?}"
            );
        }
        assert_eq!(provider.requests(), []);
    }
}

#[test]
fn a_page_that_refuses_a_missing_client_certificate_is_told_from_a_refused_request() {
    let authority = Authority::new("private");
    let page = || Reply::json(400, "<html>");
    let asks = |reply: Reply| {
        let certificate = authority.certificate(&LOCAL);
        let config = certificate.config_that_asks_clients(&authority);
        Provider::start_with(config, move |_| reply.clone())
    };
    let provider = asks(page());
    let port = provider.address.port();
    assert_eq!(
        exchange(&local(), &trusting(&authority, &provider.url("/token"))),
        refused(
            Reason::ClientCertificateRequired,
            format!("token endpoint localhost:{port} requires a TLS client certificate")
        )
    );
    // Whoever does not need one, or refuses something else, says so in JSON.
    for status in [200, 400] {
        let provider = asks(Reply::json(status, "{}"));
        let request = trusting(&authority, &provider.url("/token"));
        assert_eq!(exchange(&local(), &request), Ok((status, "{}".into())));
    }
    let silent = Provider::start(&authority.certificate(&LOCAL), move |_| page());
    let request = trusting(&authority, &silent.url("/token"));
    assert_eq!(exchange(&local(), &request), Ok((400, "<html>".into())));
}
