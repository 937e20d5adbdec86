//! The CA certificates of a provider object: which are trusted, and whether the system's are too.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    super::{provider::refuse, world::World},
    URL, certificate, object,
};
use crate::{
    api::{ConditionStatus, ConditionType, ProviderStatus, Reason, SystemRoots},
    reconcile::{BundleFlaw, ConfigMapPlace, FoundProvider, ProviderObject, read_bundle},
};

fn named(system_roots: &str) -> Arc<ProviderObject> {
    let spec = json!({
        "tokenURL": URL, "namespaces": ["*"], "caBundleRef": {"name": "roots"}, "systemRoots": system_roots,
    });
    let spec = serde_json::from_value(spec).unwrap();
    Arc::new(ProviderObject::of_cluster(spec, &ProviderStatus::default()).unwrap())
}

fn place() -> ConfigMapPlace {
    ConfigMapPlace {
        namespace: "cube-system".into(),
        name: "roots".into(),
    }
}

/// The object with this text in its ConfigMap.
fn with(object: &ProviderObject, pem: &str) -> FoundProvider {
    let read = read_bundle(place(), "ca.crt", Some(pem.as_bytes())).unwrap();
    FoundProvider::Present(Ok(Arc::new(object.with_bundle(&read))))
}

fn world(found: FoundProvider) -> World {
    let mut world = World::named(found);
    let reference = json!({"kind": "ClusterCubeProvider", "name": "okta"});
    world.edit_spec(|spec| spec.provider_ref = serde_json::from_value(reference).unwrap());
    world.edit_source(|source| source.token_ca = Some("ClusterCubeProvider/okta".into()));
    world
}

#[test]
fn nothing_is_sent_and_nothing_is_said_before_the_config_map_was_read() {
    let object = named("Keep");
    let mut world = world(FoundProvider::Present(Ok(Arc::clone(&object))));
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.publishes), (0, 0));
    assert_eq!(world.status.conditions.len(), 0, "{:?}", world.status);
    world.provider_object = with(&object, &certificate());
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    assert!(world.is_ready());
    // Neither does a restart change anything of a published token.
    let status = world.status.clone();
    world.restart();
    world.provider_object = FoundProvider::Present(Ok(Arc::clone(&object)));
    let costs = world.cost_of(World::settle);
    assert_eq!((costs.exchanges, costs.publishes, costs.deletes), (0, 0, 0));
    assert_eq!(world.status, status);
    world.provider_object = with(&object, &certificate());
    assert_eq!(
        world.cost_of(World::settle).exchanges,
        0,
        "other CAs, same token"
    );
}

/// The system's CA certificates do not stand in for those that nobody has read.
#[cfg(feature = "plugin")]
#[test]
fn an_object_whose_config_map_a_person_has_not_read_is_used_for_no_request() {
    let found = FoundProvider::Present(Ok(named("Keep"))).without_bundle();
    let mut world = world(found);
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.refreshed_is().1, "ProviderNotReady");
}

#[test]
fn a_config_map_that_gives_no_certificates_costs_no_token_and_the_message_names_it() {
    let object = named("Keep");
    let mut world = world(with(&object, &certificate()));
    world.settle();
    let token = world.token().map(str::to_owned);
    let flaw = BundleFlaw::Absent(place());
    world.provider_object = FoundProvider::Present(Err(flaw.into()));
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.ready_is(), (ConditionStatus::True, "Synced".into()));
    assert_eq!(world.refreshed_is().1, "ProviderNotReady");
    assert_eq!(
        world.message(ConditionType::Refreshed),
        "ClusterCubeProvider \"okta\" cannot be used: ConfigMap cube-system/roots of its caBundleRef does not exist: its condition \
         Ready says what to do"
    );
    world.provider_object = with(&object, &certificate());
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    assert_eq!(world.refreshed_is().0, ConditionStatus::True);
    assert_eq!(world.token(), token.as_deref());
}

#[test]
fn the_owner_of_a_secret_consents_to_the_certificates_of_a_config_map_as_to_those_in_the_spec() {
    let object = named("Keep");
    let mut world = world(with(&object, &certificate()));
    world.edit_source(|source| {
        source.token_hosts = Some("login.example.com".into());
        source.token_ca = Some("ConfigMap/roots".into());
    });
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
    let message = world.message(ConditionType::Refreshed);
    assert!(
        message.ends_with("cube-operator.dev/token-ca=ClusterCubeProvider/okta`"),
        "{message}"
    );
}

/// The system's roots, as the last request used them.
fn roots(world: &World) -> Option<SystemRoots> {
    let last = world.provider.exchanges.last()?;
    let trusted = last.request.ca_bundle.as_ref()?;
    Some(trusted.system_roots)
}

#[test]
fn with_replace_only_the_named_certificates_are_trusted_wherever_they_are() {
    for (system_roots, expected) in [
        ("Keep", SystemRoots::Keep),
        ("Replace", SystemRoots::Replace),
    ] {
        let mut from_map = world(with(&named(system_roots), &certificate()));
        from_map.settle();
        assert_eq!(roots(&from_map), Some(expected));
        let spec = json!({"tokenURL": URL, "caBundle": certificate(), "systemRoots": system_roots});
        let mut inline = World::named(object(spec));
        inline.edit_source(|source| source.token_ca = Some("CubeProvider/okta".into()));
        inline.settle();
        assert_eq!(roots(&inline), Some(expected));
    }
}

#[test]
fn a_failure_is_retried_after_a_change_of_what_is_trusted() {
    let (object, pem) = (named("Keep"), certificate());
    let mut world = world(with(&object, &pem));
    world.provider.otherwise = refuse(Reason::TLSUntrusted);
    world.settle();
    world.provider_object = with(&object, &pem);
    assert_eq!(world.cost_of(World::settle).exchanges, 0, "the same");
    world.provider_object = with(&named("Replace"), &pem);
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    world.provider_object = with(&named("Replace"), &certificate());
    assert_eq!(world.cost_of(World::settle).exchanges, 1);
    // A new process knows which ones have failed.
    world.restart();
    assert_eq!(world.cost_of(World::settle).exchanges, 0);
}

#[test]
fn the_metadata_of_an_issuer_is_trusted_with_the_same_certificates() {
    let spec = |field: &str, value: Value| {
        let mut spec = json!({
            "issuer": "https://login.example.com", "namespaces": ["*"], "systemRoots": "Replace",
        });
        spec[field] = value;
        let spec = serde_json::from_value(spec).unwrap();
        ProviderObject::of_cluster(spec, &ProviderStatus::default()).unwrap()
    };
    let inline = spec("caBundle", json!(certificate()));
    let named = spec("caBundleRef", json!({"name": "roots"}));
    let read = read_bundle(place(), "ca.crt", Some(certificate().as_bytes())).unwrap();
    for object in [inline, named.with_bundle(&read)] {
        let trusted = object.discovery().unwrap().trusted().unwrap();
        assert_eq!(trusted.system_roots, SystemRoots::Replace);
    }
}

#[test]
fn two_bundles_and_a_replacement_by_nothing_are_refused() {
    for (spec, why) in [
        (
            json!({"caBundle": certificate(), "caBundleRef": {"name": "roots"}}),
            "its caBundle and its caBundleRef are two places for the same certificates",
        ),
        (
            json!({"systemRoots": "Replace"}),
            "its systemRoots is Replace, and it names no certificates that are trusted instead",
        ),
    ] {
        let mut spec = spec;
        spec["tokenURL"] = json!(URL);
        spec["namespaces"] = json!(["*"]);
        let spec = serde_json::from_value(spec).unwrap();
        let read = ProviderObject::of_cluster(spec, &ProviderStatus::default());
        assert_eq!(read.unwrap_err().to_string(), why);
    }
}
