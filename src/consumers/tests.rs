//! Which pods see a refresh, and of which it is told once.

use std::cell::RefCell;

use allocation_counter::measure;
use serde_json::{Value, json};

use super::*;

/// A pod with one container `app` and these fields of it.
fn pod(container: Value) -> Value {
    let mut pod = json!({
        "metadata": {"name": "reader"},
        "spec": {
            "volumes": [
                {"name": "token", "secret": {"secretName": "main-token"}},
                {"name": "all", "projected": {"sources": [{"configMap": {"name": "main-token"}}, {"secret": {"name": "main-token"}}]}},
                {"name": "other", "secret": {"secretName": "other"}},
                {"name": "empty", "emptyDir": {}},
            ],
            "containers": [{"name": "app"}],
        },
        "status": {"phase": "Running"},
    });
    merge(&mut pod["spec"]["containers"][0], container);
    pod
}

fn merge(into: &mut Value, fields: Value) {
    let (Value::Object(into), Value::Object(fields)) = (into, fields) else {
        panic!("both are objects");
    };
    into.extend(fields);
}

fn mounted(volume: &str) -> Value {
    json!({"volumeMounts": [{"name": volume, "mountPath": "/token"}]})
}

fn variable() -> Value {
    json!({"env": [
        {"name": "PLAIN", "value": "main-token"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "main-token", "key": "access-token"}}},
    ]})
}

/// A pod of this maker.
fn made_by(kind: &str, name: &str, pod: Value) -> Value {
    let mut pod = pod;
    pod["metadata"]["name"] = json!(format!("{name}-x"));
    pod["metadata"]["labels"] = json!({"pod-template-hash": "6d4b75cb6d"});
    pod["metadata"]["ownerReferences"] = json!([{"kind": "Other", "name": "other"}, {"kind": kind, "name": name, "controller": true}]);
    pod
}

/// The consumers of `main-token` that are found.
fn found(pods: &[Value]) -> Vec<Consumer> {
    let mut consumers = Consumers::of(&["main-token".to_owned()]);
    // As pages.
    for pod in pods {
        consumers.add(&[serde_json::from_value(pod.clone()).unwrap()]);
    }
    consumers.using("main-token").cloned().collect()
}

fn consumer(workload: (&str, &str), pod: &str, more: usize, way: Way) -> Consumer {
    Consumer {
        secret: "main-token".into(),
        workload: Workload {
            kind: workload.0.into(),
            name: workload.1.into(),
        },
        pod: pod.into(),
        more,
        container: "app".into(),
        way,
    }
}

fn reader(way: Way) -> Consumer {
    consumer(("Pod", "reader"), "reader", 0, way)
}

fn in_variable() -> Way {
    Way::Variable("TOKEN".into())
}

#[test]
fn a_volume_sees_each_refresh_and_a_variable_or_sub_path_none() {
    let sub_path = |field: &str| json!({"volumeMounts": [{"name": "token", "mountPath": "/token", field: "access-token"}]});
    for (container, ways) in [
        (mounted("token"), vec![Way::Volume("/token".into())]),
        (mounted("all"), vec![Way::Volume("/token".into())]),
        (sub_path("subPath"), vec![Way::SubPath("/token".into())]),
        (sub_path("subPathExpr"), vec![Way::SubPath("/token".into())]),
        (variable(), vec![in_variable()]),
        (
            json!({"envFrom": [{"configMapRef": {"name": "main-token"}}, {"prefix": "A_", "secretRef": {"name": "main-token"}}]}),
            vec![Way::Variables],
        ),
        (mounted("other"), vec![]),
        (mounted("empty"), vec![]),
        (json!({}), vec![]),
    ] {
        let expected: Vec<_> = ways.into_iter().map(reader).collect();
        assert_eq!(found(&[pod(container.clone())]), expected, "{container}");
    }
}

#[test]
fn a_container_that_uses_it_in_both_ways_is_found_twice() {
    let mut both = mounted("token");
    merge(&mut both, variable());
    let expected = [reader(in_variable()), reader(Way::Volume("/token".into()))];
    assert_eq!(found(&[pod(both)]), expected);
}

#[test]
fn each_reference_of_a_pod_is_looked_up_once() {
    let mut both = mounted("token");
    merge(&mut both, variable());
    let pod: Pod = serde_json::from_value(pod(both)).unwrap();
    let looked_up = RefCell::new(Vec::new());
    let uses = pod.uses(|secret| {
        looked_up.borrow_mut().push(secret.to_owned());
        true
    });
    assert_eq!(uses.len(), 2);
    let volumes_and_variable = ["main-token", "main-token", "other", "main-token"];
    assert_eq!(looked_up.into_inner(), volumes_and_variable);
}

#[test]
fn mounts_and_sources_of_a_volume_are_not_multiplied() {
    const MANY: usize = 500;
    let sources: Vec<_> = (0..MANY)
        .map(|number| json!({"secret": {"name": format!("token-{number}")}}))
        .collect();
    let mounts: Vec<_> = (0..MANY)
        .map(|number| json!({"name": "all", "mountPath": format!("/{number}/{}", "x".repeat(10_000))}))
        .collect();
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": "pod"},
        "spec": {
            "containers": [
                {"name": "app", "volumeMounts": mounts}, {"name": "sidecar", "volumeMounts": mounts},
            ],
            "volumes": [{"name": "all", "projected": {"sources": sources}}],
        },
    }))
    .unwrap();
    let taken = measure(|| assert_eq!(pod.uses(|_| true).len(), MANY));
    assert!(taken.bytes_max < 500_000, "{taken:?}");
}

#[test]
fn a_pod_that_uses_several_secrets_is_found_for_each_that_is_looked_for() {
    let mut all = json!({"volumeMounts": [
        {"name": "token", "mountPath": "/token"}, {"name": "other", "mountPath": "/other"},
    ]});
    merge(&mut all, variable());
    let pods: [Pod; 1] = [serde_json::from_value(pod(all)).unwrap()];
    let found = |secrets: &[&str], of: &str| -> Vec<Way> {
        let secrets: Vec<_> = secrets.iter().map(ToString::to_string).collect();
        let mut consumers = Consumers::of(&secrets);
        consumers.add(&pods);
        let ways = consumers.using(of).map(|consumer| consumer.way.clone());
        ways.collect()
    };
    let (main, other) = (
        [in_variable(), Way::Volume("/token".into())],
        [Way::Volume("/other".into())],
    );
    assert_eq!(
        found(&["main-token", "other", "absent"], "main-token"),
        main
    );
    assert_eq!(found(&["main-token", "other", "absent"], "other"), other);
    assert_eq!(found(&["main-token", "other", "absent"], "absent"), []);
    assert_eq!(found(&["main-token"], "other"), []);
}

#[test]
fn only_containers_that_run_on_count() {
    let in_another = |list: &str, fields: Value| {
        let mut pod = pod(json!({}));
        let mut container = json!({"name": "app"});
        merge(&mut container, variable());
        merge(&mut container, fields);
        pod["spec"][list] = json!([container]);
        pod
    };
    for (list, fields, counts) in [
        ("initContainers", json!({}), false),
        ("initContainers", json!({"restartPolicy": "Always"}), true),
        ("ephemeralContainers", json!({}), true),
    ] {
        let expected: Vec<_> = counts.then(|| reader(in_variable())).into_iter().collect();
        assert_eq!(found(&[in_another(list, fields)]), expected, "{list}");
    }
}

#[test]
fn a_pod_that_has_finished_or_is_being_deleted_does_not_count() {
    for (field, value, counts) in [
        ("phase", json!("Pending"), true),
        ("phase", json!("Running"), true),
        ("phase", json!("Unknown"), true),
        ("phase", json!("Succeeded"), false),
        ("phase", json!("Failed"), false),
        ("deletionTimestamp", json!("2026-11-25T10:00:00Z"), false),
    ] {
        let mut pod = pod(variable());
        let part = if field == "phase" {
            "status"
        } else {
            "metadata"
        };
        pod[part][field] = value;
        assert_eq!(
            !found(std::slice::from_ref(&pod)).is_empty(),
            counts,
            "{pod}"
        );
    }
}

#[test]
fn the_pods_of_a_workload_are_one_consumer_that_is_named_as_people_know_it() {
    for (kind, name, workload) in [
        ("ReplicaSet", "web-6d4b75cb6d", ("Deployment", "web")),
        ("ReplicaSet", "web-front", ("ReplicaSet", "web-front")),
        ("Job", "backup-29512345", ("CronJob", "backup")),
        ("Job", "backup-7", ("Job", "backup-7")),
        ("StatefulSet", "db", ("StatefulSet", "db")),
    ] {
        let pods = [(); 3].map(|()| made_by(kind, name, pod(variable())));
        let first = format!("{name}-x");
        assert_eq!(found(&pods), [consumer(workload, &first, 2, in_variable())]);
    }
}

#[test]
fn a_finding_names_pod_container_and_remedy() {
    let pods = [(); 300].map(|()| made_by("ReplicaSet", "web-6d4b75cb6d", pod(variable())));
    assert_eq!(
        found(&pods)[0].to_string(),
        "pod \"web-6d4b75cb6d-x\" (and 299 more of Deployment \"web\") never sees a refresh: environment variable \"TOKEN\" of \
         container \"app\" keeps the token that it started with: mount Secret \"main-token\" as a volume without subPath, or \
         restart the pod after each refresh (spec.consumers.restart)"
    );
    assert_eq!(
        found(&[pod(mounted("token"))])[0].to_string(),
        "pod \"reader\" sees each refresh of Secret \"main-token\", in volume \"/token\" of container \"app\""
    );
}

/// Stale consumers with these names.
fn stale(names: impl IntoIterator<Item = usize>) -> Vec<Consumer> {
    let consumer = |number| {
        let name = format!("pod-{number}");
        consumer(("Pod", &name), &name, 0, in_variable())
    };
    names.into_iter().map(consumer).collect()
}

fn news(warned: &mut Warned, credential: &str, consumers: &[Consumer]) -> usize {
    warned
        .news(credential.into(), &consumers.iter().collect::<Vec<_>>())
        .len()
}

#[test]
fn each_workload_is_told_once_for_each_credential() {
    let mut warned = Warned::default();
    assert_eq!(news(&mut warned, "a", &stale(0..2)), 2);
    assert_eq!(news(&mut warned, "a", &stale(0..3)), 1);
    assert_eq!(news(&mut warned, "a", &stale([])), 0);
    // A CronJob has no pod most of the time.
    assert_eq!(news(&mut warned, "a", &stale(0..3)), 0);
    assert_eq!(news(&mut warned, "b", &stale(0..3)), 3);
    warned.retain(|credential| credential == "b".into());
    assert_eq!(news(&mut warned, "a", &stale(0..3)), 3);
    assert_eq!(news(&mut warned, "b", &stale(0..3)), 0);
}

#[test]
fn what_is_remembered_is_bounded_and_those_that_are_gone_make_room() {
    let mut warned = Warned::default();
    assert_eq!(news(&mut warned, "a", &stale(0..1000)), 100);
    assert_eq!(news(&mut warned, "a", &stale(0..1000)), 0);
    assert_eq!(news(&mut warned, "a", &stale(50..1000)), 50);
}

#[test]
fn a_running_pod_that_mounts_a_secret_is_told_and_no_other() {
    let read = |pod: Value| -> Pod { serde_json::from_value(pod).unwrap() };
    let is_mounted = |pod: &Pod| pod.mounted(|name| name == "main-token").next().is_some();
    let mounts = |container: Value| is_mounted(&read(pod(container)));
    assert!(mounts(mounted("token")) && mounts(mounted("all")));
    assert!(!mounts(mounted("other")) && !mounts(variable()) && !mounts(json!({})));
    let sub_path =
        json!({"volumeMounts": [{"name": "token", "mountPath": "/token", "subPath": "x"}]});
    assert!(!mounts(sub_path));
    let mut both = mounted("token");
    merge(&mut both, variable());
    assert!(mounts(both), "one of its containers sees it");
    let mut finished = pod(mounted("token"));
    finished["status"]["phase"] = json!("Succeeded");
    assert!(!is_mounted(&read(finished)));
    let mut deleted = pod(mounted("token"));
    deleted["metadata"]["deletionTimestamp"] = json!("2026-11-21T10:00:00Z");
    assert!(!is_mounted(&read(deleted)));
}

#[test]
fn a_pod_that_has_the_mark_is_known_and_no_other_annotation_is_kept() {
    let mut marked = pod(mounted("token"));
    marked["metadata"]["annotations"] =
        json!({"cube-operator.dev/refreshed-at": "mark", "theirs": "S3CRET"});
    let marked: Pod = serde_json::from_value(marked).unwrap();
    assert!(marked.has_mark("mark") && !marked.has_mark("another"));
    assert!(!format!("{marked:?}").contains("S3CRET"));
}
