use std::{convert::Infallible, future};

use axum::http::{Request, Response};
use kube::{
    Client,
    client::Body,
    runtime::{
        events::{Recorder, Reporter},
        reflector::{self, store::Writer},
        watcher::Event,
    },
};
use serde_json::json;

use super::*;
use crate::{
    controller::watches::credentials_concerned,
    metrics::Metrics,
    oauth::{client::TokenClient, endpoint::Networks},
    reconcile::Budget,
};

fn object(name: &str, uid: &str) -> Watched {
    serde_json::from_value(json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
        "metadata": {"namespace": "treasury", "name": name, "uid": uid, "resourceVersion": "7"},
        "spec": {"provider": "Cubewire", "clientSecretRef": {"name": "client"}},
        "status": {"failures": 1},
    }))
    .unwrap()
}

/// A reconciler that watches nothing: the test tells what exists.
fn reconciler() -> (Reconciler, Writer<Watched>) {
    let nobody = tower::service_fn(|_: Request<Body>| {
        future::ready(Ok::<_, Infallible>(Response::new(Body::empty())))
    });
    let client = Client::new(nobody, "default");
    let (store, writer) = reflector::store();
    let world = World {
        recorder: Recorder::new(client.clone(), Reporter::from("test")),
        client,
        credentials: store,
        targets: Mutex::default(),
        sources: Mutex::default(),
        allowed_hosts: None,
        tokens: TokenClient::new(Networks::allowing(Vec::new())),
        budget: Arc::new(Mutex::new(Budget::new(
            SignedDuration::from_secs(12),
            now(),
        ))),
        identity: "this process".into(),
        metrics: Metrics::default(),
    };
    (
        Reconciler::new(
            world,
            Recall::of(1),
            Leadership::alone(),
            CancellationToken::new(),
        ),
        writer,
    )
}

/// The objects that a list, or a list after an interrupted watch, finds.
fn list(reconciler: &Reconciler, writer: &mut Writer<Watched>, objects: &[Watched]) {
    let found = objects.iter().cloned().map(Event::InitApply);
    for event in [Event::Init]
        .into_iter()
        .chain(found)
        .chain([Event::InitDone])
    {
        writer.apply_watcher_event(&event);
        credentials_concerned(reconciler, event);
    }
}

fn shown(reconciler: &Reconciler) -> Vec<String> {
    let text = reconciler.world.metrics.text();
    let shown = text
        .lines()
        .filter_map(|line| line.split_once("name=\"")?.1.split_once('"'));
    shown.map(|(name, _)| name.to_owned()).collect()
}

#[tokio::test]
async fn what_was_deleted_while_the_watch_was_interrupted_leaves_no_metric_and_no_note() {
    let (reconciler, mut writer) = reconciler();
    let objects = [object("stays", "a"), object("goes", "b")];
    list(&reconciler, &mut writer, &objects);
    for object in &objects {
        reconciler.keep(object, reconciler.observe(object), true);
    }
    assert_eq!(shown(&reconciler), ["goes", "stays"]);

    list(&reconciler, &mut writer, &objects[..1]);
    assert_eq!(shown(&reconciler), ["stays"]);
    assert_eq!(lock(&reconciler.notes).keys().collect::<Vec<_>>(), ["a"]);
}

#[tokio::test]
async fn a_reconcile_that_outlives_its_object_leaves_no_metric_and_no_note() {
    let (reconciler, mut writer) = reconciler();
    let old = object("main", "old");
    list(&reconciler, &mut writer, std::slice::from_ref(&old));
    let seen = reconciler.observe(&old);
    let deletion = Event::Delete(old.clone());
    writer.apply_watcher_event(&deletion);
    credentials_concerned(&reconciler, deletion);
    // It comes first in a reconcile that had waited until now.
    reconciler.observe(&old);
    // Another object by its name is not it.
    let creation = Event::Apply(object("main", "new"));
    writer.apply_watcher_event(&creation);
    reconciler.keep(&old, seen, true);
    assert_eq!(shown(&reconciler), [""; 0]);
    assert!(lock(&reconciler.notes).is_empty());
}

#[tokio::test]
async fn a_status_is_shown_even_if_the_api_server_does_not_take_it_but_not_after_a_deletion() {
    let (reconciler, mut writer) = reconciler();
    let object = object("main", "a");
    list(&reconciler, &mut writer, std::slice::from_ref(&object));
    let seen = reconciler.observe(&object);
    let report = || Action::Report {
        status: CubeCredentialStatus::default(),
        news: Vec::new(),
    };
    assert!(reconciler.act(report(), &object, &seen).await.is_err());
    reconciler.keep(&object, reconciler.observe(&object), false);
    assert_eq!(
        reconciler
            .world
            .metrics
            .text()
            .lines()
            .filter(|line| line.contains("\"main\""))
            .collect::<Vec<_>>(),
        [r#"cube_operator_consecutive_failures{namespace="treasury",name="main"} 0"#],
        "not the 1 of the status that stands"
    );

    list(&reconciler, &mut writer, &[]);
    assert!(reconciler.act(report(), &object, &seen).await.is_err());
    assert_eq!(shown(&reconciler), [""; 0]);
}
