//! The target and the pods that use it.

use cube_operator::api::ConditionType::Ready;
use serde_json::json;

use crate::{
    consumers::{by_sub_path, in_variable, stale},
    operator::eventually,
    place::{Place, is},
};

use super::{FROM_HERE, NOT_LOOKED_AT};

#[test]
fn a_target_that_belongs_to_somebody_else_is_named() {
    let place = Place::new();
    place.apply(&place.source());
    place.apply(&json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "main-token"}, "stringData": {"a": "b"}}));
    place.apply(&place.credential("main"));
    let foreign = "✗ no token is published: Secret \"main-token\" belongs to another owner: set spec.target.name to another name, or delete \
                   that Secret if nobody uses it";
    assert_eq!(place.marked(&['✗'], "main", &[]), [NOT_LOOKED_AT, foreign]);

    // Of two objects of one age the first by name is the older one.
    let mut younger = place.credential("younger");
    younger["spec"]["target"] = json!({"name": "main-token"});
    place.apply(&younger);
    let duplicate = "✗ no token is published: CubeCredential \"main\" is older and has the same target Secret \"main-token\": \
                     set another spec.target.name in this one";
    assert_eq!(
        place.marked(&['✗'], "younger", &[]),
        [NOT_LOOKED_AT, duplicate]
    );
    let user = place.account();
    let given = place
        .plane
        .kinds_of_secret_given_to(&user, &place.namespace, "main-token");
    assert_eq!(
        given, ["PartialObjectMetadata"; 2],
        "a foreign Secret is not read"
    );
}

#[test]
fn consumers_that_never_see_a_refresh_are_noticed() {
    let place = Place::new();
    let _operator = place.operator();
    place.ready_main();
    let permitted = json!({
        "cube-operator.dev/token-hosts": "localhost", "cube-operator.dev/token-ca": "ConfigMap/authority",
    });
    place.patch(
        "secret",
        "client",
        &json!({"metadata": {"annotations": permitted}}),
    );
    for (name, container) in [("sub-path", by_sub_path()), ("variable", in_variable())] {
        place.apply_pod(name, &container);
    }
    let expected = [
        format!("! {}", stale("\"sub-path\"", "subPath mount \"/token\"")),
        format!(
            "! {}",
            stale("\"variable\"", "environment variable \"TOKEN\"")
        ),
    ];
    assert_eq!(place.marked(&['✗', '!'], "main", &[]), expected);
    assert_eq!(place.check("main", &[]).0, Some(0), "it works");
    let off = place.marked(&['✗', '!', '-'], "main", &["--warn-consumers=false"]);
    assert_eq!(
        off,
        [
            FROM_HERE,
            "- pods were not checked: --warn-consumers is false"
        ]
    );
}

#[test]
fn a_token_that_expired_while_the_operator_was_dead_is_no_ready_one() {
    let place = Place::with_lifetimes(&[6]);
    let operator = place.operator();
    let expires_at = place.ready_main().expires_at.unwrap();
    drop(operator);
    assert!(is(&place.status("main"), Ready, "True", "Synced"));
    let start = format!("✗ Ready is out of date: the token expired at {expires_at}, ");
    eventually("it is told", || {
        let found = place.marked(&['✗'], "main", &[]);
        found
            .iter()
            .any(|line| line.starts_with(&start))
            .then_some(())
    });
    let good = place.marked(&['✓'], "main", &[]);
    assert!(good.iter().all(|line| !line.contains("Ready")), "{good:?}");
}
