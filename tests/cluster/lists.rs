//! The first lists, of an API server that streams them and of one that only has pages.

use cube_operator::api::ConditionType::Ready;
use serde_json::json;

use crate::{
    environment::{ControlPlane, TokenServer},
    operator::Operator,
    place::{Place, is, manifest},
};

/// More than two pages.
const MANY: usize = 25;

/// How often the operator has asked for a page of `CubeCredential`s.
fn pages(operator: &Operator) -> Option<f64> {
    operator.metric("cube_operator_api_requests_total{operation=\"list cubecredentials\"}")
}

/// Starts an operator where credentials wait, and finds that none of them is missed.
fn start_with_many(place: &Place) -> Operator {
    let name = |number| format!("waits-{number}");
    let objects: Vec<_> = (0..MANY)
        .map(|number| {
            json!({
                "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
                "metadata": {"name": name(number)},
                "spec": {"provider": "Cubewire", "clientSecretRef": {"name": "absent"}},
            })
        })
        .collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    place.kubectl(&["create", "-f", &manifest(&list)]);
    let operator = place.operator();
    for number in 0..MANY {
        place.wait_for(&name(number), "it is found", |status| {
            is(status, Ready, "False", "ClientSecretNotFound")
        });
    }
    operator
}

#[test]
fn a_list_that_the_api_server_streams_misses_nobody_and_asks_for_no_page() {
    let operator = start_with_many(&Place::new());
    assert_eq!(pages(&operator), None);
}

#[test]
fn a_list_of_an_api_server_that_streams_none_misses_nobody_and_goes_on_as_a_watch() {
    let plane = ControlPlane::start_with(&["--feature-gates", "WatchList=false"]);
    let place = Place::at(Box::leak(Box::new(plane)), TokenServer::shared());
    let operator = start_with_many(&place);
    assert!(pages(&operator).is_some_and(|pages| pages >= 3.0));
    // An object that is created later.
    place.ready_main();
}
