//! Reads the ConfigMap with the CA certificates of a `ClusterCubeProvider`, for those who watch nothing.

use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Api, Client};

use crate::{
    api::ConfigMapBundleRef,
    cluster::{context::Context, convert::config_value},
    kubernetes::error::{ApiError, call},
    lock::lock,
    reconcile::{BundleFlaw, ConfigMapPlace, ReadBundle, read_bundle},
};

impl Context {
    /// The ConfigMaps that must be read before anything is sent.
    #[cfg(feature = "plugin")]
    pub(crate) fn unread_bundles(&self) -> Vec<ConfigMapBundleRef> {
        let unread = lock(&self.providers).unread();
        let references = unread.iter().map(|bundle| bundle.reference.clone());
        references.collect()
    }

    /// Reads the ConfigMaps that the known `ClusterCubeProvider`s name, from the operator's namespace, and returns the errors: of such
    /// an object nobody knows whom to trust.
    pub(crate) async fn read_operator_bundles(&self, namespace: Option<&str>) -> Vec<ApiError> {
        let mut errors = Vec::new();
        let unread = lock(&self.providers).unread();
        for bundle in unread {
            let read = match namespace {
                None => {
                    let name = bundle.reference.name.clone();
                    Err(BundleFlaw::NoNamespace { name })
                }
                Some(namespace) => {
                    match read_operator_bundle(&self.parts.client, namespace, &bundle.reference)
                        .await
                    {
                        Ok(read) => read,
                        Err(error) => {
                            errors.push(error);
                            continue;
                        }
                    }
                }
            };
            self.parts.operator_bundles.learn(&bundle, read);
        }
        self.complete_providers();
        errors
    }
}

/// Reads one from this namespace.
///
/// # Errors
/// If the API server refuses or cannot be reached.
pub(crate) async fn read_operator_bundle(
    client: &Client,
    namespace: &str,
    reference: &ConfigMapBundleRef,
) -> Result<ReadBundle, ApiError> {
    let ConfigMapBundleRef { name, key } = reference;
    let place = ConfigMapPlace {
        namespace: namespace.to_owned(),
        name: name.clone(),
    };
    let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
    let found = call("get", place.to_string(), api.get_opt(name)).await?;
    let Some(map) = found else {
        return Ok(Err(BundleFlaw::Absent(place)));
    };
    let value = config_value(map, key);
    Ok(read_bundle(place, key, value.as_deref()))
}
