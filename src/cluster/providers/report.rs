//! Writes the status of a provider object.

use kube::{
    Api, Client, Resource,
    api::{Patch, PatchParams},
};
use serde_json::json;

use super::board::ProviderId;
use crate::{
    api::{ClusterCubeProvider, CubeProvider, FIELD_MANAGER, ProviderKind, ProviderStatus},
    cluster::arrival::Metadata,
    kubernetes::error::{ApiError, call},
};

/// Writes this status.
///
/// # Errors
/// If the API server does not accept it.
pub(crate) async fn report_provider(
    client: &Client,
    (kind, key): &ProviderId,
    status: &ProviderStatus,
) -> Result<(), ApiError> {
    let (namespace, name) = key.parts();
    // Only the metadata of the response is read, because this version may not be able to read the object.
    match kind {
        ProviderKind::CubeProvider => {
            let api: Api<Metadata<CubeProvider>> = Api::namespaced(client.clone(), namespace);
            let object = format!("the status of {} {namespace}/{name}", kind.name());
            write(&api, name, object, status).await
        }
        ProviderKind::ClusterCubeProvider => {
            let api: Api<Metadata<ClusterCubeProvider>> = Api::all(client.clone());
            let object = format!("the status of {} {name}", kind.name());
            write(&api, name, object, status).await
        }
    }
}

async fn write<K>(
    api: &Api<Metadata<K>>,
    name: &str,
    object: String,
    status: &ProviderStatus,
) -> Result<(), ApiError>
where
    K: Resource<DynamicType = ()> + Clone + std::fmt::Debug,
{
    let body = json!({"apiVersion": K::api_version(&()), "kind": K::kind(&()), "status": status});
    let parameters = PatchParams::apply(FIELD_MANAGER).force();
    let patch = Patch::Apply(&body);
    call("write", object, api.patch_status(name, &parameters, &patch)).await?;
    Ok(())
}
