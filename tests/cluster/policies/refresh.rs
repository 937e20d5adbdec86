//! Whoever may patch but not update a `CubeCredential` may ask for a refresh, and nothing else.

use serde_json::json;

use crate::{operator::eventually, place::manifest};

use super::{Users, credential, rule};

const ANNOTATION: &str = "cube-operator.dev/refresh-requested-at";

fn refusal(user: &str) -> String {
    format!(
        "user \"{user}\" may patch this CubeCredential but not update it, and so change only annotation {ANNOTATION}: for other \
         changes, ask for the right to update it"
    )
}

fn patch(fields: &str) -> [&str; 6] {
    [
        "patch",
        "cubecredential",
        "main",
        "--type=merge",
        "-p",
        fields,
    ]
}

#[test]
fn a_consumer_may_ask_for_a_refresh_and_gets_one() {
    let users = Users::new();
    let place = &users.place;
    let _operator = place.operator();
    let before = place.ready_main();
    let request = format!("{ANNOTATION}=first");
    users.may(
        "consumer",
        &["annotate", "cubecredential", "main", &request],
    );
    eventually("a new token", || {
        (place.status("main").token_fingerprint != before.token_fingerprint).then_some(())
    });
    let again = format!("{ANNOTATION}=again");
    users.may(
        "consumer",
        &["annotate", "cubecredential", "main", "--overwrite", &again],
    );
    users.may(
        "consumer",
        &[
            "annotate",
            "cubecredential",
            "main",
            &format!("{ANNOTATION}-"),
        ],
    );
}

#[test]
fn a_consumer_may_change_nothing_else() {
    let users = Users::new();
    let mut object = credential("main");
    object["metadata"]["labels"] = json!({"theirs": "kept"});
    users.place.apply(&object);
    for fields in [
        r#"{"metadata": {"annotations": {"another": "added"}}}"#,
        r#"{"metadata": {"annotations": {"theirs": "changed"}}}"#,
        r#"{"metadata": {"annotations": {"theirs": null}}}"#,
        r#"{"metadata": {"annotations": null}}"#,
        r#"{"metadata": {"annotations": {"cube-operator.dev/refresh-requested-at": "now", "another": "added"}}}"#,
        r#"{"metadata": {"labels": {"theirs": "changed"}}}"#,
        r#"{"metadata": {"labels": null}}"#,
        r#"{"metadata": {"finalizers": ["example.com/never"]}}"#,
        r#"{"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "gone"}]}}"#,
    ] {
        users.may_not("consumer", &patch(fields), "refresh", &refusal("consumer"));
    }
    // This user is no author either; one who may read the Secrets is still held by this policy.
    users.grant(
        "reader",
        &json!([
            rule("cubecredentials", &json!(["get", "patch"]), None),
            rule("secrets", &json!(["get"]), None),
        ]),
    );
    for fields in [
        r#"{"spec": {"suspend": true}}"#,
        r#"{"spec": {"tokenURL": "https://attacker.example/"}}"#,
    ] {
        users.may_not("reader", &patch(fields), "refresh", &refusal("reader"));
    }
    let long = format!(
        r#"{{"metadata": {{"annotations": {{"{ANNOTATION}": "{}"}}}}}}"#,
        "x".repeat(257)
    );
    let too_long = format!("{ANNOTATION} may have at most 256 characters: the time is enough");
    users.may_not("consumer", &patch(&long), "refresh", &too_long);
    users.may("consumer", &patch(&long.replace("xx", "x")));

    let file = manifest(&object);
    users.has_no_right("consumer", &["replace", "-f", &file]);
    users.has_no_right(
        "consumer",
        &["create", "-f", &manifest(&credential("other"))],
    );
    users.has_no_right("consumer", &["delete", "cubecredential", "main"]);
    let status = [
        "patch",
        "cubecredential",
        "main",
        "--subresource=status",
        "--type=merge",
        "-p",
        r#"{"status": {"failures": 0}}"#,
    ];
    users.has_no_right("consumer", &status);
}

#[test]
fn whoever_may_update_is_not_held_by_the_policy_of_refreshes() {
    let users = Users::new();
    users.place.apply(&credential("main"));
    users.may(
        "owner",
        &["annotate", "cubecredential", "main", "another=added"],
    );
    users.may("owner", &patch(r#"{"spec": {"suspend": true}}"#));
    users.may(
        "owner",
        &patch(r#"{"metadata": {"labels": {"another": "added"}}}"#),
    );
}
