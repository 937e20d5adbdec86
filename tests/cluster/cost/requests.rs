//! The requests of a refresh, of a refresh token and of a restart, in their order.

use std::fs;

use cube_operator::api::ConditionType::Ready;
use serde_json::{Value, json};

use crate::{
    environment::{TokenServer, directory},
    login::Login,
    operator::eventually,
    place::{Place, is, lifetime},
};

use super::{bundle_reads, later_requests, ready, requests, the_budget_fills};

/// The token that lives for an hour is published.
fn wait_for_the_second_token(place: &Place) {
    place.wait_for("main", "refreshed", |status| lifetime(status) == Some(3600));
}

/// A source whose owner names the hosts and the CA bundle of the tests.
fn limited(place: &Place) -> Value {
    let mut source = place.source();
    source["metadata"]["annotations"] = json!({
        "cube-operator.dev/token-hosts": "localhost", "cube-operator.dev/token-ca": "ConfigMap/authority",
    });
    source
}

#[test]
fn a_steady_refresh_costs_one_read_of_the_source_one_exchange_and_two_writes_and_nothing_comes_between()
 {
    // The second token lives so long that no third one follows it, however slow the machine is.
    let place = Place::with_lifetimes(&[18, 3600]);
    let roots = directory("roots").join("ca.crt");
    fs::write(&roots, &place.server.ca_pem).unwrap();
    let _operator = place.operator_with(&[], &[("SSL_CERT_FILE", roots.to_str().unwrap())]);
    place.apply(&limited(&place));
    let mut credential = place.credential("main");
    credential["spec"]
        .as_object_mut()
        .unwrap()
        .remove("caBundleRef");
    place.apply(&credential);
    ready(&place, 2);
    wait_for_the_second_token(&place);
    assert_eq!(
        later_requests(&place, 0, 8),
        [
            "get secrets client",
            "patch secrets main-token",
            "patch cubecredentials/status main",
            "create events main",
            "create events main",
            // The refresh.
            "get secrets client",
            "patch secrets main-token",
            "patch cubecredentials/status main"
        ]
    );
    assert_eq!(place.exchanges(), [200, 200]);
    // Or else the API server parses each body twice, to warn of repeated fields.
    let user = place.account();
    for resource in ["secrets", "cubecredentials"] {
        let writes = place.plane.queries_with(&user, resource, &["patch"]);
        let is_cheap = |query: &String| query.contains("fieldValidation=Ignore");
        assert!(
            !writes.is_empty() && writes.iter().all(is_cheap),
            "{resource}: {writes:?}"
        );
    }
}

#[test]
fn a_ca_bundle_is_read_once_for_each_version_whoever_uses_it() {
    let place = Place::new();
    let _operator = place.operator();
    place.apply(&limited(&place));
    place.apply(&place.credential("main"));
    ready(&place, 1);
    let read_again = |request: u8| {
        let (reads, exchanges) = (bundle_reads(&place), place.exchanges().len());
        place.request(&request.to_string());
        eventually("another exchange", || {
            (place.exchanges().len() > exchanges).then_some(())
        });
        bundle_reads(&place) > reads
    };
    // The watch begins after the first token, and shows the version a moment later.
    assert!((0..10).any(|request| !read_again(request)));
    let reads = bundle_reads(&place);
    place.apply(&place.credential("another"));
    place.wait_for("another", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    assert_eq!(bundle_reads(&place), reads);
}

#[test]
fn a_refresh_token_is_claimed_before_it_is_sent_and_its_successor_stored_before_anything_else() {
    let login = Login::at(TokenServer::shared());
    let _operator = login.operator();
    let seed = login.begin();
    // The second one says that its Secrets name no hosts.
    ready(&login, 2);
    the_budget_fills();
    let before = requests(&login).len();
    login.refresh("once more");
    assert_eq!(
        later_requests(&login, before, 9),
        [
            "get secrets client",
            // Is the state ours?
            "get secrets main-cube-state",
            "get secrets main-cube-state",
            // Do the label and the hosts of the seed's owner still allow it?
            "get secrets seed",
            // The claim.
            "patch secrets main-cube-state",
            // The response.
            "patch secrets main-cube-state",
            "patch secrets main-token",
            "patch cubecredentials/status main",
            "create events main",
        ]
    );
    login.assert_unbroken(&seed, 2);
}

#[test]
fn a_restart_makes_no_exchange_and_asks_for_no_object() {
    let place = Place::new();
    let operator = place.operator();
    place.apply(&limited(&place));
    place.apply(&place.credential("main"));
    ready(&place, 1);
    drop(operator);
    let before = requests(&place).len();
    let operator = place.operator();
    eventually("the credential was reconciled", || {
        (operator.reconciles() >= 1.0).then_some(())
    });
    assert_eq!(requests(&place)[before..], [""; 0]);
    assert_eq!(place.exchanges(), [200]);
}
