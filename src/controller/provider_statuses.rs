//! Writes the statuses of provider objects, each after a change of the object or of the number of credentials that name it, and reads
//! the metadata of the issuers that these name. The endpoints that it finds are in the status, where the watch shows them to the
//! credentials of all scopes, and where they outlive this process.
//!
//! An object is visited at most once in five seconds, however often it changes and however many credentials are created, and the objects
//! of a namespace can delay only each other. A visit that finds a read due ends, and after the read another one judges the object as
//! it is then: a slow issuer holds no visit of another object, and nobody writes what was seen before.

mod lookup;
mod queue;
mod slots;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::{
    task::{Id, JoinSet},
    time::sleep_until,
};

use super::reconciler::{LEADERSHIP_DELAY, LONGEST_SLEEP, Reconciler};
use crate::{
    api::ProviderKind,
    clock::{instant, now},
    cluster::{Parts, ProviderBoard, ProviderId, Visited, report_provider},
    kubernetes::error::ApiError,
    last_error::LastError,
    lock::lock,
    reconcile::{
        Discovery, Lookup, LookupBudget, LookupStep, Named, ShownProvider, provider_status,
    },
};
use queue::Queue;
use slots::Slots;

/// The most visits at the same time. Each has at most one request to the API server in progress.
const MOST: usize = 8;
/// The delay before the lists that a visit waits for are looked at again.
const LISTS_DELAY: Duration = Duration::from_secs(1);
/// The delay before a status that the API server did not accept is written again.
const RETRY_DELAY: Duration = Duration::from_secs(15);
/// The delay after a refusal, which lasts until an administrator grants the right.
const REFUSED_DELAY: Duration = Duration::from_secs(300);

/// Writes the statuses for as long as it runs.
pub(super) async fn keep(scopes: Vec<Arc<Reconciler>>) {
    let Some(any) = scopes.first() else { return };
    let board = Arc::clone(&any.context.parts.provider_board);
    let work = Arc::new(Work::of(scopes));
    let mut queue = Queue::default();
    let (mut visits, mut lookups) = (JoinSet::new(), JoinSet::new());
    let mut visited: HashMap<Id, ProviderId> = HashMap::new();
    loop {
        queue.wake(instant());
        while visits.len() < MOST
            && let Some(id) = queue.begin_next()
        {
            let (work, visited_id) = (Arc::clone(&work), id.clone());
            let task = visits.spawn(async move { work.visit(&id).await });
            visited.insert(task.id(), visited_id);
        }
        tokio::select! {
            changed = board.changed() => {
                for id in changed {
                    queue.touch(id, instant());
                }
            }
            Some(ended) = visits.join_next_with_id() => {
                let (task, visit) = match ended {
                    Ok((task, visit)) => (task, visit),
                    // It panicked, which is logged.
                    Err(error) => (error.id(), Visit::Ended(Some(REFUSED_DELAY))),
                };
                let Some(id) = visited.remove(&task) else { continue };
                match visit {
                    Visit::Ended(delay) => queue.end(id, delay, instant()),
                    Visit::LooksUp(wanted) => {
                        let (work, of) = (Arc::clone(&work), id.clone());
                        let task = lookups.spawn(async move { work.look_up(&of, wanted).await });
                        visited.insert(task.id(), id);
                    }
                }
            }
            Some(ended) = lookups.join_next_with_id() => {
                let (task, failed) = match ended {
                    Ok((task, ())) => (task, false),
                    Err(error) => (error.id(), true),
                };
                match visited.remove(&task) {
                    Some(id) if failed => queue.end(id, Some(REFUSED_DELAY), instant()),
                    Some(id) => queue.again(id),
                    None => {}
                }
            }
            () = sleep_until(queue.wakes_at(instant())) => {}
        }
    }
}

/// The end of a visit.
#[derive(Debug, PartialEq, Eq)]
enum Visit {
    /// It is over. The next visit comes after this delay; `None`: it waits for a change.
    Ended(Option<Duration>),
    /// The metadata of the issuer has to be read first.
    LooksUp(Discovery),
}

/// Everything that the visits share.
struct Work {
    /// The scopes by their namespace; `None` is the scope of all namespaces.
    scopes: HashMap<Option<String>, Arc<Reconciler>>,
    board: Arc<ProviderBoard>,
    parts: Parts,
    /// The lookups of the objects with an issuer.
    lookups: Mutex<HashMap<ProviderId, Lookup>>,
    lookup_budget: Mutex<LookupBudget>,
    lookup_slots: Slots,
    last_error: Mutex<LastError>,
}

impl Work {
    fn of(scopes: Vec<Arc<Reconciler>>) -> Self {
        let parts = scopes[0].context.parts.clone();
        let by_namespace = scopes.into_iter().map(|scope| {
            let namespace = scope.readiness.name().namespace();
            (namespace.map(str::to_owned), scope)
        });
        Self {
            scopes: by_namespace.collect(),
            board: Arc::clone(&parts.provider_board),
            parts,
            lookups: Mutex::default(),
            lookup_budget: Mutex::default(),
            lookup_slots: Slots::default(),
            last_error: Mutex::default(),
        }
    }

    async fn visit(&self, id: &ProviderId) -> Visit {
        let (kind, key) = id;
        let shown = match self.board.find(id) {
            Visited::Found(shown) => *shown,
            // A change of the ConfigMap visits it again.
            Visited::Waiting => return Visit::Ended(None),
            Visited::Gone => {
                if *kind == ProviderKind::ClusterCubeProvider {
                    self.parts.metrics.forget_cluster_provider(key.name());
                }
                lock(&self.lookups).remove(id);
                return Visit::Ended(None);
            }
        };
        let Some(named) = self.credentials(id) else {
            return Visit::Ended(Some(LISTS_DELAY));
        };
        if !self.leads() {
            return Visit::Ended(Some(LEADERSHIP_DELAY));
        }
        if *kind == ProviderKind::ClusterCubeProvider {
            self.parts.metrics.cluster_provider_named(key.name(), named);
        }
        let named = Named {
            credentials: named,
            is_shown: *kind == ProviderKind::CubeProvider,
        };
        let next = match self.next_lookup(id, &shown, named) {
            Some((wanted, LookupStep::Read)) => return Visit::LooksUp(wanted.clone()),
            Some((_, LookupStep::Rest(until))) => Some(delay(until)),
            None => None,
        };
        let written = self.report(id, &shown, named).await;
        Visit::Ended([next, written].into_iter().flatten().min())
    }

    /// Returns whether this process leads all scopes.
    fn leads(&self) -> bool {
        let mut scopes = self.scopes.values();
        scopes.all(|scope| scope.leadership.is_current())
    }

    /// Writes the status, if it has changed. Returns the delay of another attempt.
    async fn report(
        &self,
        id: &ProviderId,
        shown: &ShownProvider,
        named: Named,
    ) -> Option<Duration> {
        let interval = lock(&self.parts.budget).interval();
        let status = self.with_lookup(id, |lookup| {
            provider_status(shown, lookup, named, interval, now())
        });
        let needed = named.credentials > 0;
        let reported = |lookup: &mut Lookup| lookup.reported(shown, &status, needed);
        if status == shown.status {
            self.with_lookup(id, reported);
            return None;
        }
        match report_provider(&self.parts.client, id, shown, &status).await {
            Ok(version) => {
                lock(&self.last_error).end();
                self.with_lookup(id, reported);
                self.board.wrote(id, shown, status, version);
                None
            }
            Err(error) if error.is_not_found() => None,
            // The watch shows what came first.
            Err(error) if error.is_conflict() => Some(RETRY_DELAY),
            Err(error) => Some(self.refused(&error)),
        }
    }

    /// The number of credentials that name an object; `None`: they are not listed yet.
    fn credentials(&self, (kind, key): &ProviderId) -> Option<usize> {
        match kind {
            ProviderKind::CubeProvider => {
                let namespace = Some(key.namespace().to_owned());
                let scope = self.scopes.get(&namespace);
                let scope = scope.or_else(|| self.scopes.get(&None))?;
                let is_listed = scope.readiness.is_complete();
                is_listed.then(|| scope.context.count_of_provider(*kind, key))
            }
            ProviderKind::ClusterCubeProvider => {
                let mut scopes = self.scopes.values();
                let is_listed = |scope: &Arc<Reconciler>| {
                    scope.readiness.is_complete() || scope.readiness.fails()
                };
                let counts = self.scopes.values();
                let counts = counts.map(|scope| scope.context.count_of_provider(*kind, key));
                scopes.all(is_listed).then(|| counts.sum())
            }
        }
    }

    fn refused(&self, error: &ApiError) -> Duration {
        let text = error.to_string();
        if lock(&self.last_error).is_new(&text) {
            tracing::warn!(%error, "failed to write the status of a provider object, retrying");
        }
        if error.is_refusal() {
            REFUSED_DELAY
        } else {
            RETRY_DELAY
        }
    }
}

/// A longer one would not end in time: timers stop while a machine is suspended.
fn delay(until: Timestamp) -> Duration {
    let left = until.duration_since(now());
    left.clamp(SignedDuration::ZERO, LONGEST_SLEEP)
        .unsigned_abs()
}

#[cfg(test)]
mod tests;
