//! The output of kubectl, and objects that are applied with a copied status.

use serde_json::{Value, json};

use crate::place::{Place, is};
use cube_operator::api::ConditionType::Ready;

use super::changed;

#[test]
fn a_field_that_does_not_exist_is_named_by_kubectl() {
    let place = Place::new();
    for (change, named) in [
        (
            json!({"spec": {"tokenUrl": "https://example.com/"}}),
            "spec.tokenUrl",
        ),
        (
            json!({"spec": {"clientSecretRef": {"namespace": "elsewhere"}}}),
            "spec.clientSecretRef.namespace",
        ),
    ] {
        let error = place.apply_error(&changed("main", &change));
        assert!(
            error.contains(&format!("{named}: field not declared in schema")),
            "{error}"
        );
    }
}

#[test]
fn kubectl_knows_the_short_name_the_category_and_the_columns() {
    let place = Place::new();
    let _operator = place.operator();
    place.apply(&changed(
        "waiting",
        &json!({"spec": {"clientSecretRef": {"name": "absent"}}}),
    ));
    place.wait_for("waiting", "not ready", |status| {
        is(status, Ready, "False", "ClientSecretNotFound")
    });
    let status = place.ready_main();
    let expires_at = status.expires_at.unwrap().to_string();

    let table = place.kubectl(&["get", "cubecred"]);
    let rows: Vec<Vec<&str>> = table
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        rows[0],
        ["NAME", "READY", "STATUS", "EXPIRES", "SECRET", "AGE"]
    );
    assert_eq!(
        rows[1][..5],
        ["main", "True", "Synced", &expires_at, "main-token"]
    );
    assert_eq!(rows[2][..3], ["waiting", "False", "ClientSecretNotFound"]);
    assert_eq!(rows.len(), 3);
    let names = |kind: &str| place.kubectl(&["get", kind, "-o", "name"]);
    assert_eq!(
        names("cube"),
        "cubecredential.cube-operator.dev/main\ncubecredential.cube-operator.dev/waiting\n"
    );
    // kubectl evaluates the condition itself.
    place.kubectl(&[
        "wait",
        "--for=condition=Ready",
        "cubecred/main",
        "--timeout=10s",
    ]);
}

#[test]
fn an_object_that_is_copied_with_its_status_makes_no_exchange_and_gets_a_status_of_its_own() {
    let place = Place::new();
    let operator = place.operator();
    place.ready_main();
    let main = place.get("cubecredential", "main").unwrap();

    // A restored backup has everything that `kubectl get -o yaml` shows.
    place.after_reconcile(&operator, || {
        let mut copy = main.clone();
        copy["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("managedFields");
        copy["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("resourceVersion");
        copy["metadata"]["labels"] = json!({"restored": "yes"});
        place.apply(&copy);
    });
    assert_eq!(place.exchanges(), [200]);
    assert_eq!(
        place.get("cubecredential", "main").unwrap()["status"],
        main["status"]
    );

    // A person writes the status of one object into another one that has no token.
    place.apply(&{
        let mut other = place.credential("other");
        other["spec"]["suspend"] = json!(true);
        other
    });
    place.wait_for("other", "Suspended", |status| {
        is(status, Ready, "False", "Suspended")
    });
    let own = place.get("cubecredential", "other").unwrap()["status"].clone();
    let copied = json!({"status": main["status"]}).to_string();
    place.kubectl(&[
        "patch",
        "cubecredential",
        "other",
        "--subresource=status",
        "--type=merge",
        "-p",
        &copied,
    ]);
    place.wait_for("other", "Suspended again", |status| {
        is(status, Ready, "False", "Suspended")
    });
    let restored = place.get("cubecredential", "other").unwrap()["status"].clone();
    let conditions = |status: &Value| {
        status["conditions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|condition| {
                (
                    condition["type"].clone(),
                    condition["status"].clone(),
                    condition["message"].clone(),
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(conditions(&restored), conditions(&own));
    assert_eq!(
        place.exchanges(),
        [200],
        "none for a status that says anything"
    );
}
