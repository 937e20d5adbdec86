//! An event warns once of pods that never see a refresh, at the cost of a list every ten minutes.

use cube_operator::{
    api::ConditionType::Ready,
    consumers::{Consumers, Pod},
    kubernetes::pods,
};
use serde_json::{Value, json};

use crate::{
    commands::run,
    operator::eventually,
    place::{Place, is},
};

/// A pod whose container `app` has these fields. No node has to run it, as its spec shows what it uses.
pub(crate) fn pod(name: &str, container: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": template(container)["spec"],
    })
}

/// A Deployment of such pods.
fn deployment(name: &str, replicas: usize, container: &Value) -> Value {
    let mut template = template(container);
    template["metadata"] = json!({"labels": {"app": name}});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template},
    })
}

fn template(container: &Value) -> Value {
    let mut app = json!({"name": "app", "image": "example.com/app"});
    app.as_object_mut()
        .unwrap()
        .extend(container.as_object().unwrap().clone());
    json!({"spec": {
        "automountServiceAccountToken": false,
        "containers": [app],
        "volumes": [{"name": "token", "secret": {"secretName": "main-token"}}],
    }})
}

/// The token in a volume.
pub(crate) fn in_volume() -> Value {
    json!({"volumeMounts": [{"name": "token", "mountPath": "/token"}]})
}

/// The token in a file that never changes.
pub(crate) fn by_sub_path() -> Value {
    json!({"volumeMounts": [{"name": "token", "mountPath": "/token", "subPath": "access-token"}]})
}

/// The token in an environment variable.
pub(crate) fn in_variable() -> Value {
    json!({"env": [{"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "main-token", "key": "access-token"}}}]})
}

/// Everything that is wrong with such a pod, and the remedy.
pub(crate) fn stale(pods: &str, way: &str) -> String {
    format!(
        "pod {pods} never sees a refresh: {way} of container \"app\" keeps the token that it started with: mount Secret \
         \"main-token\" as a volume without subPath, or restart the pod after each refresh (spec.consumers.restart)"
    )
}

/// The note of the event about such a pod.
fn note(pod: &str, way: &str) -> String {
    let without = if way.starts_with("subPath") {
        " without subPath"
    } else {
        ""
    };
    format!(
        "{way} in pod \"{pod}\" never sees a refresh: mount Secret \"main-token\" as a volume{without}, or set spec.consumers.restart"
    )
}

impl Place {
    /// Applies such a pod.
    pub(crate) fn apply_pod(&self, name: &str, container: &Value) {
        // The controllers make no pod without it.
        eventually("the ServiceAccount", || {
            self.get("serviceaccount", "default")
        });
        self.apply(&pod(name, container));
    }

    /// Publishes a token for `main`, and stops the operator.
    fn publish_main(&self) {
        let _operator = self.operator();
        self.ready_main();
    }

    /// The notes of the warnings about `main`.
    fn stale_consumers(&self) -> Vec<String> {
        let events = self.events("main").into_iter();
        let notes = events.filter_map(|event| {
            let note = event.strip_prefix("Warning StaleConsumer: ")?;
            Some(note.to_owned())
        });
        notes.collect()
    }

    /// How often the operator has listed pods, and with which queries.
    fn lists_of_pods(&self) -> Vec<String> {
        let user = self.account();
        self.plane.queries_of(&user, "pods")
    }
}

const QUERY: &str = "fieldSelector=status.phase!=Succeeded,status.phase!=Failed&limit=50";

#[test]
fn pods_that_never_see_a_refresh_are_told_once_and_others_are_not() {
    let place = Place::new();
    place.publish_main();
    for (name, container) in [
        ("finished", in_variable()),
        ("good", in_volume()),
        ("sub-path", by_sub_path()),
        (
            "unrelated",
            json!({"envFrom": [{"secretRef": {"name": "another"}}]}),
        ),
        // Events come in the order of names, so all are there when this one is.
        ("variable", in_variable()),
    ] {
        place.apply_pod(name, &container);
    }
    place.patch_status("pod", "finished", &json!({"phase": "Succeeded"}));
    let expected = [
        note("sub-path", "subPath mount \"/token\""),
        note("variable", "environment variable \"TOKEN\""),
    ];
    assert_eq!(
        place.lists_of_pods(),
        [] as [&str; 0],
        "nothing was published at the start"
    );

    let operator = place.operator();
    eventually("both are told", || {
        (place.stale_consumers().len() >= 2).then_some(())
    });
    assert_eq!(place.stale_consumers(), expected);
    let about = place.kubectl(&["get", "events.events.k8s.io", "-o", "json"]);
    let about: Value = serde_json::from_str(&about).unwrap();
    let mut events = about["items"].as_array().unwrap().iter();
    let event = events
        .find(|event| event["note"] == expected[0].as_str())
        .unwrap();
    assert_eq!(
        event["related"],
        json!({"apiVersion": "v1", "kind": "Pod", "namespace": place.namespace, "name": "sub-path"})
    );
    assert_eq!(place.lists_of_pods(), [QUERY]);
    assert_eq!(place.exchanges(), [200]);
    drop(operator);
}

#[test]
fn a_deployment_of_many_pods_is_one_warning() {
    let place = Place::new();
    place.publish_main();
    place.apply(&deployment("web", 3, &in_variable()));
    let pods = || place.kubectl(&["get", "pods", "-l", "app=web", "-o", "name"]);
    eventually("all pods are made", || {
        (pods().lines().count() == 3).then_some(())
    });
    let pods = pods();
    let first = pods.lines().next().unwrap().trim_start_matches("pod/");
    let _operator = place.operator();
    let told = eventually("it is told", || place.stale_consumers().pop());
    assert_eq!(told, note(first, "environment variable \"TOKEN\""));
    place.apply(&place.credential("later"));
    place.wait_for("later", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    assert_eq!(place.stale_consumers(), [told]);
}

#[test]
fn all_pods_are_listed_however_many_pages_they_are() {
    let place = Place::new();
    let names = ["a", "b", "c", "d", "e"];
    for name in names {
        place.apply_pod(name, &in_variable());
    }
    let (runtime, client) = place.plane.client();
    let mut pages = Vec::new();
    let mut consumers = Consumers::of(&["main-token".to_owned()]);
    let take = |pods: &[Pod]| {
        pages.push(pods.len());
        consumers.add(pods);
    };
    runtime
        .block_on(pods::pages(&client, &place.namespace, 2, take))
        .unwrap();
    let found = consumers.using("main-token");
    assert_eq!(
        found
            .map(|consumer| consumer.pod.as_str())
            .collect::<Vec<_>>(),
        names
    );
    // The chart's own pod may be among them.
    assert!(
        pages.len() >= 3 && pages.iter().all(|pods| *pods <= 2),
        "{pages:?}"
    );
}

#[test]
fn without_the_right_to_list_pods_there_is_one_line_and_everything_else_works() {
    let place = Place::new();
    place.publish_main();
    let mut rules = place.get("role", "cube-operator").unwrap()["rules"].clone();
    rules
        .as_array_mut()
        .unwrap()
        .retain(|rule| rule["resources"] != json!(["pods"]));
    place.patch("role", "cube-operator", &json!({"rules": rules}));
    place.apply_pod("variable", &in_variable());

    let arguments = [
        "check",
        "--namespaces",
        &place.namespace,
        "--allow-network=127.0.0.0/8",
        "--warn-consumers=false",
    ];
    let (code, output, _) = run(&place.kubeconfig, &arguments, &[]);
    assert_eq!(code, Some(0), "the right is not missed: {output}");
    // The chart sets this flag where it does not grant the right.
    let operator = place.operator_with(&["--warn-consumers=false"], &[]);
    place.after_reconcile(&operator, || {
        drop(place.kubectl(&["label", "cubecredential", "main", "a=b"]));
    });
    assert_eq!(place.lists_of_pods(), [] as [&str; 0]);
    drop(operator);

    let operator = place.operator();
    place.after_reconcile(&operator, || {
        drop(place.kubectl(&["label", "cubecredential", "main", "c=d"]));
    });
    let warnings = eventually("it is logged", || {
        let lines = operator.lines().into_iter();
        let warnings: Vec<_> = lines.filter(|line| line["level"] == "WARN").collect();
        (!warnings.is_empty()).then_some(warnings)
    });
    let line = &warnings[0];
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert_eq!(
        line["message"],
        "failed to list pods that never see a refresh, retrying"
    );
    assert_eq!(line["retry_seconds"], 600);
    let error = line["error"].as_str().unwrap();
    let start = format!(
        "failed to list pods of namespace {}: pods is forbidden: ",
        place.namespace
    );
    assert!(error.starts_with(&start), "{error}");
    assert_eq!(
        place.lists_of_pods(),
        [QUERY],
        "it is not asked again before long"
    );
    assert_eq!(place.exchanges(), [200]);
}

#[test]
fn a_secret_under_an_earlier_name_is_kept_while_a_pod_mounts_it() {
    let place = Place::new();
    place.publish_main();
    let operator = place.operator();
    place.apply_pod("web", &in_volume());
    let moved = json!({"spec": {"target": {"name": "moved"}}});
    place.patch("cubecredential", "main", &moved);
    let kept = "Secret \"main-token\" is kept for pod \"web\", but not refreshed: mount Secret \"moved\" instead";
    place.wait_for("main", "kept", |status| {
        status.previous_targets == ["main-token"] && is(status, Ready, "True", "Synced")
    });
    eventually("it is told", || {
        let told = format!("Warning TargetKept: {kept}");
        place.events("main").contains(&told).then_some(())
    });
    let check = run(
        &place.kubeconfig,
        &["check", "main", "--namespace", &place.namespace],
        &[],
    );
    assert!(check.1.contains(&format!("! {kept}\n")), "{}", check.1);
    drop(operator);
    // A new process asks again, and does not repeat the event.
    let operator = place.operator();
    eventually("pods are listed", || {
        (place.lists_of_pods().len() >= 3).then_some(())
    });
    place.request("now");
    place.wait_for("main", "a new token", |status| {
        status.refresh_request.is_some()
    });
    assert!(place.get("secret", "main-token").is_some());
    assert_ne!(place.token("main-token"), place.token("moved"));
    assert_eq!(place.event_count("main", "TargetKept"), 1);
    drop(operator);
    place.kubectl(&["delete", "pod", "web", "--grace-period=0", "--force"]);
    let _operator = place.operator();
    eventually("it is deleted", || {
        place.get("secret", "main-token").is_none().then_some(())
    });
    place.wait_for("main", "moved", |status| status.previous_targets.is_empty());
}

#[test]
fn where_pods_may_not_be_listed_a_secret_under_an_earlier_name_is_kept_until_its_token_expires() {
    let place = Place::with_lifetimes(&[40]);
    let _operator = place.operator_with(&["--warn-consumers=false"], &[]);
    let before = place.ready_main();
    let moved = json!({"spec": {"target": {"name": "moved"}}});
    place.patch("cubecredential", "main", &moved);
    let status = place.wait_for("main", "kept", |status| {
        status.previous_targets == ["main-token"]
    });
    assert_eq!(status.expires_at, before.expires_at);
    place.wait_for("main", "gone", |status| status.previous_targets.is_empty());
    assert!(place.get("secret", "main-token").is_none());
    assert!(before.expires_at.unwrap() <= jiff::Timestamp::now());
    assert_eq!(place.lists_of_pods(), [] as [&str; 0]);
}
