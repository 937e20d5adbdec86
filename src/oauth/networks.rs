//! The networks that a token endpoint may be on. Addresses of the operator's own host and node, and the metadata services of
//! clouds, are refused by default.

mod embedded;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use thiserror::Error;
use url::Host;

use super::endpoint::Endpoint;

/// A kind of network that a token endpoint may only be on if the operator's installer allows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RefusedNetwork {
    /// The operator's own host.
    #[error("loopback")]
    Loopback,
    /// An address that stands for any address of the operator's own host.
    #[error("unspecified")]
    Unspecified,
    /// Many hosts.
    #[error("multicast")]
    Multicast,
    /// All hosts of the operator's own network.
    #[error("broadcast")]
    Broadcast,
    /// The operator's own node, or the metadata service of a cloud.
    #[error("link-local")]
    LinkLocal,
    /// The metadata service of a cloud, which gives the node's own credentials to whoever asks.
    #[error("cloud metadata")]
    Metadata,
    /// The operator's installer denies it.
    #[error("denied")]
    Denied,
}

impl RefusedNetwork {
    /// The list that denies it, for the end of a sentence about a network.
    pub(super) fn refused_by(self) -> String {
        match self {
            Self::Denied => "the operator's installer denies".into(),
            _ => format!("is refused by default ({self})"),
        }
    }
}

/// An address of a token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address itself.
    pub ip: IpAddr,
    /// The network that it is on, if that is refused.
    pub refused: Option<RefusedNetwork>,
}

/// The networks that the operator's installer allows and denies, besides the defaults.
///
/// Where both lists have a network with an address, the longer prefix decides, and denial with prefixes of the same length: so a
/// host can be allowed on a network that is denied, and denied on one that is allowed. An allowed network is allowed whatever its
/// prefix is if it would only be refused by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks {
    allowed: Vec<IpNet>,
    denied: Vec<IpNet>,
}

impl Networks {
    /// Allows these networks besides all ordinary ones.
    #[must_use]
    pub fn allowing(networks: Vec<IpNet>) -> Self {
        Self {
            allowed: networks,
            denied: Vec::new(),
        }
    }

    /// Denies these networks besides those that are refused by default.
    #[must_use]
    pub fn denying(self, networks: Vec<IpNet>) -> Self {
        Self {
            denied: networks,
            ..self
        }
    }

    /// The refused network of an endpoint by its host alone: an address, or a name that always means loopback (RFC 6761, 6.3).
    ///
    /// All other names are checked when they are looked up, except where a proxy does that.
    #[must_use]
    pub fn refusal_of_host(&self, endpoint: &Endpoint) -> Option<RefusedNetwork> {
        match endpoint.url().host()? {
            Host::Ipv4(address) => self.refusal(address.into()),
            Host::Ipv6(address) => self.refusal(address.into()),
            Host::Domain(name) if is_localhost(name) => self
                .refusal(Ipv4Addr::LOCALHOST.into())
                .and(self.refusal(Ipv6Addr::LOCALHOST.into())),
            Host::Domain(_) => None,
        }
    }

    /// The refused network that an address is on; `None` if it is allowed.
    ///
    /// The author of a `CubeCredential` chooses the URL. An address that means the operator's own host or node would let that
    /// person reach what only the operator can. An address that carries another one, for a gateway that translates or tunnels, is
    /// refused for either, unless the installer allows its own network, as in a cluster that has such addresses: then only a
    /// denied address may not be carried.
    #[must_use]
    pub fn refusal(&self, address: IpAddr) -> Option<RefusedNetwork> {
        let address = address.to_canonical();
        let carried = match address {
            IpAddr::V4(_) => Vec::new(),
            IpAddr::V6(v6) => embedded::addresses(v6),
        };
        let is_allowed = longest_prefix(&self.allowed, address).is_some();
        let counts = |refused: &RefusedNetwork| !is_allowed || *refused == RefusedNetwork::Denied;
        self.refusal_of_one(address).or_else(|| {
            let carried = carried.into_iter();
            let refused = carried.filter_map(|v4| self.refusal_of_one(v4.into()));
            refused.into_iter().find(counts)
        })
    }

    fn refusal_of_one(&self, address: IpAddr) -> Option<RefusedNetwork> {
        let allowed = longest_prefix(&self.allowed, address);
        let denied = longest_prefix(&self.denied, address);
        match (allowed, denied) {
            (Some(allowed), Some(denied)) if allowed > denied => None,
            (_, Some(_)) => Some(RefusedNetwork::Denied),
            (Some(_), None) => None,
            (None, None) => refused_by_default(address),
        }
    }
}

fn longest_prefix(networks: &[IpNet], address: IpAddr) -> Option<u8> {
    let with_it = networks.iter().filter(|network| network.contains(&address));
    with_it.map(IpNet::prefix_len).max()
}

fn refused_by_default(address: IpAddr) -> Option<RefusedNetwork> {
    match address {
        _ if address.is_loopback() => Some(RefusedNetwork::Loopback),
        _ if address.is_unspecified() => Some(RefusedNetwork::Unspecified),
        _ if address.is_multicast() => Some(RefusedNetwork::Multicast),
        IpAddr::V4(Ipv4Addr::BROADCAST) => Some(RefusedNetwork::Broadcast),
        IpAddr::V4(v4) if v4.octets()[0] == 0 => Some(RefusedNetwork::Unspecified),
        IpAddr::V4(v4) if v4.is_link_local() => Some(RefusedNetwork::LinkLocal),
        IpAddr::V6(v6) if v6.is_unicast_link_local() => Some(RefusedNetwork::LinkLocal),
        IpAddr::V4(v4) if METADATA_V4.contains(&v4) => Some(RefusedNetwork::Metadata),
        IpAddr::V6(v6) if is_metadata(v6) => Some(RefusedNetwork::Metadata),
        _ => None,
    }
}

/// Metadata services that are not on link-local addresses: of Alibaba Cloud, of Azure's hosts, of Oracle Cloud.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// The network of AWS's instance services, where also the agent is that gives pods their credentials; those of Google Cloud and of
/// Scaleway.
fn is_metadata(address: Ipv6Addr) -> bool {
    matches!(
        address.segments(),
        [0xfd00, 0xec2, ..]
            | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254]
            | [0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42]
    )
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests;
