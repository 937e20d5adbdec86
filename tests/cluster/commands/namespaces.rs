//! The namespaces that are watched, and the definition of the kind.

use std::fs;

use cube_operator::api::{ConditionType::Ready, CubeCredentialStatus};
use serde_json::json;

use crate::{
    environment::{ControlPlane, ROOT, TokenServer},
    operator::{Operator, eventually},
    place::{Place, install, is},
};

use super::{failed, rights, run};

#[test]
fn all_namespaces_or_only_some_are_watched_and_without_its_definition_nothing_starts() {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()));
    plane.kubectl(&["create", "namespace", "operator"]);
    let kubeconfig = install(plane, "operator", "crds.install=false,aggregateRoles=false");
    let (one, other) = (
        Place::at(plane, TokenServer::shared()),
        Place::at(plane, TokenServer::shared()),
    );
    let networks = ["--allow-network", "127.0.0.0/8"];

    // The account has its rights in all namespaces, so only the flag decides.
    other.apply(&other.source());
    other.apply(&other.credential("main"));
    let operator = Operator::start(
        &kubeconfig,
        &["--namespaces", &one.namespace],
        &[("CUBE_OPERATOR_ALLOW_NETWORK", networks[1])],
    );
    let token = one.ready_main().token_fingerprint;
    let unwatched = CubeCredentialStatus {
        observed_generation: Some(-1),
        ..CubeCredentialStatus::default()
    };
    assert_eq!(other.status("main"), unwatched);
    assert!(other.exchanges().is_empty());
    drop(operator);

    let operator = Operator::start(&kubeconfig, &networks, &[]);
    // The same names in another namespace are other objects.
    let ready = |place: &Place| {
        place.wait_for("main", "Ready", |status| {
            is(status, Ready, "True", "Synced")
        })
    };
    assert_ne!(ready(&other).token_fingerprint, token);
    assert_eq!(ready(&one).token_fingerprint, token);
    assert_eq!((one.exchanges(), other.exchanges()), (vec![200], vec![200]));
    drop(operator);

    // Only the beginning of the output is about the installation.
    let rights = rights("in all namespaces");
    let check = || {
        let (code, output, errors) = run(&kubeconfig, &[&["check"], &networks[..]].concat(), &[]);
        let end = output.find("- the network").unwrap_or(output.len());
        assert_eq!(
            output.matches("CubeCredential test-").count(),
            if end == output.len() { 0 } else { 2 }
        );
        (code, output[..end].to_owned(), errors)
    };
    let definition = |line: &str| format!("✓ the API server responds\n{line}\n{rights}");
    let same =
        definition("✓ CustomResourceDefinition cubecredentials.cube-operator.dev is up to date");
    assert_eq!(check(), (Some(0), same, String::new()));

    let crd = "cubecredentials.cube-operator.dev";
    let another = json!([{
        "op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/suspend/default", "value": true,
    }]);
    plane.kubectl(&[
        "patch",
        "crd",
        crd,
        "--type=json",
        "-p",
        &another.to_string(),
    ]);
    let changed = definition(&format!(
        "✗ CustomResourceDefinition {crd} is not up to date: install the chart, or apply the output of `cube-operator crd` of version \
         {}",
        env!("CARGO_PKG_VERSION")
    ));
    let one_failed = "cube-operator: 1 of the checks above failed\n";
    assert_eq!(check(), (Some(1), changed.clone(), one_failed.to_owned()));

    let older = json!([{"op": "remove", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/description"}]);
    let providers = "cubeproviders.cube-operator.dev";
    plane.kubectl(&[
        "patch",
        "crd",
        providers,
        "--type=json",
        "-p",
        &older.to_string(),
    ]);
    let both = changed.replace(
        &rights,
        &changed[changed.find('✗').unwrap()..].replace(crd, providers),
    );
    let two_failed = "cube-operator: 2 of the checks above failed\n";
    assert_eq!(check(), (Some(1), both, two_failed.to_owned()));
    plane.kubectl(&["apply", "-f", &format!("{ROOT}/crds/cubeproviders.yaml")]);

    plane.kubectl(&["delete", "crd", crd]);
    let absent = "this cluster has no CubeCredential of cube-operator.dev/v1alpha1: install the chart, or apply the output of \
                  `cube-operator crd`";
    let expected = (
        Some(1),
        definition(&format!("✗ {absent}")),
        one_failed.to_owned(),
    );
    // It is served for a moment longer.
    eventually("the kind is gone", || (check() == expected).then_some(()));
    assert_eq!(
        run(&kubeconfig, &["run", "--listen", "127.0.0.1:0"], &[]),
        failed(absent)
    );
}

#[test]
fn crd_prints_the_definition_that_is_committed_and_that_the_chart_installs() {
    let (code, stdout, stderr) = run("/nowhere/config", &["crd"], &[]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    for folder in ["crds", "charts/cube-operator/files"] {
        let names = ["cubecredentials", "cubeproviders", "clustercubeproviders"];
        let read = |name| fs::read_to_string(format!("{ROOT}/{folder}/{name}.yaml")).unwrap();
        assert!(
            stdout == names.map(read).join("---\n"),
            "{folder} is not what the types say: run make crd"
        );
    }
}
