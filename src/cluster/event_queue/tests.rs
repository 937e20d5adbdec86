//! Which events wait, and what becomes of them.

use std::{
    future, io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use axum::http::{Request, Response};
use kube::{Client, client::Body};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::*;
use crate::{
    cluster::{Context, Watched, tests::context_of},
    lock::lock,
    reconcile::EventKind,
};

/// An API server, with the events that it has got.
#[derive(Clone, Default)]
struct Server {
    events: Arc<Mutex<Vec<Value>>>,
    hangs: bool,
    /// The number of requests that do not reach it.
    unreachable: Arc<AtomicUsize>,
}

impl Server {
    async fn respond(self, request: Request<Body>) -> io::Result<Response<Body>> {
        if self.hangs {
            future::pending::<()>().await;
        }
        let left = |left: usize| left.checked_sub(1);
        let order = Ordering::SeqCst;
        if self.unreachable.fetch_update(order, order, left).is_ok() {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let body = request.into_body().collect_bytes().await.unwrap();
        lock(&self.events).push(serde_json::from_slice(&body).unwrap());
        Ok(Response::new(Body::from(body.to_vec())))
    }

    fn context(&self, queue: EventQueue) -> Context {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move { server.respond(request).await }
        });
        let client = Client::new(service, "default");
        let mut context = context_of(client, Vec::new());
        context.parts.event_queue = queue;
        context
    }

    fn reasons(&self) -> Vec<String> {
        let events = lock(&self.events);
        let reason = |event: &Value| event["reason"].as_str().unwrap().to_owned();
        events.iter().map(reason).collect()
    }
}

fn credential() -> Watched {
    serde_json::from_value(json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
        "metadata": {"namespace": "treasury", "name": "main", "uid": "uid-1", "resourceVersion": "7"},
        "spec": {"provider": "Cubewire", "clientSecretRef": {"name": "client"}, "target": {"name": "token"}},
    }))
    .unwrap()
}

async fn announce(context: &Context, kind: EventKind) {
    let note = "what has happened".to_owned();
    let event = Event { kind, note };
    context.announce(&credential(), &event, None).await;
}

/// Publishes what waits, as at the end of the process.
async fn publish_rest(context: &Context, waiting: Receiver<Waiting>) {
    let end = CancellationToken::new();
    end.cancel();
    publish_waiting(context.parts.recorder.clone(), waiting, || true, end).await;
}

#[tokio::test]
async fn success_waits_a_warning_does_not_and_the_end_of_the_process_publishes_the_rest() {
    let server = Server::default();
    let (queue, waiting) = EventQueue::new();
    let context = server.context(queue);
    announce(&context, EventKind::TokenIssued).await;
    announce(&context, EventKind::StaleConsumer).await;
    announce(&context, EventKind::Recovered).await;
    assert_eq!(server.reasons(), ["StaleConsumer"]);

    publish_rest(&context, waiting).await;
    assert_eq!(
        server.reasons(),
        ["StaleConsumer", "TokenIssued", "Recovered"]
    );
    let mut events = lock(&server.events).clone();
    assert_eq!(
        events[1]["regarding"], events[0]["regarding"],
        "all of it is there"
    );
    // `kubectl describe` shows them by their names, and so in the order in which they happened.
    events.sort_by_key(|event| event["metadata"]["name"].as_str().unwrap().to_owned());
    let sorted: Vec<_> = events.iter().map(|event| &event["reason"]).collect();
    assert_eq!(sorted, ["TokenIssued", "StaleConsumer", "Recovered"]);
}

#[tokio::test]
async fn what_finds_no_room_or_nobody_who_publishes_it_is_published_immediately() {
    let server = Server::default();
    let (queue, waiting) = EventQueue::of(1);
    let context = server.context(queue);
    announce(&context, EventKind::TokenIssued).await;
    announce(&context, EventKind::TargetRepaired).await;
    assert_eq!(server.reasons(), ["TargetRepaired"]);
    publish_rest(&context, waiting).await;
    announce(&context, EventKind::Recovered).await;
    assert_eq!(
        server.reasons(),
        ["TargetRepaired", "TokenIssued", "Recovered"]
    );
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_published_while_the_process_runs_and_survives_an_outage() {
    let server = Server {
        unreachable: Arc::new(3.into()),
        ..Server::default()
    };
    let (queue, waiting) = EventQueue::new();
    let context = server.context(queue);
    let recorder = context.parts.recorder.clone();
    let end = CancellationToken::new();
    tokio::spawn(publish_waiting(recorder, waiting, || false, end));
    announce(&context, EventKind::TokenIssued).await;
    announce(&context, EventKind::Recovered).await;
    sleep(BETWEEN_ATTEMPTS * 4).await;
    assert_eq!(server.reasons(), ["TokenIssued", "Recovered"]);
}

#[tokio::test(start_paused = true)]
async fn reconciles_in_progress_go_first_but_hold_up_no_event_for_long() {
    let server = Server::default();
    let (queue, waiting) = EventQueue::new();
    let context = server.context(queue);
    let recorder = context.parts.recorder.clone();
    let busy = Arc::new(AtomicBool::new(true));
    let is_busy = {
        let busy = busy.clone();
        move || busy.load(Ordering::SeqCst)
    };
    tokio::spawn(publish_waiting(
        recorder,
        waiting,
        is_busy,
        CancellationToken::new(),
    ));
    for _ in 0..4 {
        announce(&context, EventKind::TokenIssued).await;
    }
    sleep(BEHIND_RECONCILES / 2).await;
    assert!(server.reasons().is_empty());
    sleep(BEHIND_RECONCILES).await;
    assert_eq!(server.reasons().len(), 1);
    busy.store(false, Ordering::SeqCst);
    sleep(BEHIND_RECONCILES).await;
    assert_eq!(server.reasons().len(), 4, "the others wait no longer");
}

#[tokio::test]
async fn without_a_queue_nothing_waits() {
    let server = Server::default();
    let context = server.context(EventQueue::default());
    announce(&context, EventKind::TokenIssued).await;
    assert_eq!(server.reasons(), ["TokenIssued"]);
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_does_not_respond_holds_up_the_end_for_seconds_only() {
    let server = Server {
        hangs: true,
        ..Server::default()
    };
    for hangs_before_the_end in [false, true] {
        let (queue, waiting) = EventQueue::new();
        let context = server.context(queue);
        announce(&context, EventKind::TokenIssued).await;
        announce(&context, EventKind::Recovered).await;
        let end = CancellationToken::new();
        let recorder = context.parts.recorder.clone();
        let publisher = tokio::spawn(publish_waiting(recorder, waiting, || false, end.clone()));
        if hangs_before_the_end {
            sleep(LAST_TIME).await;
        }
        end.cancel();
        let most = LAST_TIME + Duration::from_secs(1);
        assert!(timeout(most, publisher).await.is_ok());
    }
}
