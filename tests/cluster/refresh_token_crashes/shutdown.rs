//! SIGTERM, a deleted object and a Secret that cannot be written: a response is stored before the process ends.

use serde_json::json;

use crate::{
    environment::{TokenServer, fingerprint},
    login::{Login, STATE},
    operator::eventually,
    place::told,
};

#[test]
fn sigterm_lets_a_refresh_finish_store_and_publish_its_token() {
    let place = Login::with(&[]);
    let mut operator = place.operator();
    let seed = place.begin();
    place.server.hold(true);
    place.request("slow");
    place.wait_for_refreshes(2);
    for times in 1..=2 {
        operator.terminate();
        eventually("SIGTERM is told", || {
            let log = operator.log();
            (log.matches("no new one begins").count() == times).then_some(())
        });
        assert_eq!(operator.get("/livez").0, 200);
    }
    assert_eq!(
        place.state().record["generation"],
        json!(1),
        "the answer is still to come"
    );
    place.server.hold(false);
    assert_eq!(operator.wait().code(), Some(0));
    place.assert_unbroken(&seed, 2);
    assert!(place.served("slow").is_some());
}

/// The same process still waits for the response to its request.
#[test]
fn a_credential_that_is_created_again_during_its_refresh_sends_no_token_twice() {
    let place = Login::with(&[]);
    let _operator = place.operator();
    let seed = place.begin();
    place.server.hold(true);
    place.request("slow");
    place.wait_for_refreshes(2);
    place.kubectl(&["delete", "cubecredential", "main"]);
    let mut again = place.main();
    again["metadata"]["annotations"] = json!({"cube-operator.dev/refresh-requested-at": "again"});
    place.apply(&again);
    place.wait_for("main", "it waits for that request", |status| {
        let told = told(status).join("\n");
        told.contains("is already sending the refresh token")
    });
    place.server.hold(false);
    eventually("its own request follows", || place.served("again"));
    place.assert_unbroken(&seed, 3);
}

#[test]
fn an_answer_that_the_api_server_refuses_is_kept_and_no_signal_ends_the_process_before_it_is_stored()
 {
    let place = Login::at(TokenServer::shared());
    let mut operator = place.operator();
    let seed = place.begin();
    let policy = format!("frozen-{}", place.namespace);
    let (kind, version) = (
        "ValidatingAdmissionPolicy",
        "admissionregistration.k8s.io/v1",
    );
    place.apply(&json!({
        "apiVersion": version, "kind": kind, "metadata": {"name": policy},
        "spec": {
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": place.namespace}},
                "resourceRules": [{
                    "apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["secrets"],
                }],
            },
            "matchConditions": [{"name": "state", "expression": format!("object.metadata.name == '{STATE}'")}],
            "validations": [{
                "expression": "object.data['refresh-token'] == oldObject.data['refresh-token']",
                "messageExpression": "'no new tokens, not ' + object.data['refresh-token']",
            }],
        },
    }));
    place.apply(&json!({
        "apiVersion": version, "kind": format!("{kind}Binding"), "metadata": {"name": policy},
        "spec": {"policyName": policy, "validationActions": ["Deny"]},
    }));
    eventually("the policy is in force", || {
        let probe = r#"{"stringData": {"refresh-token": "probe"}}"#;
        let patch = [
            "patch",
            "secret",
            STATE,
            "--dry-run=server",
            "--type=merge",
            "-p",
            probe,
        ];
        (!place.kubectl_works(&patch)).then_some(())
    });

    place.request("against the policy");
    let status = place.wait_until_refused("StateNotWritable");
    let message = &told(&status)[1];
    let scrubbed = "(it says: \"no new tokens, not ...\")";
    assert!(message.contains(scrubbed), "{message}");
    for times in 1..=2 {
        operator.terminate();
        eventually("SIGTERM is told", || {
            let log = operator.log();
            (log.matches("no new one begins").count() == times).then_some(())
        });
    }
    let tries = || {
        operator
            .log()
            .matches("failed to write the refresh token state")
            .count()
    };
    let before = tries();
    eventually("it is tried again", || (tries() > before).then_some(()));
    assert_eq!(operator.get("/livez"), (200, "ok\n".into()));
    place.kubectl(&["delete", &format!("{kind}Binding"), &policy]);
    assert_eq!(operator.wait().code(), Some(0));
    place.assert_unbroken(&seed, 2);
    assert!(place.served("against the policy").is_some());
    place.kubectl(&["delete", kind, &policy]);
}

#[test]
fn a_refresh_is_stored_although_its_object_was_deleted_meanwhile() {
    let place = Login::with(&[]);
    let operator = place.operator();
    let seed = place.begin();
    let retain = json!({"spec": {"target": {"deletionPolicy": "Retain"}}});
    place.patch("cubecredential", "main", &retain);
    eventually("nobody owns the state", || {
        let state = place.get("secret", STATE).unwrap();
        state["metadata"]["ownerReferences"].is_null().then_some(())
    });
    place.server.hold(true);
    place.request("the last one");
    place.wait_for_refreshes(2);
    place.kubectl(&["delete", "cubecredential", "main"]);
    place.server.hold(false);
    let issued = place.refreshes()[1].issued.clone();
    eventually("it is stored", || {
        (fingerprint(&place.state().refresh_token) == issued).then_some(())
    });
    let mut object = place.main();
    object["spec"]["target"] = retain["spec"]["target"].clone();
    place.apply(&object);
    place.wait_until_good();
    place.assert_unbroken(&seed, 2);
    drop(operator);
}
