//! `metrics.md`, from what `/metrics` shows once everything has happened.

use std::{collections::BTreeMap, time::Duration};

use cube_operator::{
    api::{CubeCredentialStatus, Reason},
    metrics::Metrics,
};
use serde_json::json;

use super::{Table, check, code, prose};

fn text_of_a_process_that_has_done_everything() -> String {
    let status: CubeCredentialStatus = serde_json::from_value(json!({
        "issuedAt": "2026-11-23T10:00:00Z", "expiresAt": "2026-11-23T11:00:00Z",
        "loginExpiresAt": "2026-11-24T10:00:00Z",
        "conditions": [{
            "type": "Ready", "status": "True", "reason": "Synced", "message": "", "observedGeneration": 1,
            "lastTransitionTime": "2026-11-23T10:00:00Z",
        }],
    }))
    .unwrap();
    let metrics = Metrics::of_shard(Some("0/3"));
    metrics.reported("treasury", "main", &status);
    metrics.exchanged(Reason::TokenIssued, Duration::ZERO);
    metrics.reconciled(true, Duration::ZERO);
    metrics.api_requested("get secrets".into());
    metrics.watches("treasury", true);
    metrics.text()
}

/// The labels of the first sample of a metric.
fn labels(text: &str, name: &str) -> String {
    let mut samples = text.lines().filter(|line| !line.starts_with('#'));
    let of_this = |line: &&str| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(['{', ' ', '_']))
    };
    let sample = samples
        .find(of_this)
        .unwrap_or_else(|| panic!("no sample of {name}"));
    let labels = sample
        .split(['{', ','])
        .filter_map(|part| Some(part.split_once("=\"")?.0));
    let labels: Vec<_> = labels.filter(|label| *label != "le").map(code).collect();
    labels.join(", ")
}

#[test]
fn metrics_are_listed_with_type_and_labels() {
    let text = text_of_a_process_that_has_done_everything();
    let described: BTreeMap<_, _> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# HELP ")?.split_once(' '))
        .collect();
    let mut table = Table::new(&["metric", "type", "labels", "meaning"]);
    for line in text.lines() {
        let Some((family, kind)) = line
            .strip_prefix("# TYPE ")
            .and_then(|rest| rest.split_once(' '))
        else {
            continue;
        };
        let name = match kind {
            "counter" => format!("{family}_total"),
            "info" => format!("{family}_info"),
            _ => family.to_owned(),
        };
        let help = described
            .get(family)
            .unwrap_or_else(|| panic!("{family} has no help"));
        table.row([
            code(&name),
            kind.to_owned(),
            labels(&text, &name),
            prose(help),
        ]);
    }
    let page = format!(
        "# Metrics\n\n\
         `/metrics` has the OpenMetrics text format. The values of the chart below [`monitoring`](values.md#monitoring) have it \
         scraped, and bring alerts, each with a section in the [runbook](../runbook.md), and a dashboard. \
         [Who may read it](../access.md#metrics) is limited by the values below [`metrics`](values.md#metrics). It shows names of \
         namespaces and CubeCredentials, times and reasons; no host, no client and no token.\n\n\
         The label `namespace` is the one of the CubeCredential: a Prometheus without its operator needs `honor_labels: true`. The \
         label `shard` is there only with [shards](../shards.md). The values of the label `reason` are the \
         [reasons of the conditions](conditions.md#reasons).\n\n{}",
        table.0
    );
    check("metrics.md", "src/metrics", &page);
}
