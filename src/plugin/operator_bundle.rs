//! The CA certificates of a `ClusterCubeProvider`, in the operator's namespace.
//!
//! They decide which server may receive a client, and anybody may label a pod of their own like the operator's. So a namespace that was
//! only found by its pods is asked about.

use super::{
    Context,
    cluster::Cluster,
    error::{PluginError, Result},
    operator_pod,
    rights::Right,
};
use crate::{api::ConfigMapBundleRef, kubernetes::error::ApiError};

/// The namespace of the operator, with the ConfigMap of this reference.
pub(super) async fn namespace(
    context: &Context,
    cluster: &Cluster,
    flag: Option<&str>,
    reference: &ConfigMapBundleRef,
) -> Result<String> {
    if let Some(named) = flag {
        return Ok(named.to_owned());
    }
    let name = &reference.name;
    let pods = operator_pod::find(cluster, None).await?;
    let namespace = operator_pod::one_namespace(&pods)?;
    let what = format!(
        "The provider trusts the CA certificates in ConfigMap {name} of the operator's namespace. Is that {namespace}?"
    );
    let flag = format!("--operator-namespace {namespace}");
    if context.terminal.is_meant(&what, &flag).await? {
        return Ok(namespace.to_owned());
    }
    Err(PluginError::new(
        "nothing was sent: name the operator's namespace with --operator-namespace",
    ))
}

/// The error of a read.
pub(super) fn unreadable(
    error: ApiError,
    namespace: &str,
    reference: &ConfigMapBundleRef,
) -> PluginError {
    let right = Right::new("get", "configmaps", Some(namespace));
    if !right.is_missing(&error) {
        return error.into();
    }
    PluginError::new(format!(
        "the provider trusts the CA certificates in ConfigMap {namespace}/{}, and {right}",
        reference.name
    ))
}
