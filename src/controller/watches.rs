//! What is watched, and whom each change concerns. Secrets are watched as metadata by label, so that foreign Secrets cost no
//! memory and no Secret's data passes by here.

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
    kubernetes::{
        cache::{Cache, Key},
        convert,
        error::explain_watch,
        world::{self, Watched},
    },
    lock::lock,
};

const LONGEST_WATCH_PAUSE: Duration = Duration::from_secs(5);

type Request = Result<ObjectRef<Watched>, Infallible>;

/// The `CubeCredentials` to reconcile, as the watches on this namespace (`None`: on all) tell.
pub(super) fn requests(
    reconciler: &Arc<Reconciler>,
    namespace: Option<&str>,
    writer: Writer<Watched>,
) -> impl Stream<Item = Request> + Send + 'static {
    let client = &reconciler.world.client;
    let all = watcher::Config::default;
    let labelled = |label: &str| all().labels(&format!("{label}={}", label::TRUE));

    let credentials = reflector(writer, events::<Watched>(client, namespace, all()).map(Ok));
    stream::select_all([
        each(
            reconciler,
            credentials.filter_map(|event| future::ready(event.ok())),
            credentials_concerned,
        ),
        each(
            reconciler,
            events(client, namespace, labelled(label::MANAGED)),
            targets_concern,
        ),
        each(
            reconciler,
            events(client, namespace, labelled(label::CREDENTIAL)),
            sources_concern,
        ),
        // Bundles need no label, so every ConfigMap passes by; nothing of them is kept.
        each(
            reconciler,
            events(client, namespace, all()),
            bundles_concern,
        ),
    ])
}

/// The requests that follow from each event.
fn each<K: Send + 'static>(
    reconciler: &Arc<Reconciler>,
    events: impl Stream<Item = Event<K>> + Send + 'static,
    concerned: fn(&Reconciler, Event<K>) -> Vec<ObjectRef<Watched>>,
) -> BoxStream<'static, Request> {
    let reconciler = Arc::clone(reconciler);
    events
        .flat_map(move |event| stream::iter(concerned(&reconciler, event)).map(Ok))
        .boxed()
}

/// The events of one kind. A broken watch is told in one line and started again.
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

/// Between the tries of a broken watch: as kube does, but 5 s at most. Its own goes on to half a minute, and after an outage of 20 s
/// the operator was blind for another minute.
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

pub(super) fn credentials_concerned(
    reconciler: &Reconciler,
    event: Event<Watched>,
) -> Vec<ObjectRef<Watched>> {
    // Rivals for one target wait for each other's changes.
    let rivals = |object: &Watched| {
        let key =
            world::target_name(object).map(|name| (object.namespace().unwrap_or_default(), name));
        key.map(|key| reconciler.world.concerned_by(&key))
            .unwrap_or_default()
    };
    match event {
        Event::Apply(object) => rivals(&object)
            .into_iter()
            .chain([ObjectRef::from_obj(&object)])
            .collect(),
        Event::Delete(object) => {
            reconciler.forget(&object);
            rivals(&object)
        }
        Event::InitDone => {
            reconciler.recall_pauses();
            reconciler.readiness.listed(List::Credentials);
            // The store is complete only now.
            reconciler.forget_missing();
            reconciler
                .world
                .credentials
                .state()
                .iter()
                .map(|object| ObjectRef::from_obj(object.as_ref()))
                .collect()
        }
        Event::Init | Event::InitApply(_) => Vec::new(),
    }
}

fn targets_concern(
    reconciler: &Reconciler,
    event: Event<PartialObjectMeta<Secret>>,
) -> Vec<ObjectRef<Watched>> {
    let listed = matches!(event, Event::InitDone);
    let world = &reconciler.world;
    let keys = lock(&world.targets).absorb(event, |secret| convert::target(&secret.metadata));
    if listed {
        reconciler.readiness.listed(List::Targets);
    }
    keys.iter()
        .flat_map(|key| world.concerned_by(key))
        .collect()
}

fn sources_concern(
    reconciler: &Reconciler,
    event: Event<PartialObjectMeta<Secret>>,
) -> Vec<ObjectRef<Watched>> {
    let listed = matches!(event, Event::InitDone);
    let world = &reconciler.world;
    let keys = lock(&world.sources).absorb(event, |secret| {
        secret.resource_version().unwrap_or_default()
    });
    if listed {
        reconciler.readiness.listed(List::Sources);
    }
    for key in &keys {
        reconciler.touch_ca_bundles(CaBundleKind::Secret, key);
    }
    keys.iter()
        .flat_map(|key| world.concerned_by(key))
        .collect()
}

fn bundles_concern(
    reconciler: &Reconciler,
    event: Event<PartialObjectMeta<ConfigMap>>,
) -> Vec<ObjectRef<Watched>> {
    let keys: Vec<Key> = Cache::default().absorb(event, |_| ());
    keys.iter()
        .flat_map(|key| reconciler.touch_ca_bundles(CaBundleKind::ConfigMap, key))
        .collect()
}
