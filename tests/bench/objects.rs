//! The objects of a measurement, and how thousands of them are created quickly.

use axum::http::{Request, header::CONTENT_TYPE, request::Builder};
use futures::{StreamExt, future::join_all, stream};
use kube::Client;
use serde_json::{Value, json};

use crate::{provider::client_id, site::Site};

/// The requests in progress while objects are created. More would only wait in the API server.
const AT_ONCE: usize = 48;
pub(crate) const API: &str = "/apis/cube-operator.dev/v1alpha1";

/// Or else the API server looks for repeated fields.
const PARSED_ONCE: &str = "fieldValidation=Ignore";

/// The names of so many credentials.
pub(crate) fn names(size: usize) -> Vec<String> {
    (0..size).map(|number| format!("main-{number}")).collect()
}

/// Creates a namespace.
pub(crate) async fn create_namespace(client: &Client, name: &str) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    create(client, "/api/v1/namespaces", &namespace).await;
}

/// Creates a namespace with the authority of the token server.
pub(crate) async fn create_place(site: &Site, name: &str) {
    create_namespace(&site.client, name).await;
    let authority = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "authority"}, "data": {"ca.crt": site.server.ca_pem},
    });
    let path = format!("/api/v1/namespaces/{name}/configmaps");
    create(&site.client, &path, &authority).await;
}

/// Creates credentials with a client each, and a Secret for each client.
pub(crate) async fn load(site: &Site, namespace: &str, names: &[String]) {
    stream::iter(names)
        .for_each_concurrent(AT_ONCE, |name| load_one(site, namespace, name))
        .await;
}

/// Creates a credential and its client's Secret.
pub(crate) async fn load_one(site: &Site, namespace: &str, name: &str) {
    let secrets = format!("/api/v1/namespaces/{namespace}/secrets");
    create(&site.client, &secrets, &source(namespace, name)).await;
    let credentials = format!("{API}/namespaces/{namespace}/cubecredentials");
    let credential = credential(&site.server.url(), name);
    create(&site.client, &credentials, &credential).await;
}

fn source(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": name,
            "labels": {"cube-operator.dev/credential": "true"},
            "annotations": {
                "cube-operator.dev/token-hosts": "localhost", "cube-operator.dev/token-ca": "ConfigMap/authority",
            },
        },
        "stringData": {"client-id": client_id(namespace, name), "client-secret": "s3cret"},
    })
}

fn credential(url: &str, name: &str) -> Value {
    json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
        "metadata": {"name": name},
        "spec": {
            "provider": "Custom", "tokenURL": url,
            "clientSecretRef": {"name": name}, "caBundleRef": {"name": "authority"},
        },
    })
}

/// The credentials of a namespace, as the API server has them.
pub(crate) async fn credentials(client: &Client, namespace: &str) -> Vec<Value> {
    let path = format!("{API}/namespaces/{namespace}/cubecredentials");
    list(client, &path).await
}

/// The target of a credential, if it exists.
pub(crate) async fn target(client: &Client, namespace: &str, name: &str) -> Option<Value> {
    // A list is not counted as a request of the operator.
    let path = format!(
        "/api/v1/namespaces/{namespace}/secrets?fieldSelector=metadata.name%3D{name}-token"
    );
    list(client, &path).await.pop()
}

/// The objects of a list.
pub(crate) async fn list(client: &Client, path: &str) -> Vec<Value> {
    let request = Request::get(path).body(Vec::new()).unwrap();
    let mut list: Value = client.request(request).await.unwrap();
    match list["items"].take() {
        Value::Array(items) => items,
        other => panic!("{path}: {other}"),
    }
}

/// Creates an object. Like every write here, it is parsed once.
pub(crate) async fn create(client: &Client, path: &str, object: &Value) {
    let request = Request::post(format!("{path}?{PARSED_ONCE}"));
    send(client, request, "application/json", object).await;
}

/// Deletes an object, or all objects of a kind.
pub(crate) async fn delete(client: &Client, path: &str) {
    let request = Request::delete(path).body(Vec::new()).unwrap();
    client.request_text(request).await.unwrap();
}

/// Deletes the credentials, the Secrets and the events of a namespace.
pub(crate) async fn delete_all(site: &Site, namespace: &str) {
    let paths = [
        format!("{API}/namespaces/{namespace}/cubecredentials"),
        format!("/api/v1/namespaces/{namespace}/secrets"),
        format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events"),
    ];
    join_all(paths.iter().map(|path| delete(&site.client, path))).await;
}

/// Merges these fields into an object.
pub(crate) async fn merge(client: &Client, path: &str, fields: &Value) {
    let request = Request::patch(format!("{path}?{PARSED_ONCE}"));
    send(client, request, "application/merge-patch+json", fields).await;
}

async fn send(client: &Client, request: Builder, content_type: &str, object: &Value) {
    let request = request.header(CONTENT_TYPE, content_type);
    let request = request.body(object.to_string().into_bytes()).unwrap();
    client.request_text(request).await.unwrap();
}
