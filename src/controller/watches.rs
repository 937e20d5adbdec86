//! The watches, and the credentials that each event affects. Secrets are watched as metadata and by label, so that foreign
//! Secrets cost no memory and no Secret's data is received.

use std::{convert::Infallible, fmt::Debug, future, sync::Arc, time::Duration};

use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{ConfigMap, Secret},
};
use kube::{
    Api, Client, Resource, ResourceExt,
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt, reflector,
        reflector::{ObjectRef, store::Writer},
        utils::Backoff,
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;

use super::{readiness::List, reconciler::Reconciler};
use crate::{
    api::{CaBundleKind, label},
    cluster::{Affected, Watched, changed_config_map},
    kubernetes::error::explain_watch,
};

const LONGEST_WATCH_PAUSE: Duration = Duration::from_secs(5);

type Request = Result<ObjectRef<Watched>, Infallible>;

/// The `CubeCredentials` to reconcile after each event of the watches on this namespace (`None`: on all namespaces).
pub(super) fn requests(
    reconciler: &Arc<Reconciler>,
    namespace: Option<&str>,
    writer: Writer<Watched>,
) -> impl Stream<Item = Request> + Send + 'static {
    let client = &reconciler.context.parts.client;
    let all = watcher::Config::default;
    let labelled = |label: &str| all().labels(&format!("{label}={}", label::TRUE));

    let credentials = reflector(writer, events::<Watched>(client, namespace, all()).map(Ok));
    stream::select_all([
        each(
            reconciler,
            credentials.filter_map(|event| future::ready(event.ok())),
            credentials_affected,
        ),
        each(
            reconciler,
            events(client, namespace, labelled(label::MANAGED)),
            targets_affect,
        ),
        each(
            reconciler,
            events(client, namespace, labelled(label::CREDENTIAL)),
            sources_affect,
        ),
        // CA bundles need no label, so all ConfigMaps are watched; nothing of them is kept.
        each(reconciler, events(client, namespace, all()), bundles_affect),
    ])
}

/// The requests that follow from each event.
fn each<K: Send + 'static>(
    reconciler: &Arc<Reconciler>,
    events: impl Stream<Item = Event<K>> + Send + 'static,
    affected: fn(&Reconciler, Event<K>) -> Affected,
) -> BoxStream<'static, Request> {
    let reconciler = Arc::clone(reconciler);
    events
        .flat_map(move |event| stream::iter(affected(&reconciler, event)).map(Ok))
        .boxed()
}

/// The events of one kind. A broken watch is logged in one line and started again.
fn events<K>(
    client: &Client,
    namespace: Option<&str>,
    config: watcher::Config,
) -> impl Stream<Item = Event<K>> + Send + 'static
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + Debug
        + Send
        + 'static,
{
    let api: Api<K> = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let slim = |object: &mut K| object.managed_fields_mut().clear();
    watcher(api, config).backoff(ShortBackoff::default()).modify(slim).filter_map(|event| {
        if let Err(error) = &event {
            tracing::warn!(kind = %K::kind(&()), error = %explain_watch(error), "watch interrupted, starting it again");
        }
        future::ready(event.ok())
    })
}

/// kube's pauses before a broken watch is started again, but 5 s at most. kube's own limit is half a minute: after a short
/// outage, the operator saw nothing for another minute.
#[derive(Default)]
struct ShortBackoff(watcher::DefaultBackoff);

impl Iterator for ShortBackoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0.next().map(|pause| pause.min(LONGEST_WATCH_PAUSE))
    }
}

impl Backoff for ShortBackoff {
    fn reset(&mut self) {
        self.0.reset();
    }
}

pub(super) fn credentials_affected(reconciler: &Reconciler, event: Event<Watched>) -> Affected {
    let affected = reconciler.context.learn_credential(&event);
    match event {
        Event::Delete(object) => reconciler.forget(&object),
        Event::InitDone => {
            if !reconciler.has_pauses() {
                reconciler.readiness.recalled();
            }
            reconciler.readiness.listed(List::Credentials);
            // The store is complete only now.
            reconciler.forget_missing();
        }
        Event::Apply(_) | Event::Init | Event::InitApply(_) => {}
    }
    affected
}

fn targets_affect(reconciler: &Reconciler, event: Event<PartialObjectMeta<Secret>>) -> Affected {
    let listed = matches!(event, Event::InitDone);
    let affected = reconciler.context.learn_target(event);
    if listed {
        reconciler.readiness.listed(List::Targets);
    }
    affected
}

fn sources_affect(reconciler: &Reconciler, event: Event<PartialObjectMeta<Secret>>) -> Affected {
    let listed = matches!(event, Event::InitDone);
    let context = &reconciler.context;
    let keys = context.learn_source(event);
    if listed {
        reconciler.readiness.listed(List::Sources);
    }
    for key in &keys {
        reconciler.touch_ca_bundles(CaBundleKind::Secret, key);
    }
    keys.iter()
        .flat_map(|key| context.affected_by(key))
        .collect()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the signature that all watches share"
)]
fn bundles_affect(reconciler: &Reconciler, event: Event<PartialObjectMeta<ConfigMap>>) -> Affected {
    changed_config_map(&event)
        .map(|key| reconciler.touch_ca_bundles(CaBundleKind::ConfigMap, &key))
        .unwrap_or_default()
}
