//! The networks that a token endpoint may be on. Addresses of the operator's own host are refused by default.

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
    /// An address that means any address of the own host.
    #[error("unspecified")]
    Unspecified,
    /// Many hosts.
    #[error("multicast")]
    Multicast,
    /// All hosts of the own network.
    #[error("broadcast")]
    Broadcast,
    /// The own node, or the metadata service of a cloud.
    #[error("link-local")]
    LinkLocal,
}

/// An address of a token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address itself.
    pub ip: IpAddr,
    /// The network that it is on, if that is refused.
    pub refused: Option<RefusedNetwork>,
}

/// The networks that token endpoints may be on, although they are refused by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Allows these networks besides all ordinary ones.
    #[must_use]
    pub fn allowing(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Why an endpoint is refused by its host alone: an address, or a name that always means loopback (RFC 6761, 6.3).
    ///
    /// The resolver judges all other names. It is not asked where a proxy resolves the name.
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

    /// Why an address is refused, or `None` if it is allowed.
    ///
    /// The author of a `CubeCredential` chooses the URL. An address that means the operator's own host or node would let that
    /// person reach what only the operator can.
    #[must_use]
    pub fn refusal(&self, address: IpAddr) -> Option<RefusedNetwork> {
        let address = address.to_canonical();
        if self.0.iter().any(|network| network.contains(&address)) {
            return None;
        }
        match address {
            _ if address.is_loopback() => Some(RefusedNetwork::Loopback),
            _ if address.is_unspecified() => Some(RefusedNetwork::Unspecified),
            _ if address.is_multicast() => Some(RefusedNetwork::Multicast),
            IpAddr::V4(Ipv4Addr::BROADCAST) => Some(RefusedNetwork::Broadcast),
            IpAddr::V4(v4) if v4.octets()[0] == 0 => Some(RefusedNetwork::Unspecified),
            IpAddr::V4(v4) if v4.is_link_local() => Some(RefusedNetwork::LinkLocal),
            IpAddr::V6(v6) if v6.is_unicast_link_local() => Some(RefusedNetwork::LinkLocal),
            _ => None,
        }
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(refusal: Option<RefusedNetwork>) -> Option<String> {
        refusal.map(|network| network.to_string())
    }

    #[test]
    fn addresses_of_the_own_host_are_refused_unless_their_network_is_allowed() {
        let none = Networks::default();
        for (address, refusal) in [
            ("127.0.0.1", Some("loopback")),
            ("::ffff:127.0.0.1", Some("loopback")),
            ("::1", Some("loopback")),
            ("0.0.0.0", Some("unspecified")),
            ("0.1.2.3", Some("unspecified")),
            ("::", Some("unspecified")),
            ("169.254.169.254", Some("link-local")),
            ("fe80::1", Some("link-local")),
            ("224.0.0.1", Some("multicast")),
            ("ff02::1", Some("multicast")),
            ("255.255.255.255", Some("broadcast")),
            ("10.0.0.1", None),
            ("192.0.2.1", None),
            ("2001:db8::1", None),
        ] {
            assert_eq!(
                shown(none.refusal(address.parse().unwrap())),
                refusal.map(Into::into),
                "{address}"
            );
        }
        let loopback = Networks::allowing(vec!["127.0.0.0/8".parse().unwrap()]);
        assert_eq!(loopback.refusal("127.0.0.1".parse().unwrap()), None);
        assert_eq!(loopback.refusal("::ffff:127.0.0.1".parse().unwrap()), None);
        assert_eq!(
            shown(loopback.refusal("::1".parse().unwrap())),
            Some("loopback".into())
        );
    }
}
