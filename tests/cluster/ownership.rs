//! Whose a target is: no Secret of somebody else is ever written, read or deleted, and no two `CubeCredentials` share one.

use cube_operator::api::ConditionType::Ready;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::{
    operator::{Operator, eventually},
    place::{Place, is},
    scripted::{Authority, LOCAL, Provider, Reply},
};

/// A Secret by this name that has nothing to do with us.
fn foreign(name: &str, metadata: &Value) -> Value {
    let mut secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": name}, "stringData": {"access-token": "theirs", "password": "theirs too"},
    });
    for (field, value) in metadata.as_object().unwrap() {
        secret["metadata"][field] = value.clone();
    }
    secret
}

impl Place {
    /// Changes something about a `CubeCredential` that means nothing, so that it is looked at.
    fn touch(&self, name: &str) {
        self.patch(
            "cubecredential",
            name,
            &json!({"metadata": {"labels": {"touched": name}}}),
        );
    }

    fn wait_for_conflict(&self, name: &str) {
        self.wait_for_trouble(name, "TargetConflict");
    }

    fn wait_for_trouble(&self, name: &str, reason: &str) {
        self.wait_for(name, reason, |status| is(status, Ready, "False", reason));
    }

    fn wait_until_ready(&self, name: &str) {
        self.wait_for(name, "Ready", |status| is(status, Ready, "True", "Synced"));
    }

    fn uid(&self, kind: &str, name: &str) -> String {
        let object = self
            .get(kind, name)
            .unwrap_or_else(|| panic!("{kind} {name} exists"));
        object["metadata"]["uid"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_foreign_secret_is_never_written_read_or_deleted_and_no_token_is_requested_for_it() {
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
        // A mark is a uid. A living one is its owner's alone; a dead one is a predecessor's only with this name.
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
    assert_eq!(place.exchanges(), [200], "only that of main");

    // What goes with a CubeCredential is gone when the collector has come to it.
    place.kubectl(&["delete", "cubecredentials", "--all"]);
    eventually("the target of main is collected", || {
        place.get("secret", "main-token").is_none().then_some(())
    });
    for ((name, _), before) in cases.iter().zip(before) {
        let target = format!("{name}-token");
        assert_eq!(place.get("secret", &target), Some(before), "{name}");
        let given = place.kinds_given(&target);
        // The watch on its label has told enough about the managed one.
        assert_eq!(given.is_empty(), *name == "managed", "{name}: {given:?}");
        assert!(
            given.iter().all(|kind| kind == "PartialObjectMetadata"),
            "{name}: {given:?}"
        );
    }
}

impl Place {
    fn kinds_given(&self, secret: &str) -> Vec<String> {
        let user = format!("system:serviceaccount:{}:cube-operator", self.namespace);
        self.plane
            .kinds_of_secret_given_to(&user, &self.namespace, secret)
    }
}

#[test]
fn a_conflict_heals_when_the_foreign_secret_is_gone() {
    let place = Place::new();
    let _operator = place.operator();
    place.apply(&place.source());
    // One that a watch tells about, and one that is only looked at.
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
    assert!(place.exchanges().is_empty());
    place.kubectl(&["delete", "secret", "watched-token", "unwatched-token"]);
    place.wait_until_ready("watched");
    place.touch("unwatched");
    place.wait_until_ready("unwatched");
    assert_eq!(place.exchanges(), [200, 200]);
    eventually("it is told", || {
        (place.event_count("unwatched", "TokenIssued") == 1).then_some(())
    });
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
        // After the look, before the write.
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
fn of_two_credentials_with_one_target_the_older_owns_it_until_it_moves_away_or_is_deleted() {
    let place = Place::new();
    let _operator = place.operator();
    let sharing = |name: &str| {
        let mut object = place.credential(name);
        object["spec"]["target"]["name"] = json!("shared");
        object
    };
    place.apply(&place.source());
    place.apply(&sharing("older"));
    place.wait_until_ready("older");
    place.apply(&sharing("younger"));
    place.wait_for_trouble("younger", "TargetDuplicate");
    assert_eq!(place.exchanges(), [200], "none for the younger");

    place.patch(
        "cubecredential",
        "older",
        &json!({"spec": {"target": {"name": "moved"}}}),
    );
    place.wait_until_ready("younger");
    place.wait_until_ready("older");
    assert_eq!(
        place.exchanges(),
        [200, 200],
        "the older took its token along"
    );
    assert_ne!(place.token("moved"), place.token("shared"));
    let owner = |secret: &str| {
        let secret = place.get("secret", secret).unwrap();
        secret["metadata"]["annotations"]["cube-operator.dev/owner-uid"].clone()
    };
    assert_eq!(owner("shared"), place.uid("cubecredential", "younger"));
    assert_eq!(owner("moved"), place.uid("cubecredential", "older"));

    // Both again, and the one that has it goes.
    place.apply(&sharing("youngest"));
    place.wait_for_trouble("youngest", "TargetDuplicate");
    place.kubectl(&["delete", "cubecredential", "younger"]);
    place.wait_until_ready("youngest");
    assert_eq!(owner("shared"), place.uid("cubecredential", "youngest"));
    assert_eq!(place.exchanges(), [200, 200, 200]);
}

#[test]
fn of_two_credentials_created_in_the_same_second_the_first_by_name_owns_the_target() {
    let place = Place::new();
    place.apply(&place.source());
    let pair = ["b", "a"].map(|name| {
        let mut object = place.credential(name);
        object["spec"]["target"]["name"] = json!("shared");
        object
    });
    let pair = json!({"apiVersion": "v1", "kind": "List", "items": pair});
    eventually("both are created in one second", || {
        place.apply(&pair);
        let of = |name| {
            place.get("cubecredential", name).unwrap()["metadata"]["creationTimestamp"].clone()
        };
        if of("a") == of("b") {
            return Some(());
        }
        place.kubectl(&["delete", "cubecredentials", "a", "b"]);
        None
    });
    let _operator = place.operator();
    place.wait_until_ready("a");
    place.wait_for_trouble("b", "TargetDuplicate");
    assert_eq!(place.exchanges(), [200]);
}

/// A ready `CubeCredential` whose target stays, and an operator.
fn retained(place: &Place) -> (Operator, Value) {
    let mut object = place.credential("main");
    object["spec"]["target"]["deletionPolicy"] = json!("Retain");
    object["spec"]["scopes"] = json!(["read"]);
    place.apply(&place.source());
    place.apply(&object);
    let operator = place.operator();
    place.wait_until_ready("main");
    assert_eq!(
        place.get("secret", "main-token").unwrap()["metadata"]["ownerReferences"],
        Value::Null
    );
    (operator, object)
}

#[test]
fn a_predecessors_secret_is_adopted_with_its_token_if_its_inputs_fit() {
    let place = Place::new();
    let (_operator, object) = retained(&place);
    let token = place.token("main-token");
    let before = place.uid("secret", "main-token");

    place.kubectl(&["delete", "cubecredential", "main"]);
    assert_eq!(place.token("main-token"), token, "it stays");
    // A living object of another name is no heir.
    let mut other = place.credential("other");
    other["spec"]["target"]["name"] = json!("main-token");
    place.apply(&other);
    place.wait_for_conflict("other");
    place.kubectl(&["delete", "cubecredential", "other"]);

    place.apply(&object);
    place.wait_until_ready("main");
    assert_eq!(place.exchanges(), [200]);
    assert_eq!(place.token("main-token"), token);
    assert_eq!(place.uid("secret", "main-token"), before);
    let secret = place.get("secret", "main-token").unwrap();
    assert_eq!(
        secret["metadata"]["annotations"]["cube-operator.dev/owner-uid"],
        place.uid("cubecredential", "main")
    );
}

#[test]
fn a_predecessors_secret_is_overwritten_if_its_inputs_do_not_fit() {
    let place = Place::new();
    let (_operator, mut object) = retained(&place);
    let token = place.token("main-token");
    place.kubectl(&["delete", "cubecredential", "main"]);
    object["spec"]["scopes"] = json!(["write"]);
    place.apply(&object);
    place.wait_until_ready("main");
    assert_eq!(place.exchanges(), [200, 200]);
    assert_ne!(place.token("main-token"), token);
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

#[test]
fn an_older_credential_that_moves_onto_a_younger_ones_target_takes_it_over() {
    let place = Place::new();
    let _operator = place.operator();
    place.apply(&place.source());
    let ready =
        |name: &str| place.wait_for(name, "Ready", |status| is(status, Ready, "True", "Synced"));
    place.apply(&place.credential("b-older"));
    ready("b-older");
    // Ages are whole seconds: the names would decide within one, and the other way round.
    let created = |name: &str| {
        place.get("cubecredential", name).unwrap()["metadata"]["creationTimestamp"].clone()
    };
    let younger = eventually("a younger one", || {
        let mut younger = place.credential("a-younger");
        younger["spec"]["target"] = json!({"name": "shared"});
        place.apply(&younger);
        if created("a-younger") != created("b-older") {
            return Some(younger);
        }
        place.kubectl(&["delete", "cubecredential", "a-younger"]);
        None
    });
    drop(younger);
    ready("a-younger");
    place.patch(
        "cubecredential",
        "b-older",
        &json!({"spec": {"target": {"name": "shared"}}}),
    );
    place.wait_for_trouble("a-younger", "TargetDuplicate");
    eventually("the older one owns it", || {
        let shared = place.get("secret", "shared")?;
        let owner = &shared["metadata"]["annotations"]["cube-operator.dev/owner-name"];
        (owner == "b-older" && place.get("secret", "b-older-token").is_none()).then_some(())
    });
    ready("b-older");
}
