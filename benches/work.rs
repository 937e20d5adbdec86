//! The work of one watch event and of one observation, at 10, 1,000 and 10,000 `CubeCredentials`: it has to stay the same.
//! `cluster/tests.rs` counts it; here it is measured.

use std::{convert::Infallible, future};

use axum::http::{Request, Response};
use cube_operator::{
    cluster::{Context, Metadata, Watched},
    oauth::{client::TokenClient, networks::Networks},
    reconcile::Memory,
};
use divan::{Bencher, black_box};
use k8s_openapi::api::core::v1::Secret;
use kube::{Client, client::Body, runtime::watcher::Event};
use serde_json::json;

const OBJECTS: [usize; 3] = [10, 1_000, 10_000];

fn main() {
    divan::main();
}

fn credential(number: usize) -> Watched {
    serde_json::from_value(json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
        "metadata": {"namespace": "treasury", "name": format!("main-{number}"), "uid": format!("uid-{number}"),
            "resourceVersion": "7", "creationTimestamp": "2026-11-23T10:00:00Z"},
        "spec": {"provider": "Cubewire", "clientSecretRef": {"name": format!("client-{number}")}},
    }))
    .expect("it is a CubeCredential")
}

fn target(number: usize) -> Metadata<Secret> {
    serde_json::from_value(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"namespace": "treasury", "name": format!("main-{number}-token"), "uid": format!("target-{number}"),
            "resourceVersion": "7", "labels": {"cube-operator.dev/managed": "true"},
            "annotations": {"cube-operator.dev/owner-uid": format!("uid-{number}")}},
    }))
    .expect("it is a Secret")
}

/// So many credentials with a target each.
fn context(credentials: usize) -> Context {
    // The client needs a runtime to exist, and none to be unused.
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let _entered = runtime.enter();
    let nobody = tower::service_fn(|_: Request<Body>| {
        future::ready(Ok::<_, Infallible>(Response::new(Body::empty())))
    });
    let context = Context::snapshot(
        Client::new(nobody, "default"),
        (0..credentials).map(credential).collect(),
        TokenClient::new(Networks::allowing(Vec::new())),
        None,
        false,
    );
    for number in 0..credentials {
        context.learn_target(Event::Apply(target(number)));
    }
    context
}

#[divan::bench(args = OBJECTS)]
fn event_of_a_credential(bencher: Bencher, objects: usize) {
    let context = context(objects);
    let event = Event::Apply(credential(3));
    bencher.bench_local(|| context.learn_credential(black_box(&event)));
}

#[divan::bench(args = OBJECTS)]
fn event_of_a_target(bencher: Bencher, objects: usize) {
    let context = context(objects);
    bencher
        .with_inputs(|| Event::Apply(target(3)))
        .bench_local_values(|event| context.learn_target(event));
}

#[divan::bench(args = OBJECTS)]
fn observation(bencher: Bencher, objects: usize) {
    let context = context(objects);
    let object = credential(3);
    bencher.bench_local(|| context.observe(black_box(&object), Memory::default()));
}
