//! The memory of a `CubeCredential` between two reconciles, table by table, counted in allocated bytes. `docs/scale.md` shows the
//! figures: `cargo test footprint -- --nocapture` prints them.

use std::{sync::Arc, time::Duration};

use allocation_counter::measure;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{bundles::BundleWatches, queue::Queue, reconciler::Reconciler, tests::reconciler};
use crate::{
    clock::now,
    cluster::{FollowedBundle, Metadata, ObjectKey, Watched, convert},
    reconcile::Memory,
};

/// Tables grow by doubling. They are as full with 10,000 objects as with these.
const OBJECTS: usize = 5_000;
/// The most bytes of all tables together. With the request budget of a client of its own, 10,000 objects take 40 of 64 MB.
const MOST: i64 = 3_100;

fn name(number: usize) -> String {
    format!("cubewire-{number}")
}

fn uid(number: usize) -> String {
    format!("0b5c7a80-1d3e-4f5a-9b6c-{number:012}")
}

/// A credential with a live token, as the API server shows it.
fn credential(number: usize) -> Watched {
    let name = name(number);
    let condition = |r#type: &str, reason: &str, message: String| {
        json!({
            "type": r#type, "status": "True", "reason": reason, "message": message,
            "observedGeneration": 1, "lastTransitionTime": "2026-11-21T12:00:00Z",
        })
    };
    let ready =
        format!("Secret \"{name}-token\" holds a token that expires at 2026-11-21T13:00:00Z");
    let refreshed = "the token was issued at 2026-11-21T12:00:00Z; the next refresh is at \
                     2026-11-21T12:54:40Z";
    serde_json::from_value(json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
        "metadata": {
            "namespace": "treasury", "name": name, "uid": uid(number), "generation": 1,
            "resourceVersion": (1_234_567 + number).to_string(), "creationTimestamp": "2026-11-21T11:59:59Z",
        },
        "spec": {
            "provider": "Custom", "tokenURL": "https://login.example.com/oauth2/token",
            "clientSecretRef": {"name": format!("{name}-client"), "clientIDKey": "client-id", "clientSecretKey": "client-secret"},
            "caBundleRef": {"kind": "ConfigMap", "name": "authority", "key": "ca.crt", "systemRoots": "Keep"},
            "grant": "ClientCredentials", "clientAuthentication": "Body", "refreshBefore": "5m", "assumedLifetime": "1h",
            "target": {"type": "Opaque"}, "suspend": false,
        },
        "status": {
            "observedGeneration": 1,
            "conditions": [
                condition("Ready", "Synced", ready), condition("Refreshed", "TokenIssued", refreshed.to_owned()),
            ],
            "issuedAt": "2026-11-21T12:00:00Z", "expiresAt": "2026-11-21T13:00:00Z",
            "refreshAt": "2026-11-21T12:54:40Z", "lastAttemptAt": "2026-11-21T12:00:00Z",
            "failures": 0, "tokenFingerprint": format!("{number:08x}"),
            "target": {"name": format!("{name}-token"), "resourceVersion": (2_234_567 + number).to_string()},
        },
    }))
    .unwrap()
}

fn secret(name: &str, number: usize, labels: &Value, annotations: &Value) -> Metadata<Secret> {
    serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "namespace": "treasury", "name": name, "uid": uid(number), "resourceVersion": (2_234_567 + number).to_string(),
            "creationTimestamp": "2026-11-21T11:59:59Z", "labels": labels, "annotations": annotations,
            "ownerReferences": [{
                "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential", "name": name, "uid": uid(number),
            }],
        },
    }))
    .unwrap()
}

/// Its target, as the watch shows it.
fn target(number: usize) -> Metadata<Secret> {
    let owner = name(number);
    let name = format!("{owner}-token");
    let annotation = |name: &str, value: &str| (format!("cube-operator.dev/{name}"), json!(value));
    let annotations: serde_json::Map<_, _> = [
        annotation("owner-name", &owner),
        annotation("owner-uid", &uid(number)),
        annotation("written-to", &format!("treasury/{name}")),
        annotation("type", "Opaque"),
        annotation("issued-at", "2026-11-21T12:00:00Z"),
        annotation("expires-at", "2026-11-21T13:00:00Z"),
        annotation("inputs-hash", &format!("{:064x}", number * 7919)),
        annotation("content-hash", &format!("{:064x}", number * 104_729)),
        annotation("generation", "1"),
        annotation("source-resource-version", &number.to_string()),
    ]
    .into_iter()
    .collect();
    let labels = json!({"cube-operator.dev/managed": "true"});
    secret(&name, number, &labels, &json!(annotations))
}

fn source(number: usize) -> Metadata<Secret> {
    let name = format!("{}-client", name(number));
    let labels = json!({"cube-operator.dev/credential": "true"});
    secret(&name, number, &labels, &json!({}))
}

/// The bytes that remain of each object once the table has taken it in.
fn remain<T>(
    table: &'static str,
    object: impl Fn(usize) -> T,
    mut take_in: impl FnMut(T),
) -> (&'static str, i64) {
    let mut remain = 0;
    for number in 0..OBJECTS {
        let object = object(number);
        remain += measure(|| take_in(object)).bytes_current;
        // The object itself was allocated before, and freed in between.
    }
    (table, remain / i64::try_from(OBJECTS).unwrap())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a time of the timers is kept, and not compared"
)]
fn tables(reconciler: &Reconciler) -> Vec<(&'static str, i64)> {
    let context = &reconciler.context;
    let mut queue = Queue::default();
    let parts = &context.parts;
    let (bundles, _) = BundleWatches::new(parts.client.clone(), Arc::clone(&parts.ca_bundles));
    let key = |number: usize| ObjectKey::new("treasury", &name(number));
    let find = |number: usize| context.find(&key(number)).unwrap();
    vec![
        remain(
            "objects and index",
            |number| Event::Apply(credential(number)),
            |event| {
                context.learn_credential(&event);
                std::mem::forget(event);
            },
        ),
        remain(
            "targets",
            |number| Event::Apply(target(number)),
            |event| {
                context.learn_target(event.clone());
                std::mem::forget(event);
            },
        ),
        remain(
            "sources",
            |number| Event::Apply(source(number)),
            |event| {
                context.learn_source(event.clone());
                std::mem::forget(event);
            },
        ),
        remain("memory", find, |object| {
            reconciler.states.observe(context, &object);
            let memory = Memory::recall(&convert::status(&object), now());
            reconciler.states.lock().keep(&uid(0), memory, true);
            std::mem::forget(object);
        }),
        remain("queue", key, |key| {
            queue.add(key.clone(), "uid", now());
            let run = queue.next(|_| Some("uid".to_owned())).unwrap();
            let wake_at = Instant::now() + Duration::from_secs(300);
            queue.end(run, Some(wake_at));
            std::mem::forget(key);
        }),
        remain("CA bundles", uid, |uid| {
            let bundle = FollowedBundle {
                object: ObjectKey::new("treasury", "authority"),
                is_failing: false,
            };
            bundles.follow(&uid, Some(bundle));
            std::mem::forget(uid);
        }),
        remain("metrics", find, |object| {
            let metrics = &context.parts.metrics;
            let status = convert::status(&object);
            metrics.reported(
                "treasury",
                object.0.as_ref().unwrap().metadata.name.as_ref().unwrap(),
                &status,
            );
            drop(status);
            std::mem::forget(object);
        }),
    ]
}

#[tokio::test]
async fn a_credential_takes_little_memory_between_two_reconciles() {
    let reconciler = reconciler();
    let tables = tables(&reconciler);
    for (table, bytes) in &tables {
        println!("{bytes:>6} {table}");
    }
    let all: i64 = tables.iter().map(|(_, bytes)| bytes).sum();
    println!("{all:>6} together");
    assert!(all <= MOST, "{all} bytes");
}
