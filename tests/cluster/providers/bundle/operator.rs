//! The rights of the operator in its own namespace, and what it asks there.

use super::*;
use crate::commands::run;

#[test]
fn without_the_right_to_its_namespace_or_its_name_the_operator_says_so_and_everything_else_works() {
    let place = Place::new();
    let system = format!("{}-system", place.namespace);
    place.plane.kubectl(&["create", "namespace", &system]);
    let scene = Scene::at(place, system);
    let (place, system) = (&scene.place, &scene.system);
    scene.trust("ca.crt", &scene.first.authority.pem());
    let operator = scene.operator();
    scene.provider_says(&format!(
        "this object cannot be used: the operator may not watch ConfigMap {system}/roots of its caBundleRef: ask the installer for get, \
         list and watch on configmaps in that namespace"
    ));
    operator.wait_for_log("failed to watch the CA bundle of a ClusterCubeProvider, retrying");
    place.apply(&place.credential("plain"));
    place.becomes("plain", Ready, "True", "Synced");
    assert_eq!(operator.get("/readyz").0, 200);
    let (_, output, _) = place.check_as(
        &place.kubeconfig,
        "main",
        &[CLUSTER_PROVIDERS, "--operator-namespace", system],
        &[],
    );
    assert!(
        output.contains(&format!("ConfigMap {system}/roots")),
        "{output}"
    );
    let check = || {
        let flags = [
            "check",
            "--namespaces",
            &place.namespace,
            CLUSTER_PROVIDERS,
            "--operator-namespace",
            system,
        ];
        run(&place.kubeconfig, &flags, &[]).1
    };
    let right = format!(
        "get, list, watch configmaps in the operator's namespace {system}, for caBundleRef of ClusterCubeProviders"
    );
    let output = check();
    let missing = format!("✗ may not {right}: install the chart's roles, with clusterProviders\n");
    assert!(output.contains(&missing), "{output}");
    let subject = format!("--serviceaccount={}:cube-operator", place.namespace);
    let plane = place.plane;
    plane.kubectl(&[
        "create",
        "role",
        "bundles",
        "--verb=get,list,watch",
        "--resource=configmaps",
        "-n",
        system,
    ]);
    plane.kubectl(&[
        "create",
        "rolebinding",
        "bundles",
        "--role=bundles",
        &subject,
        "-n",
        system,
    ]);
    place.becomes("main", Ready, "True", "Synced");
    scene.provider_is("Usable");
    let output = check();
    assert!(output.contains(&format!("✓ may {right}\n")), "{output}");
    let (_, output, _) = place.check_as(
        &place.kubeconfig,
        "main",
        &[CLUSTER_PROVIDERS, "--operator-namespace", system, LOOPBACK],
        &[],
    );
    assert!(
        output.contains("has certificates in \"caBundleRef\": 1"),
        "{output}"
    );
    drop(operator);
    let _operator = place.operator_with(&[CLUSTER_PROVIDERS], &[]);
    // In the status of the provider, the operators of other tests may replace it: it does not say whose it is.
    let message = place.becomes("main", Refreshed, "False", "ProviderNotReady");
    assert!(
        message.contains("the operator does not know its own namespace, where ConfigMap \"roots\" of its caBundleRef is"),
        "{message}"
    );
}

#[test]
fn one_watch_serves_all_credentials_of_all_providers_with_the_same_config_map() {
    let scene = Scene::new();
    let place = &scene.place;
    scene.trust("ca.crt", &scene.first.authority.pem());
    let second = format!("{}-second", scene.name);
    let spec = json!({
        "namespaces": [place.namespace], "tokenURL": scene.first.server.url("/second"), "caBundleRef": {"name": "roots"},
    });
    place.define("ClusterCubeProvider", &second, &spec);
    let names: Vec<_> = (0..10).map(|number| format!("main-{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        let provider = if number % 2 == 0 {
            &scene.name
        } else {
            &second
        };
        place.apply(&place.named(name, "ClusterCubeProvider", provider));
    }
    // The budget of their one client is not the subject.
    let operator = place.operator_with(
        &[
            CLUSTER_PROVIDERS,
            "--operator-namespace",
            &scene.system,
            "--token-request-interval",
            "1s",
        ],
        &[],
    );
    for name in &names {
        place.becomes(name, Ready, "True", "Synced");
    }
    let requests = |operation: &str| {
        let metric =
            format!("cube_operator_api_requests_total{{operation=\"{operation} configmaps\"}}");
        operator.metric(&metric).unwrap_or_default()
    };
    assert!(requests("watch") <= 2.0, "{}", requests("watch"));
    assert!(requests("get") < 1.0, "{}", requests("get"));
    place.kubectl(&["delete", "clustercubeprovider", &second]);
}
