//! A second operator, beside the first one or after it.

use std::collections::HashSet;

use cube_operator::api::ConditionType::{Ready, Refreshed};
use jiff::Timestamp;

use crate::{
    environment::TokenServer,
    login::Login,
    operator::eventually,
    place::{is, told},
};

#[test]
fn two_operators_never_send_the_same_refresh_token() {
    let place = Login::at(TokenServer::shared());
    let operators = ["one", "two"]
        .map(|identity| place.operator_with(&["--identity", identity], &[("POD_NAME", identity)]));
    let seed = place.begin();
    for number in 1..=20 {
        place.request(&format!("request {number}"));
    }
    eventually("the last request is served", || place.served("request 20"));
    // Both reconcile once more, and find nothing to do.
    for (number, operator) in operators.iter().enumerate() {
        place.after_reconcile(operator, || {
            drop(place.kubectl(&[
                "label",
                "cubecredential",
                "main",
                "--overwrite",
                &format!("n=l{number}"),
            ]));
        });
    }
    let sent: Vec<_> = place
        .refreshes()
        .into_iter()
        .map(|refresh| refresh.sent)
        .collect();
    println!("20 requests, 2 operators: {} refreshes", sent.len());
    assert!((2..=21).contains(&sent.len()), "{}", sent.len());
    assert_eq!(sent.iter().collect::<HashSet<_>>().len(), sent.len());
    place.assert_unbroken(&seed, sent.len());
    place.wait_until_good();
}

#[test]
fn the_claim_of_a_pod_that_is_gone_is_waited_for_and_its_request_repeated_once() {
    let place = Login::with(&["--grace", "120"]);
    let first = place.operator_with(&["--identity", "first"], &[]);
    place.begin();
    place.server.hold(true);
    place.request("by the first");
    place.wait_for_refreshes(2);
    drop(first);
    place.server.hold(false);
    let claim = place.state().record["claim"].clone();
    assert_eq!(claim["by"], "first");
    let until: Timestamp = claim["until"].as_str().unwrap().parse().unwrap();
    let _second = place.operator_with(&["--identity", "second"], &[]);
    let status = place.wait_for("main", "the claim is told", |status| {
        is(status, Refreshed, "Unknown", "Pending")
    });
    assert_eq!(
        told(&status)[1],
        format!(
            "Refreshed=Unknown Pending: waiting until {until}: the operator is already sending the refresh token: no action \
             needed"
        )
    );
    assert!(is(&status, Ready, "True", "Synced"));
    assert_eq!(status.refresh_at, Some(until));
    eventually("it is served", || place.served("by the first"));
    let seen = place.refreshes();
    assert_eq!(seen.len(), 3);
    assert_eq!(
        (&seen[1].sent, &seen[1].issued),
        (&seen[2].sent, &seen[2].issued)
    );
    assert!(seen[2].at >= until, "{until}, {seen:#?}");
    assert_eq!(place.call_api("main-token"), 200);
}
