//! A retained Secret of a `CubeCredential` by the same name that was deleted.

use serde_json::{Value, json};

use crate::{operator::Operator, place::Place};

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
    // An object by another name does not inherit it.
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
fn a_predecessors_secret_is_taken_over_for_other_inputs_only_if_a_person_gives_it() {
    let place = Place::new();
    let (_operator, mut object) = retained(&place);
    let token = place.token("main-token");
    place.kubectl(&["delete", "cubecredential", "main"]);
    object["spec"]["scopes"] = json!(["write"]);
    place.apply(&object);
    place.wait_for_conflict("main");
    assert_eq!(place.exchanges(), [200]);
    assert_eq!(place.token("main-token"), token);
    let uid = place.uid("cubecredential", "main");
    let gift = format!("cube-operator.dev/adoptable-by={uid}");
    place.kubectl(&["annotate", "secret", "main-token", &gift]);
    place.wait_until_ready("main");
    assert_eq!(place.exchanges(), [200, 200]);
    assert_ne!(place.token("main-token"), token);
}
