//! Provider objects: a change of one is what a change of the spec's own fields is.

mod away;
mod bundle;
mod discovered;
mod interval;
mod words;

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use super::{
    provider::refuse,
    world::{Costs, World},
};
use crate::{
    api::{ConditionType, ProviderStatus, Reason},
    reconcile::{FoundProvider, ProviderObject},
};

const URL: &str = "https://login.example.com/token";

fn object(spec: Value) -> FoundProvider {
    object_with(spec, Value::Null)
}

fn object_with(spec: Value, status: Value) -> FoundProvider {
    let spec = serde_json::from_value(spec).unwrap();
    let status: Option<ProviderStatus> = serde_json::from_value(status).unwrap();
    let object = ProviderObject::of_namespace(spec, &status.unwrap_or_default());
    FoundProvider::Present(object.map(Arc::new))
}

fn of_cluster(namespaces: &[&str]) -> FoundProvider {
    let spec = json!({"tokenURL": URL, "namespaces": namespaces});
    let spec = serde_json::from_value(spec).unwrap();
    FoundProvider::Present(
        ProviderObject::of_cluster(spec, &ProviderStatus::default()).map(Arc::new),
    )
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
