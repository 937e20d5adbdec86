//! Servers that change, or stumble over a ticket.

use std::{
    net::Ipv4Addr,
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use cube_operator::api::Reason;
use rustls::{
    HandshakeKind::{Full, Resumed},
    server::{ServerSessionMemoryCache, StoresServerSessions},
    version::TLS13,
};

use super::{MANY, send, server};
use crate::{
    block_on,
    dns::{NameServer, Says},
    exchange, local, refused,
    scripted::{Authority, LOCAL, Provider, Reply},
    trusting,
};

#[test]
fn after_a_failure_the_next_handshakes_are_full_ones() {
    let authority = Authority::new("private");
    let certificate = authority.certificate(&LOCAL);
    let count = AtomicUsize::new(0);
    let provider = Provider::start(&certificate, move |_| {
        match count.fetch_add(1, Ordering::SeqCst) {
            2 => Reply::json(401, r#"{"error": "invalid_client"}"#),
            _ => Reply::token("t"),
        }
    });
    let client = local();
    let request = trusting(&authority, &provider.url("/token"));
    block_on(async {
        // Two at the same time leave two sessions, and the failure ends both.
        let (one, other) = futures::join!(client.send(&request), client.send(&request));
        assert_eq!((one.unwrap().status, other.unwrap().status), (200, 200));
    });
    for status in [401, 200, 200] {
        assert_eq!(exchange(&client, &request).unwrap().0, status);
    }
    assert_eq!(provider.handshakes(), [Full, Full, Resumed, Full, Resumed]);
}

/// The sessions of a server that breaks where a client resumes one.
#[derive(Debug)]
struct Stumbling(Arc<ServerSessionMemoryCache>);

impl StoresServerSessions for Stumbling {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.0.put(key, value)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.0.get(key)
    }

    fn take(&self, _: &[u8]) -> Option<Vec<u8>> {
        resume_unwind(Box::new("the server ends"))
    }

    fn can_cache(&self) -> bool {
        true
    }
}

#[test]
fn a_server_that_stumbles_over_a_ticket_does_so_once() {
    let authority = Authority::new("private");
    let provider = server(&authority, |config| {
        config.session_storage = Arc::new(Stumbling(ServerSessionMemoryCache::new(8)));
    });
    let client = local();
    let request = trusting(&authority, &provider.url("/token"));
    let worked: Vec<_> = (0..6)
        .map(|_| exchange(&client, &request).is_ok())
        .collect();
    assert_eq!(worked, [true, false, true, true, true, true]);
    assert_eq!(provider.handshakes(), [Full; 5]);
}

#[test]
fn no_number_of_other_servers_makes_it_stumble_again() {
    let authority = Authority::new("private");
    let provider = server(&authority, |config| {
        config.session_storage = Arc::new(Stumbling(ServerSessionMemoryCache::new(8)));
    });
    let client = local();
    let request = trusting(&authority, &provider.url("/token"));
    let works = || exchange(&client, &request).is_ok();
    assert_eq!([works(), works()], [true, false]);
    for _ in 0..MANY {
        let other = server(&authority, |_| {});
        send(&client, &authority, &other);
    }
    assert_eq!([works(), works(), works()], [true; 3]);
}

#[test]
fn a_failure_without_a_handshake_is_no_stumble() {
    let authority = Authority::new("private");
    let certificate = authority.certificate(&["api.example.com"]);
    let provider = Provider::start(&certificate, |_| Reply::token("t"));
    let is_known = Arc::new(AtomicBool::new(true));
    let knows = Arc::clone(&is_known);
    let names = NameServer::start(move |question| match knows.load(Ordering::SeqCst) {
        true if question.v6 => Says::NoAddress,
        true => Says::Address(Ipv4Addr::LOCALHOST.into()),
        false => Says::NoName,
    });
    let client = names.client(local(), "");
    let url = format!("https://api.example.com:{}/token", provider.address.port());
    let request = trusting(&authority, &url);
    let works = || exchange(&client, &request).is_ok();
    assert_eq!([works(), works()], [true, true]);
    is_known.store(false, Ordering::SeqCst);
    assert!(!works());
    is_known.store(true, Ordering::SeqCst);
    assert_eq!([works(), works()], [true, true]);
    assert_eq!(provider.handshakes(), [Full, Resumed, Full, Resumed]);
}

#[test]
fn a_server_that_begins_to_demand_a_certificate_is_told_from_a_lost_response() {
    let authority = Authority::new("private");
    let provider = server(&authority, |_| {});
    let client = local();
    assert_eq!(send(&client, &authority, &provider), Full);
    assert_eq!(send(&client, &authority, &provider), Resumed);
    let certificate = authority.certificate(&LOCAL);
    provider.reconfigure(certificate.config_for_clients(&[&TLS13], &authority));
    assert_eq!(
        exchange(&client, &trusting(&authority, &provider.url("/token"))),
        refused(
            Reason::ClientCertificateRequired,
            format!(
                "token endpoint localhost:{} requires a TLS client certificate",
                provider.address.port()
            )
        )
    );
    assert_eq!(provider.handshakes(), [Full, Resumed], "nothing was served");
}
