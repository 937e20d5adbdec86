//! The metadata of an authorization server, over the same guarded client that token requests take.

use super::{
    Context,
    error::{PluginError, Result},
};
use crate::oauth::{
    ca_bundle::TrustedCa,
    client::TokenClient,
    discovery::{DiscoveryError, Issuer, Metadata},
    error::MetadataError,
};

/// Fetches the metadata of the issuer with this name.
pub(super) async fn of(
    context: &Context,
    client: &TokenClient,
    name: &str,
    trusted: Option<&TrustedCa>,
) -> Result<Metadata> {
    let issuer = Issuer::parse(name).map_err(|error| PluginError::Usage(error.to_string()))?;
    let _progress = context.terminal.progress(&format!("Looking up {name}"));
    fetch(client, &issuer, trusted).await
}

async fn fetch(
    client: &TokenClient,
    issuer: &Issuer,
    trusted: Option<&TrustedCa>,
) -> Result<Metadata> {
    let name = issuer.as_str();
    let error = match client.metadata(issuer, trusted).await {
        Ok(metadata) => return Ok(metadata),
        Err(error) => error,
    };
    Err(PluginError::new(match error {
        MetadataError::Network(_) => format!("issuer {name} cannot be looked up: {error}"),
        MetadataError::Document(
            error @ (DiscoveryError::Status { .. } | DiscoveryError::NotMetadata),
        ) => format!(
            "issuer {name} {error}; name the endpoints with --token-url and --authorization-url"
        ),
        MetadataError::Document(DiscoveryError::OtherIssuer { issuer: other }) => format!(
            "the metadata of {name} names another issuer, {other:?}: --issuer has to be written as the provider writes it"
        ),
        MetadataError::Document(error) => format!(
            "the metadata of {name} {error}; name the endpoints with --token-url and --authorization-url"
        ),
    }))
}
