//! The controller: watches trigger reconciles, and each reconcile repeats decide, read or perform, and absorb until nothing is
//! left to do.
//!
//! Namespaces share nothing but the request budget, so each watched namespace is a scope with its own watches and queue.

mod consumers;
mod log;
mod queue;
mod readiness;
mod reconciler;
mod states;
mod watches;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{StreamExt, future::join_all};
use jiff::SignedDuration;
use kube::{
    Client,
    runtime::{
        controller::{self, Config},
        events::{Recorder, Reporter},
        reflector,
    },
};
use tokio_util::sync::CancellationToken;

use crate::{
    api::FIELD_MANAGER,
    clock::now,
    cluster::{Context, Parts, Watched},
    leader::Leadership,
    metrics::Metrics,
    oauth::{client::TokenClient, hosts::HostList},
    reconcile::Budget,
};
use readiness::KnownPauses;
use reconciler::Reconciler;

/// The number of reconciles of a scope that run at the same time. A reconcile mostly waits for the provider or the API server.
const CONCURRENCY: u16 = 16;

/// Everything that a controller needs.
pub(crate) struct Options {
    pub(crate) client: Client,
    /// The namespaces to watch; none: all.
    pub(crate) namespaces: Vec<String>,
    /// The only hosts that requests may be sent to.
    pub(crate) allowed_hosts: Option<HostList>,
    /// Whether each Secret has to name the hosts that it may be sent to.
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
    /// Whether people are warned of pods that never see a refresh.
    pub(crate) warn_consumers: bool,
}

/// Reconciles all `CubeCredentials` of its scopes.
pub(crate) struct Controller {
    scopes: Vec<Scope>,
    warn_consumers: bool,
    stop: CancellationToken,
}

struct Scope {
    namespace: Option<String>,
    reconciler: Arc<Reconciler>,
    store: reflector::Store<Watched>,
    writer: reflector::store::Writer<Watched>,
}

/// Whether the first lists of a controller have arrived.
#[derive(Clone)]
pub(crate) struct Readiness(Vec<Arc<Reconciler>>);

impl Readiness {
    #[must_use]
    pub(crate) fn is_complete(&self) -> bool {
        self.0
            .iter()
            .all(|reconciler| reconciler.readiness.is_complete())
    }
}

impl Controller {
    /// A controller that begins no exchange once `stop` is cancelled.
    #[must_use]
    pub(crate) fn new(options: &Options, stop: &CancellationToken) -> Self {
        let reporter = Reporter {
            controller: FIELD_MANAGER.into(),
            instance: options.instance.clone(),
        };
        let recorder = Recorder::new(options.client.clone(), reporter);
        let namespaces: Vec<Option<String>> = match options.namespaces.as_slice() {
            [] => vec![None],
            // Duplicates are dropped: two scopes with one namespace would not know of each other's exchanges.
            some => {
                let distinct: BTreeSet<_> = some.iter().cloned().collect();
                distinct.into_iter().map(Some).collect()
            }
        };
        let budget = Budget::new(options.token_request_interval, now());
        let budget = Arc::new(Mutex::new(budget));
        let parts = Parts {
            client: options.client.clone(),
            allowed_hosts: options.allowed_hosts.clone(),
            token_hosts_required: options.token_hosts_required,
            tokens: options.tokens.clone(),
            budget,
            identity: options.identity.clone(),
            recorder,
            metrics: options.metrics.clone(),
        };
        let pauses = KnownPauses::of(namespaces.len());
        let scopes = namespaces.into_iter().map(|namespace| {
            let (store, writer) = reflector::store();
            Scope {
                namespace,
                store: store.clone(),
                reconciler: Arc::new(Reconciler::new(
                    Context::new(parts.clone(), store),
                    Arc::clone(&pauses),
                    options.leadership.clone(),
                    stop.clone(),
                )),
                writer,
            }
        });
        Self {
            scopes: scopes.collect(),
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

    /// Runs until it is stopped, then finishes the reconciles in progress: a token that was requested is also published.
    pub(crate) async fn run(self) {
        let Self {
            scopes,
            warn_consumers,
            stop,
        } = self;
        for scope in scopes.iter().filter(|_| warn_consumers) {
            let warn = consumers::warn(Arc::clone(&scope.reconciler));
            tokio::spawn(stop.clone().run_until_cancelled_owned(warn));
        }
        let tasks: Vec<_> = scopes
            .iter()
            .map(|scope| scope.reconciler.tasks.clone())
            .collect();
        join_all(scopes.into_iter().map(|scope| scope.run(stop.clone()))).await;
        for tasks in tasks {
            tasks.close();
            tasks.wait().await;
        }
    }
}

impl Scope {
    async fn run(self, stop: CancellationToken) {
        let Self {
            namespace,
            reconciler,
            store,
            writer,
        } = self;
        let requests = watches::requests(&reconciler, namespace.as_deref(), writer);
        let finished = controller::applier(
            |object, reconciler| Box::pin(queue::reconcile(object, reconciler)),
            queue::on_error,
            reconciler,
            store,
            // When the requests end, running reconciles finish and no new one starts.
            requests.take_until(stop.cancelled_owned()),
            Config::default()
                .concurrency(CONCURRENCY)
                .debounce(Duration::ZERO),
        );
        finished.for_each(|_| std::future::ready(())).await;
    }
}
