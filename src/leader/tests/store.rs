//! An API server in memory that knows Leases, and the connections to it.

use std::{
    collections::BTreeMap,
    future,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::http::Method;
use k8s_openapi::api::coordination::v1::LeaseSpec;
use kube::Client;
use serde_json::Value;
use tokio::time::sleep;

use crate::{
    kubernetes::stub::{self, refusal},
    lock::lock,
};

/// The state of a candidate's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connection {
    Works,
    /// Nothing arrives, and an error comes back.
    Down,
    /// Nothing comes back.
    Silent,
    /// The request is served, and nothing comes back.
    LosesResponses,
    /// The response takes a second.
    Slow,
}

/// The name of the Lease that all processes share.
pub(super) const LEASE: &str = "leader";

/// The stored leases by name, and the version of the last write.
#[derive(Clone, Default)]
pub(super) struct Store(Arc<Mutex<(BTreeMap<String, Value>, u64)>>);

impl Store {
    fn respond(&self, method: &Method, name: &str, lease: Value) -> (u16, Value) {
        let (stored, versions) = &mut *lock(&self.0);
        let found = stored.get(name);
        let version = found.map(|lease| &lease["metadata"]["resourceVersion"]);
        match (method, version) {
            (&Method::GET, Some(_)) => (200, found.unwrap().clone()),
            (&Method::GET, None) => refusal(404),
            (_, Some(version)) if *version != lease["metadata"]["resourceVersion"] => refusal(409),
            (_, None) if lease["metadata"]["resourceVersion"] != "1" => refusal(409),
            _ => {
                *versions += 2;
                let version = versions.to_string();
                let mut lease = lease;
                lease["metadata"]["resourceVersion"] = version.into();
                stored.insert(name.to_owned(), lease.clone());
                (200, lease)
            }
        }
    }

    /// A person edits the shared lease, which gives it another version.
    pub(super) fn edit(&self, change: impl FnOnce(&mut Value)) {
        let (stored, _) = &mut *lock(&self.0);
        let lease = stored.get_mut(LEASE).unwrap();
        lease["metadata"]["resourceVersion"] = "edited".into();
        change(lease);
    }

    /// A person deletes the shared lease.
    pub(super) fn delete(&self) {
        lock(&self.0).0.remove(LEASE);
    }

    pub(super) fn spec_of(&self, name: &str) -> LeaseSpec {
        let lease = lock(&self.0).0[name].clone();
        serde_json::from_value(lease["spec"].clone()).unwrap()
    }

    pub(super) fn spec(&self) -> LeaseSpec {
        self.spec_of(LEASE)
    }

    pub(super) fn holder(&self) -> Option<String> {
        self.spec().holder_identity
    }

    pub(super) fn transitions(&self) -> i32 {
        self.spec().lease_transitions.unwrap()
    }

    /// How often anything was written.
    pub(super) fn writes(&self) -> u64 {
        lock(&self.0).1 / 2
    }

    pub(super) fn client(&self, connection: &Arc<Mutex<Connection>>) -> Client {
        let (store, connection) = (self.clone(), Arc::clone(connection));
        stub::client(move |request| {
            let (store, now) = (store.clone(), *lock(&connection));
            async move {
                let (parts, body) = request.into_parts();
                let lease = body.collect_bytes().await.unwrap();
                let lease = serde_json::from_slice(&lease).unwrap_or_default();
                let (_, name) = parts.uri.path().rsplit_once('/').unwrap();
                let response = match now {
                    Connection::Down => refusal(500),
                    Connection::Silent => future::pending().await,
                    Connection::Works | Connection::LosesResponses | Connection::Slow => {
                        store.respond(&parts.method, name, lease)
                    }
                };
                if now == Connection::Slow {
                    sleep(Duration::from_secs(1)).await;
                }
                if now == Connection::LosesResponses {
                    future::pending::<()>().await;
                }
                response
            }
        })
    }
}
