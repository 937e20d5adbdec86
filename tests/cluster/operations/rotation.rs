//! A client secret that is replaced while consumers use the token.

use cube_operator::api::ConditionType::{Ready, Refreshed};

use crate::{
    operator::eventually,
    place::{Place, is},
};

use super::Recipe;

#[test]
fn a_client_secret_is_replaced_without_a_gap() {
    let place = Place::new();
    let _operator = place.operator();
    place.ready_main();
    let first = place.token("main-token");
    let recipe = Recipe::of("operations.md", "Rotate a client secret without a gap");
    let Recipe(commands) = recipe.for_main(&place);
    let [write, look] = commands.as_slice() else {
        panic!("{commands:?}");
    };

    place.shell(write, "a \"wrong\" secret\n");
    place.wait_for("main", "InvalidClient", |status| {
        is(status, Refreshed, "False", "InvalidClient")
    });
    assert!(place.shell(look, "").ends_with(" InvalidClient\n"));
    assert_eq!(place.token("main-token"), first, "consumers keep the token");
    assert_eq!(place.call_api("main-token"), 200);

    let second = r#"an'other "secret" $with \everything"#;
    place.server.set_secret(&place.namespace, second);
    place.shell(write, &format!("{second}\n"));
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced") && is(status, Refreshed, "True", "TokenIssued")
    });
    eventually("the page's command shows it", || {
        place
            .shell(look, "")
            .ends_with(" TokenIssued\n")
            .then_some(())
    });
    assert_eq!(place.value("client", "client-secret"), second);
    assert_ne!(place.token("main-token"), first);
    assert_eq!(place.call_api("main-token"), 200);
}

#[test]
fn a_client_secret_is_replaced_with_two_keys_and_no_live_token_is() {
    let place = Place::new();
    let operator = place.operator();
    place.ready_main();
    let first = place.token("main-token");
    let recipe = Recipe::of("operations.md", "Rotate a client secret with two keys");
    let Recipe(commands) = recipe.for_main(&place);
    let [name, write, look, clear] = commands.as_slice() else {
        panic!("{commands:?}");
    };

    place.after_reconcile(&operator, || {
        place.shell(name, "");
    });
    let second = r#"an'other "secret" $with \everything"#;
    place.after_reconcile(&operator, || {
        place.shell(write, &format!("{second}\n"));
    });
    assert_eq!(place.token("main-token"), first);

    // The provider has only one secret for each client, so it refuses the old one from now on.
    place.server.set_secret(&place.namespace, second);
    place.request("rotated");
    place.wait_for("main", "the second key", |status| {
        status.client_secret_key.as_deref() == Some("client-secret-next")
            && is(status, Ready, "True", "Synced")
            && is(status, Refreshed, "True", "TokenIssued")
    });
    assert_eq!(place.shell(look, ""), "client-secret-next\n");
    let refreshed = place.token("main-token");
    assert_ne!(refreshed, first);

    place.after_reconcile(&operator, || {
        place.shell(clear, "");
    });
    assert_eq!(place.value("client", "client-secret"), second);
    assert_eq!(place.token("main-token"), refreshed);
    assert_eq!(place.call_api("main-token"), 200);
    // Also the next one is made with it.
    place.request("again");
    place.wait_for("main", "the first key", |status| {
        status.client_secret_key.as_deref() == Some("client-secret")
    });
}
