//! The pods of the operator, by the chart's labels.

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::ListParams};

use super::{cluster::Cluster, error::PluginError, rights::Right};
use crate::kubernetes::error::{ApiError, call};

const LABEL: &str = "app.kubernetes.io/name=cube-operator";
const VERSION: &str = "app.kubernetes.io/version";
/// The container of the chart.
pub(super) const CONTAINER: &str = "operator";
/// The namespace of the documentation, which is looked in where not all may be.
const USUAL: &str = "cube-system";

/// A running pod of the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OperatorPod {
    pub(super) namespace: String,
    pub(super) name: String,
    /// The version that its label states.
    pub(super) version: Option<String>,
    is_ready: bool,
}

/// The reason why no pod was found.
#[derive(Debug)]
pub(super) enum Unfound {
    /// The person may look in this place, and no pod runs there.
    None {
        place: String,
    },
    /// The person may look nowhere, for lack of this right.
    Denied(Right),
    Failed(ApiError),
}

impl Unfound {
    /// One sentence.
    pub(super) fn sentence(&self) -> String {
        match self {
            Self::None { place } => format!(
                "no pod of the operator (label {LABEL}) runs in {place}: install the chart, or name its namespace with \
                 --operator-namespace"
            ),
            Self::Denied(right) => {
                format!("{right}, or name the operator's namespace with --operator-namespace")
            }
            Self::Failed(error) => error.to_string(),
        }
    }
}

impl From<Unfound> for PluginError {
    fn from(unfound: Unfound) -> Self {
        Self::new(unfound.sentence())
    }
}

/// The pods of the operator, the ready ones first: in this namespace, or wherever the person may look.
///
/// # Errors
/// If there is none, or none can be seen.
pub(super) async fn find(
    cluster: &Cluster,
    namespace: Option<&str>,
) -> Result<Vec<OperatorPod>, Unfound> {
    if let Some(namespace) = namespace {
        let found = list(cluster, Some(namespace)).await?;
        return some(found, &format!("namespace {namespace:?}"));
    }
    let denied = match list(cluster, None).await {
        Err(denied @ Unfound::Denied(_)) => denied,
        Err(other) => return Err(other),
        Ok(found) => return some(found, "any namespace"),
    };
    for namespace in [cluster.namespace.as_str(), USUAL] {
        match list(cluster, Some(namespace)).await {
            Ok(found) if !found.is_empty() => return Ok(found),
            Ok(_) | Err(Unfound::Denied(_) | Unfound::None { .. }) => {}
            Err(failed) => return Err(failed),
        }
    }
    Err(denied)
}

/// The namespace of these pods. Anybody may label a pod of their own like the operator's.
pub(super) fn one_namespace(pods: &[OperatorPod]) -> Result<&str, PluginError> {
    let Some(pod) = pods.first() else {
        return Err(PluginError::new("the operator has no pod"));
    };
    if let Some(other) = pods.iter().find(|other| other.namespace != pod.namespace) {
        return Err(PluginError::new(format!(
            "pods of an operator run in namespaces {} and {}: name the right one with --operator-namespace",
            pod.namespace, other.namespace
        )));
    }
    Ok(&pod.namespace)
}

fn some(found: Vec<OperatorPod>, place: &str) -> Result<Vec<OperatorPod>, Unfound> {
    if found.is_empty() {
        let place = place.to_owned();
        return Err(Unfound::None { place });
    }
    Ok(found)
}

async fn list(cluster: &Cluster, namespace: Option<&str>) -> Result<Vec<OperatorPod>, Unfound> {
    let client = cluster.client.clone();
    let api: Api<Pod> = match namespace {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    };
    let parameters = ListParams::default()
        .labels(LABEL)
        .fields("status.phase=Running");
    let listed = call("list", "pods of the operator", api.list(&parameters)).await;
    let listed = listed.map_err(|error| {
        let right = Right::new("list", "pods", namespace);
        if right.is_missing(&error) {
            Unfound::Denied(right)
        } else {
            Unfound::Failed(error)
        }
    })?;
    let mut pods: Vec<_> = listed.items.iter().map(pod).collect();
    pods.sort_by_key(|pod| !pod.is_ready);
    Ok(pods)
}

fn pod(pod: &Pod) -> OperatorPod {
    let meta = &pod.metadata;
    let labels = meta.labels.as_ref();
    let conditions = pod.status.iter().flat_map(|status| &status.conditions);
    let is_ready = conditions
        .flatten()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True");
    OperatorPod {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
        version: labels.and_then(|labels| labels.get(VERSION).cloned()),
        is_ready: is_ready && meta.deletion_timestamp.is_none(),
    }
}
