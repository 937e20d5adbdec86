//! A cluster whose definition is older than this program, with objects of another version, and very many of them.

use std::{
    io::{BufRead, BufReader},
    process::Command,
};

use cube_operator::api::CubeCredential;
use futures::{StreamExt, stream};
use kube::{Api, api::PostParams};
use serde_json::{Value, json};

use crate::{environment::ControlPlane, operator::eventually, place::manifest};

use super::{cube, reader, run};

const MANY: usize = 1000;

/// A definition without what came later, and with a provider that this version does not know.
fn install_older(plane: &ControlPlane) {
    let name = "cubecredentials.cube-operator.dev";
    let text = plane.kubectl(&["get", "crd", name, "-o", "json"]);
    let mut definition: Value = serde_json::from_str(&text).unwrap();
    let schema = &mut definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
    let providers = schema["spec"]["properties"]["provider"]["enum"].as_array_mut();
    providers.unwrap().push(json!("Forgotten"));
    for field in ["refreshScopes", "maximumLifetime"] {
        schema["spec"]["properties"]
            .as_object_mut()
            .unwrap()
            .remove(field)
            .unwrap();
    }
    // Its rule names a field that is gone.
    let rules = schema["spec"]["x-kubernetes-validations"]
        .as_array_mut()
        .unwrap();
    rules.retain(|rule| !rule["rule"].as_str().unwrap().contains("refreshScopes"));
    schema["status"]["properties"]
        .as_object_mut()
        .unwrap()
        .remove("reason")
        .unwrap();
    definition["metadata"] = json!({"name": name, "annotations": {}});
    let file = manifest(&definition);
    plane.kubectl(&["apply", "--server-side", "--force-conflicts", "-f", &file]);
}

fn credential(name: &str, provider: &str) -> Value {
    json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"provider": provider, "clientSecretRef": {"name": "client"}},
    })
}

fn create_many(plane: &ControlPlane) {
    let (runtime, client) = plane.client();
    let api: Api<CubeCredential> = Api::namespaced(client, "default");
    let create = |number: usize| {
        let object = serde_json::from_value(credential(&format!("many-{number:04}"), "Cubewire"));
        let (api, object) = (api.clone(), object.unwrap());
        async move { api.create(&PostParams::default(), &object).await.unwrap() }
    };
    let all = stream::iter(0..MANY).map(create).buffer_unordered(16);
    runtime.block_on(all.count());
}

/// A status as the last version wrote it.
fn report(plane: &ControlPlane, name: &str, ready: &str, reason: &str) {
    let condition = |r#type: &str| {
        json!({
            "type": r#type, "status": ready, "reason": reason, "message": "why", "observedGeneration": 1,
            "lastTransitionTime": "2026-11-21T12:00:00Z",
        })
    };
    let status = json!({"status": {
        "observedGeneration": 1, "conditions": [condition("Ready"), condition("Refreshed")],
        "expiresAt": "2100-01-01T00:00:00Z",
    }});
    plane.kubectl(&[
        "patch",
        "cubecredential",
        name,
        "--namespace",
        "default",
        "--subresource=status",
        "--type=merge",
        "-p",
        &status.to_string(),
    ]);
}

#[test]
fn a_thousand_objects_are_listed_in_pages_and_watched_through_an_outage_of_the_api_server() {
    let plane = ControlPlane::start_with(&["--audit-log", "true"]);
    install_older(&plane);
    create_many(&plane);
    eventually(
        "the API server takes what the older definition allows",
        || {
            let file = manifest(&credential("odd", "Forgotten"));
            let mut apply = plane.as_administrator();
            let applied = apply.args(["apply", "--server-side", "-f", &file]).output();
            applied.unwrap().status.success().then_some(())
        },
    );
    report(&plane, "odd", "True", "Synced");
    report(&plane, "many-0500", "False", "InvalidClient");
    report(&plane, "many-0501", "False", "Unreachable");

    let (code, table, errors) = run(&plane.kubeconfig, &["status"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), MANY + 2, "{table}");
    assert!(lines[1].contains("many-0500  InvalidClient"), "{table}");
    // What no operator has looked at has just been created.
    let last = lines[MANY + 1];
    assert!(
        last.starts_with("✓  odd ") && last.contains("Synced"),
        "{table}"
    );
    let pages = eventually("the audit log has the pages", || {
        let queries = plane.queries_of("admin", "cubecredentials");
        let pages: Vec<_> = queries
            .into_iter()
            .filter(|query| query.contains("limit=500"))
            .collect();
        // kubectl asks for pages too, each from its beginning.
        let next = pages
            .iter()
            .filter(|query| query.contains("continue="))
            .count();
        (next == 2).then_some(pages)
    });
    assert!(pages.len() >= 3, "{pages:?}");

    let (code, tree, _) = run(&plane.kubeconfig, &["status", "odd"]);
    assert!(
        code == Some(0) && tree.contains("unknown variant `Forgotten`"),
        "{tree}"
    );
    let (code, output, _) = run(&plane.kubeconfig, &["suspend", "odd"]);
    assert!(
        code == Some(0) && output.contains("\"odd\" suspended"),
        "{output}"
    );
    let (_, document, _) = run(&plane.kubeconfig, &["version", "-o", "json"]);
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["fit"], false);
    let missing = document["definition"]["missing"].as_array().unwrap();
    for field in [
        "spec.maximumLifetime",
        "spec.refreshScopes",
        "status.reason",
    ] {
        assert!(missing.contains(&json!(field)), "{document}");
    }
    assert_eq!(
        document["definition"]["unknown"],
        json!(["spec.provider=Forgotten"])
    );

    // Off a terminal, each change is a further line.
    let mut watch = cube(&plane.kubeconfig, &["status", "odd", "--watch"]);
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    assert!(next().contains("odd  Suspended"));
    plane.stop_api_server();
    plane.start_api_server();
    eventually("the API server is back", || {
        let mut patch = plane.as_administrator();
        patch.args(["get", "cubecredential", "odd", "--namespace", "default"]);
        patch.output().unwrap().status.success().then_some(())
    });
    report(&plane, "odd", "False", "InvalidGrant");
    assert!(next().contains("odd  InvalidGrant"));
    plane.kubectl(&["delete", "cubecredential", "odd", "--namespace", "default"]);
    assert_eq!(next(), "-  odd  Deleted");
    let interrupted = Command::new("kill")
        .args(["-INT", &watch.id().to_string()])
        .status();
    assert!(interrupted.unwrap().success());
    let code = eventually("the watch ends", || watch.try_wait().unwrap()).code();
    let errors = reader(watch.stderr.take().unwrap()).join().unwrap();
    assert!(
        code == Some(130) && errors.ends_with("interrupted\n"),
        "{errors}"
    );
}
