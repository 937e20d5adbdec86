//! Changes that a token does not depend on, foreign Secrets and outages cost no exchange.

use cube_operator::api::ConditionType::Ready;
use serde_json::json;

use crate::{
    environment::{ControlPlane, TokenServer},
    operator::eventually,
    place::{Place, is},
};

use super::requests;

#[test]
fn nothing_that_a_token_does_not_depend_on_makes_an_exchange() {
    let place = Place::new();
    let operator = place.operator();
    place.ready_main();
    let token = place.token("main-token");
    let spec =
        |fields: serde_json::Value| place.patch("cubecredential", "main", &json!({"spec": fields}));
    place.apply(&json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "another"}, "data": {"ca.crt": place.server.ca_pem},
    }));
    let changes: [(&str, &dyn Fn()); 13] = [
        ("the description", &|| {
            spec(json!({"description": "for the treasury"}));
        }),
        ("refreshBefore", &|| spec(json!({"refreshBefore": "10m"}))),
        ("assumedLifetime", &|| {
            spec(json!({"assumedLifetime": "2h"}));
        }),
        ("maximumLifetime", &|| {
            spec(json!({"maximumLifetime": "10h"}));
        }),
        ("the target's labels", &|| {
            spec(json!({"target": {"labels": {"a": "b"}}}));
        }),
        ("the owner reference", &|| {
            spec(json!({"target": {"deletionPolicy": "Retain"}}));
        }),
        ("a label on the credential", &|| {
            drop(place.kubectl(&["label", "cubecredential", "main", "a=b"]));
        }),
        ("a label on the source", &|| {
            drop(place.kubectl(&["label", "secret", "client", "a=b"]));
        }),
        ("another key in the source", &|| {
            place.patch("secret", "client", &json!({"stringData": {"other": "x"}}));
        }),
        ("a foreign label on the target", &|| {
            drop(place.kubectl(&["label", "secret", "main-token", "c=d"]));
        }),
        ("the CA bundle, and another one", &|| {
            // Nobody watches the bundle of a credential that works.
            place.patch("configmap", "authority", &json!({"data": {"more": "x"}}));
            spec(json!({"caBundleRef": {"name": "another"}}));
        }),
        ("a wiped status", &|| {
            place.wipe_status("main");
        }),
        ("a forged status", &|| {
            let forged = json!({"expiresAt": "2020-01-01T00:00:00Z", "refreshAt": "2020-01-01T00:00:00Z",
                "issuedAt": null, "tokenFingerprint": "00000000"});
            place.patch_status("cubecredential", "main", &forged);
        }),
    ];
    for (what, change) in changes {
        place.after_reconcile(&operator, change);
        let fingerprint =
            |status: &cube_operator::api::CubeCredentialStatus| status.token_fingerprint.clone();
        let status = place.wait_for("main", what, |status| {
            is(status, Ready, "True", "Synced")
                && fingerprint(status).is_some_and(|found| found != "00000000")
        });
        assert!(status.refresh_at > status.issued_at, "{what}");
        assert_eq!(place.exchanges(), [200], "{what}");
        assert_eq!(place.token("main-token"), token, "{what}");
    }
    let target = place.get("secret", "main-token").unwrap();
    assert_eq!(target["metadata"]["labels"]["a"], "b");
    assert_eq!(
        target["metadata"]["ownerReferences"],
        serde_json::Value::Null
    );
}

#[test]
fn an_object_that_this_version_cannot_read_is_told_once() {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()));
    let place = Place::at(plane, TokenServer::shared());
    // A later version of the definition may have this provider.
    let provider =
        "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/provider/enum/-";
    let newer = json!([{"op": "add", "path": provider, "value": "Later"}]).to_string();
    let definition = "customresourcedefinition/cubecredentials.cube-operator.dev";
    plane.kubectl(&["patch", definition, "--type=json", "-p", &newer]);
    let operator = place.operator();
    place.apply(&place.source());
    let mut credential = place.credential("main");
    credential["spec"]["provider"] = json!("Later");
    eventually("the definition is served", || {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| place.apply(&credential))).ok()
    });
    eventually("it is told", || {
        place
            .kubectl(&["get", "cubecredential", "main", "-o", "yaml"])
            .contains("InvalidSpec")
            .then_some(())
    });
    let told = "patch cubecredentials/status main".to_owned();
    eventually("the log has it", || {
        requests(&place).contains(&told).then_some(())
    });
    let before = requests(&place).len();
    for label in ["a=b", "c=d"] {
        place.after_reconcile(&operator, || {
            place.kubectl(&["label", "cubecredential", "main", label]);
        });
    }
    let since = &requests(&place)[before..];
    assert!(
        !since.iter().any(|request| request.contains("status")),
        "{since:?}"
    );
}

#[test]
fn foreign_secrets_are_neither_read_nor_watched() {
    let place = Place::new();
    let foreign: Vec<_> = (0..100)
        .map(|number| {
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": format!("foreign-{number}")},
                "stringData": {"a": "b"}})
        })
        .collect();
    place.apply(&json!({"apiVersion": "v1", "kind": "List", "items": foreign}));
    let _operator = place.operator();
    place.ready_main();
    let user = place.account();
    for (verb, resource, name) in place.plane.requests_of(&user) {
        assert!(!name.starts_with("foreign"), "{verb} {resource} {name}");
    }
    let selectors = place.plane.queries_of(&user, "secrets");
    assert!(selectors.len() >= 2, "{selectors:?}");
    assert!(
        selectors
            .iter()
            .all(|query| query.contains("labelSelector=cube-operator.dev")),
        "{selectors:?}"
    );
}

#[test]
fn an_outage_of_the_api_server_and_the_lists_after_it_make_no_exchange() {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()));
    let place = Place::at(plane, TokenServer::shared());
    let _operator = place.operator();
    place.ready_main();
    plane.stop_api_server();
    plane.start_api_server();
    // The watches are back as soon as another credential is served.
    place.apply(&place.credential("sentinel"));
    place.wait_for("sentinel", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    assert_eq!(place.exchanges(), [200, 200]);
}
