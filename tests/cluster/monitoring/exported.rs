//! What the operator exports: its own requests, and each `CubeCredential` until it is gone.

use std::collections::BTreeMap;

use crate::{
    operator::{Operator, eventually},
    place::Place,
};

/// The series of each `CubeCredential`, without their values.
fn shown(operator: &Operator) -> Vec<String> {
    let text = operator.get("/metrics").1;
    let series = text.lines().filter(|line| line.contains(",name="));
    series
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect()
}

#[test]
fn what_is_shown_of_a_credential_is_there_after_a_restart_and_gone_with_it() {
    let place = Place::new();
    let operator = place.operator();
    place.ready_main();
    let namespace = &place.namespace;
    let labels = format!("namespace=\"{namespace}\",name=\"main\"");
    let series = [
        format!("cube_operator_token_expiry_timestamp_seconds{{{labels}}}"),
        format!("cube_operator_next_refresh_timestamp_seconds{{{labels}}}"),
        format!("cube_operator_last_success_timestamp_seconds{{{labels}}}"),
        format!("cube_operator_consecutive_failures{{{labels}}}"),
        format!(
            "cube_operator_condition{{{labels},condition=\"Ready\",status=\"True\",reason=\"Synced\"}}"
        ),
        format!(
            "cube_operator_condition{{{labels},condition=\"Refreshed\",status=\"True\",reason=\"TokenIssued\"}}"
        ),
    ];
    assert_eq!(shown(&operator), series);
    drop(operator);

    let operator = place.operator();
    eventually("all of it is there again", || {
        (shown(&operator) == series).then_some(())
    });
    assert_eq!(place.exchanges(), [200]);
    place.kubectl(&["delete", "cubecredential", "main"]);
    eventually("nothing is left", || {
        shown(&operator).is_empty().then_some(())
    });
}

#[test]
fn requests_to_the_api_server_are_counted_as_the_api_server_counts_them() {
    let place = Place::new();
    let operator = place.operator();
    place.ready_main();
    // They are the last requests.
    place.wait_for_events("main", &["TokenIssued", "TokenHostsMissing"]);
    let user = place.account();
    let counted = || {
        let mut counts = BTreeMap::new();
        for (verb, resource, _) in place.plane.requests_of(&user) {
            let operation = match resource.as_str() {
                "" => "other".to_owned(),
                _ => format!("{verb} {resource}"),
            };
            *counts.entry(operation).or_insert(0_u64) += 1;
        }
        counts
    };
    let exported = || -> BTreeMap<String, u64> {
        let text = operator.get("/metrics").1;
        let lines = text.lines().filter_map(|line| {
            let rest = line.strip_prefix("cube_operator_api_requests_total{operation=\"")?;
            let (operation, value) = rest.split_once("\"} ")?;
            Some((operation.to_owned(), value.parse().unwrap()))
        });
        lines.collect()
    };
    eventually("both count the same", || {
        (exported() == counted()).then_some(())
    });
    let counts = exported();
    assert_eq!(counts["patch secrets"], 1);
    assert_eq!(counts["watch secrets"], 3, "targets, sources and states");
    assert_eq!(counts["create events"], 2, "TokenIssued, TokenHostsMissing");
}
