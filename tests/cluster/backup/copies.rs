//! Copies of targets and states, one refresh token in two places, and a login that moves.

use super::*;

const ANOTHER: &str = "sign in again for this one, or move that login (docs/backup.md)";

#[test]
fn a_copy_of_a_target_stays_when_its_credential_changes() {
    let place = Place::new();
    let operator = place.operator();
    place.ready_main();
    let copy = under("copy", backup(&place, "secret", "main-token"));
    place.after_reconcile(&operator, || {
        place.apply(&copy);
        place.patch(
            "cubecredential",
            "main",
            &json!({"spec": {"description": "touched"}}),
        );
    });
    // A target under an earlier name goes, so the operator has looked for such Secrets.
    place.patch(
        "cubecredential",
        "main",
        &json!({"spec": {"target": {"name": "moved"}}}),
    );
    eventually("the earlier target is deleted", || {
        place.get("secret", "main-token").is_none().then_some(())
    });
    eventually("it is told", || {
        let told = "Normal TargetMoved: Secret \"main-token\" was deleted, because spec.target.name is now \"moved\"";
        place.events("main").contains(&told.into()).then_some(())
    });
    operator.wait_for_log("deleted the target under its earlier name");
    assert_eq!(backup(&place, "secret", "copy"), copy);
    place.patch(
        "cubecredential",
        "main",
        &json!({"spec": {"target": {"name": "copy"}}}),
    );
    let status = place.wait_for("main", "TargetConflict", |status| {
        is(status, Ready, "False", "TargetConflict")
    });
    let original = format!("{}/main-token", place.namespace);
    let message = format!("Secret \"copy\" is a copy of Secret {original:?}");
    assert!(told(&status)[0].contains(&message), "{:?}", told(&status));
    assert_eq!(backup(&place, "secret", "copy"), copy);
    // Kubernetes' own garbage collector follows the owner reference, which travels with a copy too.
    place.kubectl(&["delete", "cubecredential", "main"]);
    eventually("the copy is collected", || {
        place.get("secret", "copy").is_none().then_some(())
    });
}

#[test]
fn a_refresh_token_is_not_sent_under_another_name_and_the_login_can_be_moved_there() {
    let place = Login::at(TokenServer::shared());
    let operator = place.operator();
    let seed = place.begin();
    place.refresh("once");
    place.kubectl(&["delete", "cubecredential", "main"]);
    place.wait_until_gone("secret", "main-token");
    assert!(place.get("secret", STATE).is_some(), "the login is kept");
    place.apply(&place.named("ledger"));
    place.wait_until_in_use(
        "ledger",
        &format!("Secret \"seed\" holds the refresh token of CubeCredential \"main\" (Secret {STATE:?}): {ANOTHER}"),
    );
    place.wait_for_events("ledger", &["RefreshTokenInUse"]);
    place.assert_sent(2);

    // As the page says: copy the state under the new name, give it to the object, and delete the old one.
    let uid = place.get("cubecredential", "ledger").unwrap()["metadata"]["uid"].clone();
    let mut state = under("ledger-cube-state", backup(&place, "secret", STATE));
    place.apply(&state);
    place.request_of("ledger", "with-a-copy");
    let status = place.wait_for("ledger", "StateConflict", |status| {
        is(status, Refreshed, "False", "StateConflict")
    });
    assert!(
        told(&status)[1].contains("is a copy of Secret"),
        "{:?}",
        told(&status)
    );
    state["metadata"]["annotations"]["cube-operator.dev/adoptable-by"] = uid;
    place.apply(&state);
    place.request_of("ledger", "with-two-copies");
    place.wait_until_in_use(
        "ledger",
        &format!(
            "Secret \"ledger-cube-state\" holds the refresh token of CubeCredential \"main\" (Secret {STATE:?}): \
             to complete the move, delete Secret {STATE:?} once that CubeCredential is gone (docs/backup.md)"
        ),
    );
    place.assert_sent(2);
    place.kubectl(&["delete", "secret", STATE]);
    place.request_of("ledger", "alone");
    place.wait_until_ready_is("ledger");
    eventually("it is served", || {
        (place.refreshes().len() == 3).then_some(())
    });
    assert!(
        place
            .refreshes()
            .iter()
            .all(|refresh| refresh.status == 200)
    );
    drop((seed, operator));
}

#[test]
fn of_two_credentials_with_one_refresh_token_one_sends_it() {
    let place = Login::at(TokenServer::shared());
    let seed = place.sign_in();
    place.apply(&place.client());
    place.apply(&place.seed(&seed));
    // The same token in another Secret is not seen in the specs.
    place.apply(&under("other-seed", place.seed(&seed)));
    place.apply(&place.main());
    place.apply(&place.named("twin"));
    let mut cousin = place.named("cousin");
    cousin["spec"]["refreshTokenRef"]["name"] = json!("other-seed");
    let _operator = place.operator();
    place.wait_until_ready_is("main");
    place.apply(&cousin);
    place.wait_until_in_use(
        "twin",
        &format!("Secret \"seed\" holds the refresh token of CubeCredential \"main\": {ANOTHER}"),
    );
    place.wait_until_in_use(
        "cousin",
        &format!("Secret \"other-seed\" holds the refresh token of CubeCredential \"main\" (Secret {STATE:?}): {ANOTHER}"),
    );
    place.assert_unbroken(&seed, 1);
}

#[test]
fn a_login_that_is_restored_into_another_namespace_sends_nothing() {
    let place = Login::at(TokenServer::shared());
    let operator = place.operator();
    let seed = place.begin();
    let elsewhere = Login::at(TokenServer::shared());
    for (kind, name) in [
        ("secret", "client"),
        ("secret", "seed"),
        ("secret", STATE),
        ("cubecredential", "main"),
    ] {
        elsewhere.apply(&backup(&place, kind, name));
    }
    let _other = elsewhere.operator();
    let status = elsewhere.wait_until_refused("StateConflict");
    let original = format!(
        "Secret {STATE:?} is a copy of Secret \"{}/{STATE}\"",
        place.namespace
    );
    assert!(told(&status)[1].contains(&original), "{:?}", told(&status));
    place.assert_unbroken(&seed, 1);

    // As the page says: stop the one, then give the copy to the other.
    drop(operator);
    place.kubectl(&["delete", "cubecredential", "main"]);
    place.kubectl(&["delete", "secret", STATE, "seed"]);
    let uid = elsewhere.get("cubecredential", "main").unwrap()["metadata"]["uid"].clone();
    let gift = format!("cube-operator.dev/adoptable-by={}", uid.as_str().unwrap());
    elsewhere.kubectl(&["annotate", "secret", STATE, &gift]);
    elsewhere.request("moved");
    eventually("it is served", || elsewhere.served("moved"));
    place.assert_sent(2);
}
