//! A client with a TLS certificate from a Secret of type `kubernetes.io/tls`, to a token endpoint that demands one.

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    check::LOOPBACK,
    place::{Place, is},
    scripted::{Authority, Certificate, LOCAL, Provider, Reply},
};

fn demanding(authority: &Authority) -> Provider {
    let certificate = authority.certificate(&LOCAL);
    let config = certificate.config_for_clients(rustls::DEFAULT_VERSIONS, authority);
    Provider::start_with(config, |_| Reply::token("t"))
}

/// As cert-manager writes it: without a client id.
fn secret(certificate: &Certificate) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
        "metadata": {"name": "client", "labels": {"cube-operator.dev/credential": "true"}},
        "stringData": {"tls.crt": certificate.pem(), "tls.key": certificate.key_pem()},
    })
}

fn credential(place: &Place, provider: &Provider) -> Value {
    let mut credential = place.credential_at("main", &provider.url("/token"), "scripted");
    let spec = credential["spec"].as_object_mut().unwrap();
    spec.insert("clientID".into(), json!("a client"));
    spec.insert("clientAuthentication".into(), json!("MutualTLS"));
    credential
}

#[test]
fn a_renewed_certificate_leaves_the_token_and_is_presented_with_the_next_request() {
    let place = Place::new();
    let authority = Authority::new("scripted");
    let provider = demanding(&authority);
    place.trust("scripted", &authority);
    place.apply(&secret(&authority.certificate(&["first"])));
    let operator = place.operator();
    place.apply(&credential(&place, &provider));
    let first = place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    let report = place
        .check_as(&place.kubeconfig, "main", &[LOOPBACK], &[])
        .1;
    for line in [
        "✓ Secret \"client\" has the label, and well-formed \"tls.key\" and \"tls.crt\" (P-256, certificate until ",
        "✓ the token endpoint asks for a TLS client certificate, which only a token request presents",
    ] {
        assert!(report.contains(line), "{report}");
    }
    place.after_reconcile(&operator, || {
        place.apply(&secret(&authority.certificate(&["second"])));
    });
    assert_eq!(provider.requests().len(), 1);
    place.request("now");
    place.wait_for("main", "refreshed", |status| {
        status.last_attempt_at > first.last_attempt_at
            && is(status, Refreshed, "True", "TokenIssued")
            && provider.requests().len() == 2
    });
    let clients = provider.clients();
    assert!(clients[0].is_some() && clients[1].is_some());
    assert_ne!(clients[0], clients[1]);
    assert_eq!(
        provider.requests()[1].body,
        "grant_type=client_credentials&client_id=a+client"
    );
}

#[test]
fn an_expired_certificate_is_not_presented_and_a_renewed_one_is_used_within_seconds() {
    let place = Place::new();
    let authority = Authority::new("scripted");
    let provider = demanding(&authority);
    place.trust("scripted", &authority);
    let expired = authority.certificate_with(&["client"], |params| {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    place.apply(&secret(&expired));
    let _operator = place.operator();
    place.apply(&credential(&place, &provider));
    place.wait_for("main", "ClientCertificateExpired", |status| {
        is(status, Refreshed, "False", "ClientCertificateExpired")
    });
    assert_eq!(provider.connections(), 0);
    place.apply(&secret(&authority.certificate(&["client"])));
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    assert_eq!(provider.requests().len(), 1);
}
