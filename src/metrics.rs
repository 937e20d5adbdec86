//! The metrics, in Prometheus' text format. `docs/reference/metrics.md` lists them, from their help; `docs/runbook.md` says what to
//! do about each alert.

mod credentials;

use std::{iter, sync::Arc, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode_registry},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};

use crate::{
    api::{CubeCredentialStatus, Reason},
    object::ObjectKey,
};
use credentials::{Credentials, PREFIX};

/// In seconds. A provider that hashes secrets takes half a second; an exchange ends after 30 s.
const EXCHANGE_BUCKETS: [f64; 10] = [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0];
/// In seconds. Most reconciles have nothing to do; the long ones wait for an exchange.
const RECONCILE_BUCKETS: [f64; 9] = [0.001, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByResult {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByReason {
    reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByOperation {
    operation: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByNamespace {
    namespace: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByKind {
    namespace: String,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByName {
    name: String,
}

/// The metrics of a process.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    credentials: Arc<Credentials>,
    exchanges: Family<ByReason, Counter>,
    exchange_duration: Histogram,
    probes: Family<ByResult, Counter>,
    budget_waits: Counter,
    reconciles: Family<ByResult, Counter>,
    reconcile_duration: Histogram,
    api_requests: Family<ByOperation, Counter>,
    pod_refreshes: Family<ByResult, Counter>,
    cluster_provider_credentials: Family<ByName, Gauge>,
    discoveries: Family<ByResult, Counter>,
    leader: Gauge,
    watched: Family<ByNamespace, Gauge>,
    providers_watched: Family<ByKind, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::of_shard(None)
    }
}

impl Metrics {
    /// The metrics of a process that serves this shard; `None`: all namespaces.
    #[must_use]
    pub fn of_shard(shard: Option<&str>) -> Self {
        let mut metrics = Self {
            registry: Arc::default(),
            credentials: Arc::default(),
            exchanges: Family::default(),
            exchange_duration: Histogram::new(EXCHANGE_BUCKETS),
            probes: Family::default(),
            budget_waits: Counter::default(),
            reconciles: Family::default(),
            reconcile_duration: Histogram::new(RECONCILE_BUCKETS),
            api_requests: Family::default(),
            pod_refreshes: Family::default(),
            cluster_provider_credentials: Family::default(),
            discoveries: Family::default(),
            leader: Gauge::default(),
            watched: Family::default(),
            providers_watched: Family::default(),
        };
        metrics.registry = Arc::new(metrics.registry(shard));
        metrics
    }

    /// Counts an exchange, and how long it took.
    pub fn exchanged(&self, reason: Reason, took: Duration) {
        let reason = reason.to_string();
        self.exchanges.get_or_create(&ByReason { reason }).inc();
        self.exchange_duration.observe(took.as_secs_f64());
    }

    /// Counts a probe: the API accepted the token, refused it, or did not respond.
    pub fn probed(&self, result: &'static str) {
        self.probes.get_or_create(&ByResult { result }).inc();
    }

    /// Counts a due exchange that has to wait for the request budget.
    pub(crate) fn budget_waited(&self) {
        self.budget_waits.inc();
    }

    /// Counts a reconcile, and how long it took.
    pub fn reconciled(&self, worked: bool, took: Duration) {
        let result = if worked { "ok" } else { "error" };
        self.reconciles.get_or_create(&ByResult { result }).inc();
        self.reconcile_duration.observe(took.as_secs_f64());
    }

    /// Counts a request to the API server.
    pub fn api_requested(&self, operation: String) {
        self.api_requests
            .get_or_create(&ByOperation { operation })
            .inc();
    }

    /// Counts pods that were annotated after a refresh, and failures to do so.
    pub fn pods_refreshed(&self, result: &'static str, pods: u64) {
        self.pod_refreshes
            .get_or_create(&ByResult { result })
            .inc_by(pods);
    }

    /// Shows how many `CubeCredentials` of this process name a `ClusterCubeProvider`.
    pub fn cluster_provider_named(&self, name: &str, credentials: usize) {
        let name = name.to_owned();
        let gauge = self
            .cluster_provider_credentials
            .get_or_create(&ByName { name });
        gauge.set(i64::try_from(credentials).unwrap_or(i64::MAX));
    }

    /// Counts a read of the metadata of an issuer.
    pub fn discovered(&self, worked: bool) {
        let result = if worked { "ok" } else { "error" };
        self.discoveries.get_or_create(&ByResult { result }).inc();
    }

    /// Removes the figure of a `ClusterCubeProvider`.
    pub(crate) fn forget_cluster_provider(&self, name: &str) {
        let name = name.to_owned();
        self.cluster_provider_credentials.remove(&ByName { name });
    }

    /// Shows whether this process leads.
    pub(crate) fn leads(&self, leads: bool) {
        self.leader.set(leads.into());
    }

    /// Shows whether a namespace is watched; an empty one stands for all.
    pub fn watches(&self, namespace: &str, watched: bool) {
        let namespace = namespace.to_owned();
        let gauge = self.watched.get_or_create(&ByNamespace { namespace });
        gauge.set(watched.into());
    }

    /// Shows whether the provider objects of a kind are watched in a namespace; an empty one stands for all.
    pub fn watches_providers(&self, namespace: &str, kind: &'static str, watched: bool) {
        let namespace = namespace.to_owned();
        let gauge = self
            .providers_watched
            .get_or_create(&ByKind { namespace, kind });
        gauge.set(watched.into());
    }

    /// Shows the figures of a status.
    pub fn reported(&self, key: &ObjectKey, status: &CubeCredentialStatus) {
        self.credentials.show(key, status);
    }

    /// Removes the figures of a `CubeCredential`.
    pub(crate) fn forget(&self, key: &ObjectKey) {
        self.credentials.forget(key);
    }

    /// All metrics as text.
    #[must_use]
    pub fn text(&self) -> String {
        self.pages().collect()
    }

    /// All metrics as text, in pages that are made when they are asked for.
    pub(crate) fn pages(&self) -> impl Iterator<Item = String> + Send + 'static {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry).expect("writing to a String cannot fail");
        let credentials = Arc::clone(&self.credentials).pages();
        let pages = iter::once(text).chain(credentials);
        pages.chain(iter::once_with(|| "# EOF\n".to_owned()))
    }

    fn registry(&self, shard: Option<&str>) -> Registry {
        let mut registry = Registry::with_prefix(PREFIX);
        registry.register(
            "build",
            "Version of the operator",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        let by_shard = match shard {
            Some(shard) => {
                let label = ("shard".into(), shard.to_owned().into());
                registry.sub_registry_with_label(label)
            }
            None => &mut registry,
        };
        by_shard.register(
            "leader",
            "1 if this process may make token requests, 0 if it stands by or cannot renew its Lease",
            self.leader.clone(),
        );
        by_shard.register(
            "namespace_watched",
            "1 if the namespace is watched, 0 if it cannot be watched: the log says why. An empty namespace stands for all of \
             them",
            self.watched.clone(),
        );
        by_shard.register(
            "providers_watched",
            "1 if the provider objects of this kind are watched in the namespace, 0 if they cannot be watched: the log says why. An \
             empty namespace stands for all of them",
            self.providers_watched.clone(),
        );
        registry.register(
            "exchanges",
            "Exchanges with token endpoints, by reason",
            self.exchanges.clone(),
        );
        registry.register(
            "exchange_duration_seconds",
            "Duration of exchanges with token endpoints",
            self.exchange_duration.clone(),
        );
        registry.register(
            "probes",
            "Probes of new tokens at their APIs, by result: accepted, refused, or unreachable for no response",
            self.probes.clone(),
        );
        registry.register(
            "budget_waits",
            "Due exchanges that had to wait for the request budget of their client",
            self.budget_waits.clone(),
        );
        registry.register(
            "reconciles",
            "Reconciles, by result: ok, or error for an error of the API server",
            self.reconciles.clone(),
        );
        registry.register(
            "reconcile_duration_seconds",
            "Duration of reconciles, including their exchanges",
            self.reconcile_duration.clone(),
        );
        registry.register(
            "api_requests",
            "Requests to the API server, by operation",
            self.api_requests.clone(),
        );
        registry.register(
            "pod_refreshes",
            "Pods that mount a refreshed token, by result: ok if they were annotated, error if not; incomplete for a list of pods \
             that failed, or took too long",
            self.pod_refreshes.clone(),
        );
        registry.register(
            "discoveries",
            "Reads of the metadata of issuers that provider objects name, by result: ok, or error if no endpoint was found",
            self.discoveries.clone(),
        );
        registry.register(
            "cluster_provider_credentials",
            "CubeCredentials in the namespaces of this process that name a ClusterCubeProvider, by its name",
            self.cluster_provider_credentials.clone(),
        );
        registry
    }
}

#[cfg(test)]
mod tests;
