//! The common parts of the controller's tests: a reconciler that watches nothing, because the test says what exists.

use std::{
    collections::HashMap,
    future::{self, Future},
    sync::{Arc, Mutex},
};

use futures::FutureExt;
use jiff::SignedDuration;
use kube::{Client, runtime::watcher::Event};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    bundles::BundleWatches,
    health::List,
    readiness::{KnownPauses, ScopeName, ScopeReadiness},
    reconciler::Reconciler,
    slots::Exchanges,
    watches::credentials_affected,
};
use crate::{
    api::ProviderKind,
    clock::now,
    cluster::{Context, EventQueue, Parts, Watched},
    kubernetes::{events::Recorder, stub},
    leader::Leadership,
    metrics::Metrics,
    oauth::{client::TokenClient, networks::Networks},
    reconcile::Budget,
};

pub(super) fn object(name: &str, uid: &str) -> Watched {
    object_in("treasury", name, uid)
}

pub(super) fn object_in(namespace: &str, name: &str, uid: &str) -> Watched {
    serde_json::from_value(json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
        "metadata": {"namespace": namespace, "name": name, "uid": uid, "resourceVersion": "7"},
        "spec": {"provider": "Cubewire", "clientSecretRef": {"name": "client"}},
        "status": {"failures": 1},
    }))
    .unwrap()
}

pub(super) fn reconciler() -> Reconciler {
    reconciler_that(Leadership::alone())
}

pub(super) fn reconciler_that(leadership: Leadership) -> Reconciler {
    reconciler_at(leadership, || future::ready(()))
}

/// A reconciler whose API server responds after this, and never with an object.
pub(super) fn reconciler_at<F>(
    leadership: Leadership,
    before_response: impl Fn() -> F + Clone + Send + 'static,
) -> Reconciler
where
    F: Future<Output = ()> + Send + 'static,
{
    let client = stub::client(move |_| before_response().map(|()| (200, Value::Null)));
    reconciler_of(leadership, client)
}

/// A reconciler with this client of an API server.
pub(super) fn reconciler_of(leadership: Leadership, client: Client) -> Reconciler {
    let parts = Parts {
        provider_kinds: ProviderKind::ALL,
        recorder: Recorder {
            client: client.clone(),
            controller: "test",
            instance: None,
        },
        event_queue: EventQueue::default(),
        client,
        allowed_hosts: None,
        hides_network_detail: false,
        token_hosts_required: false,
        api_audiences: None,
        access: crate::consumers::ConsumerAccess::default(),
        pod_refreshes: Arc::default(),
        provider_board: Arc::default(),
        operator_bundles: Arc::default(),
        tokens: TokenClient::new(Networks::allowing(Vec::new())),
        ca_bundles: Arc::default(),
        budget: Arc::new(Mutex::new(Budget::new(
            SignedDuration::from_secs(12),
            now(),
        ))),
        identity: "this process".into(),
        metrics: Metrics::default(),
    };
    let (bundles, _) = BundleWatches::new(parts.client.clone(), Arc::clone(&parts.ca_bundles));
    let readiness = ScopeReadiness::new(ScopeName(None), parts.metrics.clone(), KnownPauses::of(1));
    Reconciler::new(
        Context::new(parts),
        bundles,
        readiness,
        Arc::new(Exchanges::new(HashMap::new())),
        leadership,
        CancellationToken::new(),
    )
}

/// The first lists of the scope have arrived.
pub(super) fn complete_lists(reconciler: &Reconciler) {
    for list in [
        List::Credentials,
        List::Targets,
        List::Sources,
        List::States,
    ] {
        reconciler.readiness.listed(list);
    }
}

/// The objects that a list, or a list after an interrupted watch, finds.
pub(super) fn list(reconciler: &Reconciler, objects: &[Watched]) {
    let found = objects.iter().cloned().map(Event::InitApply);
    for event in [Event::Init]
        .into_iter()
        .chain(found)
        .chain([Event::InitDone])
    {
        credentials_affected(reconciler, event);
    }
}
