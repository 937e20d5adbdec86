//! A Secret of somebody else by the target's name.

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::{
    operator::eventually,
    place::Place,
    scripted::{Authority, LOCAL, Provider, Reply},
};

use super::foreign;

#[test]
fn a_foreign_secret_is_never_written_read_or_deleted_and_costs_one_token_at_most() {
    let place = Place::new();
    let _operator = place.operator();
    place.ready_main();
    let uid = place.uid("cubecredential", "main");
    let marked = |name: &str, uid: &str| {
        json!({"annotations": {
            "cube-operator.dev/owner-name": name, "cube-operator.dev/owner-uid": uid,
        }})
    };
    let cases = [
        ("plain", json!({})),
        (
            "managed",
            json!({"labels": {"cube-operator.dev/managed": "true"}}),
        ),
        (
            "consenting",
            json!({"labels": {"cube-operator.dev/credential": "true"}}),
        ),
        // The uid marks the owner. If that object exists, the Secret is its own; if not, only an object by the same name inherits it.
        (
            "named",
            json!({"annotations": {"cube-operator.dev/owner-name": "named"}}),
        ),
        ("living", marked("living", &uid)),
        (
            "dead",
            marked("another", "00000000-0000-4000-8000-000000000000"),
        ),
    ];
    let before: Vec<Value> = cases
        .iter()
        .map(|(name, metadata)| {
            let target = format!("{name}-token");
            place.apply(&foreign(&target, metadata));
            place.get("secret", &target).unwrap()
        })
        .collect();
    for (name, _) in &cases {
        place.apply(&place.credential(name));
    }
    for (name, _) in &cases {
        place.wait_for_conflict(name);
    }
    // That of main, and one for each that no watch shows: it is noticed when the target cannot be created.
    assert_eq!(place.exchanges(), [200; 6]);
    for (name, _) in &cases {
        place.touch(name);
    }
    for (name, _) in &cases {
        place.wait_for_conflict(name);
    }
    assert_eq!(place.exchanges(), [200; 6]);

    // When this target is gone, the garbage collector has also seen the others.
    place.kubectl(&["delete", "cubecredentials", "--all"]);
    eventually("the target of main is collected", || {
        place.get("secret", "main-token").is_none().then_some(())
    });
    for ((name, _), before) in cases.iter().zip(before) {
        let target = format!("{name}-token");
        assert_eq!(place.get("secret", &target), Some(before), "{name}");
        let given = place.kinds_given(&target);
        // The watch on its label has shown enough of the managed one.
        assert_eq!(given.is_empty(), *name == "managed", "{name}: {given:?}");
        assert!(
            given.iter().all(|kind| kind == "PartialObjectMetadata"),
            "{name}: {given:?}"
        );
    }
}

/// Pods of another owner may wait for the Secret of a certificate or a registry.
#[test]
fn templates_and_a_type_of_kubernetes_make_no_foreign_secret_a_target() {
    let place = Place::new();
    place.apply(&place.source());
    let mut theirs = foreign("main-token", &json!({}));
    theirs["type"] = json!("kubernetes.io/basic-auth");
    theirs["stringData"] = json!({"username": "theirs", "password": "theirs"});
    place.apply(&theirs);
    let before = place.get("secret", "main-token").unwrap();
    let mut object = place.credential("main");
    object["spec"]["target"] = json!({
        "type": "kubernetes.io/basic-auth",
        "data": {"username": "theirs", "password": "{{ access_token }}"},
    });
    place.apply(&object);
    let _operator = place.operator();
    place.wait_for_conflict("main");
    place.touch("main");
    place.wait_for_conflict("main");
    assert_eq!(place.get("secret", "main-token"), Some(before));
    assert_eq!(place.exchanges(), [200], "it is noticed at the write");
}

#[test]
fn a_conflict_heals_when_the_foreign_secret_is_gone() {
    let place = Place::new();
    let _operator = place.operator();
    place.apply(&place.source());
    // A watch covers the first one; the second one has to be read.
    for (name, labels) in [
        (
            "watched",
            json!({"labels": {"cube-operator.dev/managed": "true"}}),
        ),
        ("unwatched", json!({})),
    ] {
        place.apply(&foreign(&format!("{name}-token"), &labels));
        place.apply(&place.credential(name));
        place.wait_for_conflict(name);
    }
    assert_eq!(
        place.exchanges(),
        [200],
        "the unwatched one is noticed later"
    );
    place.kubectl(&["delete", "secret", "watched-token", "unwatched-token"]);
    place.wait_until_ready("watched");
    place.touch("unwatched");
    place.wait_until_ready("unwatched");
    assert_eq!(place.exchanges(), [200, 200], "no token was thrown away");
    place.wait_for_events("unwatched", &["TokenIssued"]);
    assert_eq!(place.event_count("unwatched", "TargetConflict"), 1);
}

#[test]
fn the_api_server_applies_resource_version_1_only_where_nothing_exists() {
    let place = Place::new();
    let (runtime, client) = place.plane.client();
    let api: Api<Secret> = Api::namespaced(client, &place.namespace);
    let apply = |value: &str| {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "pinned", "resourceVersion": "1"}, "stringData": {"key": value},
        });
        let parameters = PatchParams::apply("cube-operator").force();
        runtime.block_on(api.patch("pinned", &parameters, &Patch::Apply(secret)))
    };
    let created = apply("first").expect("it is created where nothing exists");
    let Err(kube::Error::Api(refusal)) = apply("second") else {
        panic!("an existing Secret was overwritten");
    };
    assert_eq!((refusal.code, refusal.reason.as_str()), (409, "Conflict"));
    assert_eq!(runtime.block_on(api.get("pinned")).unwrap(), created);
}

#[test]
fn a_foreign_secret_that_appears_while_the_token_is_requested_is_not_overwritten() {
    let place: &'static Place = Box::leak(Box::new(Place::new()));
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| {
        // This is after the operator has read it, and before it writes.
        place.apply(&foreign("main-token", &json!({})));
        Reply::token("asked-for-once")
    });
    let _operator = place.operator();
    place.apply(&place.source());
    place.trust("scripted", &authority);
    place.apply(&place.credential_at("main", &provider.url("/token"), "scripted"));

    place.wait_for_conflict("main");
    let secret = place.get("secret", "main-token").unwrap();
    assert_eq!(place.token("main-token"), "theirs");
    assert_eq!(secret["metadata"]["labels"], Value::Null);

    place.kubectl(&["delete", "secret", "main-token"]);
    place.touch("main");
    place.wait_until_ready("main");
    assert_eq!(place.token("main-token"), "asked-for-once");
    assert_eq!(provider.requests().len(), 1, "the token was kept");
}

#[test]
fn what_others_add_to_a_target_survives_a_refresh_and_nothing_needs_a_finalizer() {
    let place = Place::new();
    let operator = place.operator();
    let before = place.ready_main();
    let added = json!({
        "metadata": {"labels": {"team": "treasury"}, "annotations": {"example.com/note": "theirs"}},
        "data": {"extra": "dGhlaXJz"},
    });
    place.after_reconcile(&operator, || place.patch("secret", "main-token", &added));
    assert_eq!(place.exchanges(), [200], "an addition is no edit");

    place.patch(
        "cubecredential",
        "main",
        &json!({"metadata": {"annotations": {"cube-operator.dev/refresh-requested-at": "now"}}}),
    );
    place.wait_for("main", "a new token", |status| {
        status.token_fingerprint != before.token_fingerprint
    });
    assert_eq!(place.exchanges(), [200, 200]);
    let secret = place.get("secret", "main-token").unwrap();
    assert_eq!(
        secret["metadata"]["labels"],
        json!({"cube-operator.dev/managed": "true", "team": "treasury"})
    );
    assert_eq!(
        secret["metadata"]["annotations"]["example.com/note"],
        "theirs"
    );
    let keys: Vec<_> = secret["data"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["access-token", "expires-at", "extra", "token-type"]);
    assert_eq!(secret["data"]["extra"], "dGhlaXJz");
    let credential = place.get("cubecredential", "main").unwrap();
    for object in [&secret, &credential] {
        assert_eq!(object["metadata"]["finalizers"], Value::Null);
    }
}
