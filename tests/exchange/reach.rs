//! Endpoints that cannot be reached: nothing was sent.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use cube_operator::api::Reason;

use crate::{
    exchange, local,
    process::{Lone, shown},
    refused, request,
    scripted::CLOSED,
};

#[test]
fn a_refused_connection_is_unreachable() {
    assert_eq!(
        exchange(
            &local(),
            &request(&format!("https://localhost:{CLOSED}/token"))
        ),
        refused(
            Reason::Unreachable,
            format!("token endpoint localhost:{CLOSED} could not be reached: connection refused")
        )
    );
}

#[test]
fn a_name_that_does_not_resolve_is_unreachable() {
    // A silent name server must not consume the time for connecting.
    let made = Lone::to("https://nowhere.invalid/token")
        .exchange(&[("RES_OPTIONS", "timeout:1 attempts:1".into())]);
    assert_eq!(
        made.outcome,
        shown(&refused(
            Reason::Unreachable,
            "token endpoint nowhere.invalid could not be reached: name not found in DNS"
        ))
    );
}

#[test]
fn a_connection_that_never_speaks_tls_is_unreachable_long_before_the_exchange_ends() {
    // The kernel accepts the connection, and nothing responds.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let start = Instant::now();
    assert_eq!(
        exchange(
            &local(),
            &request(&format!("https://localhost:{port}/token"))
        ),
        refused(
            Reason::Unreachable,
            format!(
                "token endpoint localhost:{port} could not be reached: TLS handshake timed out after 10 s"
            )
        )
    );
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_connection_that_is_never_opened_is_told_apart_from_a_slow_handshake() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // The kernel drops what its queue of unaccepted connections has no room for, as a firewall drops packets.
    let full = || TcpStream::connect_timeout(&address, Duration::from_millis(500));
    let queue: Vec<_> = std::iter::from_fn(|| full().ok()).take(10_000).collect();
    let port = address.port();
    assert_eq!(
        exchange(
            &local(),
            &request(&format!("https://localhost:{port}/token"))
        ),
        refused(
            Reason::Unreachable,
            format!(
                "token endpoint localhost:{port} could not be reached: connecting timed out after 5 s"
            )
        )
    );
    drop(queue);
}

#[test]
fn a_connection_that_closes_before_tls_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept()?;
        // The request has to be read, or the connection would be reset.
        socket.read(&mut [0; 16 * 1024])
    });
    assert_eq!(
        exchange(
            &local(),
            &request(&format!("https://localhost:{port}/token"))
        ),
        refused(
            Reason::Unreachable,
            format!("token endpoint localhost:{port} could not be reached: connection closed")
        )
    );
}

#[test]
fn a_server_without_tls_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        // The connection stays open until the client has read the response.
        while socket.read(&mut [0; 1024]).is_ok_and(|read| read > 0) {}
    });
    assert_eq!(
        exchange(
            &local(),
            &request(&format!("https://localhost:{port}/token"))
        ),
        refused(
            Reason::Unreachable,
            format!(
                "token endpoint localhost:{port} could not be reached: the server does not speak TLS"
            )
        )
    );
}
