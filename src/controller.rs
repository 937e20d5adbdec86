//! The controller: watches trigger reconciles, and each reconcile repeats decide, read or perform, and absorb until nothing is
//! left to do.
//!
//! Namespaces share nothing but the request budget and the slots for exchanges, so each watched namespace is a scope with its own
//! watches and queue.

mod bundles;
mod consumers;
mod fair;
mod health;
mod log;
mod operator_bundles;
mod provider_statuses;
mod providers;
mod queue;
mod readiness;
mod reconciler;
mod retry;
mod slots;
mod states;
mod watch;
mod watches;
mod work;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use futures::future::join_all;
use jiff::SignedDuration;
use kube::Client;
use tokio::{
    sync::mpsc::{Receiver, UnboundedReceiver, unbounded_channel},
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{FIELD_MANAGER, ProviderKind},
    clock::now,
    cluster::{Context, EventQueue, ObjectKey, OperatorBundles, Parts, Waiting, publish_waiting},
    consumers::ConsumerAccess,
    kubernetes::{audiences::ApiAudiences, events::Recorder},
    leader::{Leadership, Shard},
    metrics::Metrics,
    oauth::{client::TokenClient, hosts::HostList},
    reconcile::Budget,
};
use bundles::BundleWatches;
use health::List;
pub(crate) use readiness::ScopeName;
use readiness::{KnownPauses, ScopeReadiness};
use reconciler::Reconciler;
use slots::Exchanges;

/// A process that stops keeps its Lease for so long while a response cannot be stored. The next leader would send the refresh token
/// that the response has replaced, as soon as it can write the state.
const STORE_BEFORE_THE_NEXT_LEADER: Duration = Duration::from_secs(10);

/// Everything that a controller needs.
pub(crate) struct Options {
    pub(crate) client: Client,
    /// The namespaces to watch; `None`: all.
    pub(crate) namespaces: Option<BTreeSet<String>>,
    /// The part of the namespaces that this process serves.
    pub(crate) shard: Shard,
    /// The only hosts that requests may be sent to.
    pub(crate) allowed_hosts: Option<HostList>,
    pub(crate) hides_network_detail: bool,
    /// True if each Secret has to name the hosts that it may be sent to.
    pub(crate) token_hosts_required: bool,
    pub(crate) tokens: TokenClient,
    /// The time between two token requests of one client.
    pub(crate) token_request_interval: SignedDuration,
    /// The name of this process in claims of refresh tokens: the uid of its pod.
    pub(crate) identity: String,
    /// The name of this process in events.
    pub(crate) instance: Option<String>,
    pub(crate) leadership: Leadership,
    pub(crate) metrics: Metrics,
    /// True if people are warned of pods that never see a refresh.
    pub(crate) warn_consumers: bool,
    /// The kinds of provider objects that the operator uses.
    pub(crate) provider_kinds: &'static [ProviderKind],
    /// The namespace of the operator itself, if it is known.
    pub(crate) namespace: Option<String>,
    /// The operator's rights on pods and workloads.
    pub(crate) access: ConsumerAccess,
    /// The audiences of the API server, if tokens of ServiceAccounts may be requested.
    pub(crate) api_audiences: Option<Arc<ApiAudiences>>,
}

/// Reconciles all `CubeCredentials` of its scopes.
pub(crate) struct Controller {
    scopes: Vec<Scope>,
    exchanges: Arc<Exchanges>,
    recorder: Recorder,
    /// The events that no reconcile waits for.
    waiting: Receiver<Waiting>,
    warn_consumers: bool,
    stop: CancellationToken,
}

struct Scope {
    shard: Shard,
    reconciler: Arc<Reconciler>,
    /// The `ConfigMap`s with CA bundles that have changed.
    bundles: Receiver<ObjectKey>,
    /// The objects of this scope that get a slot.
    granted: UnboundedReceiver<ObjectKey>,
}

/// The arrival of the first lists of a controller, and the scopes that cannot be watched.
#[derive(Clone)]
pub(crate) struct Readiness(Vec<Arc<Reconciler>>);

impl Readiness {
    /// Returns whether it does what it can: each scope has its first lists or cannot be watched, and one has them. A process that
    /// can watch nothing must not replace another one, and a scope that cannot be watched must not hold up the rest. A shard
    /// without a namespace has nothing to do.
    #[must_use]
    pub(crate) fn is_complete(&self) -> bool {
        let complete = |scope: &ScopeReadiness| scope.is_complete();
        let works = self.0.is_empty() || self.scopes().any(complete);
        works && self.scopes().all(|scope| complete(scope) || scope.fails())
    }

    /// The scopes that cannot be watched.
    pub(crate) fn failing(&self) -> impl Iterator<Item = &ScopeName> {
        let failing = self.scopes().filter(|scope| scope.fails());
        failing.map(ScopeReadiness::name)
    }

    fn scopes(&self) -> impl Iterator<Item = &ScopeReadiness> {
        self.0.iter().map(|reconciler| &reconciler.readiness)
    }
}

impl Controller {
    /// A controller that begins no exchange once `stop` is cancelled.
    #[must_use]
    pub(crate) fn new(options: &Options, stop: &CancellationToken) -> Self {
        let recorder = Recorder {
            client: options.client.clone(),
            controller: FIELD_MANAGER,
            instance: options.instance.clone(),
        };
        let namespaces: Vec<Option<String>> = match &options.namespaces {
            None => vec![None],
            Some(some) => some.iter().cloned().map(Some).collect(),
        };
        let (event_queue, waiting) = EventQueue::new();
        let budget = Budget::new(options.token_request_interval, now());
        let budget = Arc::new(Mutex::new(budget));
        let parts = Parts {
            client: options.client.clone(),
            allowed_hosts: options.allowed_hosts.clone(),
            hides_network_detail: options.hides_network_detail,
            token_hosts_required: options.token_hosts_required,
            provider_kinds: options.provider_kinds,
            api_audiences: options.api_audiences.clone(),
            access: options.access,
            pod_refreshes: Arc::default(),
            provider_board: Arc::default(),
            operator_bundles: Arc::new(OperatorBundles::of(options.namespace.clone())),
            tokens: options.tokens.clone(),
            ca_bundles: Arc::default(),
            budget,
            identity: options.identity.clone(),
            recorder: recorder.clone(),
            event_queue,
            metrics: options.metrics.clone(),
        };
        let pauses = KnownPauses::of(namespaces.len());
        let channels = namespaces.iter().map(|_| unbounded_channel());
        let (queues, granted): (Vec<_>, Vec<_>) = channels.unzip();
        let queues: HashMap<_, _> = namespaces.iter().cloned().zip(queues).collect();
        let exchanges = Arc::new(Exchanges::new(queues));
        let scopes = namespaces
            .into_iter()
            .zip(granted)
            .map(|(namespace, granted)| {
                let (watches, bundles) =
                    BundleWatches::new(options.client.clone(), Arc::clone(&parts.ca_bundles));
                let readiness = ScopeReadiness::new(
                    ScopeName(namespace),
                    options.metrics.clone(),
                    Arc::clone(&pauses),
                );
                let readiness = match parts.api_audiences {
                    Some(_) => readiness.with(List::ServiceAccounts),
                    None => readiness,
                };
                Scope {
                    shard: options.shard,
                    bundles,
                    granted,
                    reconciler: Arc::new(Reconciler::new(
                        Context::new(parts.clone()),
                        watches,
                        readiness,
                        Arc::clone(&exchanges),
                        options.leadership.clone(),
                        stop.clone(),
                    )),
                }
            });
        Self {
            scopes: scopes.collect(),
            exchanges,
            recorder,
            waiting,
            warn_consumers: options.warn_consumers,
            stop: stop.clone(),
        }
    }

    #[must_use]
    pub(crate) fn readiness(&self) -> Readiness {
        Readiness(
            self.scopes
                .iter()
                .map(|scope| Arc::clone(&scope.reconciler))
                .collect(),
        )
    }

    /// Runs until it is stopped, then finishes the reconciles in progress: a token that was requested is also published. Cancels
    /// `exchanged` when the last exchange has ended. A response may still have to be stored then: that write is fenced, and needs no
    /// lease.
    pub(crate) async fn run(self, exchanged: &CancellationToken) {
        let Self {
            scopes,
            exchanges,
            recorder,
            waiting,
            warn_consumers,
            stop,
        } = self;
        for scope in scopes.iter().filter(|_| warn_consumers) {
            let warn = consumers::warn(Arc::clone(&scope.reconciler));
            tokio::spawn(stop.clone().run_until_cancelled_owned(warn));
        }
        let reconcilers = scopes.iter().map(|scope| Arc::clone(&scope.reconciler));
        let reconcilers: Vec<_> = reconcilers.collect();
        let statuses = provider_statuses::keep(reconcilers.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(statuses));
        if let Some(scope) = scopes.first() {
            let parts = &scope.reconciler.context.parts;
            let bundles = Arc::clone(&parts.operator_bundles);
            let follow = operator_bundles::follow(parts.client.clone(), bundles);
            tokio::spawn(stop.clone().run_until_cancelled_owned(follow));
        }
        let is_busy = move || {
            let mut reconcilers = reconcilers.iter();
            reconcilers.any(|reconciler| reconciler.is_working.load(Ordering::Relaxed))
        };
        let ended = CancellationToken::new();
        let events = tokio::spawn(publish_waiting(recorder, waiting, is_busy, ended.clone()));
        let tasks: Vec<_> = scopes
            .iter()
            .map(|scope| scope.reconciler.tasks.clone())
            .collect();
        join_all(scopes.into_iter().map(Scope::run)).await;
        // A shard may have no scope.
        stop.cancelled().await;
        exchanges.finished().await;
        drop(timeout(STORE_BEFORE_THE_NEXT_LEADER, exchanges.stored()).await);
        exchanged.cancel();
        for tasks in tasks {
            tasks.close();
            tasks.wait().await;
        }
        ended.cancel();
        // A panic there has been reported, and ends nothing else.
        drop(events.await);
    }
}

impl Scope {
    async fn run(self) {
        let (reconciler, shard) = (&self.reconciler, self.shard);
        let namespace = reconciler.readiness.name().namespace();
        let affected = watches::affected(reconciler, namespace, shard, self.bundles);
        work::work(self.reconciler, affected, self.granted).await;
    }
}

#[cfg(test)]
mod footprint;
#[cfg(test)]
mod tests;
