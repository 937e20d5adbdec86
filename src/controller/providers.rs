//! Watches the provider objects, and reconciles the credentials that name one that has changed.
//!
//! Thousands may name the same object, so they follow in small groups. An object that changes again and again has a rest between
//! two rounds: its author must not keep the operator from the credentials of others. Nothing waits for the lists of these kinds,
//! which an older installation does not have.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures::{
    Stream, StreamExt,
    future::OptionFuture,
    stream::{self, BoxStream},
};
use kube::{Api, runtime::watcher::Event};
use tokio::time::{Instant, sleep_until};

use super::{
    reconciler::Reconciler,
    watch::{WatchFailure, Watchable, all, events, events_of, is_of},
};
use crate::{
    api::{ClusterCubeProvider, CubeProvider, ProviderKind},
    cluster::{
        Affected, ObjectKey, ProviderKey, ProviderResource, ProvidersChanged, WatchedProvider,
    },
    last_error::LastError,
    leader::Shard,
};

/// The credentials of a group, and the time between two groups: 100 a second.
const GROUP: usize = 50;
const BETWEEN_GROUPS: Duration = Duration::from_millis(500);
/// The time between two rounds of one object.
const REST: Duration = Duration::from_secs(10);

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
        stream::select(of_namespaces, of_cluster).boxed()
    } else {
        of_namespaces
    };
    let reconciler = Arc::clone(reconciler);
    paced(changes, move |change| match change {
        Change::One(kind, provider) => reconciler.context.users_of_provider(*kind, provider),
        Change::All(kind) => reconciler.context.users_of_providers(*kind),
    })
    .flat_map(stream::iter)
    .boxed()
}

/// A change of provider objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Change {
    /// Of this one.
    One(ProviderKind, ProviderKey),
    /// It is known by now which objects there are, or that they cannot be listed. A process that has just begun has this one: its
    /// credentials have waited for it, and follow together.
    All(ProviderKind),
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
    let changes = events.map(move |event| {
        let context = &reconciler.context;
        let changed = match event {
            Ok(event) => {
                if matches!(event, Event::InitDone) {
                    last_error.end();
                }
                context.learn_providers(event)
            }
            Err(WatchFailure { error, refused, .. }) => {
                let kind = K::KIND.name();
                if last_error.is_new(&error) {
                    let namespace = reconciler.readiness.place().namespace();
                    tracing::warn!(namespace, kind, %error, "failed to watch {kind}s, retrying");
                }
                // Any other failure may be over with the next attempt.
                if refused {
                    context.providers_fail(K::KIND)
                } else {
                    ProvidersChanged::Some(Vec::new())
                }
            }
        };
        match changed {
            ProvidersChanged::All => vec![Change::All(K::KIND)],
            ProvidersChanged::Some(keys) => {
                let single = keys.into_iter().map(|key| Change::One(K::KIND, key));
                single.collect()
            }
        }
    });
    changes.flat_map(stream::iter).boxed()
}

/// The credentials that each change affects, group by group.
fn paced(
    changes: BoxStream<'static, Change>,
    affected: impl Fn(&Change) -> Affected + Send + Sync + 'static,
) -> impl Stream<Item = Affected> + Send + 'static {
    let rounds = Rounds {
        changes,
        pending: Pending::default(),
    };
    stream::unfold((rounds, affected), async |(mut rounds, affected)| {
        let group = rounds.next(&affected).await;
        Some((group, (rounds, affected)))
    })
}

/// The changes that have come, and those whose credentials have not followed yet.
struct Rounds {
    changes: BoxStream<'static, Change>,
    pending: Pending,
}

/// The rounds to come.
#[derive(Default)]
struct Pending {
    /// The objects that had a round lately, and whether each has changed since.
    resting: HashMap<Change, bool>,
    /// The ends of their rests, in this order.
    rests: VecDeque<(Instant, Change)>,
    /// The credentials of the rounds in progress. Each round takes its turn with one group.
    rounds: VecDeque<VecDeque<ObjectKey>>,
    next_group: Option<Instant>,
    /// The credentials that do not wait for their group.
    together: Vec<ObjectKey>,
}

impl Rounds {
    async fn next(&mut self, affected: impl Fn(&Change) -> Affected) -> Affected {
        loop {
            let now = instant();
            if let Some(group) = self.pending.group(now, &affected) {
                return group;
            }
            let wake = self.pending.wakes_at();
            tokio::select! {
                Some(change) = self.changes.next() => self.pending.add(change, instant(), &affected),
                Some(()) = OptionFuture::from(wake.map(sleep_until)) => {}
                // The watches never end; in a test, they may.
                else => std::future::pending().await,
            }
        }
    }
}

impl Pending {
    fn add(&mut self, change: Change, now: Instant, affected: &impl Fn(&Change) -> Affected) {
        match self.resting.get_mut(&change) {
            Some(changed) => *changed = true,
            None => self.begin(change, now, affected),
        }
    }

    fn begin(&mut self, change: Change, now: Instant, affected: &impl Fn(&Change) -> Affected) {
        let keys = affected(&change);
        if matches!(change, Change::All(_)) {
            self.together.extend(keys);
            return;
        }
        if !keys.is_empty() {
            self.rounds.push_back(keys.into());
        }
        self.resting.insert(change.clone(), false);
        self.rests.push_back((now + REST, change));
    }

    /// The next group, if its time has come.
    fn group(&mut self, now: Instant, affected: &impl Fn(&Change) -> Affected) -> Option<Affected> {
        while let Some((_, change)) = self.rests.pop_front_if(|(until, _)| *until <= now) {
            if self.resting.remove(&change) == Some(true) {
                self.begin(change, now, affected);
            }
        }
        if !self.together.is_empty() {
            return Some(std::mem::take(&mut self.together));
        }
        if self.next_group.is_some_and(|at| now < at) {
            return None;
        }
        let mut round = self.rounds.pop_front()?;
        let group = round.drain(..round.len().min(GROUP)).collect();
        if !round.is_empty() {
            self.rounds.push_back(round);
        }
        self.next_group = Some(now + BETWEEN_GROUPS);
        Some(group)
    }

    fn wakes_at(&self) -> Option<Instant> {
        let group = self.next_group.filter(|_| !self.rounds.is_empty());
        let rest = self.rests.front().map(|(until, _)| *until);
        group.into_iter().chain(rest).min()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the pace counts by the clock of the timers, which no decision depends on"
)]
fn instant() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests;
