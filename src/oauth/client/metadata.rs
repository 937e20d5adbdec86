//! Reads the metadata of an issuer, with the guards of a token request: networks, certificates, time and size. No redirect is
//! followed, and all addresses are on the issuer's host.

use super::{TokenClient, error::MetadataError};
use crate::oauth::{
    ca_bundle::TrustedCa,
    discovery::{self, DiscoveryError, Issuer, Metadata},
};

impl TokenClient {
    /// Asks one address after the other. Only a server that has no metadata at one is asked at the next.
    ///
    /// # Errors
    /// If there is no metadata, or none that can be used.
    pub async fn metadata(
        &self,
        issuer: &Issuer,
        trusted: Option<&TrustedCa>,
    ) -> Result<Metadata, MetadataError> {
        let mut first = None;
        for address in issuer.addresses() {
            let response = self.get(&address, trusted).await;
            let response = response.map_err(MetadataError::Network)?;
            match discovery::read(&response, issuer) {
                Ok(metadata) => return Ok(metadata),
                Err(error @ (DiscoveryError::Status { .. } | DiscoveryError::NotMetadata)) => {
                    first.get_or_insert(error);
                }
                Err(error) => return Err(MetadataError::Document(error)),
            }
        }
        let none = first.unwrap_or(DiscoveryError::NotMetadata);
        Err(MetadataError::Document(none))
    }
}
