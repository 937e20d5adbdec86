//! The operator's `ServiceAccount` writes only Secrets that are the operator's.

use cube_operator::api::ConditionType::Ready;
use serde_json::{Value, json};

use crate::{
    environment::TokenServer,
    login::{Login, STATE},
    operator::eventually,
    place::{Place, is, manifest},
};

use super::Users;

const UNMARKED: &str = "the operator may write only Secrets with label cube-operator.dev/managed=true or cube-operator.dev/state=true";
const FOREIGN: &str = "the operator may change and delete only Secrets that it has written";
const TYPE: &str = "the operator may write no Secret of a kubernetes.io type but basic-auth, dockercfg, dockerconfigjson, ssh-auth and tls";

const UNOWNED: &str =
    "the operator may write only Secrets with annotation cube-operator.dev/owner-uid";

/// A Secret with all marks of a target.
fn marked(name: &str, r#type: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": r#type,
        "metadata": {
            "name": name, "labels": {"cube-operator.dev/managed": "true"},
            "annotations": {"cube-operator.dev/owner-uid": "any", "kubernetes.io/service-account.name": "default"},
        },
    })
}

#[test]
fn with_the_operators_account_nobody_makes_a_token_of_a_service_account_or_touches_foreign_secrets()
{
    let users = Users::new();
    let place = &users.place;
    let account = place.account();
    let refused = |arguments: &[&str], message: &str| {
        users.may_not(&account, arguments, "service-account", message);
    };
    for r#type in [
        "kubernetes.io/service-account-token",
        "bootstrap.kubernetes.io/token",
        "kubernetes.io/another",
        "a.kubernetes.io/tls",
    ] {
        let object = manifest(&marked("taken", r#type));
        refused(&["apply", "--server-side", "-f", &object], TYPE);
    }
    for (of, data) in [
        ("basic-auth", json!({"username": ""})),
        ("dockercfg", json!({".dockercfg": "{}"})),
        ("dockerconfigjson", json!({".dockerconfigjson": "{}"})),
        ("ssh-auth", json!({"ssh-privatekey": "x"})),
        ("tls", json!({"tls.crt": "", "tls.key": ""})),
    ] {
        let mut object = marked("taken", &format!("kubernetes.io/{of}"));
        object["stringData"] = data;
        let file = manifest(&object);
        let apply = ["apply", "--server-side", "--dry-run=server", "-f", &file];
        users.may(&account, &apply);
    }
    let mut unowned = marked("taken", "Opaque");
    unowned["metadata"]["annotations"] = json!({"theirs": "x"});
    let unowned = manifest(&unowned);
    refused(&["apply", "--server-side", "-f", &unowned], UNOWNED);
    let file = manifest(&marked("own", "Opaque"));
    let unmarked = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "foreign"}, "stringData": {"a": "b"}});
    let foreign = manifest(&unmarked);
    refused(&["create", "-f", &foreign], UNMARKED);
    users.may("owner", &["create", "-f", &foreign]);
    refused(
        &[
            "patch",
            "secret",
            "foreign",
            "-p",
            r#"{"stringData": {"a": "c"}}"#,
        ],
        UNMARKED,
    );
    let adopt = r#"{"metadata": {"labels": {"cube-operator.dev/managed": "true"}, "annotations": {"cube-operator.dev/owner-uid": "any"}}}"#;
    refused(&["patch", "secret", "foreign", "-p", adopt], FOREIGN);
    refused(&["delete", "secret", "foreign"], FOREIGN);

    let apply = ["apply", "--server-side", "--force-conflicts", "-f", &file];
    users.may(&account, &apply);
    // Somebody takes the label off: the operator puts it back.
    users.may(
        "owner",
        &["label", "secret", "own", "cube-operator.dev/managed-"],
    );
    users.may(&account, &apply);
    refused(
        &["label", "secret", "own", "cube-operator.dev/managed-"],
        UNMARKED,
    );
    users.may(&account, &["delete", "secret", "own"]);

    // The policy holds for no other account, not even for one of the same name.
    users.may("owner", &["delete", "secret", "foreign"]);
    users.place.kubectl(&[
        "create",
        "rolebinding",
        "same-name",
        "--clusterrole=edit",
        "--user=system:serviceaccount:other:cube-operator",
    ]);
    users.may(
        "system:serviceaccount:other:cube-operator",
        &["create", "-f", &foreign],
    );
}

#[test]
fn with_the_operators_account_nobody_logs_in_to_the_cluster_as_a_service_account() {
    const AUDIENCE: &str = "the operator may request tokens of ServiceAccounts only with one audience, which is not the API server's";
    const LIFETIME: &str =
        "the operator may request tokens of ServiceAccounts for ten minutes at most";
    const OWN: &str = "the operator may request no token of its own ServiceAccount";
    let users = Users::with("serviceAccountTokens=true");
    let account = users.place.account();
    let token = |of: &'static str, more: &[&'static str]| {
        let mut arguments = vec!["create", "token", of, "--duration", "10m"];
        arguments.extend(more);
        arguments
    };
    let refused = |arguments: &[&str], message: &str| {
        users.may_not(&account, arguments, "service-account-tokens", message);
    };
    for more in [
        &[][..],
        &["--audience", "https://kubernetes.default.svc"],
        &["--audience", "https://kubernetes.default.svc.cluster.local"],
        &["--audience", "kubernetes"],
        &[
            "--audience",
            "https://login.example.com",
            "--audience",
            "other",
        ],
    ] {
        refused(&token("default", more), AUDIENCE);
    }
    let good = ["--audience", "https://login.example.com"];
    refused(&token("cube-operator", &good), OWN);
    let mut long = token("default", &good);
    long[4] = "20m";
    refused(&long, LIFETIME);
    users.may(&account, &token("default", &good));
    // Others are not held by it.
    users.may("owner", &token("default", &[]));
}

/// Waits until the policy is in force in a place.
fn wait_for_policy(place: &Place) {
    let create = [
        "create",
        "secret",
        "generic",
        "probe",
        "--dry-run=server",
        "--as",
        &place.account(),
    ];
    eventually("the policy is in force", || {
        (!place.kubectl_works(&create)).then_some(())
    });
}

#[test]
fn the_policy_refuses_nothing_that_the_operator_does_with_targets() {
    let place = Place::new();
    wait_for_policy(&place);
    let operator = place.operator();
    place.ready_main();
    let whole = |name: &str, r#type: &str| {
        eventually("the target is whole", || {
            let secret = place.get("secret", name)?;
            let labelled = secret["metadata"]["labels"]["cube-operator.dev/managed"] == "true";
            (labelled && secret["type"] == r#type).then_some(())
        });
    };
    let target = |fields: Value| {
        place.patch(
            "cubecredential",
            "main",
            &json!({"spec": {"target": fields}}),
        );
    };
    place.kubectl(&[
        "label",
        "secret",
        "main-token",
        "cube-operator.dev/managed-",
    ]);
    whole("main-token", "Opaque");
    target(json!({"name": "moved"}));
    whole("moved", "Opaque");
    eventually("the old one is deleted", || {
        place.get("secret", "main-token").is_none().then_some(())
    });
    target(json!({"type": "example.com/token"}));
    whole("moved", "example.com/token");
    target(json!({"deletionPolicy": "Retain"}));
    eventually("it is retained", || {
        place.get("secret", "moved")?["metadata"]["ownerReferences"]
            .is_null()
            .then_some(())
    });
    let mut object = place.get("cubecredential", "main").unwrap();
    place.kubectl(&["delete", "cubecredential", "main"]);
    object["metadata"] = json!({"name": "main"});
    object.as_object_mut().unwrap().remove("status");
    place.apply(&object);
    place.wait_for("main", "the predecessor's is adopted", |status| {
        is(status, Ready, "True", "Synced")
    });
    assert!(
        !operator.log().contains("denied request"),
        "{}",
        operator.log()
    );
}

#[test]
fn the_policy_refuses_nothing_that_the_operator_does_with_a_stored_refresh_token() {
    let place = Login::at(TokenServer::shared());
    wait_for_policy(&place);
    let operator = place.operator();
    let seed = place.begin();
    place.refresh("once");
    place.kubectl(&["annotate", "secret", STATE, "cube-operator.dev/owner-uid-"]);
    place.refresh("without the mark of its owner");
    place.assert_unbroken(&seed, 3);
    assert!(
        !operator.log().contains("denied request"),
        "{}",
        operator.log()
    );
}
