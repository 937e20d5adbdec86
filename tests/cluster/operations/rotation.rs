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
