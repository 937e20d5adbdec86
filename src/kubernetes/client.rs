//! The connection to the API server.

use kube::{Client, Config};
use thiserror::Error;

use super::error::explain_kube;

/// Why no connection could be made.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum ConnectError {
    #[error(
        "no cluster is configured: set KUBECONFIG, or run in a pod with a service account ({0})"
    )]
    NoConfig(String),
    #[error("the API server at {server} cannot be reached: {why}")]
    Unreachable { server: String, why: String },
}

/// Connects as KUBECONFIG, `~/.kube/config` or the pod's service account say, and makes sure that the API server answers.
///
/// # Errors
/// In one line, naming the server.
pub async fn connect() -> Result<Client, ConnectError> {
    let mut config = Config::infer()
        .await
        .map_err(|error| ConnectError::NoConfig(error.to_string()))?;
    // HTTPS_PROXY is for token endpoints. kube takes it for the API server too, but only with a kubeconfig and not in a pod.
    config.proxy_url = None;
    let server = config.cluster_url.to_string();
    let unreachable = |why| ConnectError::Unreachable {
        server: server.clone(),
        why,
    };
    let client = Client::try_from(config).map_err(|error| unreachable(explain_kube(&error)))?;
    match tokio::time::timeout(
        std::time::Duration::from_secs(15),
        client.apiserver_version(),
    )
    .await
    {
        Ok(Ok(_)) => Ok(client),
        Ok(Err(error)) => Err(unreachable(explain_kube(&error))),
        Err(_) => Err(unreachable("no answer within 15 s".into())),
    }
}
