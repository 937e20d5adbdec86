use serde_json::{Value, json};

use super::*;

const NOW: &str = "2026-11-21T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn condition(r#type: &str, status: &str, reason: &str) -> Value {
    json!({
        "type": r#type, "status": status, "reason": reason, "message": format!("{type} says {reason}"),
        "observedGeneration": 1, "lastTransitionTime": NOW,
    })
}

fn object(name: &str, status: &Value) -> Object {
    let object = json!({
        "metadata": {
            "name": name, "namespace": "treasury", "generation": 1, "creationTimestamp": "2026-11-20T12:00:00Z",
        },
        "spec": {"provider": "Cubewire", "clientSecretRef": {"name": "client"}},
        "status": status,
    });
    serde_json::from_value(object).unwrap()
}

fn row(name: &str, status: &Value) -> Row {
    Row::of(&object(name, status), now())
}

fn live(name: &str, expires_at: &str) -> Row {
    row(
        name,
        &json!({
            "observedGeneration": 1, "reason": "Synced", "expiresAt": expires_at,
            "conditions": [condition("Ready", "True", "Synced"), condition("Refreshed", "True", "TokenIssued")],
        }),
    )
}

fn outage(name: &str, reason: &str) -> Row {
    row(
        name,
        &json!({
            "observedGeneration": 1,
            "conditions": [condition("Ready", "False", reason), condition("Refreshed", "False", reason)],
        }),
    )
}

fn warning(name: &str, reason: &str, expires_at: &str) -> Row {
    row(
        name,
        &json!({
            "observedGeneration": 1, "expiresAt": expires_at,
            "conditions": [condition("Ready", "True", "Synced"), condition("Refreshed", "False", reason)],
        }),
    )
}

#[test]
fn what_needs_a_person_comes_before_what_fails_by_itself_and_that_before_expiry() {
    let mut rows = [
        live("later", "2026-11-21T14:00:00Z"),
        live("sooner", "2026-11-21T12:30:00Z"),
        outage("waits", "RateBudget"),
        warning("slow-network", "Unreachable", "2026-11-21T12:20:00Z"),
        outage("no-network", "Unreachable"),
        warning("secret-soon", "InvalidClient", "2026-11-21T12:10:00Z"),
        outage("secret-gone", "ClientSecretNotFound"),
        warning("secret-later", "InvalidClient", "2026-11-21T12:40:00Z"),
    ];
    rows.sort_by(order);
    let names: Vec<_> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "secret-gone",
            "secret-soon",
            "secret-later",
            "no-network",
            "slow-network",
            "waits",
            "sooner",
            "later",
        ]
    );
}

#[test]
fn rows_that_are_alike_are_in_the_order_of_their_names() {
    let mut rows = [
        live("b", "2026-11-21T13:00:00Z"),
        live("a", "2026-11-21T13:00:00Z"),
    ];
    rows.sort_by(order);
    assert_eq!(rows[0].name, "a");
}

#[test]
fn every_reason_has_an_urgency_that_fits_its_retries() {
    for reason in Reason::ALL {
        let row = outage("main", reason.name());
        let expected = match reason.retry_class() {
            Some(RetryClass::Terminal | RetryClass::Slow) => Urgency::NeedsPerson,
            None if reason.is_waiting() => Urgency::Waiting,
            _ => Urgency::Failing,
        };
        assert_eq!(row.urgency, expected, "{reason:?}");
        assert_eq!(row.message, format!("Refreshed says {}", reason.name()));
        assert!(!row.is_ready);
    }
}

#[test]
fn a_reason_of_another_version_is_urgent_where_consumers_have_no_token() {
    assert_eq!(outage("main", "Novel").urgency, Urgency::NeedsPerson);
    let live = warning("main", "Novel", "2026-11-21T13:00:00Z");
    assert_eq!(
        (live.urgency, live.reason.as_str()),
        (Urgency::Failing, "Novel")
    );
    let retried = row(
        "main",
        &json!({"conditions": [
            condition("Ready", "False", "Novel"), condition("Refreshed", "False", "Novel"),
            condition("Reconciling", "True", "Novel"),
        ]}),
    );
    assert_eq!(retried.urgency, Urgency::Failing);
}

#[test]
fn an_operator_that_does_not_run_is_a_matter_for_a_person() {
    let expired = live("main", "2026-11-21T11:00:00Z");
    assert_eq!(
        (expired.urgency, expired.reason.as_str(), expired.is_ready),
        (Urgency::NeedsPerson, "Expired", false)
    );
    let never = row("main", &json!({"observedGeneration": -1}));
    assert_eq!(
        (never.urgency, never.reason.as_str()),
        (Urgency::NeedsPerson, "NotObserved")
    );
    let overdue = row(
        "main",
        &json!({
            "observedGeneration": 1, "expiresAt": "2026-11-21T13:00:00Z", "refreshAt": "2026-11-21T11:30:00Z",
            "conditions": [condition("Ready", "True", "Synced"), condition("Refreshed", "True", "TokenIssued")],
        }),
    );
    assert_eq!(
        (overdue.urgency, overdue.reason.as_str(), overdue.is_ready),
        (Urgency::NeedsPerson, "Overdue", true)
    );
}

#[test]
fn a_new_object_waits_and_a_login_that_ends_soon_needs_a_person() {
    let mut new = object("main", &Value::Null);
    let created = k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(now());
    kube::Resource::meta_mut(&mut new).creation_timestamp = Some(created);
    assert_eq!(Row::of(&new, now()).urgency, Urgency::Waiting);

    let login = |at: &str, fixed: bool| {
        row(
            "main",
            &json!({
                "observedGeneration": 1, "expiresAt": "2026-11-21T13:00:00Z", "loginExpiresAt": at, "loginFixed": fixed,
                "conditions": [condition("Ready", "True", "Synced"), condition("Refreshed", "True", "TokenIssued")],
            }),
        )
        .urgency
    };
    assert_eq!(login("2026-11-23T12:00:00Z", true), Urgency::NeedsPerson);
    assert_eq!(login("2026-11-23T12:00:00Z", false), Urgency::Good);
    assert_eq!(login("2026-12-23T12:00:00Z", true), Urgency::Good);
}

#[test]
fn a_status_of_another_version_says_which_field_cannot_be_read() {
    let odd = row(
        "main",
        &json!({"conditions": [{"type": "Ready", "status": "Perhaps"}]}),
    );
    assert_eq!(odd.reason, "Unreadable");
    assert!(odd.message.contains("condition Ready"), "{}", odd.message);
}

#[test]
fn what_others_wrote_cannot_move_the_cursor() {
    let row = row(
        "main",
        &json!({"conditions": [
            {"type": "Ready", "status": "False", "reason": "A\u{1b}[2J", "message": "b\u{202e}c", "observedGeneration": 1,
             "lastTransitionTime": NOW},
            condition("Refreshed", "Unknown", "Pending"),
        ]}),
    );
    assert_eq!((row.reason.as_str(), row.message.as_str()), ("A[2J", "bc"));
}
