//! TLS sessions: which exchanges resume one, and which make a full handshake.

mod odd;

use std::sync::{Arc, Barrier};

use cube_operator::{
    api::{ProbeSpec, Reason},
    oauth::{
        authentication::Authentication,
        ca_bundle::TrustedCa,
        client::TokenClient,
        probe::{Probe, ProbeRequest},
        request::TokenRequest,
    },
};
use rustls::{
    HandshakeKind::{self, Full, Resumed},
    ServerConfig,
    version::{TLS12, TLS13},
};

use serde_json::json;

use crate::{
    block_on, exchange, local,
    mutual_tls::certified,
    refused,
    scripted::{Authority, LOCAL, Provider, Reply},
    trusting,
};

/// More sessions than are kept.
const MANY: usize = 40;

/// A server whose configuration a test changes.
fn server(authority: &Authority, change: impl FnOnce(&mut ServerConfig)) -> Provider {
    let mut config = authority.certificate(&LOCAL).config(&[&TLS13]);
    change(&mut config);
    Provider::start_with(config, |_| Reply::token("t"))
}

fn last(provider: &Provider) -> HandshakeKind {
    *provider.handshakes().last().unwrap()
}

fn send(client: &TokenClient, authority: &Authority, provider: &Provider) -> HandshakeKind {
    exchange(client, &trusting(authority, &provider.url("/token"))).unwrap();
    last(provider)
}

/// A client makes a full handshake with this server each time.
fn resumes_nothing(authority: &Authority, provider: &Provider) {
    let client = local();
    for _ in 0..3 {
        assert_eq!(send(&client, authority, provider), Full);
    }
}

#[test]
fn a_session_is_resumed_with_the_same_server_and_the_same_certificates_alone() {
    let (authority, other) = (Authority::new("private"), Authority::new("other"));
    let (one, two) = (server(&authority, |_| {}), server(&authority, |_| {}));
    let client = local();
    assert_eq!(send(&client, &authority, &one), Full);
    assert_eq!(send(&client, &authority, &one), Resumed);
    assert_eq!(
        send(&client, &authority, &two),
        Full,
        "it is another server"
    );
    assert_eq!(send(&client, &authority, &one), Resumed);
    assert_eq!(
        send(&local(), &authority, &one),
        Full,
        "it is another process"
    );
    let both = TokenRequest {
        ca_bundle: Some(
            TrustedCa::besides_system(format!("{}{}", authority.pem(), other.pem())).unwrap(),
        ),
        ..trusting(&authority, &one.url("/token"))
    };
    exchange(&client, &both).unwrap();
    assert_eq!(last(&one), Full, "it is another bundle");
    // A bundle that does not vouch for the server any more ends with it.
    assert_eq!(
        exchange(&client, &trusting(&other, &one.url("/token"))),
        refused(
            Reason::TLSUntrusted,
            format!(
                "TLS certificate of localhost:{} is signed by \"CN=private\", an unknown CA",
                one.address.port()
            )
        )
    );
    assert_eq!(one.connections(), 6);
}

#[test]
fn a_session_ends_with_the_certificates_that_it_trusts() {
    let authority = Authority::new("private");
    let provider = server(&authority, |_| {});
    let client = local();
    assert_eq!(send(&client, &authority, &provider), Full);
    assert_eq!(send(&client, &authority, &provider), Resumed);
    // More bundles than are kept, so the first one is read again.
    for number in 0..20 {
        let other = Authority::new(&number.to_string());
        send(&client, &other, &server(&other, |_| {}));
    }
    assert_eq!(send(&client, &authority, &provider), Full);
}

#[test]
fn each_session_is_used_by_one_exchange_at_a_time_and_each_ticket_once() {
    let authority = Authority::new("private");
    let config = authority.certificate(&LOCAL).config(&[&TLS13]);
    // No exchange ends before all four have begun.
    let all = Barrier::new(4);
    let provider = Provider::start_with(config, move |_| {
        all.wait();
        Reply::token("t")
    });
    let client = local();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let request = trusting(&authority, &provider.url("/token"));
    for round in 0..3 {
        runtime.block_on(async {
            let sent = (0..4).map(|_| client.send(&request));
            for response in futures::future::join_all(sent).await {
                assert_eq!(response.unwrap().status, 200);
            }
        });
        // The server takes each ticket once, and makes a full handshake for one that it has taken before.
        let expected = if round == 0 { Full } else { Resumed };
        assert_eq!(provider.handshakes()[round * 4..], [expected; 4]);
    }
}

#[test]
fn a_session_in_which_the_server_asked_for_a_certificate_is_never_resumed() {
    let authority = Authority::new("private");
    let certificate = authority.certificate(&LOCAL);
    let config = certificate.config_that_asks_clients(&authority);
    let provider = Provider::start_with(config, |_| Reply::token("t"));
    resumes_nothing(&authority, &provider);
}

#[test]
fn a_client_with_a_certificate_resumes_no_session_and_leaves_none() {
    let authority = Authority::new("private");
    let provider = server(&authority, |_| {});
    let client = local();
    let certified = TokenRequest {
        authentication: Authentication::MutualTls(certified(&authority.certificate(&["client"]))),
        ..trusting(&authority, &provider.url("/token"))
    };
    for _ in 0..2 {
        exchange(&client, &certified).unwrap();
        assert_eq!(last(&provider), Full);
    }
    assert_eq!(send(&client, &authority, &provider), Full);
    exchange(&client, &certified).unwrap();
    assert_eq!(last(&provider), Full);
    assert_eq!(send(&client, &authority, &provider), Resumed);
}

#[test]
fn a_look_at_the_certificate_and_a_probe_make_full_handshakes() {
    let authority = Authority::new("private");
    let provider = server(&authority, |_| {});
    let client = local();
    let request = trusting(&authority, &provider.url("/token"));
    assert_eq!(send(&client, &authority, &provider), Full);
    let seen = client.handshake(&request.endpoint, request.ca_bundle.as_ref());
    assert_eq!(block_on(seen).unwrap().outcome, Ok("TLS 1.3"));
    let spec: ProbeSpec = serde_json::from_value(json!({"url": provider.url("/me")})).unwrap();
    let probe = ProbeRequest {
        probe: Arc::new(Probe::read(&spec).unwrap()),
        token: "t".into(),
        ca_bundle: request.ca_bundle.clone(),
    };
    assert_eq!(block_on(client.try_token(&probe)), Ok(200));
    assert_eq!(last(&provider), Full);
    assert_eq!(send(&client, &authority, &provider), Resumed);
}

#[test]
fn a_session_of_tls_1_2_is_never_resumed() {
    let authority = Authority::new("private");
    let certificate = authority.certificate(&LOCAL);
    let provider = Provider::start_with_tls(&certificate, &[&TLS12], |_| Reply::token("t"));
    resumes_nothing(&authority, &provider);
}

#[test]
fn a_server_that_gives_no_ticket_is_served_as_any_other() {
    let authority = Authority::new("private");
    let provider = server(&authority, |config| config.send_tls13_tickets = 0);
    resumes_nothing(&authority, &provider);
}

#[test]
fn a_server_that_has_lost_its_sessions_makes_a_full_handshake() {
    let authority = Authority::new("private");
    let provider = server(&authority, |config| {
        config.session_storage = rustls::server::ServerSessionMemoryCache::new(1);
        config.send_tls13_tickets = 1;
    });
    let (one, two) = (local(), local());
    assert_eq!(send(&one, &authority, &provider), Full);
    // It forgets the first client's session for the second one's.
    send(&two, &authority, &provider);
    assert_eq!(send(&one, &authority, &provider), Full);
}

#[test]
fn nothing_of_a_request_is_sent_before_the_handshake_is_complete() {
    let authority = Authority::new("private");
    let provider = server(&authority, |config| config.max_early_data_size = 16 * 1024);
    let client = local();
    assert_eq!(send(&client, &authority, &provider), Full);
    assert_eq!(send(&client, &authority, &provider), Resumed);
    assert_eq!(provider.early_data(), 0);
}

#[test]
fn the_sessions_of_many_servers_have_an_end() {
    let authority = Authority::new("private");
    let client = local();
    let servers: Vec<_> = (0..MANY).map(|_| server(&authority, |_| {})).collect();
    for server in &servers {
        assert_eq!(send(&client, &authority, server), Full);
    }
    assert_eq!(send(&client, &authority, &servers[MANY - 1]), Resumed);
    assert_eq!(send(&client, &authority, &servers[0]), Full);
    let shown = format!("{client:?}");
    assert!(shown.contains("<redacted>"), "{shown}");
    assert!(!shown.contains("Tls13ClientSessionValue"), "{shown}");
}
