//! A login that moves to another name in another namespace.

use serde_json::json;

use cube_operator::api::ConditionType::{Ready, Refreshed};

use crate::{environment::TokenServer, login::Login, operator::eventually, place::is};

use super::Recipe;

#[test]
fn a_login_moves_to_another_name_in_another_namespace_and_is_refreshed_there() {
    let place = Login::at(TokenServer::shared());
    let _operator = place.operator();
    let seed = place.begin();
    place.refresh("before");
    let elsewhere = Login::at(TokenServer::shared());
    let _other = elsewhere.operator();
    let recipe = Recipe::of("backup.md", "Move a login").with(&[
        ("OLD_NAMESPACE", &place.namespace),
        ("NEW_NAMESPACE", &elsewhere.namespace),
        ("OLD", "main"),
        ("NEW", "ledger"),
    ]);
    let Recipe(commands) = recipe;
    let [delete, copy, forget, begin] = commands.as_slice() else {
        panic!("{commands:?}");
    };

    place.shell(delete, "");
    elsewhere.apply(&place.client());
    elsewhere.apply(&place.seed(&seed));
    let mut ledger = place.main();
    ledger["metadata"]["name"] = json!("ledger");
    ledger["spec"]["suspend"] = json!(true);
    elsewhere.apply(&ledger);
    elsewhere.wait_for("ledger", "Suspended", |status| {
        is(status, Refreshed, "Unknown", "Suspended")
    });
    place.shell(copy, "");
    place.shell(forget, "");
    assert_eq!(place.refreshes().len(), 2, "nothing is sent meanwhile");
    place.shell(begin, "");
    elsewhere.wait_for("ledger", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    elsewhere.request_of("ledger", "there");
    eventually("the login is refreshed", || {
        (place.refreshes().len() == 3).then_some(())
    });
    let served = place.refreshes();
    assert!(
        served.iter().all(|refresh| refresh.status == 200),
        "{served:?}"
    );
}
