//! Secrets, tokens and Authorization headers are only in the Secrets that hold them, at any log level.

mod echo;
mod keys;
mod search;
mod swapped;

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    commands::run,
    operator::Operator,
    place::{CLIENT_SECRET, Place, is},
};

use echo::echoed;
use search::{find, forms, pair, readable};

const WRONG_SECRET: &str = "Planted wrong+secret/93ab&=%\u{e4}";
// It is ASCII, because only ASCII of a provider's description is shown.
const ECHOED_SECRET: &str = "Planted echoed+secret/51d0&=%";

/// At this level the operator and its libraries log everything.
const TRACE: [(&str, &str); 1] = [("RUST_LOG", "trace")];

/// Gets a token with the secret in the body, and one with the secret in the header.
fn get_tokens(place: &Place) -> Vec<String> {
    place.ready_main();
    let mut tokens = vec![place.token("main-token")];
    let mut basic = place.credential("basic");
    basic["spec"]["clientAuthentication"] = json!("Basic");
    // Its tokens are tried before they are published.
    basic["spec"]["probe"] = json!({"url": place.server.resource_url});
    place.apply(&basic);
    place.wait_for("basic", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    tokens.push(place.token("basic-token"));
    tokens
}

/// The provider refuses a wrong secret, and the operator a malformed one.
fn write_wrong_secrets(place: &Place) {
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
}

/// What one or more processes have shown.
#[derive(Default)]
struct Shown {
    log: String,
    metrics: String,
}

/// An edit, a restart and a requested refresh; the tokens that were published after the edit and after the refresh.
fn edit_restart_and_refresh(
    place: &Place,
    mut operator: Operator,
    shown: &mut Shown,
) -> (Operator, [String; 2]) {
    place.patch(
        "secret",
        "main-token",
        &json!({"stringData": {"token-type": "edited"}}),
    );
    place.wait_for_events("main", &["TargetRepaired"]);
    let repaired = place.token("main-token");
    shown.metrics += &operator.get("/metrics").1;
    operator.terminate();
    operator.wait();
    shown.log += &operator.log();
    let operator = place.operator_with(&[], &TRACE);
    let before = place.status("main");
    place.request("now");
    place.wait_for("main", "refreshed", |status| {
        status.token_fingerprint != before.token_fingerprint
    });
    shown.log += &operator.log();
    shown.metrics += &operator.get("/metrics").1;
    (operator, [repaired, place.token("main-token")])
}

/// The output of `check`, with well-formed and malformed values in the Secrets.
fn check(place: &Place) -> String {
    let run_check = || {
        let arguments = [
            "check",
            "--connect",
            "--namespace",
            &place.namespace,
            "--allow-network=127.0.0.0/8,::1/128",
        ];
        let (_, output, errors) = run(&place.kubeconfig, &arguments, &TRACE);
        output + &errors
    };
    let mut checks = run_check();
    place.patch(
        "secret",
        "client",
        &json!({"stringData": {"client-secret": format!("{WRONG_SECRET}\n")}}),
    );
    checks += &run_check();
    assert!(checks.contains("has a trailing newline"), "{checks}");
    checks
}

/// Every form of the tokens and of the planted secrets.
fn all_secrets(place: &Place, tokens: &[String]) -> Vec<String> {
    let planted = [CLIENT_SECRET, WRONG_SECRET, ECHOED_SECRET];
    let pairs = planted.map(|secret| pair(place, secret));
    let planted = planted.into_iter().chain(pairs.iter().map(String::as_str));
    tokens
        .iter()
        .map(String::as_str)
        .chain(planted)
        .flat_map(forms)
        .collect()
}

/// Libraries may print secrets below info. The operator itself has no line there.
fn no_library_logs_below_info(log: &str) {
    let lines = log.lines().map(serde_json::from_str::<Value>);
    for line in lines.map(|line| line.expect("every line is JSON")) {
        let told = ["INFO", "WARN", "ERROR"].contains(&line["level"].as_str().unwrap());
        assert!(told, "{line}");
        assert!(line.get("target").is_none(), "a module's name: {line}");
    }
}

#[test]
fn no_secret_is_found_anywhere_after_a_whole_scenario_at_trace_level() {
    let place = Place::new();
    let operator = place.operator_with(&[], &TRACE);
    let mut tokens = get_tokens(&place);
    write_wrong_secrets(&place);
    // The provider refuses in words that repeat the request.
    let provider = echoed(&place);
    // Those of the operator: `check` sends requests too, but no secret.
    let exchanges = provider.requests();
    assert_eq!(exchanges.len(), 8);
    let mut shown = Shown::default();
    let (_operator, later_tokens) = edit_restart_and_refresh(&place, operator, &mut shown);
    tokens.extend(later_tokens);
    let Shown { log, metrics } = shown;
    let checks = check(&place);

    assert_eq!(tokens.len(), 4);
    let secrets = all_secrets(&place, &tokens);
    let mut texts = readable(&place, &log, &metrics);
    texts.push(("a check".into(), checks));
    assert_eq!(find(&secrets, &texts), Vec::<String>::new());

    // The search finds the secrets where they are, also in the form in which they were sent.
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
    no_library_logs_below_info(&log);
}
