//! Reads the metadata of an issuer that a provider object names, with the guards of a token request.

use crate::{
    api::ProviderEndpoints,
    clock::now,
    cluster::context::Parts,
    reconcile::{Discovery, DiscoveryFailure},
};

/// The endpoints that the metadata names.
///
/// # Errors
/// If the metadata cannot be read, or names endpoints that cannot be used.
pub(crate) async fn discover(
    parts: &Parts,
    wanted: &Discovery,
) -> Result<ProviderEndpoints, DiscoveryFailure> {
    let result = find(parts, wanted).await;
    parts.metrics.discovered(result.is_ok());
    result
}

async fn find(parts: &Parts, wanted: &Discovery) -> Result<ProviderEndpoints, DiscoveryFailure> {
    wanted.check(parts.allowed_hosts.as_ref())?;
    let metadata = parts
        .tokens
        .metadata(wanted.issuer(), wanted.trusted())
        .await?;
    wanted.endpoints(&metadata, now())
}
