//! Name resolution that refuses addresses of the operator's own host.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

use crate::oauth::networks::{Networks, RefusedNetwork};

/// A token host resolves to refused addresses only.
#[derive(Debug, Error)]
#[error("resolves to a {0} address")]
pub(super) struct RefusedAddress(pub(super) RefusedNetwork);

/// The name has no address.
#[derive(Debug, Error)]
#[error("does not resolve")]
pub(super) struct NotResolved;

/// Resolves as the system does, then drops what [`Networks`] refuses. This happens when a connection is opened, so that a name
/// cannot change its address between a check and the use.
pub(super) struct Resolver {
    pub(super) token_host: String,
    pub(super) networks: Networks,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        // Any other name is a proxy's, which the operator's installer chose; a sidecar on loopback is usual.
        let networks = (host == self.token_host).then(|| self.networks.clone());
        Box::pin(async move {
            let found: Vec<_> = tokio::net::lookup_host((host, 0))
                .await
                .map_err(|_| NotResolved)?
                .collect();
            let Some(networks) = networks else {
                return Ok(Box::new(found.into_iter()) as Addrs);
            };
            let refused = found
                .iter()
                .find_map(|address| networks.refusal(address.ip()));
            let allowed: Vec<_> = found
                .into_iter()
                .filter(|address| networks.refusal(address.ip()).is_none())
                .collect();
            match (allowed.is_empty(), refused) {
                (true, Some(network)) => Err(RefusedAddress(network).into()),
                (true, None) => Err(NotResolved.into()),
                (false, _) => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn resolved(token_host: &str) -> Result<bool, RefusedNetwork> {
        let resolver = Resolver {
            token_host: token_host.into(),
            networks: Networks::default(),
        };
        match resolver.resolve("localhost".parse().unwrap()).await {
            Ok(addresses) => Ok(addresses.count() > 0),
            Err(error) => Err(error.downcast_ref::<RefusedAddress>().unwrap().0),
        }
    }

    #[tokio::test]
    async fn loopback_is_refused_for_the_token_endpoint_and_not_for_a_proxy() {
        assert_eq!(resolved("localhost").await, Err(RefusedNetwork::Loopback));
        assert_eq!(resolved("example.com").await, Ok(true));
    }
}
