//! A client with a private key: what its key is an input of, and what a new key changes.

use super::{
    provider::refuse,
    world::{World, seconds},
};
use crate::{
    api::{
        ClientAssertion, ClientAuthentication, ConditionStatus, ConditionType, Reason,
        SigningAlgorithm,
    },
    oauth::{assertion::Signer, authentication::Authentication, private_key::corpus::text},
    reconcile::{SourceCertificate, SourceKey, SourceValue},
};

/// The world with a client that has a key in place of a secret.
fn with_key(mut world: World, key: &str) -> World {
    world.spec.client_authentication = Some(ClientAuthentication::PrivateKeyJwt);
    put_key(&mut world, key);
    world
}

/// A credential of Cubewire whose token was issued with this key.
fn ready(key: &str) -> World {
    let mut world = with_key(World::new(), key);
    world.settle();
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    world.take_events();
    world
}

fn put_key(world: &mut World, key: &str) {
    world.edit_source(|source| {
        source.values.secret = SourceValue::Absent;
        source.values.key = SourceKey::of(Some(key.as_bytes()));
    });
}

/// The client of the last request.
fn sent(world: &World) -> &Signer {
    match world.sent_authentication() {
        Authentication::PrivateKeyJwt(signer) => signer,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_assertion_has_its_defaults_from_the_spec_and_the_key() {
    let world = ready(text!("rsa-jwk"));
    let signer = sent(&world);
    assert_eq!(signer.id, "client");
    assert_eq!(
        signer.audience,
        "https://api.cubewire.com/api/v1/oauth2/token"
    );
    assert_eq!(signer.key_id.as_deref(), Some("rsa-key"));
    assert_eq!(signer.algorithm, SigningAlgorithm::PS256);
    assert!(signer.certificate.is_none());

    let mut world = world;
    world.edit_spec(|spec| {
        spec.client_id = Some("named".into());
        spec.client_assertion = Some(Box::new(ClientAssertion {
            audience: Some("https://issuer.example/".into()),
            key_id: Some("k2".into()),
            algorithm: Some(SigningAlgorithm::RS256),
            service_account_name: None,
        }));
    });
    // The id in the Secret is not read any more.
    world.edit_source(|source| source.values.id = SourceValue::Absent);
    world.settle();
    let signer = sent(&world);
    assert_eq!(
        (signer.id.as_str(), signer.key_id.as_deref()),
        ("named", Some("k2"))
    );
    assert_eq!(signer.audience, "https://issuer.example/");
    assert_eq!(signer.algorithm, SigningAlgorithm::RS256);
}

#[test]
fn a_replaced_key_leaves_the_live_token_and_signs_the_next_refresh() {
    let mut world = ready(text!("p256-pkcs8"));
    let token = world.token().map(str::to_owned);
    let first = sent(&world).key.public().to_vec();
    put_key(&mut world, text!("p384-pkcs8"));
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.token(), token.as_deref());
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    // A new process does not take it for a change either.
    world.restart();
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    world.pass(seconds(3600));
    assert_ne!(world.token(), token.as_deref());
    assert_ne!(sent(&world).key.public(), first);
}

#[test]
fn a_replaced_key_is_tried_without_delay_after_the_client_was_refused() {
    let mut world = with_key(World::new(), text!("p256-pkcs8"));
    world.provider.otherwise = refuse(Reason::InvalidClient);
    world.settle();
    assert_eq!(world.refreshed_is().1, "InvalidClient");
    assert_eq!(
        world
            .message(ConditionType::Refreshed)
            .split("; retrying")
            .next(),
        Some(
            "token endpoint responded 401 invalid_client: register the public key of Secret \"cubewire-client\" at the provider, and \
             check client id and spec.clientAssertion"
        )
    );
    // The same key in another format is the same key.
    let failures = world.status.failures;
    world.edit_source(|_| {});
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.status.failures, failures);
    world.provider.otherwise = super::provider::issue(3600);
    put_key(&mut world, text!("p384-pkcs8"));
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert_eq!(world.ready_is().0, ConditionStatus::True);
}

#[test]
fn a_rejected_refresh_token_is_not_sent_again_because_of_another_key() {
    let mut world = with_key(World::signed_in(), text!("p256-pkcs8"));
    world.settle();
    assert_eq!(world.ready_is().0, ConditionStatus::True);
    world.provider.logins.revoke();
    world.request = Some("again".into());
    world.settle();
    assert_eq!(world.refreshed_is().1, "RefreshTokenRejected");
    put_key(&mut world, text!("p384-pkcs8"));
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.refreshed_is().1, "RefreshTokenRejected");
}

#[test]
fn a_change_from_a_secret_to_a_key_is_exchanged_and_back_to_it_is_none() {
    let mut world = World::ready();
    world.edit_spec(|spec| {
        spec.client_authentication = Some(ClientAuthentication::PrivateKeyJwt);
    });
    world.edit_source(|source| {
        source.values.key = SourceKey::of(Some(text!("ed25519").as_bytes()));
    });
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
}

#[test]
fn an_unusable_key_costs_no_request_and_its_flaw_is_named() {
    let expect = |key: Option<&str>, reason: &str, message: &str| {
        let mut world = with_key(World::new(), "");
        world.edit_source(|source| source.values.key = SourceKey::of(key.map(str::as_bytes)));
        assert_eq!(world.cost_of(World::settle).exchanges, 0);
        assert_eq!(
            world.refreshed_is(),
            (ConditionStatus::False, reason.into())
        );
        assert_eq!(world.message(ConditionType::Refreshed), message);
        // It does not end a live token, and a good key needs no further event.
        let mut world = ready(text!("ed25519"));
        world.edit_source(|source| source.values.key = SourceKey::of(key.map(str::as_bytes)));
        assert_eq!(world.cost_of(World::settle).exchanges, 0);
        assert_eq!(world.ready_is().0, ConditionStatus::True);
        assert_eq!(world.refreshed_is().1, reason);
    };
    expect(
        None,
        "ClientSecretKeyMissing",
        "Secret \"cubewire-client\" has no key \"private-key\": add it, or name the right key in spec.clientSecretRef",
    );
    let key = |what: &str| format!("key \"private-key\" of Secret \"cubewire-client\" {what}");
    for (text, message) in [
        (
            text!("p521"),
            "is an elliptic curve key on another curve than P-256 and P-384: create one of RSA 2048, P-256, P-384 or Ed25519, and \
             register it at the provider",
        ),
        (
            text!("encrypted-pkcs8"),
            "is a private key with a passphrase: write it without the passphrase: `openssl pkey -in KEY.pem`",
        ),
        (
            "s3cret",
            "is neither a PEM private key nor a JWK: write the private key that is registered at the provider, as PEM or JWK",
        ),
    ] {
        expect(Some(text), "ClientKeyInvalid", &key(message));
    }
}

#[test]
fn an_algorithm_of_another_key_is_refused() {
    let mut world = with_key(World::new(), text!("ed25519"));
    world.spec.client_assertion = Some(Box::new(ClientAssertion {
        algorithm: Some(SigningAlgorithm::RS256),
        ..ClientAssertion::default()
    }));
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(
        world.message(ConditionType::Refreshed),
        "key \"private-key\" of Secret \"cubewire-client\" holds a key (Ed25519) that cannot sign with RS256: correct \
         spec.clientAssertion.algorithm, or remove it"
    );
}

#[test]
fn a_certificate_must_be_the_keys_own() {
    for (certificate, message) in [
        (
            None,
            "Secret \"cubewire-client\" has no key \"tls.crt\": add it, or name the right key in spec.clientSecretRef",
        ),
        (
            Some("s3cret"),
            "key \"tls.crt\" of Secret \"cubewire-client\" has no PEM certificate that can be read: write the PEM certificate of the \
             private key",
        ),
        (
            Some(text!("certificate")),
            "key \"tls.crt\" of Secret \"cubewire-client\" has the certificate of another private key: write the certificate of the \
             private key that stands beside it",
        ),
    ] {
        let mut world = with_key(World::new(), text!("p256-jwk"));
        let source = world.spec.client_secret_ref.as_mut().unwrap();
        source.certificate_key = Some("tls.crt".into());
        world.edit_source(|source| {
            source.values.certificate = SourceCertificate::of(certificate.map(str::as_bytes));
        });
        assert_eq!(world.cost_of(World::settle).exchanges, 0);
        assert_eq!(world.message(ConditionType::Refreshed), message);
        // Its own is sent as a thumbprint.
        put_key(&mut world, text!("p256-pkcs8"));
        world.edit_source(|source| {
            let own = text!("certificate").as_bytes();
            source.values.certificate = SourceCertificate::of(Some(own));
        });
        assert_eq!(world.cost_of(World::settle).exchanges, 1);
        assert!(sent(&world).certificate.is_some());
    }
}

#[test]
fn a_slow_response_is_no_wrong_clock() {
    let mut world = with_key(World::new(), text!("ed25519"));
    world.provider.otherwise = refuse(Reason::InvalidClient);
    world.provider.refusal_ahead = Some(-20);
    world.provider.latency = 20;
    world.settle();
    let shown = world.message(ConditionType::Refreshed);
    assert!(!shown.contains("clock"), "{shown}");
}

#[test]
fn a_clock_that_no_assertion_suits_is_named() {
    for (ahead, message) in [
        (-5, None),
        (
            -6,
            Some("check the clocks, as the provider's is 6 s behind the operator's; else register"),
        ),
        (59, None),
        (
            60,
            Some(
                "check the clocks, as the provider's is 60 s ahead of the operator's; else register",
            ),
        ),
    ] {
        let mut world = with_key(World::new(), text!("ed25519"));
        world.provider.otherwise = refuse(Reason::InvalidClient);
        world.provider.refusal_ahead = Some(ahead);
        world.settle();
        let shown = world.message(ConditionType::Refreshed);
        assert_eq!(
            shown.contains("clock"),
            message.is_some(),
            "{ahead}: {shown}"
        );
        assert!(shown.contains(message.unwrap_or("register")), "{shown}");
        // A client secret knows no clock.
        let mut world = World::new();
        world.provider.otherwise = refuse(Reason::InvalidClient);
        world.provider.refusal_ahead = Some(ahead);
        world.settle();
        assert!(!world.message(ConditionType::Refreshed).contains("clock"));
    }
}

#[test]
fn a_private_key_in_the_place_of_another_value_is_not_sent() {
    for key in [text!("rsa-pkcs8"), text!("p256-jwk"), text!("openssh")] {
        let edits: [fn(&mut World, SourceValue); 2] = [
            |world, value| world.edit_source(|source| source.values.secret = value),
            |world, value| world.edit_source(|source| source.values.id = value),
        ];
        for edit in edits {
            let mut world = World::new();
            edit(&mut world, SourceValue::Text(key.into()));
            assert_eq!(world.cost_of(World::settle).exchanges, 0);
            assert_eq!(world.refreshed_is().1, "ClientSecretMalformed");
            let shown = world.message(ConditionType::Refreshed);
            assert!(
                shown.contains("is a private key, which must not be sent"),
                "{shown}"
            );
        }
        let mut world = World::signed_in();
        world.put_seed(SourceValue::Text(key.into()));
        assert_eq!(world.cost_of(World::settle).exchanges, 0);
    }
}
