//! `metrics.md`, from what `/metrics` shows once everything has happened.

#[path = "../../monitoring/every_metric.rs"]
mod every_metric;

use std::collections::BTreeMap;

use super::{Table, check, code, prose};

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
    let text = every_metric::text();
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
