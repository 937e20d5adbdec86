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
    cluster::Parts,
    controller::{queue::reconcile, readiness::List, watches::credentials_affected},
    metrics::Metrics,
    oauth::{client::TokenClient, networks::Networks},
    reconcile::{Budget, ClientValues, Source, SourceSecret, SourceValue, Target},
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

fn reconciler() -> (Reconciler, Writer<Watched>) {
    reconciler_that(Leadership::alone())
}

/// A reconciler that watches nothing: the test says what exists.
fn reconciler_that(leadership: Leadership) -> (Reconciler, Writer<Watched>) {
    let nobody = tower::service_fn(|_: Request<Body>| {
        future::ready(Ok::<_, Infallible>(Response::new(Body::empty())))
    });
    let client = Client::new(nobody, "default");
    let (store, writer) = reflector::store();
    let parts = Parts {
        recorder: Recorder::new(client.clone(), Reporter::from("test")),
        client,
        allowed_hosts: None,
        token_hosts_required: false,
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
            Context::new(parts, store),
            KnownPauses::of(1),
            leadership,
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
        credentials_affected(reconciler, event);
    }
}

fn observe(reconciler: &Reconciler, object: &Watched) -> Observed {
    reconciler.states.observe(&reconciler.context, object)
}

fn begin(reconciler: &Reconciler, object: &Watched) -> Session {
    Session::begin(observe(reconciler, object))
}

fn shown(reconciler: &Reconciler) -> Vec<String> {
    let text = reconciler.context.parts.metrics.text();
    let shown = text
        .lines()
        .filter_map(|line| line.split_once("name=\"")?.1.split_once('"'));
    shown.map(|(name, _)| name.to_owned()).collect()
}

#[tokio::test]
async fn an_object_deleted_while_the_watch_was_interrupted_leaves_no_metric_and_no_state() {
    let (reconciler, mut writer) = reconciler();
    let objects = [object("stays", "a"), object("goes", "b")];
    list(&reconciler, &mut writer, &objects);
    for object in &objects {
        reconciler.keep(object, begin(&reconciler, object), true);
    }
    assert_eq!(shown(&reconciler), ["goes", "stays"]);

    list(&reconciler, &mut writer, &objects[..1]);
    assert_eq!(shown(&reconciler), ["stays"]);
    assert_eq!(reconciler.states.uids(), ["a"]);
}

#[tokio::test]
async fn a_reconcile_that_outlives_its_object_leaves_no_metric_and_no_state() {
    let (reconciler, mut writer) = reconciler();
    let old = object("main", "old");
    list(&reconciler, &mut writer, std::slice::from_ref(&old));
    let session = begin(&reconciler, &old);
    let deletion = Event::Delete(old.clone());
    writer.apply_watcher_event(&deletion);
    credentials_affected(&reconciler, deletion);
    // A reconcile that had waited until now begins.
    begin(&reconciler, &old);
    // A new object with its name is another one.
    let creation = Event::Apply(object("main", "new"));
    writer.apply_watcher_event(&creation);
    reconciler.keep(&old, session, true);
    assert_eq!(shown(&reconciler), [""; 0]);
    assert_eq!(reconciler.states.uids(), [""; 0]);
}

#[tokio::test]
async fn a_status_is_shown_even_if_the_api_server_does_not_take_it_but_not_after_a_deletion() {
    let (reconciler, mut writer) = reconciler();
    let object = object("main", "a");
    list(&reconciler, &mut writer, std::slice::from_ref(&object));
    let observed = observe(&reconciler, &object);
    let report = || Action::Report {
        status: CubeCredentialStatus::default(),
        events: Vec::new(),
    };
    assert!(reconciler.act(report(), &object, &observed).await.is_err());
    reconciler.keep(&object, begin(&reconciler, &object), false);
    assert_eq!(
        reconciler
            .context
            .parts
            .metrics
            .text()
            .lines()
            .filter(|line| line.contains("\"main\""))
            .collect::<Vec<_>>(),
        [r#"cube_operator_consecutive_failures{namespace="treasury",name="main"} 0"#],
        "not the 1 of the status that stands"
    );

    list(&reconciler, &mut writer, &[]);
    assert!(reconciler.act(report(), &object, &observed).await.is_err());
    assert_eq!(shown(&reconciler), [""; 0]);
}

#[tokio::test]
async fn an_exchange_that_was_about_to_begin_when_the_lease_was_lost_does_not_begin() {
    for (leadership, began) in [(Leadership::alone(), true), (Leadership::default(), false)] {
        let (reconciler, mut writer) = reconciler_that(leadership);
        let mut object = object("main", "a");
        let spec = &mut object.0.as_mut().unwrap().spec;
        // Nothing is sent there.
        spec.token_url = Some("https://127.0.0.1/token".into());
        list(&reconciler, &mut writer, std::slice::from_ref(&object));
        let mut observed = observe(&reconciler, &object);
        let text = |text: &str| SourceValue::Text(text.into());
        observed.target = Target::Absent;
        observed.source = Source::Read(SourceSecret {
            version: "1".into(),
            token_hosts: None,
            token_ca: None,
            values: ClientValues {
                id: text("client"),
                secret: text("secret"),
            },
        });
        let mut session = Session::begin(observed);
        let result = reconciler.steps(&object, &mut session).await;
        let text = reconciler.context.parts.metrics.text();
        assert_eq!(text.contains("cube_operator_exchanges_total"), began);
        let waits = result.is_ok_and(|action| action == Requeue::requeue(LEADERSHIP_DELAY));
        assert_eq!(waits, !began);
    }
}

#[tokio::test]
async fn a_process_that_does_not_lead_reconciles_nothing() {
    let (reconciler, _writer) = reconciler_that(Leadership::default());
    for list in [List::Credentials, List::Targets, List::Sources] {
        reconciler.readiness.listed(list);
    }
    let reconciler = Arc::new(reconciler);
    let result = reconcile(Arc::new(object("main", "a")), Arc::clone(&reconciler)).await;
    assert_eq!(result.unwrap(), Requeue::requeue(LEADERSHIP_DELAY));
    assert_eq!(reconciler.states.uids(), [""; 0]);
}
