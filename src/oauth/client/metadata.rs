//! Reads the metadata of an issuer, with the guards of a token request: networks, certificates, time and size. No redirect is
//! followed, and all addresses are on the issuer's host.

use jiff::SignedDuration;
use tokio::time::timeout;

use super::{
    TokenClient,
    error::{MetadataError, NetworkError, NoResponse},
};
use crate::oauth::{
    ca_bundle::TrustedCa,
    discovery::{self, DiscoveryError, Issuer, Metadata},
};

impl TokenClient {
    /// Asks one address after the other, all within the time of one exchange. Only a server that has no metadata at one is asked at
    /// the next.
    ///
    /// # Errors
    /// If there is no metadata, or none that can be used.
    pub async fn metadata(
        &self,
        issuer: &Issuer,
        trusted: Option<&TrustedCa>,
    ) -> Result<Metadata, MetadataError> {
        let limit = self.exchange_timeout;
        match timeout(limit, self.first_metadata(issuer, trusted)).await {
            Ok(result) => result,
            Err(_) => Err(MetadataError::Network(NetworkError::NoResponse {
                endpoint: issuer.authority(),
                cause: NoResponse::Timeout(
                    SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX),
                ),
            })),
        }
    }

    async fn first_metadata(
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
