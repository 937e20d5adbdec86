//! A client that exchanges an assertion which it signs itself: Google's service accounts, Salesforce.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use serde_json::json;

use super::{
    provider::{Response, issue, refuse},
    world::{World, seconds},
};
use crate::{
    api::{
        ClientAuthentication, ConditionStatus, ConditionType, CubeCredentialSpec, Grant,
        JwtBearerSpec, ProviderStatus, Reason, SigningAlgorithm,
    },
    oauth::{
        authentication::Authentication,
        grant::{Grant as Sent, JwtBearer},
        private_key::corpus::text,
    },
    reconcile::{
        Budget, FoundProvider, ProviderObject, Settings, SettingsError, SourceKey, SourceValue,
    },
};

const ROBOT: &str = "robot@example.iam.gserviceaccount.com";

/// The same world with this grant, and a Secret that has the private key alone.
fn with_key(mut world: World, key: &str) -> World {
    world.spec.grant = Grant::JwtBearer;
    world.spec.jwt_bearer = Some(Box::new(JwtBearerSpec {
        issuer: Some(ROBOT.into()),
        ..JwtBearerSpec::default()
    }));
    world.spec.scopes = vec!["write".into(), "read".into()];
    world.edit_source(|source| {
        source.values.id = SourceValue::Absent;
        source.values.secret = SourceValue::Absent;
    });
    put_key(&mut world, key);
    world
}

fn put_key(world: &mut World, key: &str) {
    world.edit_source(|source| source.values.key = SourceKey::of(Some(key.as_bytes())));
}

fn ready(key: &str) -> World {
    let mut world = with_key(World::new(), key);
    world.settle();
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    world
}

fn sent(world: &World) -> &JwtBearer {
    let last = world.provider.exchanges.last().unwrap();
    match &last.request.grant {
        Sent::JwtBearer(bearer) => bearer,
        other => panic!("{other:?}"),
    }
}

fn edit_bearer(world: &mut World, edit: impl FnOnce(&mut JwtBearerSpec)) {
    world.edit_spec(|spec| edit(spec.jwt_bearer.as_mut().unwrap()));
}

fn message(world: &World) -> String {
    let message = world.message(ConditionType::Refreshed);
    message.split("; retrying").next().unwrap().to_owned()
}

#[test]
fn the_issuer_is_the_client_and_nothing_else_is_needed() {
    let world = ready(text!("rsa-jwk"));
    let bearer = sent(&world);
    assert_eq!((bearer.issuer.as_str(), &bearer.subject), (ROBOT, &None));
    assert_eq!(
        bearer.audience,
        "https://api.cubewire.com/api/v1/oauth2/token"
    );
    assert_eq!(bearer.key_id.as_deref(), Some("rsa-key"));
    assert_eq!(bearer.algorithm, SigningAlgorithm::PS256);
    let request = &world.provider.exchanges[0].request;
    assert_eq!(request.scopes, ["read", "write"]);
    assert!(matches!(
        &request.authentication,
        Authentication::ByGrant { id } if id == ROBOT
    ));
    assert!(request.authorization().is_none());
}

#[test]
fn the_issuer_is_the_client_id_unless_the_spec_has_one() {
    let mut world = with_key(World::new(), text!("ed25519"));
    edit_bearer(&mut world, |bearer| bearer.issuer = None);
    world.edit_source(|source| source.values.id = SourceValue::Text("of the Secret".into()));
    world.settle();
    assert_eq!(sent(&world).issuer, "of the Secret");
    world.edit_spec(|spec| spec.client_id = Some("of the spec".into()));
    world.settle();
    assert_eq!(sent(&world).issuer, "of the spec");
    assert_eq!(world.provider.exchanges.len(), 2);
    edit_bearer(&mut world, |bearer| bearer.issuer = Some("another".into()));
    world.settle();
    assert_eq!(sent(&world).issuer, "another");
    assert_eq!(world.sent_authentication().client_id(), "another");
    assert_eq!(world.provider.exchanges.len(), 3);
}

#[test]
fn a_client_may_have_a_secret_besides() {
    let mut world = with_key(World::new(), text!("ed25519"));
    world.spec.client_authentication = Some(ClientAuthentication::Basic);
    world.spec.client_id = Some("client".into());
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.refreshed_is().1, "ClientSecretKeyMissing");
    world.edit_source(|source| source.values.secret = SourceValue::Text("S3CRET".into()));
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert!(matches!(
        world.sent_authentication(),
        Authentication::Basic(client) if client.id == "client"
    ));
    assert_eq!(sent(&world).issuer, ROBOT);
}

#[test]
fn each_claim_and_the_scopes_are_inputs_of_the_token_and_the_key_is_none() {
    let mut world = ready(text!("p256-pkcs8"));
    let edits: [fn(&mut CubeCredentialSpec); 4] = [
        |spec| spec.jwt_bearer.as_mut().unwrap().subject = Some("ada@example.com".into()),
        |spec| spec.jwt_bearer.as_mut().unwrap().audience = Some("https://other.example".into()),
        |spec| spec.jwt_bearer.as_mut().unwrap().issuer = Some("other".into()),
        |spec| spec.scopes.push("more".into()),
    ];
    for edit in edits {
        world.edit_spec(edit);
        assert_eq!(world.cost_of(World::settle).exchanges, 1);
    }
    assert_eq!(sent(&world).subject.as_deref(), Some("ada@example.com"));
    let token = world.token().map(str::to_owned);
    let before = sent(&world).key.public().to_vec();
    edit_bearer(&mut world, |bearer| bearer.key_id = Some("k2".into()));
    put_key(&mut world, text!("p384-pkcs8"));
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    // A new process does not take it for a change either.
    world.restart();
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.token(), token.as_deref());
    world.pass(seconds(3600));
    assert_ne!(world.token(), token.as_deref());
    assert_ne!(sent(&world).key.public(), before);
    assert_eq!(sent(&world).key_id.as_deref(), Some("k2"));
}

#[test]
fn a_refused_assertion_names_its_remedy_and_another_key_is_tried_without_delay() {
    for reason in [Reason::InvalidGrant, Reason::InvalidClient] {
        let mut world = with_key(World::new(), text!("p256-pkcs8"));
        world.provider.otherwise = refuse(reason);
        world.settle();
        assert_eq!(world.refreshed_is().1, format!("{reason:?}"));
        let shown = message(&world);
        assert!(
            shown.ends_with(
                ": register the public key of Secret \"cubewire-client\" at the provider, or correct spec.jwtBearer"
            ),
            "{shown}"
        );
        // The same key is not retried before its time.
        world.edit_source(|_| {});
        assert_eq!(world.cost_of(World::settle).exchanges, 0);
        world.provider.otherwise = issue(3600);
        put_key(&mut world, text!("p384-pkcs8"));
        assert_eq!(world.cost_of(World::settle).exchanges, 1);
        assert_eq!(world.ready_is().0, ConditionStatus::True);
    }
}

#[test]
fn a_clock_that_the_assertion_does_not_suit_is_named() {
    for (ahead, named) in [(-6, true), (-5, false), (59, false), (60, true)] {
        let mut world = with_key(World::new(), text!("ed25519"));
        world.provider.otherwise = refuse(Reason::InvalidGrant);
        world.provider.refusal_ahead = Some(ahead);
        world.settle();
        let shown = message(&world);
        assert_eq!(
            shown.contains("check the clocks"),
            named,
            "{ahead}: {shown}"
        );
    }
    // A grant without an assertion knows no clock.
    let mut world = World::new();
    world.provider.otherwise = refuse(Reason::InvalidGrant);
    world.provider.refusal_ahead = Some(600);
    world.settle();
    assert!(!message(&world).contains("clock"));
}

#[test]
fn a_missing_or_unusable_key_costs_no_request_and_ends_no_live_token() {
    let unusable: [(&[u8], &str); 2] = [
        (b"s3cret", "ClientKeyInvalid"),
        (text!("p521").as_bytes(), "ClientKeyInvalid"),
    ];
    let unusable = unusable.map(|(key, reason)| (Some(key), reason));
    for (key, reason) in unusable
        .into_iter()
        .chain([(None, "ClientSecretKeyMissing")])
    {
        let mut world = ready(text!("ed25519"));
        world.edit_source(|source| source.values.key = SourceKey::of(key));
        assert_eq!(world.cost_of(World::settle).exchanges, 0);
        assert_eq!(world.ready_is().0, ConditionStatus::True);
        assert_eq!(world.refreshed_is().1, reason);
    }
}

#[test]
fn no_assertion_is_made_for_a_host_that_the_owner_of_the_key_does_not_allow() {
    let mut world = with_key(World::new(), text!("ed25519"));
    world.edit_source(|source| source.token_hosts = Some("oauth2.example.com".into()));
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.refreshed_is().1, "HostNotAllowed");
    world.edit_source(|source| source.token_hosts = Some("api.cubewire.com".into()));
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
}

#[test]
fn a_field_of_another_grant_or_method_is_refused() {
    let refused = |edit: fn(&mut CubeCredentialSpec)| {
        let mut spec = with_key(World::new(), text!("ed25519")).spec;
        edit(&mut spec);
        Settings::read("treasury", "main", &spec).unwrap_err()
    };
    assert_eq!(
        refused(|spec| spec.grant = Grant::ClientCredentials),
        SettingsError::JwtBearerMismatch
    );
    for method in [
        ClientAuthentication::BasicEmptySecret,
        ClientAuthentication::PrivateKeyJwt,
        ClientAuthentication::MutualTls,
        ClientAuthentication::ServiceAccountToken,
    ] {
        let mut spec = with_key(World::new(), text!("ed25519")).spec;
        spec.client_authentication = Some(method);
        assert_eq!(
            Settings::read("treasury", "main", &spec).unwrap_err(),
            SettingsError::JwtBearerAuthentication
        );
    }
    assert_eq!(
        refused(|spec| spec.jwt_bearer.as_mut().unwrap().subject = Some(" ada".into())),
        SettingsError::Unprintable("jwtBearer.subject")
    );
    assert_eq!(
        refused(|spec| {
            let source = spec.client_secret_ref.as_mut().unwrap();
            source.certificate_key = Some("tls.crt".into());
        }),
        SettingsError::PrivateKeyMismatch("certificateKey")
    );
    assert_eq!(
        refused(|spec| {
            spec.refresh_token_ref = World::signed_in().spec.refresh_token_ref;
        }),
        SettingsError::RefreshTokenRefMismatch
    );
}

/// Credentials with these keys in one process, and with another client id each.
fn sharing_a_budget(keys: [&str; 2]) -> [World; 2] {
    let budget = Rc::new(RefCell::new(Budget::new(seconds(12), World::new().now)));
    ["one", "two"].map(|name| {
        let mut world = with_key(World::new(), keys[usize::from(name == "two")]);
        world.spec.client_id = Some(name.into());
        world.uid = name.into();
        world.process.budget = Rc::clone(&budget);
        world
    })
}

#[test]
fn the_budget_knows_the_client_by_its_issuer_whatever_client_id_is_in_the_spec() {
    let [mut first, mut second] = sharing_a_budget([text!("ed25519"); 2]);
    assert_eq!(first.cost_of(World::settle).exchanges, 1);
    assert_eq!(second.cost_of(World::settle).exchanges, 0);
    assert_eq!(second.refreshed_is().1, "RateBudget");
}

#[test]
fn a_pause_that_another_key_provokes_is_not_that_of_the_key_that_works() {
    let keys = [text!("ed25519"), text!("p256-pkcs8")];
    let [mut works, mut stranger] = sharing_a_budget(keys);
    assert_eq!(works.cost_of(World::settle).exchanges, 1);
    works.pass(seconds(60));
    stranger.now = works.now;
    stranger.provider.otherwise = Response::Refuse {
        reason: Reason::RateLimited,
        pause: Some(3600),
    };
    assert_eq!(stranger.cost_of(World::settle).exchanges, 1);
    works.request = Some("now".into());
    works.settle();
    assert_eq!(works.provider.exchanges.len(), 2, "{:?}", works.status);
}

#[test]
fn the_method_of_a_provider_object_is_for_its_other_grants() {
    let mut world = with_key(
        World::with(json!({
            "providerRef": {"name": "google"}, "clientSecretRef": {"name": "cubewire-client"},
        })),
        text!("ed25519"),
    );
    let spec =
        json!({"tokenURL": "https://login.example.com/token", "clientAuthentication": "Basic"});
    let spec = serde_json::from_value(spec).unwrap();
    let status = ProviderStatus::default();
    let object = ProviderObject::of_namespace(spec, &status).map(Arc::new);
    world.provider_object = FoundProvider::Present(object);
    world.settle();
    assert!(world.is_ready(), "{:?}", world.status);
    assert!(matches!(
        world.sent_authentication(),
        Authentication::ByGrant { .. }
    ));
}
