//! The memory of the operator while others fill the cluster with large objects.

use serde_json::{Value, json};

use crate::{
    operator::eventually,
    place::{Place, manifest},
};

/// How many objects of each kind. With 150 KiB each, one list of all of them has 15 MiB.
const MANY: usize = 100;

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
