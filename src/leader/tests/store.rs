//! An API server in memory that knows Leases, and the connections to it.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::http::{Method, Request, Response};
use k8s_openapi::api::coordination::v1::LeaseSpec;
use kube::{Client, client::Body};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::lock::lock;

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
            (&Method::GET, None) => (404, Value::Null),
            (_, Some(version)) if *version != lease["metadata"]["resourceVersion"] => {
                (409, Value::Null)
            }
            (_, None) if lease["metadata"]["resourceVersion"] != "1" => (409, Value::Null),
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
        let service = tower::service_fn(move |request: Request<Body>| {
            let (store, now) = (store.clone(), *lock(&connection));
            async move {
                let (parts, body) = request.into_parts();
                let lease = body.collect_bytes().await.unwrap();
                let lease = serde_json::from_slice(&lease).unwrap_or_default();
                let (_, name) = parts.uri.path().rsplit_once('/').unwrap();
                let (code, response) = match now {
                    Connection::Down => (500, Value::Null),
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
                let response = match code {
                    200 => response,
                    code => json!({
                        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                        "message": "no", "reason": reason(code), "code": code,
                    }),
                };
                let response = Body::from(response.to_string().into_bytes());
                Ok::<_, Infallible>(Response::builder().status(code).body(response).unwrap())
            }
        });
        Client::new(service, "default")
    }
}

fn reason(code: u16) -> &'static str {
    match code {
        404 => "NotFound",
        409 => "Conflict",
        _ => "InternalError",
    }
}
