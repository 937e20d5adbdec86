//! Watches the provider objects, and reconciles the credentials that name one that has changed.
//!
//! Thousands may name the same object, so they follow in small groups: `rounds` says how. Nothing waits for the lists of these kinds,
//! which an older installation does not have.

mod rounds;

use std::sync::Arc;

use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use kube::{Api, runtime::watcher::Event};

use super::{
    reconciler::Reconciler,
    watch::{
        REPORTED_FAILURES, WatchFailure, Watchable, all, events, events_of, failures_after, is_of,
    },
};
use crate::{
    api::{ClusterCubeProvider, CubeProvider, ProviderKind},
    cluster::{ObjectKey, ProviderResource, ProvidersChanged, WatchedProvider},
    last_error::LastError,
    leader::Shard,
};
use rounds::{Change, paced};

/// The `CubeCredentials` to reconcile after each event of the watches on provider objects.
pub(super) fn affect(
    reconciler: &Arc<Reconciler>,
    namespace: Option<&str>,
    shard: Shard,
) -> BoxStream<'static, ObjectKey> {
    let client = &reconciler.context.parts.client;
    let of_namespaces = events::<WatchedProvider<CubeProvider>>(client, namespace, all());
    let of_namespaces = of_namespaces.filter(move |event| {
        let is_ours = event.as_ref().map_or(true, |event| is_of(shard, event));
        std::future::ready(is_ours)
    });
    let of_namespaces = changes(reconciler, of_namespaces);
    let changes = if reconciler
        .context
        .parts
        .uses(ProviderKind::ClusterCubeProvider)
    {
        let api: Api<WatchedProvider<ClusterCubeProvider>> = Api::all(client.clone());
        let of_cluster = changes(reconciler, events_of(api, all()));
        stream::select_all([of_namespaces, of_cluster, completed(reconciler)]).boxed()
    } else {
        of_namespaces
    };
    let reconciler = Arc::clone(reconciler);
    paced(changes, move |change| match change {
        Change::One(kind, provider) | Change::Found(kind, provider) => {
            reconciler.context.users_of_provider(*kind, provider)
        }
        Change::All(kind) => reconciler.context.users_of_providers(*kind),
    })
    .flat_map(stream::iter)
    .boxed()
}

/// The `ClusterCubeProvider`s whose ConfigMap with CA certificates has changed.
fn completed(reconciler: &Arc<Reconciler>) -> BoxStream<'static, Change> {
    let reconciler = Arc::clone(reconciler);
    let bundles = reconciler.context.parts.operator_bundles.changes();
    let batches = stream::unfold((reconciler, bundles), async |(reconciler, mut bundles)| {
        bundles.changed().await.ok()?;
        let (changed, found) = reconciler.context.complete_providers();
        // Nobody knows whose pauses depend on them.
        reconciler.providers_listed.notify_waiters();
        let kind = ProviderKind::ClusterCubeProvider;
        let changed = changed.into_iter().map(|key| Change::One(kind, key));
        let found = found.into_iter().map(|key| Change::Found(kind, key));
        let batch: Vec<_> = found.chain(changed).collect();
        Some((batch, (reconciler, bundles)))
    });
    batches.flat_map(stream::iter).boxed()
}

fn changes<K>(
    reconciler: &Arc<Reconciler>,
    events: impl Stream<Item = Result<Event<WatchedProvider<K>>, WatchFailure>> + Send + 'static,
) -> BoxStream<'static, Change>
where
    K: ProviderResource + Send + 'static,
    WatchedProvider<K>: Watchable,
{
    let reconciler = Arc::clone(reconciler);
    let mut last_error = LastError::default();
    let mut failures = 0;
    let changes = events.map(move |event| {
        let (context, kind) = (&reconciler.context, K::KIND.name());
        let namespace = reconciler.readiness.name().namespace();
        let watches = |watched| {
            let metrics = &context.parts.metrics;
            metrics.watches_providers(namespace.unwrap_or_default(), kind, watched);
        };
        failures = failures_after(failures, &event);
        let changed = match event {
            Ok(event) => {
                if matches!(event, Event::InitDone) {
                    last_error.end();
                    watches(true);
                }
                context.learn_providers(&event)
            }
            Err(failure) => {
                let WatchFailure {
                    error,
                    refused,
                    lasts,
                } = failure;
                if lasts {
                    watches(false);
                }
                if last_error.is_new(&error) {
                    tracing::warn!(namespace, kind, %error, "failed to watch {kind}s, retrying");
                }
                // Any other failure may be over with the next attempt.
                if refused || failures == REPORTED_FAILURES {
                    context.providers_fail(K::KIND)
                } else {
                    ProvidersChanged::Some(Vec::new())
                }
            }
        };
        match changed {
            ProvidersChanged::All => {
                reconciler.providers_listed.notify_waiters();
                vec![Change::All(K::KIND)]
            }
            ProvidersChanged::Some(keys) => {
                let single = keys.into_iter().map(|key| Change::One(K::KIND, key));
                single.collect()
            }
        }
    });
    changes.flat_map(stream::iter).boxed()
}

#[cfg(test)]
mod tests;
