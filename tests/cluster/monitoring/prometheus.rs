//! A real Prometheus, which scrapes as the chart's `ServiceMonitor` says.

use std::{
    fmt, fs,
    path::PathBuf,
    process::{Child, Stdio},
};

use serde_json::{Value, json};

use super::rendered::{NAMESPACE, RELEASE, endpoint};
use crate::{
    environment::{directory, tool},
    operator::{Operator, eventually, get},
};

/// A running Prometheus; killed when dropped.
pub(super) struct Prometheus {
    child: Child,
    log: PathBuf,
    address: String,
}

/// A part of a query that selects series: a metric, and what its labels have to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selector {
    pub(super) metric: String,
    pub(super) matchers: Vec<Matcher>,
}

/// A label, `=`, `!=`, `=~` or `!~`, and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Matcher {
    pub(super) label: String,
    pub(super) operator: String,
    pub(super) value: String,
}

impl Prometheus {
    /// One that only reads queries.
    pub(super) fn without_targets() -> Self {
        Self::start(&json!([]))
    }

    /// One that scrapes this operator each second, as the Prometheus operator makes it of the `ServiceMonitor`.
    pub(super) fn scraping(operator: &Operator) -> Self {
        let labels = json!({
            "namespace": NAMESPACE, "service": format!("{RELEASE}-metrics"), "pod": "cube-operator-0", "container": "operator",
        });
        Self::start(&json!([{
            "job_name": format!("{RELEASE}-metrics"),
            "honor_labels": endpoint()["honorLabels"],
            "static_configs": [{"targets": [operator.address], "labels": labels}],
        }]))
    }

    fn start(scrape: &Value) -> Self {
        let directory = directory("prometheus");
        let (config, log) = (directory.join("prometheus.yaml"), directory.join("log"));
        let content = json!({"global": {"scrape_interval": "1s"}, "scrape_configs": scrape});
        fs::write(&config, content.to_string()).unwrap();
        let child = tool("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", directory.display()))
            .args(["--web.listen-address=127.0.0.1:0", "--log.format=json"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut prometheus = Self {
            child,
            log,
            address: String::new(),
        };
        prometheus.address = eventually("Prometheus logs its address", || {
            let log = fs::read_to_string(&prometheus.log).unwrap();
            let lines = log.lines().map(serde_json::from_str::<Value>);
            let mut listening = lines.flatten().filter(|line| line["msg"] == "Listening on");
            Some(listening.next()?["address"].as_str()?.to_owned())
        });
        eventually("Prometheus is ready", || {
            (get(&prometheus.address, "/-/ready").0 == 200).then_some(())
        });
        prometheus
    }

    /// The series that a query has now, or at this Unix time: their labels and values.
    pub(super) fn query(&self, query: &str, at: Option<i64>) -> Vec<(Value, f64)> {
        let mut parameters = vec![("query", query.to_owned())];
        parameters.extend(at.map(|at| ("time", at.to_string())));
        let data = self.api("query", &parameters);
        let value = |sample: &Value| sample.as_str().unwrap().parse().unwrap();
        match data["result"].as_array().unwrap().as_slice() {
            [_, scalar] if data["resultType"] == "scalar" => vec![(Value::Null, value(scalar))],
            series => {
                let series = series.iter();
                series
                    .map(|series| (series["metric"].clone(), value(&series["value"][1])))
                    .collect()
            }
        }
    }

    /// All selectors of a query.
    pub(super) fn selectors(&self, query: &str) -> Vec<Selector> {
        let mut found = Vec::new();
        collect(
            &self.api("parse_query", &[("query", query.to_owned())]),
            &mut found,
        );
        assert!(!found.is_empty(), "{query} selects nothing");
        found
    }

    fn api(&self, path: &str, parameters: &[(&str, String)]) -> Value {
        let mut url = url::Url::parse("http://x").unwrap();
        url.set_path(&format!("/api/v1/{path}"));
        url.query_pairs_mut().extend_pairs(parameters);
        let (status, body) = get(&self.address, url.as_str().trim_start_matches("http://x"));
        assert_eq!(status, 200, "{parameters:?}: {body}");
        serde_json::from_str::<Value>(&body).unwrap()["data"].clone()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!(
                "--- log of Prometheus\n{}",
                fs::read_to_string(&self.log).unwrap()
            );
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let matchers = self.matchers.iter().map(|matcher| {
            let Matcher {
                label,
                operator,
                value,
            } = matcher;
            format!("{label}{operator}{value:?}")
        });
        write!(
            f,
            "{}{{{}}}",
            self.metric,
            matchers.collect::<Vec<_>>().join(",")
        )
    }
}

/// Selectors anywhere in a parsed query.
fn collect(node: &Value, found: &mut Vec<Selector>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match node {
        Value::Object(fields) => {
            if node["type"] == "vectorSelector" || node["type"] == "matrixSelector" {
                let matchers = node["matchers"].as_array().unwrap().iter();
                let matchers = matchers.filter(|matcher| matcher["name"] != "__name__");
                found.push(Selector {
                    metric: text(&node["name"]),
                    matchers: matchers
                        .map(|matcher| Matcher {
                            label: text(&matcher["name"]),
                            operator: text(&matcher["type"]),
                            value: text(&matcher["value"]),
                        })
                        .collect(),
                });
            }
            fields.values().for_each(|value| collect(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}
