//! A client that presents a certificate in the TLS handshake (RFC 8705).

use std::sync::Arc;

use cube_operator::{
    api::Reason,
    oauth::{
        authentication::Authentication,
        identity::{CertifiedClient, ClientCertificate},
        private_key::PrivateKey,
        request::TokenRequest,
    },
};
use rustls::{SupportedProtocolVersion, version};

use crate::{
    exchange, local, refused,
    scripted::{Authority, Certificate, LOCAL, Provider, Reply},
    trusting,
};

const VERSIONS: [&[&SupportedProtocolVersion]; 2] = [&[&version::TLS13], &[&version::TLS12]];

pub(crate) fn certified(certificate: &Certificate) -> CertifiedClient {
    CertifiedClient {
        id: "billing".into(),
        key: Arc::new(PrivateKey::read(&certificate.key_pem()).unwrap()),
        certificate: Arc::new(ClientCertificate::read(certificate.pem().as_bytes()).unwrap()),
    }
}

fn request(authority: &Authority, provider: &Provider, client: &Certificate) -> TokenRequest {
    TokenRequest {
        authentication: Authentication::MutualTls(certified(client)),
        ..trusting(authority, &provider.url("/token"))
    }
}

/// A server that demands a certificate of this authority.
fn demanding(authority: &Authority, versions: &[&'static SupportedProtocolVersion]) -> Provider {
    let certificate = authority.certificate(&LOCAL);
    let config = certificate.config_for_clients(versions, authority);
    Provider::start_with(config, |_| Reply::token("t"))
}

#[test]
fn each_exchange_presents_its_own_certificate_and_only_names_the_client() {
    let authority = Authority::new("private");
    let clients = [
        authority.certificate(&["one"]),
        authority.certificate_of(&["two"], &rcgen::PKCS_ED25519, |_| {}),
        authority.certificate_of(&["three"], &rcgen::PKCS_ECDSA_P384_SHA384, |_| {}),
        authority.certificate(&["four"]),
    ];
    for versions in VERSIONS {
        let provider = demanding(&authority, versions);
        // One HTTP client for all: nothing of one exchange is left for the next.
        let sender = local();
        for client in &clients {
            exchange(&sender, &request(&authority, &provider, client)).unwrap();
        }
        let presented: Vec<_> = provider.clients();
        let presented: Vec<_> = presented.iter().flatten().collect();
        assert_eq!(presented.len(), clients.len());
        for (client, presented) in clients.iter().zip(presented) {
            assert_eq!(
                certified(client).certificate.thumbprint(),
                thumbprint(presented)
            );
        }
        for request in provider.requests() {
            assert_eq!(
                request.body,
                "grant_type=client_credentials&client_id=billing"
            );
        }
        // A client without a certificate gets nothing from the sessions of the others.
        assert_eq!(
            exchange(&sender, &trusting(&authority, &provider.url("/token"))),
            refused(
                Reason::ClientCertificateRequired,
                format!(
                    "token endpoint localhost:{} requires a TLS client certificate",
                    provider.address.port()
                )
            )
        );
    }
}

fn thumbprint(der: &[u8]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(der).into()
}

#[test]
fn a_server_that_refuses_a_certificate_has_served_nothing() {
    let (authority, stranger) = (Authority::new("private"), Authority::new("stranger"));
    let expired = authority.certificate_with(&["client"], |params| {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    let strange = stranger.certificate(&["client"]);
    for versions in VERSIONS {
        let provider = demanding(&authority, versions);
        let port = provider.address.port();
        for (client, alert) in [(&strange, "UnknownCA"), (&expired, "CertificateExpired")] {
            // With TLS 1.3 the request is on its way when the server refuses, so it is tried until the order would have varied.
            for _ in 0..25 {
                assert_eq!(
                    exchange(&local(), &request(&authority, &provider, client)),
                    refused(
                        Reason::ClientCertificateRefused,
                        format!(
                            "token endpoint localhost:{port} refused the client certificate (alert {alert})"
                        )
                    ),
                    "{versions:?}"
                );
            }
        }
        assert_eq!(provider.requests(), []);
    }
}

#[test]
fn a_page_about_a_certificate_is_a_refusal_of_it() {
    let authority = Authority::new("private");
    let certificate = authority.certificate(&LOCAL);
    let config = certificate.config_that_asks_clients(&authority);
    let provider = Provider::start_with(config, |_| Reply::json(400, "<html>"));
    let client = authority.certificate(&["client"]);
    assert_eq!(
        exchange(&local(), &request(&authority, &provider, &client)),
        refused(
            Reason::ClientCertificateRefused,
            format!(
                "token endpoint localhost:{} refused the client certificate",
                provider.address.port()
            )
        )
    );
}

#[test]
fn a_server_that_asks_for_no_certificate_gets_none() {
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| Reply::token("t"));
    let client = authority.certificate(&["client"]);
    let request = request(&authority, &provider, &client);
    exchange(&local(), &request).unwrap();
    assert_eq!(provider.clients(), [None]);
    let shown = format!("{request:?}");
    let key = client.key_pem();
    let mut lines = key.lines().filter(|line| !line.starts_with("-----"));
    assert!(lines.all(|line| !shown.contains(line)), "{shown}");
}
