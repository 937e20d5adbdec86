//! No secret, token or Authorization header is anywhere but in the Secrets that hold them, at any log level.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    operator::eventually,
    place::{CLIENT_SECRET, Place, is},
};

const WRONG_SECRET: &str = "Planted-wrong-secret-93ab";

/// Every form in which a secret could show.
fn forms(secret: &str) -> BTreeSet<String> {
    let encoded = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let base64 = STANDARD.encode(secret);
    [
        secret.to_owned(),
        base64.trim_end_matches('=').to_owned(),
        encoded,
    ]
    .into()
}

fn find(secrets: &[String], texts: &[(String, String)]) -> Vec<String> {
    let found = texts.iter().flat_map(|(place, text)| {
        secrets
            .iter()
            .filter(|secret| text.contains(secret.as_str()))
            .map(move |secret| format!("{secret} in {place}"))
    });
    found.collect()
}

/// Everything that a person could read, besides the data of Secrets.
fn readable(place: &Place, logs: &str, metrics: &str) -> Vec<(String, String)> {
    let mut texts = vec![
        ("the log".to_owned(), logs.to_owned()),
        ("the metrics".into(), metrics.to_owned()),
    ];
    for kind in [
        "cubecredentials",
        "secrets",
        "events.events.k8s.io",
        "configmaps",
    ] {
        let mut list: Value = serde_json::from_str(&place.kubectl(&[
            "get",
            kind,
            "-o",
            "json",
            "--show-managed-fields",
        ]))
        .unwrap();
        if kind == "secrets" {
            for secret in list["items"].as_array_mut().unwrap() {
                secret.as_object_mut().unwrap().remove("data");
            }
        }
        texts.push((kind.to_owned(), list.to_string()));
    }
    texts
}

#[test]
fn no_secret_is_found_anywhere_after_a_whole_scenario_at_trace_level() {
    let place = Place::new();
    let mut tokens = Vec::new();
    let trace = [("RUST_LOG", "trace")];
    let mut operator = place.operator_with(&[], &trace);
    // In the body, and in the header.
    place.ready_main();
    tokens.push(place.token("main-token"));
    let mut basic = place.credential("basic");
    basic["spec"]["clientAuthentication"] = json!("Basic");
    place.apply(&basic);
    place.wait_for("basic", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    tokens.push(place.token("basic-token"));
    // Refused, by the provider and here.
    for wrong in [WRONG_SECRET.to_owned(), format!("{WRONG_SECRET}\n")] {
        place.patch(
            "secret",
            "client",
            &json!({"stringData": {"client-secret": wrong}}),
        );
        let reason = if wrong.ends_with('\n') {
            "ClientSecretMalformed"
        } else {
            "InvalidClient"
        };
        for name in ["main", "basic"] {
            place.wait_for(name, reason, |status| {
                is(status, Refreshed, "False", reason)
            });
        }
    }
    place.patch(
        "secret",
        "client",
        &json!({"stringData": {"client-secret": CLIENT_SECRET}}),
    );
    place.wait_for("main", "Ready", |status| {
        is(status, Refreshed, "True", "TokenIssued")
    });
    // Edited, restarted, asked for by hand.
    place.patch(
        "secret",
        "main-token",
        &json!({"stringData": {"token-type": "edited"}}),
    );
    eventually("repaired", || {
        (place.event_count("main", "TargetRepaired") == 1).then_some(())
    });
    tokens.push(place.token("main-token"));
    let mut log = operator.log();
    let mut metrics = operator.get("/metrics").1;
    operator.terminate();
    operator.wait();
    log += &operator.log();
    let operator = place.operator_with(&[], &trace);
    let before = place.status("main");
    place.kubectl(&[
        "annotate",
        "cubecredential",
        "main",
        "cube-operator.dev/refresh-requested-at=now",
    ]);
    place.wait_for("main", "refreshed", |status| {
        status.token_fingerprint != before.token_fingerprint
    });
    tokens.push(place.token("main-token"));
    log += &operator.log();
    metrics += &operator.get("/metrics").1;

    assert_eq!(tokens.len(), 4);
    let pair = format!("{}:{CLIENT_SECRET}", place.namespace);
    let planted = tokens
        .iter()
        .map(String::as_str)
        .chain([CLIENT_SECRET, WRONG_SECRET, &pair]);
    let secrets: Vec<String> = planted.flat_map(forms).collect();
    let texts = readable(&place, &log, &metrics);
    assert_eq!(find(&secrets, &texts), Vec::<String>::new());

    // The search does find what is there.
    place.kubectl(&[
        "annotate",
        "cubecredential",
        "main",
        &format!("planted={}", tokens[0]),
    ]);
    assert_eq!(
        find(&secrets, &readable(&place, &log, &metrics)),
        [format!("{} in cubecredentials", tokens[0])]
    );
    assert!(
        log.contains("token published"),
        "the log has lines to look at"
    );
}
