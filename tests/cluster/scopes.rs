//! Namespaces that cannot be watched: the others work, the log, a metric and `/readyz` say so, and nothing holds up the end.

use std::path::Path;

use cube_operator::api::ConditionType::Ready;
use serde_json::{Value, json};

use crate::{
    commands::run,
    environment::{ControlPlane, ROOT, TokenServer},
    operator::{Operator, eventually},
    place::{Place, is},
};

/// An operator that leads or stands by, whether it is ready or not.
fn launch(place: &Place, pod: &str, scope: &[&str]) -> Operator {
    let lease = format!("{}/cube-operator", place.namespace);
    let identity = format!("{pod}-uid");
    let arguments = [
        &["--lease", &lease, "--identity", &identity][..],
        &["--allow-network", "127.0.0.0/8,::1/128"],
        scope,
    ];
    let binary = Path::new(env!("CARGO_BIN_EXE_cube-operator"));
    Operator::launch(binary, &place.kubeconfig, &arguments.concat(), &[])
}

fn leads(operator: &Operator) -> bool {
    operator.metric("cube_operator_leader") == Some(1.0)
}

fn is_watched(operator: &Operator, namespace: &str) -> Option<f64> {
    let metric = format!("cube_operator_namespace_watched{{namespace=\"{namespace}\"}}");
    operator.metric(&metric)
}

/// How often the operator has listed something.
fn lists(operator: &Operator) -> f64 {
    let of = |resource: &str| {
        let metric = format!("cube_operator_api_requests_total{{operation=\"watch {resource}\"}}");
        operator.metric(&metric).unwrap_or_default()
    };
    of("cubecredentials") + of("secrets")
}

/// The lines about what cannot be watched, and about its end.
fn told(operator: &Operator) -> Vec<(Value, String)> {
    let lines = operator.lines().into_iter();
    let about = lines.filter_map(|line| {
        let message = line["message"].as_str()?.to_owned();
        let about = message.starts_with("failed to watch") || message.starts_with("watching");
        about.then(|| (line["namespace"].clone(), message))
    });
    about.collect()
}

/// A namespace with a source and a `CubeCredential` of this place's client, and no right of the operator.
fn without_rights(place: &Place) -> Place {
    let namespace = format!("{}-noperm", place.namespace);
    place.plane.kubectl(&["create", "namespace", &namespace]);
    Place {
        plane: place.plane,
        server: place.server,
        namespace,
        kubeconfig: place.kubeconfig.clone(),
    }
}

/// Gives the operator of `place` the rights there that it has in its own namespace.
fn grant(place: &Place, there: &Place) {
    for kind in ["role", "rolebinding"] {
        let mut object = place.get(kind, "cube-operator").unwrap();
        object["metadata"] = json!({"name": "cube-operator"});
        there.apply(&object);
    }
}

#[test]
fn a_namespace_without_rights_stops_no_other_and_works_once_it_has_them() {
    let place = Place::new();
    let noperm = without_rights(&place);
    let mut source = place.source();
    source["stringData"]["client-id"] = json!(place.namespace);
    noperm.apply(&source);
    noperm.apply(&json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "authority"}, "data": {"ca.crt": place.server.ca_pem},
    }));
    noperm.apply(&place.credential("main"));
    let absent = format!("{}-absent", place.namespace);
    let all = [&place.namespace, &noperm.namespace, &absent].map(String::as_str);
    let scope = ["--namespaces", &all.join(",")];

    let mut first = launch(&place, "first", &scope);
    place.ready_main();
    let cannot = |namespace: &str| format!("cannot watch namespace {namespace:?}");
    let both = format!(
        "ok\n{}: the log says why\n{}: the log says why\n",
        cannot(&absent),
        cannot(&noperm.namespace)
    );
    eventually("it is ready, and says what is missing", || {
        (first.get("/readyz") == (200, both.clone())).then_some(())
    });
    assert_eq!(is_watched(&first, &place.namespace), Some(1.0));
    assert_eq!(is_watched(&first, &noperm.namespace), Some(0.0));
    assert_eq!(is_watched(&first, &absent), Some(0.0));

    // Each list is retried in both namespaces and logged once: CubeCredentials, Secrets and provider objects.
    let before = lists(&first);
    eventually("they are tried again", || {
        (lists(&first) >= before + 6.0).then_some(())
    });
    let mut lines = told(&first);
    lines.sort_by_key(|(namespace, line)| (namespace.to_string(), line.clone()));
    let told_once = |namespace: &String| {
        let line = format!("failed to watch namespace {namespace:?}, retrying");
        let providers = "failed to watch CubeProviders, retrying".to_owned();
        [providers, line.clone(), line].map(|line| (json!(namespace), line))
    };
    assert_eq!(
        lines,
        [told_once(&absent), told_once(&noperm.namespace)].concat()
    );

    grant(&place, &noperm);
    noperm.wait_for("main", "Ready without a restart", |status| {
        is(status, Ready, "True", "Synced")
    });
    eventually("the metric follows", || {
        (is_watched(&first, &noperm.namespace) == Some(1.0)).then_some(())
    });
    let end = format!("watching namespace {:?}", noperm.namespace);
    let end = (json!(noperm.namespace), end);
    eventually("the end is told", || {
        told(&first).contains(&end).then_some(())
    });

    let (code, output, _) = run(
        &place.kubeconfig,
        &[
            &["check", "--connect", "--allow-network=127.0.0.0/8,::1/128"],
            &scope[..],
        ]
        .concat(),
        &[],
    );
    assert_eq!(code, Some(1), "{output}");
    assert!(
        output.contains(&format!(
            "✗ failed to list CubeCredentials in namespace {absent}: "
        )),
        "{output}"
    );
    assert!(
        output.contains(&format!("CubeCredential {}/main", noperm.namespace)),
        "{output}"
    );

    // The namespace that is still missing holds up neither the end nor the next leader.
    let second = launch(&place, "second", &scope);
    eventually("it stands by", || {
        (second.get("/readyz") == (200, "ok\n".into())).then_some(())
    });
    first.terminate();
    assert_eq!(first.wait().code(), Some(0));
    let lease = place.get("lease", "cube-operator").unwrap();
    assert_ne!(lease["spec"]["holderIdentity"], "first_first-uid");
    eventually("the next one leads", || leads(&second).then_some(()));
    place.request("of-the-second");
    eventually("it works", || place.status("main").refresh_request);
}

#[test]
fn who_may_watch_nothing_is_never_ready_ends_at_once_and_works_once_it_may() {
    let plane: &'static ControlPlane = Box::leak(Box::new(ControlPlane::start()));
    let place = Place::at(plane, TokenServer::shared());
    // The account has rights in one namespace, and watches all.
    let mut first = launch(&place, "first", &[]);
    let second = launch(&place, "second", &[]);
    let missing = "waiting for the first lists\ncannot watch all namespaces: the log says why\n";
    eventually("the leader says what is missing", || {
        (first.get("/readyz") == (503, missing.into())).then_some(())
    });
    let standby = "this process stands by, but its account may watch no namespace: `cube-operator check` says what is missing\n";
    eventually("a new pod must not replace it", || {
        (second.get("/readyz") == (503, standby.into())).then_some(())
    });
    assert_eq!(first.get("/livez").0, 200);
    assert_eq!(is_watched(&first, ""), Some(0.0));
    first.terminate();
    assert_eq!(first.wait().code(), Some(0));
    eventually("the next one leads", || leads(&second).then_some(()));

    let mut role = place.get("role", "cube-operator").unwrap();
    role["kind"] = json!("ClusterRole");
    role["metadata"] = json!({"name": "everywhere"});
    place.apply(&role);
    let account = format!("--serviceaccount={}:cube-operator", place.namespace);
    let bind = [
        "create",
        "clusterrolebinding",
        "everywhere",
        "--clusterrole=everywhere",
    ];
    plane.kubectl(&[&bind[..], &[&account]].concat());
    place.ready_main();
    assert_eq!(second.get("/readyz"), (200, "ok\n".into()));
    eventually("the metric follows", || {
        (is_watched(&second, "") == Some(1.0)).then_some(())
    });

    // Without its definition there is nothing to watch, and with it there is again.
    plane.kubectl(&["delete", "crd", "cubecredentials.cube-operator.dev"]);
    eventually("the kind is gone", || {
        (is_watched(&second, "") == Some(0.0)).then_some(())
    });
    assert_eq!(
        second.get("/readyz"),
        (
            200,
            "ok\ncannot watch all namespaces: the log says why\n".into()
        )
    );
    let definition = format!("{ROOT}/crds/cubecredentials.yaml");
    plane.kubectl(&["apply", "--server-side", "-f", &definition]);
    eventually("the kind is watched", || {
        (is_watched(&second, "") == Some(1.0)).then_some(())
    });
    eventually("a new one can be written", || {
        let object = crate::place::manifest(&place.credential("main"));
        place
            .kubectl_works(&["apply", "--server-side", "-f", &object])
            .then_some(())
    });
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
}
