//! Flags and their environment variables.

use cube_operator::api::ConditionType::Ready;
use serde_json::{Value, json};

use crate::{
    operator::{Operator, eventually},
    place::{Place, is},
};

use super::run;

#[test]
fn a_bad_flag_or_environment_variable_is_one_line_that_names_it() {
    for (flag, variable, value, line) in [
        (
            "--namespaces",
            "CUBE_OPERATOR_NAMESPACES",
            "a,B",
            "invalid value 'B' for '--namespaces <NAMESPACES>': a namespace has 1 to 63 lower-case letters, digits and '-'",
        ),
        (
            "--allow-network",
            "CUBE_OPERATOR_ALLOW_NETWORK",
            "10.0.0.0/99",
            "invalid value '10.0.0.0/99' for '--allow-network <CIDR>': write an IPv4 or IPv6 network with its prefix length, such \
             as 10.0.0.0/8 or fd00::/8",
        ),
        (
            "--deny-network",
            "CUBE_OPERATOR_DENY_NETWORK",
            "999.0.0.0/8",
            "invalid value '999.0.0.0/8' for '--deny-network <CIDR>': write an IPv4 or IPv6 network with its prefix length, such as \
             10.0.0.0/8 or fd00::/8",
        ),
        (
            "--token-request-interval",
            "CUBE_OPERATOR_TOKEN_REQUEST_INTERVAL",
            "61m",
            "invalid value '61m' for '--token-request-interval <DURATION>': write a duration from 1s to 1h, such as 12s or 1m30s",
        ),
        (
            "--allowed-token-hosts",
            "CUBE_OPERATOR_ALLOWED_TOKEN_HOSTS",
            "a.example,*.b.example",
            "invalid value 'a.example,*.b.example' for '--allowed-token-hosts <HOSTS>': \"*.b.example\" is neither a host nor \
             host:port",
        ),
        (
            "--listen",
            "CUBE_OPERATOR_LISTEN",
            "8080",
            "invalid value '8080' for '--listen <ADDRESS>': invalid socket address syntax",
        ),
        (
            "--warn-consumers",
            "CUBE_OPERATOR_WARN_CONSUMERS",
            "maybe",
            "invalid value 'maybe' for '--warn-consumers <BOOL>'",
        ),
        (
            "--require-token-hosts",
            "CUBE_OPERATOR_REQUIRE_TOKEN_HOSTS",
            "maybe",
            "invalid value 'maybe' for '--require-token-hosts <BOOL>'",
        ),
        (
            "--shard",
            "CUBE_OPERATOR_SHARD",
            "3/3",
            "invalid value '3/3' for '--shard <INDEX/COUNT>': the last of 3 shards is 2/3",
        ),
        (
            "--shard",
            "CUBE_OPERATOR_SHARD",
            "0/0",
            "invalid value '0/0' for '--shard <INDEX/COUNT>': there must be at least one shard",
        ),
        (
            "--shard",
            "CUBE_OPERATOR_SHARD",
            "a/b",
            "invalid value 'a/b' for '--shard <INDEX/COUNT>': write INDEX/COUNT, such as 0/3",
        ),
        (
            "--log-format",
            "CUBE_OPERATOR_LOG_FORMAT",
            "xml",
            "invalid value 'xml' for '--log-format <FORMAT>'",
        ),
    ] {
        let expected = (Some(2), String::new(), format!("cube-operator: {line}\n"));
        assert_eq!(run("/nowhere/config", &["run", flag, value], &[]), expected);
        assert_eq!(
            run("/nowhere/config", &["run"], &[(variable, value)]),
            expected
        );
    }
}

#[test]
fn a_flag_that_is_unknown_or_needs_another_one_is_one_line_that_names_it() {
    let alone = (
        Some(2),
        String::new(),
        "cube-operator: the following required arguments were not provided: --lease <NAMESPACE/NAME>\n".to_owned(),
    );
    let nowhere = "/nowhere/config";
    assert_eq!(run(nowhere, &["run", "--shard", "0/3"], &[]), alone);
    assert_eq!(
        run(nowhere, &["run"], &[("CUBE_OPERATOR_SHARD", "0/3")]),
        alone
    );
    let expected = (
        Some(2),
        String::new(),
        "cube-operator: unexpected argument '--unknown' found\n".to_owned(),
    );
    assert_eq!(run("/nowhere/config", &["run", "--unknown"], &[]), expected);
}

#[test]
fn flags_work_as_environment_variables() {
    let place = Place::new();
    let operator = Operator::start(
        &place.kubeconfig,
        &[],
        &[
            ("CUBE_OPERATOR_NAMESPACES", &place.namespace),
            ("CUBE_OPERATOR_ALLOW_NETWORK", "127.0.0.0/8,::1/128"),
            ("CUBE_OPERATOR_ALLOWED_TOKEN_HOSTS", "localhost"),
            ("POD_NAME", "cube-operator-0"),
        ],
    );
    let mut source = place.source();
    source["metadata"]["annotations"] =
        json!({"cube-operator.dev/token-ca": "ConfigMap/authority"});
    place.apply(&source);
    place.apply(&place.credential("main"));
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    let started: Vec<Value> = operator.lines();
    assert_eq!(started[0]["namespaces"], format!("[{:?}]", place.namespace));
    let mut elsewhere = place.credential("elsewhere");
    elsewhere["spec"]["tokenURL"] = json!("https://127.0.0.1/");
    place.apply(&elsewhere);
    place.wait_for("elsewhere", "HostNotAllowed", |status| {
        is(status, Ready, "False", "HostNotAllowed")
    });
    let instance = || {
        let list: Value =
            serde_json::from_str(&place.kubectl(&["get", "events.events.k8s.io", "-o", "json"]))
                .unwrap();
        let mut events = list["items"].as_array().unwrap().iter();
        let ours = events.find(|event| event["reportingController"] == "cube-operator");
        ours.map(|event| event["reportingInstance"].clone())
    };
    assert_eq!(eventually("an event is there", instance), "cube-operator-0");
}
