//! The state Secret: the target is restored from it, a successor continues it, and a foreign or damaged one stops everything.

use cube_operator::api::ConditionType::Ready;
use serde_json::{Value, json};

use crate::{
    environment::TokenServer,
    login::{Login, STATE},
    operator::eventually,
    place::{is, told},
};

use super::base64;

#[test]
fn a_target_is_restored_from_the_state_without_an_exchange() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let seed = place.begin();
    let token = place.token("main-token");
    let whole = |target: &str| {
        eventually(target, || {
            let found = place.get("secret", target)?;
            let text = base64(&token);
            (found["data"]["access-token"] == json!(text)).then_some(found)
        })
    };
    place.kubectl(&["delete", "secret", "main-token"]);
    whole("main-token");
    place.patch(
        "secret",
        "main-token",
        &json!({"stringData": {"access-token": "edited"}}),
    );
    whole("main-token");

    let target = |fields: Value| {
        place.patch(
            "cubecredential",
            "main",
            &json!({"spec": {"target": fields}}),
        );
    };
    target(json!({"name": "moved"}));
    whole("moved");
    eventually("the old one is deleted", || {
        place.get("secret", "main-token").is_none().then_some(())
    });
    target(json!({"type": "example.com/token"}));
    eventually("the new type", || {
        (whole("moved")["type"] == "example.com/token").then_some(())
    });
    target(json!({"name": "main-token", "type": "Opaque"}));
    whole("main-token");
    place.wait_until_good();
    place.assert_unbroken(&seed, 1);
}

#[test]
fn a_retained_login_is_continued_by_a_successor_and_a_deleted_one_is_collected() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let seed = place.sign_in();
    let mut object = place.main();
    object["spec"]["target"] = json!({"deletionPolicy": "Retain"});
    place.apply(&place.client());
    place.apply(&place.seed(&seed));
    place.apply(&object);
    place.wait_until_good();
    place.refresh("before");
    let owners = || {
        [STATE, "main-token"].map(|name| {
            place.get("secret", name).unwrap()["metadata"]["ownerReferences"][0]["name"].clone()
        })
    };
    assert_eq!(owners(), [Value::Null, Value::Null]);

    let (state, token) = (place.state(), place.token("main-token"));
    place.kubectl(&["delete", "cubecredential", "main"]);
    place.apply(&object);
    place.wait_until_good();
    assert_eq!(place.state(), state, "nothing was done to it");
    assert_eq!(place.token("main-token"), token);
    place.assert_unbroken(&seed, 2);
    place.refresh("after");
    place.assert_unbroken(&seed, 3);

    // A restored backup may lack the target.
    place.kubectl(&["delete", "cubecredential", "main"]);
    place.kubectl(&["delete", "secret", "main-token"]);
    place.apply(&object);
    place.wait_until_good();
    place.assert_unbroken(&seed, 3);

    let policy = json!({"spec": {"target": {"deletionPolicy": "Delete"}}});
    place.patch("cubecredential", "main", &policy);
    eventually("both have an owner", || {
        (owners() == [json!("main"), json!("main")]).then_some(())
    });
    place.assert_unbroken(&seed, 3);
    place.kubectl(&["delete", "cubecredential", "main"]);
    eventually("both are collected", || {
        let gone = |name| place.get("secret", name).is_none();
        (gone(STATE) && gone("main-token")).then_some(())
    });
    assert!(place.get("secret", "seed").is_some());
}

#[test]
fn a_foreign_secret_by_the_name_of_the_state_is_left_alone_and_nothing_is_sent() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let foreign = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": STATE}, "stringData": {"refresh-token": "theirs"},
    });
    place.apply(&foreign);
    let before = place.get("secret", STATE);
    let seed = place.sign_in();
    place.apply(&place.client());
    place.apply(&place.seed(&seed));
    place.apply(&place.main());
    place.wait_until_refused("StateConflict");
    assert_eq!(place.get("secret", STATE), before);
    assert_eq!(place.refreshes(), []);
    assert_eq!(place.get("secret", "main-token"), None);
    let user = place.account();
    let given = place
        .plane
        .kinds_of_secret_given_to(&user, &place.namespace, STATE);
    assert!(!given.is_empty());
    assert!(
        given.iter().all(|kind| kind == "PartialObjectMetadata"),
        "{given:?}"
    );
    place.kubectl(&["delete", "secret", STATE]);
    place.request("look");
    place.wait_until_good();
    place.assert_unbroken(&seed, 1);
}

#[test]
fn a_damaged_state_is_told_and_nothing_is_sent_until_it_is_restored() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let seed = place.begin();
    let record = place.value(STATE, "record");
    let put = |text: &str| {
        let fields = json!({"stringData": {"record": text}});
        place.patch("secret", STATE, &fields);
    };
    put("{");
    place.request("on a damaged state");
    let status = place.wait_until_refused("StateConflict");
    let message = format!(
        "Refreshed=False StateConflict: Secret {STATE:?} with the refresh token was edited and cannot be read: restore it from a \
         backup, or sign in again and then delete it"
    );
    assert_eq!(told(&status)[1], message);
    assert!(is(&status, Ready, "True", "Synced"));
    assert_eq!(place.value(STATE, "record"), "{");
    assert_eq!(place.refreshes().len(), 1, "nothing was sent");
    put(&record);
    // A person who has repaired it need not wait for the minute.
    place.request("on a restored state");
    eventually("it is served", || place.served("on a restored state"));
    // The first request may have been served in between.
    place.assert_unbroken(&seed, place.refreshes().len());
}
