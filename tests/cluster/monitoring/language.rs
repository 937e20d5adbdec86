//! Alerts, dashboard, their tests and the documents name only metrics, labels and values that the operator exports. Needs no
//! cluster.

#[path = "../../monitoring/every_metric.rs"]
mod every_metric;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use cube_operator::api::Reason;
use serde_json::Value;

use super::{
    prometheus::{Prometheus, Selector},
    rendered::{alerts, queries, rules},
};
use crate::environment::{ROOT, directory, output, tool};

/// The tests of the alerts.
const TESTS: &str = "tests/monitoring/alerts.yaml";

pub(super) fn file(path: &str) -> String {
    fs::read_to_string(format!("{ROOT}/{path}")).unwrap()
}

/// The metrics of the operator, each with its labels.
fn exported() -> BTreeMap<String, BTreeSet<String>> {
    let text = every_metric::text();
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let named = samples.map(|line| {
        let name = line.split(['{', ' ']).next().unwrap().to_owned();
        let labels = line
            .split(['{', ','])
            .filter_map(|part| part.split_once("=\""));
        // Every scraped series has these.
        let labels = labels
            .map(|(label, _)| label)
            .chain(["job", "namespace", "pod"]);
        (name, labels.map(str::to_owned).collect())
    });
    named.collect()
}

/// All values that this label can have, if they are a closed set.
fn values_of(label: &str) -> Option<Vec<String>> {
    let words = |words: &[&str]| Some(words.iter().map(|&word| word.to_owned()).collect());
    match label {
        "condition" => words(&["Ready", "Refreshed"]),
        "status" => words(&["True", "False", "Unknown"]),
        "fixed" => words(&["true", "false"]),
        "result" => words(&["ok", "error"]),
        "reason" => Some(Reason::ALL.iter().map(Reason::to_string).collect()),
        _ => None,
    }
}

/// The parts of a selector that the operator does not export.
fn unknown_in(selector: &Selector) -> Vec<String> {
    let exported = exported();
    let Some(labels) = exported.get(&selector.metric) else {
        return vec![format!("there is no metric {}", selector.metric)];
    };
    let mut unknown = Vec::new();
    for matcher in &selector.matchers {
        if !labels.contains(&matcher.label) {
            unknown.push(format!(
                "{} has no label {}",
                selector.metric, matcher.label
            ));
        }
        for value in matcher.value.split('|') {
            let known = values_of(&matcher.label)
                .is_none_or(|values| values.iter().any(|known| known == value));
            if !known {
                unknown.push(format!("{} is never {value}", matcher.label));
            }
        }
    }
    unknown
}

/// The input series in the tests of the alerts.
fn series_of_tests() -> Vec<String> {
    let tests: Value = serde_saphyr::from_str(&file(TESTS)).unwrap();
    let tests = tests["tests"].as_array().unwrap().iter();
    let series = tests.flat_map(|test| test["input_series"].as_array().unwrap());
    series
        .map(|series| series["series"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn no_rule_query_or_rule_test_names_a_metric_a_label_or_a_value_that_the_operator_does_not_export()
{
    let prometheus = Prometheus::without_targets();
    let exprs = alerts().into_iter().map(|alert| alert.expr);
    let queries = queries(".*").into_iter().map(|(_, query)| query);
    let mut found = Vec::new();
    for query in exprs.chain(queries).chain(series_of_tests()) {
        for selector in prometheus.selectors(&query) {
            found.extend(
                unknown_in(&selector)
                    .into_iter()
                    .map(|what| format!("{what}: {query}")),
            );
        }
    }
    assert!(found.is_empty(), "{found:#?}");

    for nonsense in [
        "rate(cube_operator_refreshes_total[5m])",
        "cube_operator_condition{type=\"Ready\"}",
        "sum(cube_operator_exchanges_total{reason=~\"TokenIssued|InvalidClients\"})",
        "cube_operator_reconciles_total{result!=\"failed\"}",
    ] {
        let selectors = prometheus.selectors(nonsense);
        assert_eq!(
            selectors.iter().flat_map(unknown_in).count(),
            1,
            "{nonsense}"
        );
    }
}

#[test]
fn no_text_names_a_metric_that_the_operator_does_not_export() {
    let exported = exported();
    let histogram = |word: &str| exported.contains_key(&format!("{word}_bucket"));
    let mut unknown = BTreeSet::new();
    for path in [
        "README.md",
        "CHANGELOG.md",
        "docs/install.md",
        "docs/monitoring.md",
        "docs/operations.md",
        "docs/reference/metrics.md",
        "docs/runbook.md",
        "docs/shards.md",
        "docs/sign-in.md",
        "charts/cube-operator/files/alerts.yaml",
        "charts/cube-operator/files/dashboard.json",
        TESTS,
    ] {
        let text = file(path);
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        let metrics = words.filter(|word| word.starts_with("cube_operator_"));
        unknown.extend(
            metrics
                .filter(|word| !exported.contains_key(*word) && !histogram(word))
                .map(|word| format!("{path}: {word}")),
        );
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn each_reason_that_somebody_has_to_know_of_has_an_alert() {
    let prometheus = Prometheus::without_targets();
    let mut told = BTreeSet::new();
    for alert in alerts() {
        for selector in prometheus.selectors(&alert.expr) {
            let reasons = selector.matchers.into_iter();
            let reasons = reasons
                .filter(|matcher| matcher.label == "reason" && !matcher.operator.starts_with('!'));
            told.extend(reasons.flat_map(|matcher| {
                let values: Vec<_> = matcher.value.split('|').map(str::to_owned).collect();
                values
            }));
        }
    }
    let fine = [Reason::Synced, Reason::TokenIssued];
    let bad = Reason::ALL.iter().filter(|reason| !fine.contains(reason));
    let untold: Vec<_> = bad
        .filter(|reason| !told.contains(&reason.to_string()))
        .collect();
    assert_eq!(untold, [&Reason::Synced; 0]);
}

#[test]
fn the_alerts_fire_when_they_should_and_only_then() {
    let directory = directory("promtool");
    // JSON is YAML.
    fs::write(directory.join("alerts.rules.yaml"), rules(&[]).to_string()).unwrap();
    fs::write(directory.join("alerts.yaml"), file(TESTS)).unwrap();
    let promtool =
        |arguments: &[&str]| output(tool("promtool").current_dir(&directory).args(arguments));
    promtool(&["check", "rules", "--lint-fatal", "alerts.rules.yaml"]);
    promtool(&["test", "rules", "alerts.yaml"]);
    for alert in alerts() {
        let fires = format!("alertname=\"{}\",alertstate=\"firing\"", alert.name);
        assert!(
            file(TESTS).contains(&fires),
            "{TESTS} has no case in which {} fires",
            alert.name
        );
    }
}
