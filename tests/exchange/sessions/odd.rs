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
    DigitallySignedStruct, DistinguishedName, Error,
    HandshakeKind::{Full, Resumed},
    SignatureScheme,
    client::danger::HandshakeSignatureValid,
    pki_types::{CertificateDer, UnixTime},
    server::{
        ServerSessionMemoryCache, StoresServerSessions,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    version::TLS13,
};

use super::{MANY, last, send, server};
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

/// Begins to demand a certificate of each client.
#[derive(Debug)]
struct Demanding {
    verifier: Arc<dyn ClientCertVerifier>,
    demands: Arc<AtomicBool>,
}

impl ClientCertVerifier for Demanding {
    fn offer_client_auth(&self) -> bool {
        self.demands.load(Ordering::SeqCst)
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.verifier.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.verifier
            .verify_client_cert(certificate, intermediates, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

#[test]
fn a_server_that_begins_to_demand_a_certificate_is_told_from_a_lost_response() {
    let authority = Authority::new("private");
    let demands = Arc::<AtomicBool>::default();
    let demanding = Demanding {
        verifier: authority.of_clients().build().unwrap(),
        demands: Arc::clone(&demands),
    };
    let mut config = authority
        .certificate(&LOCAL)
        .config_with(&[&TLS13], Arc::new(demanding));
    config.session_storage = ServerSessionMemoryCache::new(1);
    let provider = Provider::start_with(config, |_| Reply::token("t"));
    let (one, other) = (local(), local());
    assert_eq!(send(&one, &authority, &provider), Full);
    assert_eq!(send(&one, &authority, &provider), Resumed);
    // The server forgets the first one's session for this one.
    assert_eq!(send(&other, &authority, &provider), Full);
    demands.store(true, Ordering::SeqCst);
    assert_eq!(
        exchange(&one, &trusting(&authority, &provider.url("/token"))),
        refused(
            Reason::ClientCertificateRequired,
            format!(
                "token endpoint localhost:{} requires a TLS client certificate",
                provider.address.port()
            )
        )
    );
    assert_eq!(last(&provider), Full);
}
