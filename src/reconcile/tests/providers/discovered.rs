//! A provider object with an issuer: what its credentials do before, while and after its endpoints are known.

use super::{super::world::World, *};
use crate::{api::ConditionStatus, reconcile::Settings};

const ISSUER: &str = "https://login.example.com";

fn issuer(token: &str) -> FoundProvider {
    let endpoints = json!({"issuer": ISSUER, "tokenURL": token, "readAt": "2026-11-28T09:00:00Z"});
    object_with(json!({"issuer": ISSUER}), json!({"endpoints": endpoints}))
}

fn unknown(reason: &str) -> FoundProvider {
    let condition = json!({
        "type": "Ready", "status": "False", "reason": reason, "message": "", "observedGeneration": 1,
        "lastTransitionTime": "2026-11-28T09:00:00Z",
    });
    object_with(
        json!({"issuer": ISSUER}),
        json!({"conditions": [condition]}),
    )
}

#[test]
fn a_credential_waits_for_the_endpoints_and_follows_them() {
    let mut world = World::named(unknown("Discovering"));
    world.settle();
    assert_eq!(
        world.message(ConditionType::Refreshed),
        "the token endpoint of CubeProvider \"okta\" is not known yet: no action needed while its issuer's metadata is being read; \
         if this persists, see `cube-operator check` and its log"
    );
    world.provider_object = unknown("DiscoveryFailed");
    world.settle();
    assert_eq!(
        world.refreshed_is(),
        (ConditionStatus::False, Reason::ProviderNotReady.to_string())
    );
    assert_eq!(
        world.message(ConditionType::Refreshed),
        "the token endpoint of CubeProvider \"okta\" is not known, because the metadata of its issuer cannot be read or used: its \
         condition Ready says why, and what its author can do"
    );
    assert_eq!(world.provider.exchanges.len(), 0);
    world.provider_object = issuer(URL);
    world.settle();
    assert!(world.is_ready());
    assert_eq!(
        world.provider.exchanges[0].request.endpoint.url().as_str(),
        URL
    );
}

#[test]
fn a_published_token_stays_while_the_endpoints_are_unknown_and_costs_none_when_they_are_back() {
    let mut world = World::served(issuer(URL));
    for away in [unknown("Discovering"), unknown("DiscoveryFailed")] {
        world.provider_object = away;
        world.request = Some(format!("{:?}", world.provider_object));
        assert_eq!(world.cost_of(World::settle).exchanges, 0);
        assert!(world.is_ready());
    }
    world.request = None;
    world.restart();
    world.provider_object = issuer(URL);
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    // The same endpoint, found or written, is the same.
    world.provider_object = object(json!({"tokenURL": URL}));
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    world.provider_object = issuer("https://login.example.com/moved");
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
}

#[test]
fn an_endpoint_that_does_not_respond_as_one_is_suspected_if_the_metadata_named_it() {
    let written = object(json!({"tokenURL": URL}));
    for (provider, reason, suspected) in [
        (issuer(URL), Reason::EndpointNotFound, true),
        (issuer(URL), Reason::Redirected, true),
        (issuer(URL), Reason::Unreachable, true),
        (issuer(URL), Reason::InvalidClient, false),
        (issuer(URL), Reason::Unavailable, false),
        (issuer(URL), Reason::RateLimited, false),
        (written, Reason::EndpointNotFound, false),
    ] {
        let mut world = World::named(provider);
        world.provider.otherwise = refuse(reason);
        world.settle();
        assert_eq!(world.provider.exchanges.len(), 1);
        let expected: &[&str] = if suspected { &["okta"] } else { &[] };
        let outdated = world.process.outdated.iter();
        let names: Vec<_> = outdated.map(|provider| provider.name.as_str()).collect();
        assert_eq!(names, expected, "{reason:?}");
    }
}

#[test]
fn a_stored_refresh_token_does_not_follow_metadata_to_another_endpoint() {
    let mut world = World::with(json!({
        "providerRef": {"name": "okta"}, "clientSecretRef": {"name": "client"},
        "grant": "RefreshToken", "refreshTokenRef": {"name": "seed"},
    }));
    world.provider_object = issuer(URL);
    world.sign_in();
    world.settle();
    let stored = world.stored_token().map(str::to_owned);
    assert!(stored.is_some());
    world.provider_object = issuer("https://login.example.com/moved");
    world.request = Some("now".into());
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.stores), (0, 0));
    assert_eq!(world.stored_token(), stored.as_deref());
    let message = world.message(ConditionType::Refreshed);
    assert!(
        message.contains("the issuer's metadata names another endpoint now: sign in again"),
        "{message}"
    );
}

#[test]
fn an_endpoint_that_has_moved_is_no_reason_to_change_the_issuer() {
    for reason in [
        Reason::EndpointNotFound,
        Reason::Redirected,
        Reason::UnexpectedResponse,
    ] {
        let mut world = World::named(issuer(URL));
        world.provider.otherwise = refuse(reason);
        world.settle();
        let message = world.message(ConditionType::Refreshed);
        assert!(
            message.contains("the issuer's metadata is read again within a day; if it is wrong, set tokenURL in place of issuer in"),
            "{message}"
        );
        assert!(!message.contains("correct"), "{message}");
    }
}

#[test]
fn a_private_key_of_a_grant_is_there_while_the_endpoints_are_unknown() {
    let keys = |grant: &str| {
        let spec = json!({
            "providerRef": {"name": "okta"}, "grant": grant,
            "clientSecretRef": {"name": "client", "privateKeyKey": "google.pem"},
            "jwtBearer": {"audience": "https://login.example.com"},
        });
        let mut spec: serde_json::Map<_, _> = spec.as_object().unwrap().clone();
        if grant != "JWTBearer" {
            spec.remove("jwtBearer");
        }
        let spec = serde_json::from_value(spec.into()).unwrap();
        let settings = Settings::with_provider("treasury", "main", &spec, unknown("Discovering"));
        settings.unwrap().source.private_key_key
    };
    assert_eq!(keys("JWTBearer").as_deref(), Some("google.pem"));
    // It may belong to the provider's method.
    assert_eq!(keys("ClientCredentials"), None);
}

#[test]
fn a_host_that_the_owner_does_not_allow_gets_nothing_wherever_its_name_comes_from() {
    let mut world = World::named(issuer(URL));
    world.edit_source(|source| source.token_hosts = Some("elsewhere.example.com".into()));
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 0);
    assert!(
        world
            .message(ConditionType::Refreshed)
            .contains("issuer of CubeProvider \"okta\""),
        "{}",
        world.message(ConditionType::Refreshed)
    );
}
