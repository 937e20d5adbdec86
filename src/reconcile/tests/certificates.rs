//! A client with a TLS certificate: its validity, and its renewal.

use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair};

use super::{
    provider::refuse,
    world::{World, seconds},
};
use crate::{
    api::{ClientAuthentication, ConditionStatus, ConditionType, Reason},
    oauth::authentication::Authentication,
    reconcile::{SourceCertificate, SourceKey, SourceValue},
};

/// A certificate that is valid from January 1 of one year to January 1 of another one, and its key.
fn issued(from: i32, to: i32) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["client".into()]).unwrap();
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(to, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn put(world: &mut World, (certificate, key): &(String, String)) {
    world.edit_source(|source| {
        source.values.secret = SourceValue::Absent;
        source.values.key = SourceKey::of(Some(key.as_bytes()));
        source.values.certificate = SourceCertificate::of(Some(certificate.as_bytes()));
    });
}

fn with(mut world: World, certificate: &(String, String)) -> World {
    world.spec.client_authentication = Some(ClientAuthentication::MutualTls);
    put(&mut world, certificate);
    world
}

/// The thumbprint of the certificate in the last request.
fn sent(world: &World) -> [u8; 32] {
    match world.sent_authentication() {
        Authentication::MutualTls(client) => client.certificate.thumbprint(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_renewed_certificate_leaves_the_live_token_and_is_in_the_next_request() {
    let mut world = with(World::new(), &issued(2026, 2027));
    world.settle();
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    let (token, first) = (world.token().map(str::to_owned), sent(&world));
    put(&mut world, &issued(2026, 2028));
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    world.restart();
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.token(), token.as_deref());
    world.pass(seconds(3600));
    assert_ne!(world.token(), token.as_deref());
    assert_ne!(sent(&world), first);
}

#[test]
fn a_certificate_outside_of_its_validity_costs_no_request() {
    for (from, to, message) in [
        (
            2024,
            2025,
            "key \"tls.crt\" of Secret \"cubewire-client\" has a certificate that expired at 2025-01-01T00:00:00Z: renew it, and write \
             the new certificate and its key",
        ),
        (
            2027,
            2028,
            "key \"tls.crt\" of Secret \"cubewire-client\" has a certificate that is not valid before 2027-01-01T00:00:00Z: no action \
             needed if that is soon; else write the certificate that is valid now",
        ),
    ] {
        let mut world = with(World::new(), &issued(from, to));
        assert_eq!(world.cost_of(World::settle).exchanges, 0);
        let reason = (
            ConditionStatus::False,
            "ClientCertificateExpired".to_owned(),
        );
        assert_eq!(world.refreshed_is(), reason);
        assert_eq!(world.message(ConditionType::Refreshed), message);
        put(&mut world, &issued(2026, 2027));
        assert_eq!(world.cost_of(World::settle).exchanges, 1);
        assert_eq!(world.ready_is().0, ConditionStatus::True);
    }
}

#[test]
fn a_certificate_that_becomes_valid_is_used_without_an_event() {
    let mut world = with(World::new(), &issued(2027, 2028));
    world.settle();
    world.now = "2027-01-01T00:00:00Z".parse::<Timestamp>().unwrap();
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    let mut world = with(World::new(), &issued(2027, 2028));
    world.settle();
    assert_eq!(world.wake_at, Some(world.now + seconds(60)));
}

#[test]
fn a_certificate_that_expires_while_a_token_lives_stops_the_next_refresh() {
    let mut world = with(World::new(), &issued(2026, 2027));
    world.now = "2026-12-31T23:30:00Z".parse::<Timestamp>().unwrap();
    world.settle();
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    world.pass(seconds(3400));
    assert_eq!(world.provider.exchanges.len(), 1);
    assert_eq!(world.refreshed_is().1, "ClientCertificateExpired");
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn a_refused_certificate_keeps_the_login_and_a_renewed_one_is_tried_without_delay() {
    let mut world = with(World::signed_in(), &issued(2026, 2027));
    world.provider.otherwise = refuse(Reason::ClientCertificateRefused);
    world.settle();
    assert_eq!(world.refreshed_is().1, "ClientCertificateRefused");
    let shown = world.message(ConditionType::Refreshed);
    let remedy = "register tls.crt of Secret \"client\", or its CA, at the provider; retrying at ";
    assert!(shown.contains(remedy), "{shown}");
    assert!(!shown.contains("may have been consumed"), "{shown}");
    world.provider.otherwise = super::provider::issue(3600);
    put(&mut world, &issued(2026, 2028));
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn a_key_of_another_certificate_is_refused() {
    let (certificate, _) = issued(2026, 2027);
    let (_, key) = issued(2026, 2027);
    let mut world = with(World::new(), &(certificate, key));
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.refreshed_is().1, "ClientKeyInvalid");
}
