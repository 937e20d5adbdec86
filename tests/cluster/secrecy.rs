//! No secret, token or Authorization header is anywhere but in the Secrets that hold them, at any log level.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    commands::run,
    operator::eventually,
    place::{CLIENT_SECRET, Place, is},
    scripted::{Authority, LOCAL, Provider, Reply, Request},
};

const WRONG_SECRET: &str = "Planted wrong+secret/93ab&=%\u{e4}";
// ASCII, because nothing else of a provider's words is shown.
const ECHOED_SECRET: &str = "Planted echoed+secret/51d0&=%";

/// A provider that puts all that it was sent wherever an answer has room for it.
fn echo(request: &Request) -> Reply {
    let header = request
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let header = header.map_or("", |(_, value)| value);
    // Not too much: only the beginning is ever shown.
    let said = format!("{ECHOED_SECRET} {header} {}", request.body);
    let body = json!({"error": "invalid_client", "error_description": said, "error_uri": said, "scope": said});
    match request.target.as_str() {
        "/401" => Reply::json(401, body.to_string()),
        "/403" => Reply::json(403, said),
        "/307" => {
            let query = request.body.replace(['\r', '\n'], "");
            Reply::json(307, said)
                .header("Location", &format!("https://elsewhere.example/?{query}"))
        }
        _ => Reply::json(200, body.to_string()),
    }
}

/// Credentials at the echoing provider, in the body and in the header, each refused in its way.
fn echoed(place: &Place) -> Provider {
    let authority = Authority::new("echo");
    let provider = Provider::start(&authority.certificate(&LOCAL), echo);
    place.trust("echo", &authority);
    let mut source = place.source();
    source["metadata"]["name"] = json!("echoed");
    source["stringData"]["client-secret"] = json!(ECHOED_SECRET);
    place.apply(&source);
    for (path, reason) in [
        ("401", "InvalidClient"),
        ("403", "Forbidden"),
        ("307", "Redirected"),
        ("200", "InvalidClient"),
    ] {
        for style in ["Body", "Basic"] {
            let name = format!("echoed-{path}-{}", style.to_lowercase());
            let url = provider.url(&format!("/{path}"));
            let mut credential = place.credential_at(&name, &url, "echo");
            credential["spec"]["clientSecretRef"]["name"] = json!("echoed");
            credential["spec"]["clientAuthentication"] = json!(style);
            place.apply(&credential);
            place.wait_for(&name, reason, |status| {
                is(status, Refreshed, "False", reason)
            });
        }
    }
    provider
}

/// Every form in which a secret could show.
fn forms(secret: &str) -> BTreeSet<String> {
    let encoded = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let base64 = STANDARD.encode(secret);
    let debug = format!("{secret:?}");
    let debug = debug.trim_matches('"').to_owned();
    [
        secret.to_owned(),
        debug,
        base64.trim_end_matches('=').to_owned(),
        encoded,
    ]
    .into()
}

/// What the Authorization header is made of (RFC 6749, section 2.3.1).
fn pair(place: &Place, secret: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    format!("{}:{encoded}", place.namespace)
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
#[expect(
    clippy::too_many_lines,
    reason = "one scenario, told from its beginning to its end"
)]
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
    // Refused in words that repeat what was sent.
    let provider = echoed(&place);
    let exchanges = provider.requests();
    assert_eq!(exchanges.len(), 8);
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
    let mut metrics = operator.get("/metrics").1;
    operator.terminate();
    operator.wait();
    let mut log = operator.log();
    let operator = place.operator_with(&[], &trace);
    let before = place.status("main");
    place.request("now");
    place.wait_for("main", "refreshed", |status| {
        status.token_fingerprint != before.token_fingerprint
    });
    tokens.push(place.token("main-token"));
    log += &operator.log();
    metrics += &operator.get("/metrics").1;

    // Explained from outside, with what the Secrets hold well-formed and not.
    let explained = |log: &mut String| {
        let arguments = [
            "check",
            "--namespace",
            &place.namespace,
            "--allow-network=127.0.0.0/8,::1/128",
        ];
        let (_, output, errors) = run(&place.kubeconfig, &arguments, &trace);
        *log += &(output + &errors);
    };
    let mut checks = String::new();
    explained(&mut checks);
    place.patch(
        "secret",
        "client",
        &json!({"stringData": {"client-secret": format!("{WRONG_SECRET}\n")}}),
    );
    explained(&mut checks);
    assert!(checks.contains("ends with a line break"), "{checks}");

    assert_eq!(tokens.len(), 4);
    let planted = [CLIENT_SECRET, WRONG_SECRET, ECHOED_SECRET];
    let pairs = planted.map(|secret| pair(&place, secret));
    let planted = planted.into_iter().chain(pairs.iter().map(String::as_str));
    let secrets: Vec<String> = tokens
        .iter()
        .map(String::as_str)
        .chain(planted)
        .flat_map(forms)
        .collect();
    let mut texts = readable(&place, &log, &metrics);
    texts.push(("a check".into(), checks));
    assert_eq!(find(&secrets, &texts), Vec::<String>::new());

    // The search does find what is there, in the form in which it was sent too.
    // What asks a question sends none.
    for sent in exchanges {
        let texts = [("a request".to_owned(), format!("{sent:?}"))];
        assert_ne!(find(&secrets, &texts), Vec::<String>::new(), "{sent:?}");
    }
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
    // What libraries print below info is not ours to promise, and kube prints whole answers at warn.
    let lines = log.lines().map(serde_json::from_str::<Value>);
    for line in lines.map(|line| line.expect("every line is JSON")) {
        let target = line["target"].as_str().unwrap();
        let told = ["INFO", "WARN", "ERROR"].contains(&line["level"].as_str().unwrap());
        assert!(target.starts_with("cube_operator") || told, "{line}");
        assert!(!target.starts_with("kube_client"), "{line}");
    }
}
