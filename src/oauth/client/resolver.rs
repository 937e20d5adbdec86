//! Name resolution that refuses addresses of the operator's own host.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

use crate::oauth::endpoint::Networks;

/// A token host resolves to nothing but addresses that are refused.
#[derive(Debug, Error)]
#[error("resolves to a {0} address")]
pub(super) struct RefusedNetwork(pub(super) &'static str);

/// The name has no address.
#[derive(Debug, Error)]
#[error("does not resolve")]
pub(super) struct NotResolved;

/// Resolves as the system does, then drops what [`Networks`] refuses: at connection time, so that a name cannot change
/// its address between a check and the use.
pub(super) struct Resolver {
    pub(super) token_host: String,
    pub(super) networks: Networks,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        // Any other name is a proxy's, which whoever installed the operator chose; a sidecar on loopback is usual.
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
            let permitted: Vec<_> = found
                .into_iter()
                .filter(|address| networks.refusal(address.ip()).is_none())
                .collect();
            match (permitted.is_empty(), refused) {
                (true, Some(why)) => Err(RefusedNetwork(why).into()),
                (true, None) => Err(NotResolved.into()),
                (false, _) => Ok(Box::new(permitted.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn resolved(token_host: &str) -> Result<bool, &'static str> {
        let resolver = Resolver {
            token_host: token_host.into(),
            networks: Networks::default(),
        };
        match resolver.resolve("localhost".parse().unwrap()).await {
            Ok(addresses) => Ok(addresses.count() > 0),
            Err(error) => Err(error.downcast_ref::<RefusedNetwork>().unwrap().0),
        }
    }

    #[tokio::test]
    async fn loopback_is_refused_for_the_token_endpoint_and_not_for_a_proxy() {
        assert_eq!(resolved("localhost").await, Err("loopback"));
        assert_eq!(resolved("example.com").await, Ok(true));
    }
}
