//! What is counted, in Prometheus' text format.

use std::sync::Arc;

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::api::CubeCredentialStatus;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByResult {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByReason {
    reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByCredential {
    namespace: String,
    name: String,
}

/// The metrics of a process.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    reconciles: Family<ByResult, Counter>,
    exchanges: Family<ByReason, Counter>,
    expiry: Family<ByCredential, Gauge>,
}

impl Default for Metrics {
    fn default() -> Self {
        let (reconciles, exchanges, expiry) =
            (Family::default(), Family::default(), Family::default());
        let mut registry = Registry::with_prefix("cube_operator");
        registry.register(
            "reconciles",
            "Reconciles, by result: ok, or error of the API server",
            reconciles.clone(),
        );
        registry.register(
            "exchanges",
            "Exchanges with token endpoints, by reason",
            exchanges.clone(),
        );
        registry.register(
            "token_expiry_timestamp_seconds",
            "When the published token of a CubeCredential expires",
            expiry.clone(),
        );
        Self {
            registry: Arc::new(registry),
            reconciles,
            exchanges,
            expiry,
        }
    }
}

impl Metrics {
    /// Counts a reconcile.
    pub fn reconciled(&self, worked: bool) {
        let result = if worked { "ok" } else { "error" };
        self.reconciles.get_or_create(&ByResult { result }).inc();
    }

    /// Counts an exchange by the name of its reason.
    pub fn exchanged(&self, reason: &str) {
        self.exchanges
            .get_or_create(&ByReason {
                reason: reason.to_owned(),
            })
            .inc();
    }

    /// Shows what a status says.
    pub fn reported(&self, namespace: &str, name: &str, status: &CubeCredentialStatus) {
        match status.expires_at {
            Some(time) => {
                self.expiry
                    .get_or_create(&ByCredential::new(namespace, name))
                    .set(time.as_second());
            }
            None => self.forget(namespace, name),
        }
    }

    /// Shows nothing of a `CubeCredential` any more.
    pub fn forget(&self, namespace: &str, name: &str) {
        self.expiry.remove(&ByCredential::new(namespace, name));
    }

    /// All metrics as text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a String cannot fail");
        text
    }
}

impl ByCredential {
    fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }
    }
}
