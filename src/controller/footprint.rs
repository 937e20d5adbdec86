//! The memory of a `CubeCredential` between two reconciles, table by table, counted in allocated bytes. `docs/scale.md` shows the
//! figures: `cargo test footprint -- --nocapture` prints them.

use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use allocation_counter::measure;
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Secret;
use kube::runtime::watcher::Event;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    bundles::BundleWatches,
    queue::Queue,
    reconciler::Reconciler,
    tests::{reconciler, reconciler_at},
};
use crate::{
    clock::{instant, now},
    cluster::{FollowedBundle, Metadata, ObjectKey, Watched, convert},
    leader::Leadership,
    reconcile::{Memory, hex},
};

/// Tables grow by doubling. They are as full with 10,000 objects as with these.
const OBJECTS: usize = 5_000;
/// The most bytes of all tables together. With the request budget of a client of its own, 10,000 objects take 25 of 64 MB.
const MOST: i64 = 2_230;
/// The objects with a pause, and the most bytes of all recalls together: a session alone takes kilobytes.
const PAUSED: usize = 1_000;
const MOST_OF_RECALL: u64 = 500_000;

fn name(number: usize) -> String {
    format!("cubewire-{number}")
}

/// A hash of 64 random digits.
fn hash(of: &str, number: usize) -> String {
    hex(&Sha256::digest(format!("{of} {number}")))
}

/// A uid as the API server makes them, of random digits.
fn uid(number: usize) -> String {
    let digits = hash("uid", number);
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
    parts.join("-")
}

/// A credential with a live token, as the API server shows it.
fn credential(number: usize) -> Watched {
    let name = name(number);
    let condition = |r#type: &str, reason: &str, message: String| {
        json!({
            "type": r#type, "status": "True", "reason": reason, "message": message,
            "observedGeneration": 1, "lastTransitionTime": "2027-03-02T09:00:02Z",
        })
    };
    let ready = format!("token in Secret \"{name}-token\" is valid until 2027-03-21T13:00:07Z");
    let refreshed = "token issued at 2027-03-21T12:00:07Z; next request at 2027-03-21T12:54:41Z";
    serde_json::from_value(json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
        "metadata": {
            "namespace": "treasury", "name": name, "uid": uid(number), "generation": 1,
            "resourceVersion": (1_234_567 + number).to_string(), "creationTimestamp": "2027-03-02T08:59:59Z",
        },
        "spec": {
            "provider": "Custom", "tokenURL": "https://login.example.com/oauth2/token",
            "clientSecretRef": {"name": format!("{name}-client"), "clientIDKey": "client-id", "clientSecretKey": "client-secret"},
            "caBundleRef": {"kind": "ConfigMap", "name": "authority", "key": "ca.crt", "systemRoots": "Keep"},
            "grant": "ClientCredentials", "clientAuthentication": "Body", "refreshBefore": "5m", "assumedLifetime": "1h",
            "target": {"type": "Opaque"}, "suspend": false,
        },
        "status": {
            "observedGeneration": 1, "reason": "Synced",
            "conditions": [
                condition("Ready", "Synced", ready), condition("Refreshed", "TokenIssued", refreshed.to_owned()),
            ],
            "issuedAt": "2027-03-21T12:00:07Z", "expiresAt": "2027-03-21T13:00:07Z",
            "refreshAt": "2027-03-21T12:54:41Z", "lastAttemptAt": "2027-03-21T12:00:07Z",
            "tokenFingerprint": hash("token", number)[..8],
            "target": {"name": format!("{name}-token"), "resourceVersion": (2_234_567 + number).to_string()},
        },
    }))
    .unwrap()
}

fn secret(name: &str, number: usize, labels: &Value, annotations: &Value) -> Metadata<Secret> {
    serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "namespace": "treasury", "name": name, "uid": uid(number + OBJECTS), "resourceVersion": (2_234_567 + number).to_string(),
            "creationTimestamp": "2027-03-02T08:59:59Z", "labels": labels, "annotations": annotations,
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
        annotation("issued-at", "2027-03-21T12:00:07Z"),
        annotation("expires-at", "2027-03-21T13:00:07Z"),
        annotation("inputs-hash", &hash("inputs", number)),
        annotation("content-hash", &hash("content", number)),
        annotation("generation", "1"),
        annotation("source-resource-version", &(2_234_567 + number).to_string()),
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
            reconciler
                .states
                .lock()
                .keep(uid(0).as_str().into(), memory, true);
            std::mem::forget(object);
        }),
        remain("queue", key, |key| {
            queue.add(key.clone(), "uid".into(), now());
            let run = queue.next(|_| Some("uid".into())).unwrap();
            let wake_at = instant() + Duration::from_secs(300);
            queue.end(run, Some(wake_at));
            std::mem::forget(key);
        }),
        remain("CA bundles", uid, |uid| {
            let bundle = FollowedBundle {
                object: ObjectKey::new("treasury", "authority"),
                is_failing: false,
            };
            bundles.follow(uid.as_str().into(), Some(bundle));
            std::mem::forget(uid);
        }),
        remain("metrics", find, |object| {
            reconciler.show(&object, &convert::status(&object));
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

/// After an outage of a provider of thousands, all of them may be paused when the process begins.
#[test]
fn the_recall_of_many_pauses_takes_the_memory_of_a_few() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let _within = runtime.enter();
    let reads = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&reads);
    let reconciler = reconciler_at(Leadership::alone(), move || {
        counted.fetch_add(1, Ordering::Relaxed);
        future::ready(())
    });
    let paused = |number: usize| {
        let mut object = credential(number);
        let status = object.0.as_mut().unwrap().status.as_mut().unwrap();
        status.attempted = serde_json::from_value(json!({
            "generation": 1, "sourceResourceVersion": (2_234_567 + number).to_string(),
            "pausedUntil": now() + SignedDuration::from_hours(1),
        }))
        .unwrap();
        object
    };
    for number in 0..PAUSED {
        let context = &reconciler.context;
        context.learn_source(Event::Apply(source(number)));
        context.learn_credential(&Event::Apply(paused(number)));
    }
    let taken = measure(|| runtime.block_on(reconciler.recall_all()));
    println!("{} bytes at most", taken.bytes_max);
    assert_eq!(reads.load(Ordering::Relaxed), PAUSED, "each is read");
    assert!(taken.bytes_max < MOST_OF_RECALL, "{taken:?}");
}
