//! A change between two steps is not lost.

use std::task::{Context, Wake, Waker};

use futures::FutureExt;
use kube::Client;
use serde_json::Value;

use super::*;
use crate::{
    api::{ClusterCubeProvider, ConfigMapBundleRef},
    controller::tests::reconciler_of,
    kubernetes::stub::{self, refusal},
    reconcile::{BundleFlaw, ConfigMapPlace, ReadBundle},
};

/// Runs once, in the middle of the step that wakes it.
struct Between(Mutex<Option<Box<dyn FnOnce() + Send>>>);

impl Between {
    fn waker(run: impl FnOnce() + Send + 'static) -> Waker {
        Arc::new(Self(Mutex::new(Some(Box::new(run))))).into()
    }
}

impl Wake for Between {
    fn wake(self: Arc<Self>) {
        let run = lock(&self.0).take();
        if let Some(run) = run {
            run();
        }
    }
}

fn corp() -> ProviderId {
    let key = ObjectKey::new("", "corp");
    (ProviderKind::ClusterCubeProvider, key)
}

fn bundle() -> ConfigMapBundleRef {
    serde_json::from_value(json!({"name": "roots"})).unwrap()
}

/// `ClusterCubeProvider` corp, whose CA certificates are in a ConfigMap.
fn object(version: &str, status: &Value) -> WatchedProvider<ClusterCubeProvider> {
    let object = json!({
        "metadata": {"name": "corp", "uid": "uid", "resourceVersion": version, "generation": 1},
        "spec": {"namespaces": ["a"], "tokenURL": "https://login.example.com/token", "caBundleRef": bundle()},
        "status": status,
    });
    serde_json::from_value(object).unwrap()
}

#[tokio::test]
async fn a_config_map_that_is_read_while_an_event_is_taken_in_is_followed_by_a_visit() {
    let work = named(Leadership::alone(), &Arc::default());
    let context = &work.scopes.values().next().unwrap().context;
    let (board, bundles) = (
        Arc::clone(&work.board),
        Arc::clone(&work.parts.operator_bundles),
    );
    let waker = Between::waker(move || {
        // The visit begins as soon as the event is known, and the ConfigMap is read after it.
        assert!(board.changed().now_or_never().is_some());
        assert!(matches!(board.find(&corp()), Visited::Waiting));
        let bundle = bundles.want(&bundle());
        let absent = BundleFlaw::Absent(bundle.place.clone());
        let changes = bundles.changes();
        bundles.learn(&bundle, Err(absent));
        assert!(changes.has_changed().unwrap());
    });
    // The credential of `named` counts for another object.
    assert!(work.board.changed().now_or_never().is_some());
    let mut changed = Box::pin(work.board.changed());
    let mut of_waker = Context::from_waker(&waker);
    assert!(changed.as_mut().poll(&mut of_waker).is_pending());
    context.learn_providers(&Event::Apply(object("1", &json!({}))));
    drop(changed);
    context.complete_providers();
    let changed = work.board.changed().now_or_never();
    assert_eq!(changed, Some([corp()].into()));
}

/// An API server that has one object.
#[derive(Clone)]
struct Server(Arc<Mutex<Stored>>);

struct Stored {
    version: u32,
    status: Value,
    /// Runs once, after the next write and before its response.
    after_write: Option<Box<dyn FnOnce() + Send>>,
}

impl Server {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(Stored {
            version: 1,
            status: json!({}),
            after_write: None,
        })))
    }

    fn shows(&self) -> WatchedProvider<ClusterCubeProvider> {
        let stored = lock(&self.0);
        object(&stored.version.to_string(), &stored.status)
    }

    fn message(&self) -> String {
        let stored = lock(&self.0);
        let message = &stored.status["conditions"][0]["message"];
        message.as_str().unwrap_or_default().to_owned()
    }

    fn client(&self) -> Client {
        let server = self.clone();
        stub::client(move |request| {
            let server = server.clone();
            async move { server.patch(&stub::object(request).await) }
        })
    }

    fn patch(&self, patch: &Value) -> (u16, Value) {
        let mut stored = lock(&self.0);
        // Without one, it is written whatever came first.
        let version = patch["metadata"]["resourceVersion"].as_str();
        if version.is_some_and(|version| version != stored.version.to_string()) {
            return refusal(409);
        }
        stored.version += 1;
        stored.status = patch["status"].clone();
        let response =
            json!({"metadata": {"name": "corp", "resourceVersion": stored.version.to_string()}});
        let after = stored.after_write.take();
        drop(stored);
        if let Some(after) = after {
            after();
        }
        (200, response)
    }
}

/// An operator of this server.
fn operator(server: &Server, has_credential: bool) -> Work {
    let reconciler = reconciler_of(Leadership::alone(), server.client());
    let credential = json!({
        "metadata": {"namespace": "a", "name": "user", "uid": "uid", "resourceVersion": "7"},
        "spec": {"providerRef": {"kind": "ClusterCubeProvider", "name": "corp"}, "clientSecretRef": {"name": "client"}},
    });
    let credential = has_credential.then(|| serde_json::from_value(credential).unwrap());
    list(&reconciler, credential.as_slice());
    complete_lists(&reconciler);
    Work::of(vec![Arc::new(reconciler)])
}

fn learn(work: &Work, server: &Server) {
    let scope = work.scopes.values().next().unwrap();
    scope.context.learn_providers(&Event::Apply(server.shows()));
}

fn reads(work: &Work, read: ReadBundle) {
    let bundles = &work.parts.operator_bundles;
    bundles.learn(&bundles.want(&bundle()), read);
    let scope = work.scopes.values().next().unwrap();
    scope.context.complete_providers();
}

fn flaw(namespace: &str) -> ReadBundle {
    let (namespace, name) = (namespace.into(), "roots".into());
    Err(BundleFlaw::Absent(ConfigMapPlace { namespace, name }))
}

#[tokio::test]
async fn a_condition_that_another_operator_has_written_unseen_is_not_replaced() {
    let server = Server::new();
    let (needs, other) = (operator(&server, true), operator(&server, false));
    learn(&needs, &server);
    learn(&other, &server);
    reads(&needs, flaw("needs"));
    reads(&other, flaw("other"));
    assert_eq!(needs.visit(&corp()).await, Visit::Ended(None));
    assert!(server.message().contains("needs/roots"));
    // It has not seen that yet.
    let retries = Visit::Ended(Some(RETRY_DELAY));
    assert_eq!(other.visit(&corp()).await, retries);
    assert!(server.message().contains("needs/roots"));
    // It has now, and leaves it.
    learn(&other, &server);
    assert_eq!(other.visit(&corp()).await, Visit::Ended(None));
    assert!(server.message().contains("needs/roots"));
    // Nor has the first one seen its own, which it knows nevertheless.
    reads(&needs, flaw("later"));
    assert_eq!(needs.visit(&corp()).await, Visit::Ended(None));
    assert!(server.message().contains("later/roots"));
}

#[tokio::test]
async fn what_the_watch_shows_during_a_write_counts_more_than_the_write() {
    let server = Server::new();
    let work = Arc::new(operator(&server, true));
    learn(&work, &server);
    reads(&work, flaw("first"));
    let (shows, of) = (server.clone(), Arc::clone(&work));
    lock(&server.0).after_write = Some(Box::new(move || {
        // Another operator's write.
        let mut stored = lock(&shows.0);
        stored.version += 1;
        stored.status = json!({});
        drop(stored);
        learn(&of, &shows);
    }));
    work.visit(&corp()).await;
    assert_eq!(found(&work, &corp()).version, "3");
    reads(&work, flaw("second"));
    assert_eq!(work.visit(&corp()).await, Visit::Ended(None));
    assert!(server.message().contains("second/roots"));
}
