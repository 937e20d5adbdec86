//! Two `CubeCredentials` with one target.

use cube_operator::api::ConditionType::Ready;
use serde_json::json;

use crate::{
    operator::eventually,
    place::{Place, is},
};

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

    // Two share a target again, and its owner is deleted.
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

#[test]
fn an_older_credential_that_moves_onto_a_younger_ones_target_takes_it_over() {
    let place = Place::new();
    let _operator = place.operator();
    place.apply(&place.source());
    let ready =
        |name: &str| place.wait_for(name, "Ready", |status| is(status, Ready, "True", "Synced"));
    place.apply(&place.credential("b-older"));
    ready("b-older");
    // Ages are whole seconds: within one second the names would decide, for the other one.
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
