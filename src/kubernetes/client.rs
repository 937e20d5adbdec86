//! The connection to the API server.

use axum::http::{Method, Request};
use kube::{
    Client, Config,
    client::{Body, ClientBuilder},
};
use thiserror::Error;
use tower::util::MapRequestLayer;

use super::error::explain_kube;
use crate::metrics::Metrics;

/// The resources that the operator uses. The metric names no other resource, so that its labels are bounded.
const RESOURCES: [&str; 12] = [
    "cubecredentials",
    "cubeproviders",
    "clustercubeproviders",
    "secrets",
    "configmaps",
    "events",
    "pods",
    "leases",
    "deployments",
    "statefulsets",
    "daemonsets",
    "serviceaccounts",
];

/// The error of [`connect`].
#[derive(Debug, Error)]
pub(crate) enum ConnectError {
    #[error(
        "no cluster is configured: set KUBECONFIG, or run in a pod with a service account ({0})"
    )]
    NoConfig(String),
    #[error("the API server at {server} cannot be reached: {why}")]
    Unreachable { server: String, why: String },
    #[error(
        "the API server at {server} refuses: {why}; renew the login of the kubeconfig, or the service account's token"
    )]
    Refused { server: String, why: String },
}

/// Connects by KUBECONFIG, `~/.kube/config` or the pod's service account, and checks that the API server responds. Every request
/// is counted.
///
/// # Errors
/// The message is one line and names the server.
pub(crate) async fn connect(metrics: &Metrics) -> Result<Client, ConnectError> {
    let mut config = Config::infer()
        .await
        .map_err(|error| ConnectError::NoConfig(error.to_string()))?;
    // HTTPS_PROXY is for token endpoints. kube would use it for the API server too, but only with a kubeconfig and not in a pod.
    config.proxy_url = None;
    let server = config.cluster_url.to_string();
    let unreachable = |why| ConnectError::Unreachable {
        server: server.clone(),
        why,
    };
    let metrics = metrics.clone();
    let count = MapRequestLayer::new(move |request: Request<Body>| {
        let uri = request.uri();
        metrics.api_requested(operation(request.method(), uri.path(), uri.query()));
        request
    });
    let client = ClientBuilder::try_from(config)
        .map_err(|error| unreachable(explain_kube(&error)))?
        .with_layer(&count)
        .build();
    match tokio::time::timeout(
        std::time::Duration::from_secs(15),
        client.apiserver_version(),
    )
    .await
    {
        Ok(Ok(_)) => Ok(client),
        Ok(Err(error @ kube::Error::Api(_))) => Err(ConnectError::Refused {
            server: server.clone(),
            why: explain_kube(&error),
        }),
        Ok(Err(error)) => Err(unreachable(explain_kube(&error))),
        Err(_) => Err(unreachable("no answer within 15 s".into())),
    }
}

/// Verb and resource of a request as roles and audit logs name them, such as `get secrets`.
fn operation(method: &Method, path: &str, query: Option<&str>) -> String {
    let mut parts = path.trim_matches('/').split('/');
    // api/v1 or apis/GROUP/VERSION, then namespaces/NAMESPACE if it is in one, then RESOURCE/NAME/SUBRESOURCE.
    let skipped = if parts.next() == Some("apis") { 2 } else { 1 };
    let mut parts = parts.skip(skipped).peekable();
    if parts.next_if_eq(&"namespaces").is_some() {
        parts.next();
    }
    let resource = parts.next().unwrap_or_default();
    if !RESOURCES.contains(&resource) {
        return "other".into();
    }
    let watches = query.is_some_and(|query| query.split('&').any(|part| part == "watch=true"));
    let verb = match (method, parts.next()) {
        (&Method::GET, Some(_)) => "get",
        (&Method::GET, None) if watches => "watch",
        (&Method::GET, None) => "list",
        (&Method::POST, _) => "create",
        (&Method::PATCH, _) => "patch",
        (&Method::DELETE, _) => "delete",
        _ => return "other".into(),
    };
    match parts.next() {
        Some(part @ ("status" | "token")) => format!("{verb} {resource}/{part}"),
        _ => format!("{verb} {resource}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_named_by_verb_and_resource_and_never_by_the_names_of_objects() {
        let own = "/apis/cube-operator.dev/v1alpha1/namespaces/treasury/cubecredentials";
        let secrets = "/api/v1/namespaces/secrets/secrets";
        for (request, name) in [
            ("GET /api/v1/secrets?labelSelector=a", "list secrets"),
            ("GET /api/v1/configmaps?&watch=true", "watch configmaps"),
            (&format!("GET {secrets}"), "list secrets"),
            (&format!("GET {secrets}/configmaps?"), "get secrets"),
            (&format!("PATCH {secrets}/a?force=true"), "patch secrets"),
            (&format!("DELETE {secrets}/a"), "delete secrets"),
            (
                &format!("GET {own}?watch=true&a=b"),
                "watch cubecredentials",
            ),
            (
                &format!("PATCH {own}/main/status?"),
                "patch cubecredentials/status",
            ),
            (
                "POST /apis/events.k8s.io/v1/namespaces/treasury/events?",
                "create events",
            ),
            (
                "POST /api/v1/namespaces/treasury/serviceaccounts/billing/token?",
                "create serviceaccounts/token",
            ),
            ("GET /version", "other"),
            ("GET /apis/cube-operator.dev/v1alpha1", "other"),
            (&format!("PUT {secrets}/a"), "other"),
            ("GET /api/v1/namespaces/treasury/pods", "list pods"),
            ("GET /api/v1/namespaces/treasury/services/secrets", "other"),
            ("GET /", "other"),
        ] {
            let (method, url) = request.split_once(' ').unwrap();
            let (path, query) = url.split_once('?').unwrap_or((url, ""));
            let method = method.parse().unwrap();
            assert_eq!(operation(&method, path, Some(query)), name, "{request}");
        }
        assert_eq!(operation(&Method::GET, secrets, None), "list secrets");
    }
}
