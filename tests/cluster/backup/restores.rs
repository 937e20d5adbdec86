//! What is restored, with and without its state, and what an uninstall leaves.

use super::*;

#[test]
fn a_restored_credential_with_another_uid_continues_its_login() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let seed = place.begin();
    place.refresh("before");
    let kinds = [
        ("secret", "client"),
        ("secret", "seed"),
        ("secret", STATE),
        ("secret", "main-token"),
        ("cubecredential", "main"),
    ];
    let saved = kinds.map(|(kind, name)| backup(&place, kind, name));
    assert!(saved[3]["metadata"]["ownerReferences"].is_array());
    place.kubectl(&["delete", "cubecredential", "main"]);
    place.kubectl(&["delete", "secret", "client", "seed", STATE]);
    place.wait_until_gone("secret", "main-token");
    for object in &saved {
        place.apply(object);
    }
    // The garbage collector deletes the restored target, whose owner is gone. The state has no owner.
    place.wait_until_good();
    place.refresh("after");
    place.assert_unbroken(&seed, 3);

    // The Secrets alone. Without the state, the refresh token of the sign-in would be sent again.
    place.patch(
        "cubecredential",
        "main",
        &json!({"spec": {"suspend": true}}),
    );
    place.wait_for("main", "suspended", |status| {
        is(status, Refreshed, "Unknown", "Suspended")
    });
    let saved = [STATE, "main-token"].map(|name| backup(&place, "secret", name));
    place.kubectl(&["delete", "secret", STATE, "main-token"]);
    for object in &saved {
        place.apply(object);
    }
    place.patch(
        "cubecredential",
        "main",
        &json!({"spec": {"suspend": false}}),
    );
    place.refresh("once-more");
    place.assert_unbroken(&seed, 4);
}

#[test]
fn an_initial_refresh_token_that_was_replaced_is_not_sent_when_the_state_is_gone() {
    let place = Login::at(TokenServer::shared());
    let operator = place.operator();
    let seed = place.begin();
    let target = || backup(&place, "secret", "main-token");
    let state = backup(&place, "secret", STATE);
    let gone = format!(
        "Refreshed=False StateConflict: the refresh token in Secret {STATE:?} is gone or outdated, and the initial one is consumed: \
         restore it, or sign in again and write a new one to Secret \"seed\""
    );
    place.kubectl(&["delete", "secret", STATE]);
    place.request("without-state");
    assert_eq!(told(&place.wait_until_refused("StateConflict"))[1], gone);
    drop(operator);

    // A backup that has all but the state, and a new process.
    let mut saved = target();
    saved["metadata"]["ownerReferences"] = Value::Null;
    let credential = place.main();
    place.kubectl(&["delete", "cubecredential", "main", "--cascade=foreground"]);
    place.wait_until_gone("secret", "main-token");
    place.apply(&saved);
    place.apply(&credential);
    let _operator = place.operator();
    place.request("restored");
    assert_eq!(told(&place.wait_until_refused("StateConflict"))[1], gone);
    place.assert_sent(1);

    place.apply(&state);
    place.request("with-the-state");
    eventually("it is served", || place.served("with-the-state"));
    place.assert_unbroken(&seed, 2);
}

#[test]
fn a_state_with_the_owner_reference_of_a_deleted_object_is_collected() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let seed = place.sign_in();
    place.apply(&place.client());
    place.apply(&place.seed(&seed));
    let mut object = place.main();
    object["spec"]["target"] = json!({"deletionPolicy": "Delete"});
    place.apply(&object);
    place.wait_until_good();
    let state = backup(&place, "secret", STATE);
    place.kubectl(&["delete", "cubecredential", "main"]);
    place.wait_until_gone("secret", STATE);
    place.apply(&state);
    place.wait_until_gone("secret", STATE);
    // The page says to take it out.
    let mut kept = state;
    kept["metadata"]["ownerReferences"] = Value::Null;
    place.apply(&kept);
    object["spec"]["target"] = json!({});
    place.apply(&object);
    place.wait_until_good();
    place.assert_unbroken(&seed, 1);
}

#[test]
fn an_older_state_is_rejected_by_the_provider_and_a_sign_in_heals_it() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    place.begin();
    let older = backup(&place, "secret", STATE);
    place.refresh("newer");
    place.apply(&older);
    place.request("with-the-older-one");
    place.wait_until_refused("RefreshTokenRejected");
    let seed = place.sign_in();
    place.apply(&place.seed(&seed));
    place.wait_until_good();
}

#[test]
fn an_uninstall_that_takes_the_definition_along_keeps_the_login() {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()));
    let place = Login::on(plane, TokenServer::shared(), Some(CLIENT_SECRET));
    let operator = place.operator();
    let seed = place.begin();
    drop(operator);
    let definition = format!("{ROOT}/crds/cubecredentials.yaml");
    plane.kubectl(&["delete", "-f", &definition]);
    place.wait_until_gone("secret", "main-token");
    assert!(place.get("secret", STATE).is_some());
    plane.kubectl(&["apply", "--server-side", "-f", &definition]);
    eventually("the kind is served", || {
        place
            .kubectl_works(&["get", "cubecredentials"])
            .then_some(())
    });
    let _operator = place.operator();
    place.apply(&place.main());
    place.wait_until_good();
    place.assert_unbroken(&seed, 1);
}
