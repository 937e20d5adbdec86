//! Each alert and each query of the dashboard, asked of a real Prometheus.

use cube_operator::api::ConditionType::Refreshed;
use serde_json::{Value, json};

use super::states::{LIFETIME, bring, limited, provider, secret, states};
use super::{
    prometheus::Prometheus,
    rendered::{self, Alert},
};
use crate::{
    operator::eventually,
    place::{LEADS, Place, READS, Right, is},
    scripted::Authority,
};

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
        // The time that is asked for is minutes ahead: the last token of "leaving" has expired by then.
        "CubeCredentialTokenExpired" => &["ending", "leaving", "short"],
        "CubeCredentialLoginLost" => &["dead"],
        "CubeCredentialLoginEnding" => &["leaving"],
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
    let unknown = format!("{}-unknown", place.namespace);
    let flags = ["--lease", &lease, "--namespaces", &unknown];
    let operator = place.operator_with(&flags, &[]);
    let prometheus = Prometheus::scraping(&operator);
    place.ready_main();
    let (of_the_operator, of_credentials): (Vec<_>, Vec<_>) = rendered::alerts()
        .into_iter()
        .partition(|alert| alert.name.starts_with("CubeOperator"));
    let [
        absent,
        not_leading,
        errors,
        not_watched,
        providers_not_watched,
    ] = of_the_operator.as_slice()
    else {
        panic!("{of_the_operator:?}");
    };
    for unwatched in [not_watched, providers_not_watched] {
        eventually(&unwatched.name, || {
            let found = prometheus.query(&unwatched.expr, None);
            let found = found.iter().map(|(labels, _)| text(labels, "namespace"));
            found.eq([unknown.as_str()]).then_some(())
        });
    }
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
    place.apply(&secret("another-seed", "refresh-token", "another"));
    place.apply(&secret("session", "refresh-token", "of-a-session"));
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
