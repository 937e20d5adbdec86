//! The operator repairs immediately what people delete, edit or rotate.

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::json;

use crate::{
    environment::{ControlPlane, TokenServer},
    login::{Login, STATE},
    operator::eventually,
    place::{Place, is},
    scripted::{Authority, LOCAL, Provider, Reply, held},
};

const REPAIRED: &str = "Normal TargetRepaired: Secret \"main-token\" was deleted or edited by another client, and is restored";

fn repaired(place: &Place, times: usize) {
    let what = format!("repaired {times} times");
    // Repeats of an event are counted in one.
    eventually(&what, || {
        (place.event_count("main", "TargetRepaired") == times
            && place.get("secret", "main-token").is_some())
        .then_some(())
    });
    place.wait_for("main", &what, |status| is(status, Ready, "True", "Synced"));
    assert!(place.events("main").iter().any(|event| event == REPAIRED));
}

#[test]
fn an_immutable_target_is_told_with_the_command_that_frees_it() {
    let place = Place::new();
    let _operator = place.operator();
    let before = place.ready_main();
    place.patch("secret", "main-token", &json!({"immutable": true}));
    place.request("now");
    let told = place.wait_for("main", "it is refused", |status| {
        is(status, Refreshed, "False", "TargetNotWritable")
    });
    let message = &told.condition(Refreshed).unwrap().message;
    let namespace = &place.namespace;
    let start = format!(
        "Secret {namespace}/main-token is immutable and cannot hold another token: delete it; retrying at "
    );
    assert!(message.starts_with(&start), "{message}");
    assert!(message.len() <= 200 + 2 * namespace.len(), "{message}");
    assert_eq!(told.token_fingerprint, before.token_fingerprint);

    place.kubectl(&["delete", "secret", "main-token"]);
    place.wait_for("main", "the new token is there", |status| {
        is(status, Ready, "True", "Synced")
            && is(status, Refreshed, "True", "TokenIssued")
            && status.refresh_request.is_some()
    });
    assert_eq!(place.call_api("main-token"), 200);
    assert_eq!(place.exchanges(), [200, 200], "the token was kept");
}

#[test]
fn a_deleted_or_edited_target_is_repaired_at_once() {
    let place = Place::new();
    let _operator = place.operator();
    place.ready_main();

    place.kubectl(&["delete", "secret", "main-token"]);
    repaired(&place, 1);
    assert_eq!(place.call_api("main-token"), 200);
    assert_eq!(place.exchanges().len(), 2);

    place.patch(
        "secret",
        "main-token",
        &json!({"stringData": {"access-token": "edited"}}),
    );
    repaired(&place, 2);
    assert_eq!(place.call_api("main-token"), 200);
    assert_eq!(place.exchanges().len(), 3);

    place.kubectl(&[
        "annotate",
        "secret",
        "main-token",
        "--overwrite",
        "cube-operator.dev/expires-at=2099-01-01T00:00:00Z",
    ]);
    repaired(&place, 3);
    let expires_at = place.status("main").expires_at.unwrap().to_string();
    assert_eq!(place.value("main-token", "expires-at"), expires_at);
    assert_eq!(place.exchanges().len(), 4);

    // The token is still there, so the repair needs no token request.
    let token = place.token("main-token");
    place.kubectl(&[
        "label",
        "secret",
        "main-token",
        "cube-operator.dev/managed-",
    ]);
    repaired(&place, 4);
    place.patch(
        "secret",
        "main-token",
        &json!({"metadata": {"ownerReferences": null}}),
    );
    repaired(&place, 5);
    assert_eq!(place.token("main-token"), token);
    assert_eq!(place.exchanges().len(), 4);
}

#[test]
fn a_rotated_client_secret_is_proven_when_it_is_put_in_place() {
    let place = Place::new();
    let _operator = place.operator();
    let before = place.ready_main();
    place.server.set_secret(&place.namespace, "rotated");
    place.patch(
        "secret",
        "client",
        &json!({"stringData": {"client-secret": "rotated"}}),
    );
    place.wait_for("main", "a new token", |status| {
        status.token_fingerprint != before.token_fingerprint && is(status, Ready, "True", "Synced")
    });
    assert_eq!(place.exchanges(), [200, 200]);
    assert_eq!(place.call_api("main-token"), 200);
}

#[test]
fn a_token_that_could_not_be_published_is_published_later_and_not_asked_for_again() {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()));
    let place = Place::at(plane, TokenServer::shared());
    let authority = Authority::new("scripted");
    let (release, script) = held(Reply::token("the-only-one"));
    let provider = Provider::start(&authority.certificate(&LOCAL), script);
    place.apply(&place.source());
    place.trust("scripted", &authority);
    let operator = place.operator();
    place.apply(&place.credential_at("main", &provider.url("/"), "scripted"));
    eventually("the token is asked for", || {
        (provider.requests().len() == 1).then_some(())
    });
    plane.stop_api_server();
    drop(release);
    operator.wait_for_log("failed to write Secret");
    plane.start_api_server();
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    assert_eq!(place.token("main-token"), "the-only-one");
    assert_eq!(provider.requests().len(), 1);
}

#[test]
fn a_target_that_the_api_server_refuses_is_told_and_published_without_another_exchange() {
    let place = Place::new();
    place.apply(&place.source());
    place.apply(&json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": {"name": "few"}, "spec": {"hard": {"count/secrets": "1"}},
    }));
    eventually("the quota counts", || {
        place
            .get("resourcequota", "few")
            .filter(|quota| quota["status"]["used"]["count/secrets"] == "1")
    });
    let _operator = place.operator();
    place.apply(&place.credential("main"));
    let status = place.wait_for("main", "TargetNotWritable", |status| {
        is(status, Ready, "False", "TargetNotWritable")
    });
    let message = &status.condition(Refreshed).unwrap().message;
    let start = format!(
        "writing Secret {}/main-token exceeds ResourceQuota \"few\" (count/secrets=1): raise it, or delete unused Secrets; \
         retrying at ",
        place.namespace
    );
    assert!(message.starts_with(&start), "{message}");
    place.kubectl(&["delete", "resourcequota", "few"]);
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    assert_eq!(place.exchanges(), [200]);
}

/// A policy of this namespace that takes this annotation off every Secret.
fn take_off(place: &Place, mark: &str) {
    let policy = &place.namespace;
    let removes = format!(
        "[JSONPatch{{op: 'remove', path: '/metadata/annotations/' + jsonpatch.escapeKey('{mark}')}}]"
    );
    place.apply(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy", "metadata": {"name": policy},
        "spec": {
            "matchConstraints": {"resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["secrets"]}]},
            "matchConditions": [
                {"name": "here", "expression": format!("object.metadata.namespace == '{policy}'")},
                {"name": "marked",
                    "expression": format!("has(object.metadata.annotations) && '{mark}' in object.metadata.annotations")}],
            "failurePolicy": "Fail", "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": removes}}],
        },
    }));
    place.apply(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": policy}, "spec": {"policyName": policy},
    }));
    // The API server follows a moment later.
    let marked = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "marked", "annotations": {mark: "x"}},
    });
    eventually("the policy holds", || {
        place.apply(&marked);
        let found = place.get("secret", "marked").unwrap();
        found["metadata"]["annotations"][mark]
            .is_null()
            .then_some(())
    });
}

fn take_off_no_more(place: &Place) {
    for kind in ["mutatingadmissionpolicybinding", "mutatingadmissionpolicy"] {
        place.kubectl(&["delete", kind, &place.namespace]);
    }
}

#[test]
fn a_policy_that_takes_marks_off_the_state_is_told_before_a_refresh_token_is_sent() {
    let place = Login::at(TokenServer::shared());
    take_off(&place, "cube-operator.dev/written-to");
    let seed = place.sign_in();
    place.apply(&place.client());
    place.apply(&place.seed(&seed));
    let _operator = place.operator();
    place.apply(&place.main());
    let status = place.wait_until_refused("StateNotWritable");
    let message = &status.condition(Refreshed).unwrap().message;
    let what = format!(
        "an admission webhook or policy removes cube-operator.dev/written-to from Secret {}/{STATE}",
        place.namespace
    );
    assert!(message.starts_with(&what), "{message}");
    assert!(place.refreshes().is_empty());
    take_off_no_more(&place);
    place.wait_until_good();
    assert_eq!(place.refreshes().len(), 1);
}

#[test]
fn a_policy_that_takes_marks_off_the_target_costs_one_exchange_and_is_told() {
    let place = Place::new();
    take_off(&place, "cube-operator.dev/content-hash");
    place.apply(&place.source());
    let _operator = place.operator();
    place.apply(&place.credential("main"));
    let status = place.wait_for("main", "TargetNotWritable", |status| {
        is(status, Ready, "False", "TargetNotWritable")
    });
    let message = &status.condition(Refreshed).unwrap().message;
    let what = format!(
        "an admission webhook or policy removes cube-operator.dev/content-hash from Secret {}/main-token",
        place.namespace
    );
    assert!(message.starts_with(&what), "{message}");
    take_off_no_more(&place);
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    assert_eq!(place.exchanges(), [200]);
}
