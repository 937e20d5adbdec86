//! What Flux and Argo CD make of a `CubeCredential`: the real kstatus, and the health check in the Lua that Argo CD runs.

use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

use cube_operator::api::ConditionType::Ready;
use serde_json::{Value, json};

use crate::{
    environment::{ROOT, tool},
    operator::{Operator, eventually},
    place::{Place, is},
};

const CHECK: &str = "docs/argocd-health.lua";

/// The status by kstatus, and the health by the check for Argo CD.
fn health(object: &Value) -> (String, String) {
    let mut command: Command = tool("gitops-health");
    command.arg(format!("{ROOT}/{CHECK}"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let text = object.to_string();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let output = String::from_utf8(output.stdout).unwrap();
    let (kstatus, argo) = output.trim_end().split_once('\n').unwrap();
    let (argo, message) = argo.split_once(": ").unwrap();
    assert!(!message.is_empty() && message != "nil", "{output}");
    (kstatus.to_owned(), argo.to_owned())
}

fn of(place: &Place, name: &str) -> (String, String) {
    health(&place.get("cubecredential", name).unwrap())
}

fn both(kstatus: &str, argo: &str) -> (String, String) {
    (kstatus.to_owned(), argo.to_owned())
}

fn becomes(place: &Place, name: &str, kstatus: &str, argo: &str) {
    eventually(&format!("{name} is {kstatus} and {argo}"), || {
        (of(place, name) == both(kstatus, argo)).then_some(())
    });
}

#[test]
fn tools_wait_for_the_token_and_see_who_has_to_act() {
    let place = Place::new();
    place.apply(&place.source());
    place.apply(&place.credential("main"));
    let new = place.get("cubecredential", "main").unwrap();
    assert_eq!(new["status"], json!({"observedGeneration": -1}));
    assert_eq!(health(&new), both("InProgress", "Progressing"));
    let mut without = new;
    without["status"].take();
    assert_eq!(health(&without).0, "Current", "so it needs a status");

    let operator: Operator = place.operator();
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    assert_eq!(of(&place, "main"), both("Current", "Healthy"));

    let mut missing = place.credential("missing");
    missing["spec"]["clientSecretRef"]["name"] = json!("missing");
    place.apply(&missing);
    becomes(&place, "missing", "Failed", "Degraded");
    missing["metadata"]["name"] = json!("suspended");
    missing["spec"]["suspend"] = json!(true);
    place.apply(&missing);
    becomes(&place, "suspended", "InProgress", "Suspended");
    let mut down = place.credential_at("down", "https://127.0.0.1:1/", "authority");
    down["spec"]["clientSecretRef"]["name"] = json!("client");
    place.apply(&down);
    becomes(&place, "down", "InProgress", "Progressing");

    // A new spec that no operator has looked at is not ready, whatever its conditions say.
    drop(operator);
    place.patch(
        "cubecredential",
        "main",
        &json!({"spec": {"scopes": ["read"]}}),
    );
    assert_eq!(of(&place, "main"), both("InProgress", "Progressing"));
}

#[test]
fn the_page_has_the_health_check_that_is_tested() {
    let read = |path: &str| fs::read_to_string(format!("{ROOT}/{path}")).unwrap();
    let indented = read(CHECK).trim_end().replace('\n', "\n    ");
    assert!(read("docs/gitops.md").contains(&indented));
}
