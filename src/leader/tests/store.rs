//! An API server in memory that knows one Lease, and the connections to it.

use std::{
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

/// The stored lease, and the version of the last write.
#[derive(Clone, Default)]
pub(super) struct Store(pub(super) Arc<Mutex<(Option<Value>, u64)>>);

impl Store {
    fn respond(&self, method: &Method, lease: Value) -> (u16, Value) {
        let mut store = lock(&self.0);
        let stored = store
            .0
            .as_ref()
            .map(|lease| &lease["metadata"]["resourceVersion"]);
        match (method, stored) {
            (&Method::GET, Some(_)) => (200, store.0.clone().unwrap()),
            (&Method::GET, None) => (404, Value::Null),
            (_, Some(version)) if *version != lease["metadata"]["resourceVersion"] => {
                (409, Value::Null)
            }
            (_, None) if lease["metadata"]["resourceVersion"] != "1" => (409, Value::Null),
            _ => {
                store.1 += 2;
                let version = store.1.to_string();
                let mut lease = lease;
                lease["metadata"]["resourceVersion"] = version.into();
                store.0 = Some(lease.clone());
                (200, lease)
            }
        }
    }

    pub(super) fn spec(&self) -> LeaseSpec {
        let lease = lock(&self.0).0.clone().unwrap();
        serde_json::from_value(lease["spec"].clone()).unwrap()
    }

    pub(super) fn holder(&self) -> Option<String> {
        self.spec().holder_identity
    }

    pub(super) fn transitions(&self) -> i32 {
        self.spec().lease_transitions.unwrap()
    }

    pub(super) fn client(&self, connection: &Arc<Mutex<Connection>>) -> Client {
        let (store, connection) = (self.clone(), Arc::clone(connection));
        let service = tower::service_fn(move |request: Request<Body>| {
            let (store, now) = (store.clone(), *lock(&connection));
            async move {
                let (parts, body) = request.into_parts();
                let lease = body.collect_bytes().await.unwrap();
                let lease = serde_json::from_slice(&lease).unwrap_or_default();
                let (code, response) = match now {
                    Connection::Down => (500, Value::Null),
                    Connection::Silent => future::pending().await,
                    Connection::Works | Connection::LosesResponses | Connection::Slow => {
                        store.respond(&parts.method, lease)
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
