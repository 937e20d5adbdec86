//! The memory of the operator while others fill the cluster with large objects.

use cube_operator::api::ConditionType::Ready;
use serde_json::{Value, json};

use crate::{
    operator::eventually,
    place::{Place, is, manifest},
};

/// How many objects of each kind. With 150 KiB each, one list of all of them has 15 MiB.
const MANY: usize = 100;
/// A page of ten takes 45 MB, as text and as objects.
const HUGE: usize = 20;

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
    let place = Place::new();
    let operator = place.operator();
    place.ready_main();
    let before = operator.peak_kib();
    drop(operator);

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
    let peak = operator.peak_kib();
    println!(
        "peak with {} large objects: {peak} KiB, without: {before} KiB",
        3 * MANY
    );
    assert!(
        peak < before + 48 * 1024,
        "{peak} KiB, {before} KiB without them"
    );
}

/// As large as an object can be.
#[test]
fn one_of_many_huge_objects_is_in_memory_at_a_time() {
    let place = Place::new();
    let operator = place.operator();
    place.ready_main();
    let before = operator.peak_kib();
    drop(operator);

    let labels =
        (0..12_000).map(|number| (format!("example.com/{number:040}"), json!("x".repeat(63))));
    let labels: serde_json::Map<_, _> = labels.collect();
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
    let peak = operator.peak_kib();
    println!("peak with {HUGE} objects of 1.4 MB: {peak} KiB, without: {before} KiB");
    assert!(
        peak < before + 36 * 1024,
        "{peak} KiB, {before} KiB without them"
    );
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
