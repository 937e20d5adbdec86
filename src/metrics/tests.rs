use super::*;
use crate::api::{Condition, ConditionStatus, ConditionType};

fn condition(r#type: ConditionType, status: ConditionStatus, reason: &str) -> Condition {
    Condition {
        r#type,
        status,
        reason: reason.into(),
        message: "it says so".into(),
        observed_generation: 1,
        last_transition_time: "2026-11-23T10:00:00Z".parse().unwrap(),
    }
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::new("treasury", name)
}

fn good() -> CubeCredentialStatus {
    CubeCredentialStatus {
        issued_at: "2026-11-23T10:00:00Z".parse().ok(),
        expires_at: "2026-11-23T11:00:00Z".parse().ok(),
        refresh_at: "2026-11-23T10:55:00Z".parse().ok(),
        conditions: vec![
            condition(ConditionType::Ready, ConditionStatus::True, "Synced"),
            condition(
                ConditionType::Refreshed,
                ConditionStatus::True,
                "TokenIssued",
            ),
        ],
        ..CubeCredentialStatus::default()
    }
}

fn failing() -> CubeCredentialStatus {
    let mut status = good();
    status.failures = Some(2);
    status.conditions[1] = condition(
        ConditionType::Refreshed,
        ConditionStatus::False,
        "InvalidClient",
    );
    status.conditions.push(condition(
        ConditionType::Stalled,
        ConditionStatus::True,
        "InvalidClient",
    ));
    status
}

/// The samples whose name starts so.
fn samples(metrics: &Metrics, name: &str) -> Vec<String> {
    let text = metrics.text();
    let samples = text.lines().filter(|line| line.starts_with(name));
    samples.map(str::to_owned).collect()
}

#[test]
fn a_credential_is_shown_as_its_last_status_says_and_nothing_of_an_earlier_one_stays() {
    let metrics = Metrics::default();
    metrics.reported(&key("main"), &failing());
    metrics.reported(&key("main"), &good());
    metrics.reported(&key("other"), &failing());
    let of = |name: &str| samples(&metrics, &format!("cube_operator_{name}{{"));
    assert_eq!(
        of("condition"),
        [
            r#"cube_operator_condition{namespace="treasury",name="main",condition="Ready",status="True",reason="Synced"} 1"#,
            r#"cube_operator_condition{namespace="treasury",name="main",condition="Refreshed",status="True",reason="TokenIssued"} 1"#,
            r#"cube_operator_condition{namespace="treasury",name="other",condition="Ready",status="True",reason="Synced"} 1"#,
            r#"cube_operator_condition{namespace="treasury",name="other",condition="Refreshed",status="False",reason="InvalidClient"} 1"#,
        ]
    );
    assert_eq!(
        of("token_expiry_timestamp_seconds"),
        [
            r#"cube_operator_token_expiry_timestamp_seconds{namespace="treasury",name="main"} 1795431600"#,
            r#"cube_operator_token_expiry_timestamp_seconds{namespace="treasury",name="other"} 1795431600"#,
        ]
    );
    assert_eq!(
        of("next_refresh_timestamp_seconds")[0],
        r#"cube_operator_next_refresh_timestamp_seconds{namespace="treasury",name="main"} 1795431300"#,
    );
    assert_eq!(
        of("last_success_timestamp_seconds")[0],
        r#"cube_operator_last_success_timestamp_seconds{namespace="treasury",name="main"} 1795428000"#,
    );
    assert_eq!(
        of("consecutive_failures"),
        [
            r#"cube_operator_consecutive_failures{namespace="treasury",name="main"} 0"#,
            r#"cube_operator_consecutive_failures{namespace="treasury",name="other"} 2"#,
        ]
    );
}

#[test]
fn nothing_is_shown_of_a_deleted_credential_nor_a_time_of_one_without_a_token() {
    let metrics = Metrics::default();
    metrics.reported(&key("main"), &good());
    metrics.reported(&key("new"), &CubeCredentialStatus::default());
    metrics.forget(&key("main"));
    let text = metrics.text();
    let shown = text.lines().filter(|line| line.contains("namespace="));
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [r#"cube_operator_consecutive_failures{namespace="treasury",name="new"} 0"#]
    );
}

#[test]
fn an_unknown_reason_in_a_status_becomes_no_label() {
    let metrics = Metrics::default();
    let mut status = good();
    status.conditions[0].reason = "Whatever".into();
    metrics.reported(&key("main"), &status);
    assert_eq!(
        samples(&metrics, "cube_operator_condition{"),
        [
            r#"cube_operator_condition{namespace="treasury",name="main",condition="Refreshed",status="True",reason="TokenIssued"} 1"#
        ]
    );
}

#[test]
fn what_is_counted_is_also_timed() {
    let metrics = Metrics::default();
    metrics.exchanged(Reason::TokenIssued, Duration::from_millis(150));
    metrics.exchanged(Reason::NoResponse, Duration::from_secs(31));
    metrics.probed("refused");
    metrics.reconciled(true, Duration::from_millis(2));
    metrics.reconciled(false, Duration::from_secs(2));
    assert_eq!(
        samples(&metrics, "cube_operator_exchanges_total").len(),
        2,
        "one for each reason"
    );
    for (sample, value) in [
        ("exchange_duration_seconds_bucket{le=\"0.1\"}", "0"),
        ("exchange_duration_seconds_bucket{le=\"0.2\"}", "1"),
        ("exchange_duration_seconds_bucket{le=\"30.0\"}", "1"),
        ("exchange_duration_seconds_bucket{le=\"+Inf\"}", "2"),
        ("exchange_duration_seconds_count", "2"),
        ("reconcile_duration_seconds_count", "2"),
        ("reconciles_total{result=\"ok\"}", "1"),
        ("reconciles_total{result=\"error\"}", "1"),
        ("budget_waits_total", "0"),
        ("probes_total{result=\"refused\"}", "1"),
    ] {
        let line = format!("cube_operator_{sample} {value}");
        assert!(
            metrics.text().lines().any(|found| found == line),
            "{line} in {}",
            metrics.text()
        );
    }
}

#[test]
fn the_end_of_a_login_says_whether_a_refresh_extends_it() {
    let metrics = Metrics::default();
    let mut status = good();
    metrics.reported(&key("none"), &status);
    status.login_expires_at = "2026-11-23T11:00:00Z".parse().ok();
    metrics.reported(&key("idle"), &status);
    status.login_fixed = true;
    metrics.reported(&key("session"), &status);
    assert_eq!(
        samples(&metrics, "cube_operator_login_expiry_timestamp_seconds"),
        [
            r#"cube_operator_login_expiry_timestamp_seconds{namespace="treasury",name="idle",fixed="false"} 1795431600"#,
            r#"cube_operator_login_expiry_timestamp_seconds{namespace="treasury",name="session",fixed="true"} 1795431600"#,
        ]
    );
}

#[test]
fn thousands_of_credentials_are_shown_on_pages_of_a_bounded_size_and_each_of_them_once() {
    let metrics = Metrics::default();
    for number in 0..1_001 {
        metrics.reported(&key(&format!("main-{number:04}")), &good());
    }
    let mut pages = metrics.pages();
    let mut text = pages.next().unwrap();
    // Objects that go and come meanwhile disturb no other.
    metrics.forget(&key("main-0000"));
    for page in pages {
        assert!(page.len() < 64 * 1024, "{} bytes", page.len());
        text += &page;
    }
    for number in 1..1_001 {
        let label = format!("name=\"main-{number:04}\"");
        assert_eq!(text.matches(&label).count(), 6, "{label}");
    }
    assert_eq!(text.matches("# TYPE cube_operator_condition ").count(), 1);
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn a_process_of_a_shard_names_it_wherever_its_figures_could_be_mistaken_for_those_of_another_one() {
    let metrics = Metrics::of_shard(Some("1/2"));
    metrics.watches("", false);
    metrics.watches_providers("", "CubeProvider", false);
    for sample in [
        r#"cube_operator_leader{shard="1/2"} 0"#,
        r#"cube_operator_namespace_watched{shard="1/2",namespace=""} 0"#,
        r#"cube_operator_providers_watched{shard="1/2",namespace="",kind="CubeProvider"} 0"#,
    ] {
        assert_eq!(samples(&metrics, sample).len(), 1, "{}", metrics.text());
    }
}
