//! The chart's ServiceAccount and roles.

use std::fs;

use serde_json::json;

use crate::environment::{ControlPlane, ROOT, directory, output, tool};

/// Installs the chart's ServiceAccount and roles, and returns a kubeconfig with a token of that account.
pub(crate) fn install(plane: &ControlPlane, namespace: &str, values: &str) -> String {
    let rendered = directory("chart").join("rendered.yaml");
    let chart = format!("{ROOT}/charts/cube-operator");
    let yaml = output(tool("helm").args([
        "template",
        "cube-operator",
        &chart,
        "--namespace",
        namespace,
        "--set",
        values,
    ]));
    fs::write(&rendered, yaml).unwrap();
    plane.kubectl(&["apply", "-f", rendered.to_str().unwrap()]);
    let token = plane.kubectl(&[
        "create",
        "token",
        "cube-operator",
        "--namespace",
        namespace,
        "--duration",
        "1h",
    ]);
    let (server, ca_file) = plane.server();
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "operator",
        "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority": ca_file}}],
        "users": [{"name": "u", "user": {"token": token.trim()}}],
        "contexts": [{"name": "operator", "context": {"cluster": "c", "user": "u", "namespace": namespace}}],
    });
    let path = directory("kubeconfig").join("config");
    fs::write(&path, config.to_string()).unwrap();
    path.to_str().unwrap().to_owned()
}
