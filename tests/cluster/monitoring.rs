//! What the operator exports, and what the chart's alerts and dashboard make of it: a real Prometheus, and a `CubeCredential` in
//! every state that they are about.

mod language;
mod prometheus;
mod rendered;

use std::{collections::BTreeMap, sync::Once};

use cube_operator::api::ConditionType::{self, Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    operator::{Operator, eventually},
    place::{LEADS, Place, READS, Right, is},
    scripted::{Authority, LOCAL, Provider, Reply, Request},
};
use prometheus::Prometheus;
use rendered::Alert;

/// In seconds, of a token whose end is looked at beforehand: Prometheus takes a sample for the present for five minutes.
const LIFETIME: i64 = 240;

/// A `CubeCredential` in each state: its name, what is special in its spec, and the condition that tells.
type State = (
    &'static str,
    Value,
    (ConditionType, &'static str, &'static str),
);

fn states() -> [State; 11] {
    let grant = json!({"grant": "RefreshToken", "refreshTokenRef": {"name": "seed"}});
    let client = |name: &str| json!({"clientSecretRef": {"name": name}});
    let is = |status, reason| (Refreshed, status, reason);
    [
        ("refused", client("wrong"), is("False", "InvalidClient")),
        (
            "missing",
            client("missing"),
            is("False", "ClientSecretNotFound"),
        ),
        (
            "suspended",
            json!({"suspend": true}),
            is("Unknown", "Suspended"),
        ),
        ("foreign", json!({}), (Ready, "False", "TargetConflict")),
        ("busy", json!({}), is("False", "RateLimited")),
        // The provider has asked the client of both to pause.
        ("queued", json!({}), (Ready, "False", "RateBudget")),
        ("page", json!({}), is("False", "UnexpectedResponse")),
        ("down", json!({}), is("False", "Unavailable")),
        ("dead", grant, is("False", "RefreshTokenRejected")),
        ("ending", json!({}), is("True", "TokenIssued")),
        // It has ended before the next one may be requested.
        ("short", json!({}), (Ready, "False", "Pending")),
    ]
}

/// Those that may not write their Secrets.
fn limited() -> [State; 2] {
    let grant = json!({"grant": "RefreshToken", "refreshTokenRef": {"name": "seed"}});
    let is = |reason| (Refreshed, "False", reason);
    [
        ("target", json!({}), is("TargetNotWritable")),
        ("state", grant, is("StateNotWritable")),
    ]
}

/// A provider that answers as its path says.
fn provider(authority: &Authority) -> Provider {
    let token = |lifetime| {
        let token =
            json!({"access_token": "issued", "token_type": "Bearer", "expires_in": lifetime});
        Reply::json(200, token.to_string())
    };
    let once = Once::new();
    let answer = move |request: &Request| match request.target.as_str() {
        // Longer than the test: when the pause is over, either of the two may ask first.
        "/busy" => Reply::json(429, "{}").header("Retry-After", "3600"),
        "/page" => Reply::json(200, "<html>Sign in</html>"),
        "/dead" => Reply::json(400, r#"{"error": "invalid_grant"}"#),
        "/target" => token(3600),
        "/short" => token(6),
        "/ending" if !once.is_completed() => {
            once.call_once(|| ());
            token(LIFETIME)
        }
        _ => Reply::json(503, "{}"),
    };
    Provider::start(&authority.certificate(&LOCAL), answer)
}

/// Applies a `CubeCredential`, and waits until it is in its state. All but `refused` have a path of the scripted provider.
fn bring(place: &Place, provider: &Provider, (name, special, condition): State) {
    let mut object = match name {
        "refused" => place.credential(name),
        "queued" => place.credential_at(name, &provider.url("/busy"), "scripted"),
        _ => place.credential_at(name, &provider.url(&format!("/{name}")), "scripted"),
    };
    let spec = object["spec"].as_object_mut().unwrap();
    spec.extend(special.as_object().unwrap().clone());
    place.apply(&object);
    let (r#type, status, reason) = condition;
    place.wait_for(name, reason, |found| is(found, r#type, status, reason));
}

fn secret(name: &str, key: &str, value: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": name, "labels": {"cube-operator.dev/credential": "true"}},
        "stringData": {"client-id": "somebody", "client-secret": "wrong", key: value},
    })
}

/// Takes a right of the operator away until the alert about that finds it.
fn refuse_requests(place: &Place, prometheus: &Prometheus, right: Right, alert: &Alert) {
    let binding = place.revoke(right);
    place.request("now");
    eventually(&alert.name, || prometheus.query(&alert.expr, None).pop());
    place.apply(&binding);
}

/// The `CubeCredentials` that an alert is about.
fn concerned(alert: &str) -> &'static [&'static str] {
    match alert {
        "CubeCredentialTokenExpiring" => &["ending"],
        "CubeCredentialTokenExpired" => &["ending", "short"],
        "CubeCredentialLoginLost" => &["dead"],
        "CubeCredentialClientRejected" => &["refused"],
        "CubeCredentialEndpointWrong" => &["page"],
        "CubeCredentialStateNotWritable" => &["state"],
        "CubeCredentialMisconfigured" => &["missing"],
        "CubeCredentialTargetTrouble" => &["foreign", "target"],
        "CubeCredentialRateLimited" => &["busy"],
        "CubeCredentialEndpointDown" => &["down", "ending"],
        "CubeCredentialNotReady" => &["queued", "short"],
        other => panic!("{other} is not known here"),
    }
}

fn text<'a>(labels: &'a Value, label: &str) -> &'a str {
    labels[label].as_str().unwrap_or_default()
}

/// Waits until each selector of a query finds something.
fn finds(prometheus: &Prometheus, what: &str, query: &str, at: Option<i64>) {
    for selector in prometheus.selectors(query) {
        let selector = selector.to_string();
        eventually(&format!("{what}: {selector}"), || {
            (!prometheus.query(&selector, at).is_empty()).then_some(())
        });
    }
}

#[test]
fn every_alert_and_every_query_of_the_dashboard_finds_what_the_operator_exports() {
    let place = Place::new();
    let lease = format!("{}/cube-operator", place.namespace);
    let operator = place.operator_with(&["--lease", &lease], &[]);
    let prometheus = Prometheus::scraping(&operator);
    place.ready_main();
    let (of_the_operator, of_credentials): (Vec<_>, Vec<_>) = rendered::alerts()
        .into_iter()
        .partition(|alert| alert.name.starts_with("CubeOperator"));
    let [absent, not_leading, errors] = of_the_operator.as_slice() else {
        panic!("{of_the_operator:?}");
    };
    refuse_requests(&place, &prometheus, READS, errors);
    place.wait_for("main", "served", |status| status.refresh_request.is_some());
    refuse_requests(&place, &prometheus, LEADS, not_leading);
    eventually("it leads again", || {
        (operator.metric("cube_operator_leader") == Some(1.0)).then_some(())
    });

    let authority = Authority::new("private");
    let provider = provider(&authority);
    place.trust("scripted", &authority);
    place.apply(&secret("wrong", "client-id", &place.namespace));
    place.apply(&secret("seed", "refresh-token", "copied-from-elsewhere"));
    place.apply(&secret("foreign-token", "somebody", "else"));
    for state in states() {
        bring(&place, &provider, state);
    }
    place.apply(&json!({
        "apiVersion": "v1", "kind": "ResourceQuota",
        "metadata": {"name": "no-more-secrets"}, "spec": {"hard": {"count/secrets": "0"}},
    }));
    eventually("the quota is in force", || {
        let create = ["create", "secret", "generic", "another", "--dry-run=server"];
        (!place.kubectl_works(&create)).then_some(())
    });
    for state in limited() {
        bring(&place, &provider, state);
    }
    place.request_of("ending", "now");
    let ending = place.wait_for("ending", "the second exchange failed", |status| {
        is(status, Refreshed, "False", "Unavailable")
    });
    let end = ending.expires_at.unwrap().as_second();

    for alert in of_credentials {
        let at = match alert.name.as_str() {
            "CubeCredentialTokenExpiring" => Some(end - LIFETIME / 12),
            "CubeCredentialTokenExpired" => Some(end + 1),
            _ => None,
        };
        finds(&prometheus, &alert.name, &alert.expr, at);
        eventually(&alert.name, || {
            let found = prometheus.query(&alert.expr, at);
            let mut names: Vec<_> = found
                .iter()
                .map(|(labels, _)| text(labels, "name"))
                .collect();
            names.sort_unstable();
            (names == concerned(&alert.name)).then_some(())
        });
    }
    for (title, query) in rendered::queries(&place.namespace) {
        finds(&prometheus, &title, &query, None);
        eventually(&title, || {
            let found = prometheus.query(&query, None);
            (found.iter().any(|(_, value)| !value.is_nan())).then_some(())
        });
    }

    for (metric, namespace) in [
        ("cube_operator_condition", place.namespace.as_str()),
        ("cube_operator_build_info", "cube-system"),
    ] {
        let found = prometheus.query(metric, None);
        let own = found
            .iter()
            .all(|(labels, _)| text(labels, "namespace") == namespace);
        assert!(own, "{found:?}");
    }

    finds(&prometheus, &absent.name, &absent.expr, None);
    drop(operator);
    eventually(&absent.name, || prometheus.query(&absent.expr, None).pop());
}

/// What is shown of each `CubeCredential`, without values.
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
    eventually("the last request is made", || {
        (place.event_count("main", "TokenIssued") == 1).then_some(())
    });
    let user = format!("system:serviceaccount:{}:cube-operator", place.namespace);
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
    assert_eq!(counts["watch secrets"], 2, "targets and sources");
    assert_eq!(counts["create events"], 1);
}
