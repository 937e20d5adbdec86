//! The memory of the operator while others fill the cluster with large objects.

use cube_operator::api::ConditionType::Ready;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    consumers::{in_variable, pod},
    operator::{Operator, eventually},
    place::{Place, is, manifest, told},
};

/// How many objects of each kind. With 150 KiB each, one list of all of them has 15 MiB.
const MANY: usize = 100;
/// A page of ten takes 45 MB, as text and as objects.
const HUGE: usize = 20;
const LARGE_PODS: usize = 40;

/// A place with one token, and the peak of a process that knows nothing else.
fn with_one_token() -> (Place, u64) {
    let place = Place::new();
    let operator = place.operator();
    place.ready_main();
    let peak = operator.peak_kib();
    (place, peak)
}

/// Asserts that these objects take less than so many MiB more than the peak without them.
#[expect(
    clippy::print_stdout,
    reason = "a test that passes shows its measurement too"
)]
fn assert_peak(operator: &Operator, before: u64, most_mib: u64, what: &str) {
    let peak = operator.peak_kib();
    println!("peak with {what}: {peak} KiB, without: {before} KiB");
    assert!(
        peak < before + most_mib * 1024,
        "{peak} KiB, {before} KiB without them"
    );
}

/// The annotation with which `kubectl apply` keeps a copy of the object: half of them have it, the others one of their own.
fn annotations(number: usize) -> Value {
    let name = if number.is_multiple_of(2) {
        "kubectl.kubernetes.io/last-applied-configuration"
    } else {
        "example.com/dashboard"
    };
    json!({name: "x".repeat(150 * 1024)})
}

#[test]
fn large_annotations_of_others_take_no_memory() {
    let (place, before) = with_one_token();

    let objects = (0..MANY).flat_map(|number| {
        let metadata = |labels| json!({
            "name": format!("large-{number}"), "annotations": annotations(number), "labels": labels,
        });
        [
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(json!({}))}),
            json!({
                "apiVersion": "v1", "kind": "Secret",
                "metadata": metadata(json!({"cube-operator.dev/managed": "true", "cube-operator.dev/credential": "true"})),
            }),
            json!({
                "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential", "metadata": metadata(json!({})),
                "spec": {"provider": "Cubewire", "clientSecretRef": {"name": "absent"}},
            }),
        ]
    });
    let objects: Vec<_> = objects.collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
    place.kubectl(&["create", "-f", &manifest(&list)]);
    let operator = place.operator();
    let all = f64::from(u32::try_from(MANY + 1).unwrap());
    eventually("all are reconciled", || {
        (operator.reconciles() >= all).then_some(())
    });
    let what = format!("{} large objects", 3 * MANY);
    assert_peak(&operator, before, 48, &what);
}

/// Labels that make an object as large as it can be.
fn most_labels() -> serde_json::Map<String, Value> {
    let label = |number| (format!("example.com/{number:040}"), json!("x".repeat(63)));
    (0..12_000).map(label).collect()
}

#[test]
fn one_of_many_huge_objects_is_in_memory_at_a_time() {
    let (place, before) = with_one_token();

    let labels = most_labels();
    for number in 0..HUGE {
        let object = json!({
            "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
            "metadata": {"name": format!("huge-{number}"), "labels": labels},
            "spec": {"provider": "Cubewire", "clientSecretRef": {"name": "absent"}},
        });
        place.kubectl(&["create", "-f", &manifest(&object)]);
    }
    let operator = place.operator();
    let all = f64::from(u32::try_from(HUGE + 1).unwrap());
    eventually("all are reconciled", || {
        (operator.reconciles() >= all).then_some(())
    });
    let what = format!("{HUGE} objects of 1.4 MB");
    assert_peak(&operator, before, 36, &what);
}

/// Anybody who may write Secrets can make some that may know a refresh token.
#[test]
fn large_states_of_others_take_no_memory() {
    let (place, before) = with_one_token();

    let hash = format!("{:x}", Sha256::digest("planted"));
    let knows = format!("cube-operator.dev/knows-{}", &hash[..4]);
    for number in 0..HUGE {
        let state = json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": format!("state-{number:02}"), "labels": {"cube-operator.dev/state": "true", &knows: "true"}},
            "stringData": {"record": r#"{"generation":1}"#, "refresh-token": "x".repeat(1_000_000)},
        });
        place.kubectl(&["create", "-f", &manifest(&state)]);
    }
    place.apply(&json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "seed", "labels": {"cube-operator.dev/credential": "true"}},
        "stringData": {"refresh-token": "planted"},
    }));
    let mut login = place.credential("login");
    login["spec"]["grant"] = json!("RefreshToken");
    login["spec"]["refreshTokenRef"] = json!({"name": "seed"});
    place.apply(&login);
    let operator = place.operator();
    let status = place.wait_for("login", "it is not sent", |status| {
        is(status, Ready, "False", "RefreshTokenInUse")
    });
    let told = told(&status).join("\n");
    assert!(told.contains("state-00"), "{told}");
    let what = format!("{HUGE} states of 1 MB");
    assert_peak(&operator, before, 36, &what);
}

/// A page of fifty takes 70 MB.
#[test]
fn large_pods_take_no_memory() {
    let (place, before) = with_one_token();

    let labels = most_labels();
    eventually("the ServiceAccount", || {
        place.get("serviceaccount", "default")
    });
    for number in 0..LARGE_PODS {
        let mut pod = pod(&format!("large-{number}"), &json!({}));
        pod["metadata"]["labels"] = json!(labels);
        place.kubectl(&["create", "-f", &manifest(&pod)]);
    }
    // The last one of the list.
    place.apply(&pod("stale", &in_variable()));
    let operator = place.operator();
    eventually("all are listed", || {
        let reasons = place.kubectl(&[
            "get",
            "events.events.k8s.io",
            "-o",
            "jsonpath={.items[*].reason}",
        ]);
        reasons.contains("StaleConsumer").then_some(())
    });
    let what = format!("{LARGE_PODS} pods of 1.4 MB");
    assert_peak(&operator, before, 36, &what);
}

#[test]
fn an_object_that_is_nested_too_deeply_for_a_parser_stops_nobody_else() {
    let place = Place::new();
    let fields = (0..140).fold(json!({}), |inner, _| json!({ "f:a": inner }));
    let fields = json!([{
        "manager": "x", "operation": "Update", "apiVersion": "v1", "time": "2026-11-21T10:00:00Z",
        "fieldsType": "FieldsV1", "fieldsV1": fields,
    }]);
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": "deep", "managedFields": fields,
            "labels": {"cube-operator.dev/managed": "true", "cube-operator.dev/credential": "true"},
        },
    });
    let credential = json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
        "metadata": {"name": "deep", "managedFields": fields},
        "spec": {"provider": "Cubewire", "clientSecretRef": {"name": "absent"}},
    });
    let namespace = format!("namespaces/{}", place.namespace);
    for (path, object) in [
        (format!("/api/v1/{namespace}/secrets"), secret),
        (
            format!("/apis/cube-operator.dev/v1alpha1/{namespace}/cubecredentials"),
            credential,
        ),
    ] {
        place.kubectl(&["create", "--raw", &path, "-f", &manifest(&object)]);
    }
    let _operator = place.operator();
    place.ready_main();
    place.wait_for("deep", "it is looked at like any other", |status| {
        is(status, Ready, "False", "ClientSecretNotFound")
    });
}
