//! The chart's alerts and dashboard, as `helm template` renders them.

use serde_json::Value;

use crate::environment::{ROOT, output, tool};

/// The release that is rendered.
pub(super) const RELEASE: &str = "cube-operator";
/// Its namespace.
pub(super) const NAMESPACE: &str = "cube-system";

/// A rule of the chart.
#[derive(Debug)]
pub(super) struct Alert {
    pub(super) name: String,
    pub(super) expr: String,
    pub(super) severity: String,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) runbook_url: String,
}

/// The spec of the `PrometheusRule`: a file of rules, as Prometheus reads it.
pub(super) fn rules(values: &[&str]) -> Value {
    let values = [&["monitoring.prometheusRule.enabled=true"], values].concat();
    rendered("prometheusrule", &values)["spec"].clone()
}

/// All alerts, as they are if the `ServiceMonitor` is there too.
pub(super) fn alerts() -> Vec<Alert> {
    let rules = rules(&["monitoring.serviceMonitor.enabled=true"]);
    let groups = rules["groups"].as_array().unwrap().iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let alert = |rule: &Value| Alert {
        name: text(&rule["alert"]),
        expr: text(&rule["expr"]),
        severity: text(&rule["labels"]["severity"]),
        summary: text(&rule["annotations"]["summary"]),
        description: text(&rule["annotations"]["description"]),
        runbook_url: text(&rule["annotations"]["runbook_url"]),
    };
    rules.map(alert).collect()
}

/// Title and expression of each query of the dashboard, its variables as Grafana fills them in.
pub(super) fn queries(namespace: &str) -> Vec<(String, String)> {
    let dashboard = dashboard();
    let fill = |expr: &str| {
        expr.replace("$namespace", namespace)
            .replace("$__rate_interval", "1m")
    };
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let queries = panels.flat_map(|panel| {
        let title = panel["title"].as_str().unwrap();
        let targets = panel["targets"].as_array().unwrap().iter();
        targets.map(move |target| (title.to_owned(), fill(target["expr"].as_str().unwrap())))
    });
    queries.collect()
}

/// How the chart has the Prometheus operator scrape.
pub(super) fn endpoint() -> Value {
    let monitor = rendered(
        "servicemonitor",
        &["monitoring.serviceMonitor.enabled=true"],
    );
    monitor["spec"]["endpoints"][0].clone()
}

/// The dashboard, from its `ConfigMap`.
fn dashboard() -> Value {
    let map = rendered("dashboard", &["monitoring.dashboard.enabled=true"]);
    let text = map["data"]["cube-operator.json"].as_str().unwrap();
    serde_json::from_str(text).unwrap()
}

fn rendered(template: &str, values: &[&str]) -> Value {
    let yaml = output(tool("helm").args([
        "template",
        RELEASE,
        &format!("{ROOT}/charts/cube-operator"),
        "--namespace",
        NAMESPACE,
        "--show-only",
        &format!("templates/{template}.yaml"),
        "--set",
        &values.join(","),
    ]));
    serde_saphyr::from_str(&yaml).unwrap()
}
