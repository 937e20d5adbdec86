//! Provider objects: a change of one is what a change of the spec's own fields is, and one that cannot be used costs no token.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use super::{
    provider::refuse,
    world::{Costs, World, seconds},
};
use crate::{
    api::{ConditionStatus, ConditionType, Reason},
    reconcile::{FoundProvider, ProviderObject},
};

const URL: &str = "https://login.example.com/token";

fn object(spec: Value) -> FoundProvider {
    let spec = serde_json::from_value(spec).unwrap();
    FoundProvider::Present(ProviderObject::of_namespace(spec).map(Arc::new))
}

fn of_cluster(namespaces: &[&str]) -> FoundProvider {
    let spec = json!({"tokenURL": URL, "namespaces": namespaces});
    let spec = serde_json::from_value(spec).unwrap();
    FoundProvider::Present(ProviderObject::of_cluster(spec).map(Arc::new))
}

fn certificate() -> String {
    let key = KeyPair::generate().unwrap();
    CertificateParams::default()
        .self_signed(&key)
        .unwrap()
        .pem()
}

impl World {
    fn named(provider: FoundProvider) -> Self {
        let mut world = Self::with(json!({
            "providerRef": {"name": "okta"}, "clientSecretRef": {"name": "cubewire-client"},
        }));
        world.provider_object = provider;
        world
    }

    /// A credential with a published token of this provider.
    fn served(provider: FoundProvider) -> Self {
        let mut world = Self::named(provider);
        world.settle();
        assert!(world.is_ready(), "{:?}", world.status);
        world.events.clear();
        world
    }

    fn define(&mut self, spec: Value) {
        self.provider_object = object(spec);
    }
}

#[test]
fn a_credential_gets_its_token_where_the_provider_says_and_as_it_says() {
    let mut world = World::named(object(json!({
        "tokenURL": URL, "clientAuthentication": "Basic", "scopes": ["write", "read"],
        "parameters": {"audience": "a", "resource": "r"}, "assumedLifetime": "2h",
    })));
    world
        .spec
        .parameters
        .insert("audience".into(), "mine".into());
    world.provider.otherwise = super::provider::Response::Issue {
        lifetime: None,
        scopes: Vec::new(),
        narrowed: false,
        ahead: 0,
    };
    world.settle();
    let request = &world.provider.exchanges[0].request;
    assert_eq!(request.endpoint.url().as_str(), URL);
    assert_eq!(request.authentication.spec_name(), "Basic");
    assert_eq!(request.scopes, ["read", "write"]);
    let parameters: Vec<_> = request.parameters.iter().collect();
    let (audience, resource) = (("audience", "mine"), ("resource", "r"));
    let expected = [audience, resource].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert!(
        parameters
            .iter()
            .copied()
            .eq(expected.iter().map(|(name, value)| (name, value)))
    );
    let lifetime = world.status.expires_at.unwrap() - world.status.issued_at.unwrap();
    assert_eq!(lifetime.get_seconds(), 7200);
    // Its own fields win.
    world.edit_spec(|spec| {
        spec.scopes = vec!["own".into()];
        spec.assumed_lifetime = Some("3h".into());
    });
    world.settle();
    assert_eq!(world.provider.exchanges[1].request.scopes, ["own"]);
    let lifetime = world.status.expires_at.unwrap() - world.status.issued_at.unwrap();
    assert_eq!(lifetime.get_seconds(), 10800);
}

#[test]
fn a_move_from_a_url_to_a_provider_with_the_same_one_and_back_requests_no_token() {
    let mut world = World::with(json!({
        "provider": "Custom", "tokenURL": URL, "clientSecretRef": {"name": "cubewire-client"}, "scopes": ["read"],
    }));
    world.settle();
    let own = world.spec.clone();
    world.provider_object = object(json!({"tokenURL": URL, "scopes": ["read"]}));
    world.edit_spec(|spec| {
        (spec.provider, spec.token_url) = (None, None);
        spec.scopes = Vec::new();
        spec.provider_ref = serde_json::from_value(json!({"name": "okta"})).unwrap();
    });
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert!(world.is_ready());
    world.restart();
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    world.edit_spec(|spec| *spec = own);
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert!(world.is_ready());
}

#[test]
fn each_field_that_a_token_depends_on_is_exchanged_once_and_no_other_costs_anything() {
    let plain = json!({"tokenURL": URL});
    for (field, value, exchanges) in [
        ("tokenURL", json!("https://elsewhere.example/token"), 1),
        ("clientAuthentication", json!("Basic"), 1),
        ("scopes", json!(["read"]), 1),
        ("parameters", json!({"audience": "a"}), 1),
        // The default, written down: it is looked at, and nothing has changed.
        ("clientAuthentication", json!("Body"), 0),
        ("description", json!("ask in #platform"), 0),
        ("assumedLifetime", json!("3h"), 0),
        (
            "authorizationURL",
            json!("https://login.example.com/authorize"),
            0,
        ),
        ("caBundle", json!(certificate()), 0),
    ] {
        let mut world = World::served(object(plain.clone()));
        let mut spec = plain.clone();
        spec[field] = value;
        world.define(spec);
        let costs = world.cost_of(World::settle);
        assert_eq!(costs.exchanges, exchanges, "{field}");
        assert!(world.is_ready(), "{field}: {:?}", world.status);
        if exchanges == 0 && field != "clientAuthentication" {
            assert_eq!(costs, Costs::default(), "{field}");
        }
        world.restart();
        assert_eq!(world.cost_of(World::settle).exchanges, 0, "{field}");
        assert_eq!(world.cost_of(World::settle), Costs::default(), "{field}");
    }
}

#[test]
fn a_provider_that_is_deleted_and_created_again_leaves_the_token_as_it_is() {
    let spec = json!({"tokenURL": URL, "scopes": ["read"]});
    let mut world = World::served(object(spec.clone()));
    let token = world.token().map(str::to_owned);
    world.provider_object = FoundProvider::Absent;
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.publishes, costs.deletes), (0, 0, 0));
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    assert_eq!(
        world.message(ConditionType::Refreshed),
        "CubeProvider \"okta\" not found: create it, or correct spec.providerRef"
    );
    // A restart changes nothing of that.
    world.restart();
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    world.define(spec);
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.refreshed_is().0, ConditionStatus::True);
    assert_eq!(world.token(), token.as_deref());
}

#[test]
fn without_its_provider_a_token_lives_to_its_end_and_no_request_is_made() {
    for (found, reason) in [
        (FoundProvider::Absent, Reason::ProviderNotFound),
        (FoundProvider::Unused, Reason::ProviderNotReady),
        (FoundProvider::Unwatched, Reason::ProviderNotReady),
        (
            object(json!({"tokenURL": "https://user@login.example.com"})),
            Reason::ProviderNotReady,
        ),
        (
            object(json!({"tokenURL": "https://a.example/?scope=a"})),
            Reason::ProviderNotReady,
        ),
        (
            object(json!({"tokenURL": URL, "caBundle": "none"})),
            Reason::ProviderNotReady,
        ),
        (
            object(json!({"tokenURL": URL, "parameters": {"client_id": "x"}})),
            Reason::ProviderNotReady,
        ),
        (
            of_cluster(&["payments", "treasur", "treasury-*", "*y"]),
            Reason::ProviderNotAllowed,
        ),
    ] {
        let mut world = World::served(object(json!({"tokenURL": URL})));
        world.provider_object = found;
        world.request = Some("now".into());
        world.settle();
        assert_eq!(
            world.refreshed_is(),
            (ConditionStatus::False, reason.to_string())
        );
        assert!(world.is_ready(), "{reason}");
        world.pass(seconds(7200));
        assert_eq!(
            world.ready_is(),
            (ConditionStatus::False, reason.to_string())
        );
        assert_eq!(world.provider.exchanges.len(), 1, "{reason}");
        assert!(world.token().is_some(), "it is not deleted");
        world.define(json!({"tokenURL": URL}));
        world.settle();
        assert!(world.is_ready(), "{reason}");
    }
}

#[test]
fn a_cluster_provider_serves_the_namespaces_that_it_names() {
    for namespaces in [
        &["*"][..],
        &["payments", "treasury"],
        &["trea*"],
        &["treasury*"],
    ] {
        World::served(of_cluster(namespaces));
    }
}

#[test]
fn a_process_that_does_not_know_the_providers_yet_says_and_does_nothing() {
    let mut world = World::served(object(json!({"tokenURL": URL})));
    world.restart();
    let known = std::mem::replace(&mut world.provider_object, FoundProvider::Unlisted);
    world.request = Some("now".into());
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert!(world.is_ready());
    assert_eq!(world.events, []);
    world.provider_object = known;
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    // A new object has no status before it is known.
    let mut world = World::named(FoundProvider::Unlisted);
    world.settle();
    assert_eq!(world.status, crate::api::CubeCredentialStatus::default());
}

#[test]
fn a_provider_that_is_corrected_ends_the_delay_after_a_failure() {
    let plain = json!({"tokenURL": URL});
    let mut corrected = plain.clone();
    corrected["clientAuthentication"] = json!("Basic");
    let mut world = World::named(object(plain.clone()));
    world.provider.script = [refuse(Reason::InvalidClient)].into();
    world.settle();
    assert!(!world.is_ready());
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    world.define(corrected);
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert!(world.is_ready());
    // So does another CA, and no other field does.
    let mut world = World::named(object(plain.clone()));
    world.provider.script = [refuse(Reason::TLSUntrusted)].into();
    world.settle();
    let mut other = plain;
    other["description"] = json!("ask in #platform");
    world.define(other.clone());
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    other["caBundle"] = json!(certificate());
    world.define(other);
    world.edit_source(|source| source.token_ca = Some("CubeProvider/okta".into()));
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert!(world.is_ready());
}

#[test]
fn the_author_of_a_provider_cannot_send_a_client_to_another_host_or_past_another_ca() {
    let mut world = World::named(object(
        json!({"tokenURL": "https://attacker.example/token"}),
    ));
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 0);
    assert_eq!(
        world.message(ConditionType::Refreshed),
        "Secret \"cubewire-client\" must not be sent to attacker.example: correct tokenURL of CubeProvider \"okta\", or ask its \
         owner to add that host to annotation cube-operator.dev/token-hosts"
    );
    world.define(json!({"tokenURL": URL, "caBundle": certificate()}));
    world.settle();
    assert_eq!(world.provider.exchanges.len(), 0);
    assert_eq!(
        world.message(ConditionType::Refreshed),
        "Secret \"cubewire-client\" does not allow the CAs of CubeProvider \"okta\": its owner can run `kubectl annotate secret \
         cubewire-client -n treasury cube-operator.dev/token-ca=CubeProvider/okta`"
    );
    world.edit_source(|source| source.token_ca = Some("CubeProvider/okta".into()));
    world.settle();
    assert!(world.provider.exchanges[0].request.ca_bundle.is_some());
}

#[test]
fn a_refresh_token_is_neither_sent_elsewhere_nor_touched_while_its_provider_is_away() {
    let login = json!({"tokenURL": "https://login.example.com/token"});
    let mut world = World::with(json!({
        "providerRef": {"name": "okta"}, "clientSecretRef": {"name": "client"},
        "grant": "RefreshToken", "refreshTokenRef": {"name": "seed"},
    }));
    world.define(login.clone());
    world.sign_in();
    world.settle();
    let stored = world.stored_token().map(str::to_owned);
    assert!(stored.is_some());
    let all = [
        FoundProvider::Unlisted,
        FoundProvider::Absent,
        of_cluster(&["payments"]),
        object(json!({"tokenURL": "https://elsewhere.example/token"})),
    ];
    for (number, away) in all.into_iter().enumerate() {
        world.provider_object = away;
        world.request = Some(format!("request-{number}"));
        let costs = world.cost_of(World::settle);
        assert_eq!(
            (costs.exchanges, costs.stores),
            (0, 0),
            "{:?}",
            world.provider_object
        );
        world.restart();
        assert_eq!(world.cost_of(World::settle).exchanges, 0);
        assert_eq!(world.stored_token(), stored.as_deref());
    }
    assert!(
        world
            .message(ConditionType::Refreshed)
            .contains("set tokenURL of CubeProvider \"okta\" back")
    );
    world.define(login);
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert!(world.is_ready());
    assert_ne!(world.stored_token(), stored.as_deref());
}

#[test]
fn the_remedy_for_a_missing_client_says_who_gives_one() {
    let note =
        "Ask in #platform-identity for a client of this issuer, with the audience of your API";
    let mut world = World::named(object(json!({"tokenURL": URL, "description": note})));
    world.source = None;
    world.settle();
    let message = world.message(ConditionType::Refreshed);
    assert!(
        message.ends_with(
            "; about its provider: Ask in #platform-identity for a client of this issuer, with ..."
        ),
        "{message}"
    );
}

#[test]
fn a_spec_has_its_provider_from_one_place() {
    for (spec, message) in [
        (
            json!({}),
            "exactly one of spec.provider and spec.providerRef is required",
        ),
        (
            json!({"provider": "Cubewire", "providerRef": {"name": "okta"}}),
            "exactly one of spec.provider and spec.providerRef is required",
        ),
        (
            json!({"providerRef": {"name": "okta"}, "tokenURL": URL}),
            "spec.tokenURL comes from the provider that spec.providerRef names: remove it",
        ),
        (
            json!({"providerRef": {"name": "okta"}, "caBundleRef": {"name": "roots"}}),
            "spec.caBundleRef comes from the provider that spec.providerRef names: remove it",
        ),
    ] {
        let mut spec = spec;
        spec["clientSecretRef"] = json!({"name": "cubewire-client"});
        let mut world = World::with(spec);
        world.define(json!({"tokenURL": URL}));
        world.settle();
        assert_eq!(world.refreshed_is().1, "InvalidSpec");
        assert_eq!(world.message(ConditionType::Refreshed), message);
    }
}

#[test]
fn remedies_name_the_field_of_the_provider() {
    let mut world = World::named(object(json!({"tokenURL": URL})));
    world.provider.otherwise = refuse(Reason::EndpointNotFound);
    world.settle();
    let message = world.message(ConditionType::Refreshed);
    assert!(
        message.contains("correct the path in tokenURL of CubeProvider \"okta\""),
        "{message}"
    );
}
