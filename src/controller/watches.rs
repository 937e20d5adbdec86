//! The watches, and the credentials that each event affects. Secrets are watched as metadata and by label, so that foreign
//! Secrets cost no memory and no Secret's data is received.

use std::{future, sync::Arc};

use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{Secret, ServiceAccount},
};
use kube::{
    Resource,
    runtime::{
        WatchStreamExt,
        watcher::{self, Event},
    },
};
use tokio::sync::mpsc;

use super::{
    health::List,
    providers,
    reconciler::Reconciler,
    watch::{Watchable, all, events, is_of},
};
use crate::{
    api::{CaBundleKind, label},
    cluster::{Affected, Learned, Metadata, ObjectKey, Watched, slim},
    leader::Shard,
};

/// The `CubeCredentials` to reconcile after each event of the watches on this namespace (`None`: on all namespaces of the shard).
pub(super) fn affected(
    reconciler: &Arc<Reconciler>,
    namespace: Option<&str>,
    shard: Shard,
    bundles: mpsc::Receiver<ObjectKey>,
) -> impl Stream<Item = ObjectKey> + Send + 'static {
    let credentials = watched::<Watched>(reconciler, namespace, shard, List::Credentials, all())
        .map(Ok)
        .modify(slim::credential)
        .filter_map(|event| future::ready(event.ok()));
    let secrets = |list, label: &str, affected| {
        let labelled = all().labels(&format!("{label}={}", label::TRUE));
        let events = watched(reconciler, namespace, shard, list, labelled);
        each(reconciler, list, events, affected)
    };
    stream::select_all([
        each(
            reconciler,
            List::Credentials,
            credentials,
            credentials_affected,
        ),
        secrets(List::Targets, label::MANAGED, targets_affect),
        secrets(List::Sources, label::CREDENTIAL, sources_affect),
        secrets(List::States, label::STATE, states_affect),
        service_accounts(reconciler, namespace, shard),
        bundles_affect(reconciler, bundles),
        providers::affect(reconciler, namespace, shard),
    ])
}

/// The watch on ServiceAccounts, if their tokens may be requested.
fn service_accounts(
    reconciler: &Arc<Reconciler>,
    namespace: Option<&str>,
    shard: Shard,
) -> BoxStream<'static, ObjectKey> {
    if reconciler.context.parts.api_audiences.is_none() {
        return stream::empty().boxed();
    }
    let list = List::ServiceAccounts;
    let labelled = all().labels(&format!("{}={}", label::CREDENTIAL, label::TRUE));
    let events = watched(reconciler, namespace, shard, list, labelled);
    each(reconciler, list, events, service_accounts_affect)
}

/// The events of a list. Its failures, and their end, are reported to readiness. An object of another shard is dropped as soon as
/// it has been read: nothing else of this process knows of it.
fn watched<K: Watchable + Resource<Scope = NamespaceResourceScope>>(
    reconciler: &Arc<Reconciler>,
    namespace: Option<&str>,
    shard: Shard,
    list: List,
    config: watcher::Config,
) -> impl Stream<Item = Event<K>> + Send + 'static {
    let events = events(&reconciler.context.parts.client, namespace, config);
    let reconciler = Arc::clone(reconciler);
    events.filter_map(move |event| {
        match &event {
            Ok(Event::Init | Event::InitApply(_)) => {}
            Ok(Event::InitDone | Event::Apply(_) | Event::Delete(_)) => {
                reconciler.readiness.works(list);
            }
            Err(failure) => reconciler.readiness.failed(list, failure.clone()),
        }
        future::ready(event.ok().filter(|event| is_of(shard, event)))
    })
}

/// The `CubeCredentials` that each event affects. The end of a list is reported to readiness once it has been taken in.
fn each<K: Send + 'static>(
    reconciler: &Arc<Reconciler>,
    list: List,
    events: impl Stream<Item = Event<K>> + Send + 'static,
    affected: fn(&Reconciler, Event<K>) -> Affected,
) -> BoxStream<'static, ObjectKey> {
    let reconciler = Arc::clone(reconciler);
    events
        .flat_map(move |event| {
            let ends_list = matches!(event, Event::InitDone);
            let affected = affected(&reconciler, event);
            if ends_list {
                reconciler.readiness.listed(list);
            }
            stream::iter(affected)
        })
        .boxed()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the other watches consume their events"
)]
pub(super) fn credentials_affected(reconciler: &Reconciler, event: Event<Watched>) -> Affected {
    let Learned { affected, gone } = reconciler.context.learn_credential(&event);
    if let Event::Apply(object) = &event {
        reconciler.states.shown(object);
    }
    for gone in &gone {
        reconciler.forget(gone);
    }
    if matches!(event, Event::InitDone) && !reconciler.has_pauses() {
        reconciler.readiness.recalled();
    }
    affected
}

fn targets_affect(reconciler: &Reconciler, event: Event<Metadata<Secret>>) -> Affected {
    reconciler.context.learn_target(event)
}

fn sources_affect(reconciler: &Reconciler, event: Event<Metadata<Secret>>) -> Affected {
    let context = &reconciler.context;
    let keys = context.learn_source(event);
    for key in &keys {
        reconciler.touch_ca_bundles(CaBundleKind::Secret, key);
    }
    keys.iter()
        .flat_map(|key| context.affected_by(key))
        .collect()
}

fn service_accounts_affect(
    reconciler: &Reconciler,
    event: Event<Metadata<ServiceAccount>>,
) -> Affected {
    reconciler.context.learn_service_account(event)
}

/// A state is read when it is needed. Only its version is of interest, and only when a process begins.
fn states_affect(reconciler: &Reconciler, event: Event<Metadata<Secret>>) -> Affected {
    reconciler.context.learn_state(event);
    Affected::new()
}

fn bundles_affect(
    reconciler: &Arc<Reconciler>,
    changed: mpsc::Receiver<ObjectKey>,
) -> BoxStream<'static, ObjectKey> {
    let reconciler = Arc::clone(reconciler);
    let changed = stream::unfold(changed, async |mut changed| {
        let key = changed.recv().await?;
        Some((key, changed))
    });
    changed
        .flat_map(move |key| {
            stream::iter(reconciler.touch_ca_bundles(CaBundleKind::ConfigMap, &key))
        })
        .boxed()
}
