//! Backups that are restored, copies and moves, with the real garbage collector. `docs/backup.md` says what these tests show.

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    environment::{ControlPlane, ROOT, TokenServer},
    login::{Login, STATE},
    operator::eventually,
    place::{CLIENT_SECRET, Place, is, told},
};

/// An object as a backup has it: with its owner references, and without what the API server sets.
fn backup(place: &Place, kind: &str, name: &str) -> Value {
    let mut object = place.get(kind, name).expect("it is there");
    let metadata = object["metadata"].as_object_mut().unwrap();
    metadata.retain(|field, _| {
        ["name", "labels", "annotations", "ownerReferences"].contains(&field.as_str())
    });
    object.as_object_mut().unwrap().remove("status");
    object
}

fn under(name: &str, mut object: Value) -> Value {
    object["metadata"]["name"] = json!(name);
    object
}

impl Login {
    /// Another `CubeCredential` that is given the same refresh token.
    fn named(&self, name: &str) -> Value {
        under(name, self.main())
    }

    fn wait_until_in_use(&self, name: &str, message: &str) {
        let status = self.wait_for(name, "RefreshTokenInUse", |status| {
            is(status, Refreshed, "False", "RefreshTokenInUse")
        });
        assert_eq!(
            told(&status)[1],
            format!("Refreshed=False RefreshTokenInUse: {message}")
        );
    }

    fn wait_until_gone(&self, kind: &str, name: &str) {
        eventually(&format!("{kind} {name} is gone"), || {
            self.get(kind, name).is_none().then_some(())
        });
    }

    fn wait_until_ready_is(&self, name: &str) {
        self.wait_for(name, "Ready", |status| is(status, Ready, "True", "Synced"));
    }
}

const ANOTHER: &str = "sign in again for this one, or move that login (docs/backup.md); it is looked at again every minute";

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
        let told = "Normal TargetMoved: Secret \"main-token\" was deleted, because spec.target.name is \"moved\" now";
        place.events("main").contains(&told.into()).then_some(())
    });
    assert!(
        operator
            .log()
            .contains("target under an earlier name deleted")
    );
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
    let message = format!("Secret \"copy\" is a copy of Secret {original:?}, so it is left alone");
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
        &format!("Secret \"seed\" holds the refresh token of CubeCredential \"main\" (Secret {STATE:?}), so it is not sent: {ANOTHER}"),
    );
    eventually("a warning", || {
        (place.event_count("ledger", "RefreshTokenInUse") == 1).then_some(())
    });
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
            "Secret \"ledger-cube-state\" holds the refresh token of CubeCredential \"main\" (Secret {STATE:?}), so it is not sent: \
             when that CubeCredential is gone, delete Secret {STATE:?} to complete the move (docs/backup.md); it is looked at again \
             every minute"
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

impl Login {
    fn assert_sent(&self, times: usize) {
        assert_eq!(self.refreshes().len(), times, "{:#?}", self.refreshes());
    }
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
        &format!("Secret \"seed\" holds the refresh token of CubeCredential \"main\" (Secret {STATE:?}), so it is not sent: {ANOTHER}")
            .replace(&format!(" (Secret {STATE:?})"), ""),
    );
    place.wait_until_in_use(
        "cousin",
        &format!("Secret \"other-seed\" holds the refresh token of CubeCredential \"main\" (Secret {STATE:?}), so it is not sent: {ANOTHER}"),
    );
    place.assert_unbroken(&seed, 1);
}

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
        "Refreshed=False StateConflict: the refresh token in Secret {STATE:?} is gone or outdated, and the initial one was used \
         up: restore that Secret, or sign in again and write the new one into key \"refresh-token\" of Secret \"seed\"; nothing is \
         sent before that"
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

#[test]
fn an_immutable_target_is_replaced_when_it_is_deleted() {
    let place = Place::new();
    let _operator = place.operator();
    place.ready_main();
    place.patch("secret", "main-token", &json!({"immutable": true}));
    place.request("now");
    let status = place.wait_for("main", "TargetNotWritable", |status| {
        is(status, Refreshed, "False", "TargetNotWritable")
    });
    let namespace = &place.namespace;
    let expected = format!(
        "Refreshed=False TargetNotWritable: Secret {namespace}/main-token is immutable, so no other token can be written to it: run \
         `kubectl delete secret main-token -n {namespace}`, and it is created again; next try at "
    );
    assert!(
        told(&status)[1].starts_with(&expected),
        "{:?}",
        told(&status)
    );
    place.kubectl(&["delete", "secret", "main-token"]);
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced") && is(status, Refreshed, "True", "TokenIssued")
    });
    assert_eq!(place.exchanges(), [200, 200], "the token was kept");
}
