//! Looks up the endpoints of an issuer, over the same guarded client that token requests take.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::Api;

use super::flags::Create;
use crate::{
    api::{CaBundleKind, CaBundleRef},
    kubernetes::error::call,
    oauth::{
        ca_bundle::{CaCertificates, TrustedCa},
        client::TokenClient,
        discovery::Metadata,
    },
    plugin::{
        Context,
        cluster::Cluster,
        error::{PluginError, Result},
        metadata,
    },
};

/// Fetches the metadata of an issuer.
pub(super) async fn look_up(context: &Context, flags: &Create, issuer: &str) -> Result<Metadata> {
    let trusted = match &flags.ca_bundle {
        Some(reference) => Some(trusted_ca(context, reference).await?),
        None => None,
    };
    let client = TokenClient::new(flags.browser.networks());
    let metadata = metadata::of(context, &client, issuer, trusted.as_ref()).await?;
    if metadata.lacks_s256() {
        context.terminal.note(&format!(
            "The metadata of {issuer} does not list code challenge method S256, which `kubectl cube login` uses: a sign-in may fail."
        ));
    }
    Ok(metadata)
}

/// The CA certificates that the spec will name.
async fn trusted_ca(context: &Context, reference: &CaBundleRef) -> Result<TrustedCa> {
    let cluster = Cluster::connect(context).await?;
    let (name, namespace) = (&reference.name, &cluster.namespace);
    let pem = match reference.kind {
        CaBundleKind::ConfigMap => {
            let api: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), namespace);
            let found = call(
                "get",
                format!("ConfigMap {namespace}/{name}"),
                api.get(name),
            )
            .await?;
            let text = found.data.unwrap_or_default().remove(&reference.key);
            text.map(String::into_bytes)
        }
        CaBundleKind::Secret => {
            let api: Api<Secret> = Api::namespaced(cluster.client.clone(), namespace);
            let found = call("get", format!("Secret {namespace}/{name}"), api.get(name)).await?;
            let bytes = found.data.unwrap_or_default().remove(&reference.key);
            bytes.map(|bytes| bytes.0)
        }
    };
    let shown = format!("{:?} {name}", reference.kind);
    let pem =
        pem.ok_or_else(|| PluginError::new(format!("{shown} has no key {:?}", reference.key)))?;
    let certificates = CaCertificates::read(&pem)
        .map_err(|error| PluginError::new(format!("{shown} cannot be used: {error}")))?;
    Ok(TrustedCa {
        certificates: Arc::new(certificates),
        system_roots: reference.system_roots,
    })
}
