//! A change between two steps is not lost.

use std::task::{Context, Wake, Waker};

use futures::FutureExt;

use super::*;
use crate::{
    api::{ClusterCubeProvider, ConfigMapBundleRef},
    reconcile::BundleFlaw,
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
fn object(version: &str, status: &serde_json::Value) -> WatchedProvider<ClusterCubeProvider> {
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
        assert!(bundles.learn(&bundle, Err(absent)));
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
