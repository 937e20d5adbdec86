//! Writes the status of a provider object.

use kube::{Api, Client, Resource, api::Patch};
use serde_json::json;

use super::board::ProviderId;
use crate::{
    api::{ClusterCubeProvider, CubeProvider, ProviderKind, ProviderStatus},
    cluster::arrival::Metadata,
    kubernetes::{
        applied,
        error::{ApiError, call},
    },
    reconcile::ShownProvider,
};

/// Writes this status, in exactly the version that it was judged for: another operator may have written one since, which this one has
/// not seen. Returns the new version.
///
/// # Errors
/// If the API server does not accept it, or has another version.
pub(crate) async fn report_provider(
    client: &Client,
    (kind, key): &ProviderId,
    judged: &ShownProvider,
    status: &ProviderStatus,
) -> Result<String, ApiError> {
    let (namespace, name) = key.parts();
    // Only the metadata of the response is read, because this version may not be able to read the object.
    match kind {
        ProviderKind::CubeProvider => {
            let api: Api<Metadata<CubeProvider>> = Api::namespaced(client.clone(), namespace);
            let object = format!("the status of {} {namespace}/{name}", kind.name());
            write(&api, name, object, judged, status).await
        }
        ProviderKind::ClusterCubeProvider => {
            let api: Api<Metadata<ClusterCubeProvider>> = Api::all(client.clone());
            let object = format!("the status of {} {name}", kind.name());
            write(&api, name, object, judged, status).await
        }
    }
}

async fn write<K>(
    api: &Api<Metadata<K>>,
    name: &str,
    object: String,
    judged: &ShownProvider,
    status: &ProviderStatus,
) -> Result<String, ApiError>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug,
{
    let body = json!({
        "apiVersion": K::api_version(&()), "kind": K::kind(&()),
        "metadata": {"resourceVersion": judged.version}, "status": status,
    });
    let parameters = applied();
    let patch = Patch::Apply(&body);
    let written = call("write", object, api.patch_status(name, &parameters, &patch)).await?;
    Ok(written.metadata.resource_version.unwrap_or_default())
}
