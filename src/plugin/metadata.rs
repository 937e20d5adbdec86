//! The metadata of an authorization server, over the same guarded client that token requests take.

use super::{
    Context,
    error::{PluginError, Result},
};
use crate::oauth::{
    ca_bundle::TrustedCa,
    client::TokenClient,
    discovery::{self, DiscoveryError, Issuer, Metadata},
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

/// Tries one address after the other.
async fn fetch(
    client: &TokenClient,
    issuer: &Issuer,
    trusted: Option<&TrustedCa>,
) -> Result<Metadata> {
    let name = issuer.as_str();
    let mut first = None;
    for address in issuer.addresses() {
        let response = client.get(&address, trusted).await;
        let response = response.map_err(|error| {
            let error = error.to_string();
            let error = error.strip_prefix("token endpoint ").unwrap_or(&error);
            PluginError::new(format!("issuer {name} cannot be looked up: {error}"))
        })?;
        match discovery::read(&response, issuer) {
            Ok(metadata) => return Ok(metadata),
            Err(error @ (DiscoveryError::Status { .. } | DiscoveryError::NotMetadata)) => {
                first.get_or_insert(error);
            }
            Err(DiscoveryError::OtherIssuer { issuer: other }) => {
                return Err(PluginError::new(format!(
                    "the metadata of {name} names another issuer, {other:?}: --issuer has to be written as the provider writes it"
                )));
            }
            Err(error) => {
                return Err(PluginError::new(format!(
                    "the metadata of {name} {error}; name the endpoints with --token-url and --authorization-url"
                )));
            }
        }
    }
    let error = first.map_or_else(String::new, |error| format!(" {error}"));
    Err(PluginError::new(format!(
        "issuer {name}{error}; name the endpoints with --token-url and --authorization-url"
    )))
}
