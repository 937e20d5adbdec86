//! An API server for tests: a function from a request to a status code and an object.

use std::{convert::Infallible, future::Future};

use axum::http::{Request, Response};
use kube::{Client, client::Body};
use serde_json::{Value, json};

/// A client of an API server that responds like this.
pub(crate) fn client<F>(respond: impl Fn(Request<Body>) -> F + Send + 'static) -> Client
where
    F: Future<Output = (u16, Value)> + Send + 'static,
{
    let service = tower::service_fn(move |request| {
        let response = respond(request);
        async {
            let (code, object) = response.await;
            let body = Body::from(object.to_string().into_bytes());
            Ok::<_, Infallible>(Response::builder().status(code).body(body).unwrap())
        }
    });
    Client::new(service, "default")
}

/// The response to a request that fails.
pub(crate) fn refusal(code: u16) -> (u16, Value) {
    let reason = match code {
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        _ => "InternalError",
    };
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": "no", "reason": reason, "code": code,
    });
    (code, status)
}

/// The object in a request.
pub(crate) async fn object(request: Request<Body>) -> Value {
    let body = request.into_body().collect_bytes().await.unwrap();
    serde_json::from_slice(&body).unwrap()
}
