//! Which endpoints a client secret may be sent to: the shape of the URL, the host, and the network it is on.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::IpNet;
use thiserror::Error;
use url::{Host, Url};

/// Why a token URL is refused. Nothing was sent.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum EndpointError {
    #[error("tokenURL is not a URL: {0}")]
    NotAUrl(url::ParseError),
    #[error("tokenURL must start with https:// in lower case")]
    NotHttps,
    #[error("tokenURL must not contain a blank, a backslash or a control character")]
    BadCharacter,
    #[error("tokenURL must not contain a user or password")]
    UserInfo,
    #[error("tokenURL must not contain a fragment (#...)")]
    Fragment,
    #[error("tokenURL names no host")]
    NoHost,
    #[error("tokenURL has a character in its host that no host name has")]
    NotAHost,
}

/// A token endpoint whose URL is safe to send a secret to. Its text is kept as written.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// Without the query, which may hold a secret.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({}{})", self.authority(), self.0.path())
    }
}

impl Endpoint {
    /// Reads a token URL. The API server checks most of this at admission; an older CRD may not have.
    ///
    /// # Errors
    /// Says what to write instead.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        if !text.starts_with("https://") {
            return Err(EndpointError::NotHttps);
        }
        // `Url` drops blanks wherever they stand, and takes backslashes for slashes.
        if text.contains(|c: char| c.is_ascii_whitespace() || c.is_control() || c == '\\') {
            return Err(EndpointError::BadCharacter);
        }
        let url = Url::parse(text).map_err(EndpointError::NotAUrl)?;
        // `Url` forgets an empty user: the text shows it, behind the further slashes that `Url` passes over.
        let rest = text["https:".len()..].trim_start_matches('/');
        let authority = rest.split(['/', '?', '#']).next();
        let user = authority.is_some_and(|authority| authority.contains('@'));
        if user || !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(EndpointError::Fragment);
        }
        match url.host() {
            None | Some(Host::Domain("")) => Err(EndpointError::NoHost),
            Some(Host::Domain(name)) if !name.bytes().all(is_of_a_name) => {
                Err(EndpointError::NotAHost)
            }
            _ => Ok(Self(url)),
        }
    }

    /// The URL to send to. Its query may hold a secret: it belongs in a request and nowhere else.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// `host` or `host:port`, for messages.
    #[must_use]
    pub fn authority(&self) -> String {
        self.0.authority().to_owned()
    }

    /// The host without brackets.
    #[must_use]
    pub fn host(&self) -> String {
        self.0
            .host_str()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_owned()
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(443)
    }
}

/// `Url` takes more than that; the HTTP client does not.
fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._".contains(&byte)
}

/// A list of hosts that is the only place something may be sent to: `host` (any port) or `host:port`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostList(Vec<(String, Option<u16>)>);

impl HostList {
    /// Reads entries separated by commas. Blanks around an entry are ignored; there are no wildcards.
    ///
    /// # Errors
    /// Returns the entry that is neither `host` nor `host:port`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let entries = text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty());
        entries
            .map(|entry| host_entry(entry).ok_or_else(|| entry.to_owned()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether this list has the host of `endpoint`.
    #[must_use]
    pub fn permits(&self, endpoint: &Endpoint) -> bool {
        let host = endpoint.host();
        self.0
            .iter()
            .any(|(name, port)| *name == host && port.is_none_or(|port| port == endpoint.port()))
    }
}

/// `Url` does the normalisation (case, IDNA, IPv6), so that an entry compares like the token URL's own host.
fn host_entry(entry: &str) -> Option<(String, Option<u16>)> {
    if entry.contains(['/', '\\', '@', '?', '#', '*', '%']) {
        return None;
    }
    let bare_ipv6 = entry.parse::<std::net::Ipv6Addr>().is_ok();
    let text = if bare_ipv6 {
        format!("https://[{entry}]")
    } else {
        format!("https://{entry}")
    };
    let endpoint = Endpoint::parse(&text).ok()?;
    // Not from `Url`, which drops the default port: "host:443" must not match other ports.
    let port = match entry.rsplit_once(':') {
        Some((_, port)) if !bare_ipv6 && !port.ends_with(']') => Some(port.parse().ok()?),
        _ => None,
    };
    Some((endpoint.host(), port))
}

/// The networks that token endpoints may be on, although they are refused by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Permits these networks besides all ordinary ones.
    #[must_use]
    pub fn allowing(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Why an endpoint is refused by its host alone: an address, or a name that always means loopback (RFC 6761, 6.3).
    ///
    /// All other names are left to the resolver. It is not asked where a proxy resolves the name.
    #[must_use]
    pub fn refusal_of_host(&self, endpoint: &Endpoint) -> Option<&'static str> {
        match endpoint.0.host()? {
            Host::Ipv4(address) => self.refusal(address.into()),
            Host::Ipv6(address) => self.refusal(address.into()),
            Host::Domain(name) if is_localhost(name) => self
                .refusal(Ipv4Addr::LOCALHOST.into())
                .and(self.refusal(Ipv6Addr::LOCALHOST.into())),
            Host::Domain(_) => None,
        }
    }

    /// Why an address is refused, or `None` if it is permitted.
    ///
    /// Whoever writes a `CubeCredential` chooses the URL, so an address that means "the operator's own host or node" is
    /// refused: it would let them reach what only the operator can.
    #[must_use]
    pub fn refusal(&self, address: IpAddr) -> Option<&'static str> {
        let address = address.to_canonical();
        if self.0.iter().any(|network| network.contains(&address)) {
            return None;
        }
        match address {
            _ if address.is_loopback() => Some("loopback"),
            _ if address.is_unspecified() => Some("unspecified"),
            _ if address.is_multicast() => Some("multicast"),
            IpAddr::V4(Ipv4Addr::BROADCAST) => Some("broadcast"),
            IpAddr::V4(v4) if v4.octets()[0] == 0 => Some("unspecified"),
            IpAddr::V4(v4) if v4.is_link_local() => Some("link-local"),
            IpAddr::V6(v6) if v6.is_unicast_link_local() => Some("link-local"),
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

    #[test]
    fn a_token_url_is_https_without_user_or_fragment() {
        for (text, error) in [
            ("http://example.com/", EndpointError::NotHttps),
            ("HTTPS://example.com/", EndpointError::NotHttps),
            ("https://user:pass@example.com/", EndpointError::UserInfo),
            ("https://@example.com/", EndpointError::UserInfo),
            ("https:///user@example.com/", EndpointError::UserInfo),
            ("https:////@example.com/", EndpointError::UserInfo),
            ("https://example.com\\@x/", EndpointError::BadCharacter),
            ("https://\t/@example.com/", EndpointError::BadCharacter),
            ("https://exa\nmple.com/", EndpointError::BadCharacter),
            ("https://example.com/ ", EndpointError::BadCharacter),
            ("https://{example}.com/", EndpointError::NotAHost),
            ("https://ex*mple.com/", EndpointError::NotAHost),
            ("https://example.com/#x", EndpointError::Fragment),
            (
                "https://",
                EndpointError::NotAUrl(url::ParseError::EmptyHost),
            ),
            (
                "https://example.com:99999/",
                EndpointError::NotAUrl(url::ParseError::InvalidPort),
            ),
        ] {
            assert_eq!(Endpoint::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn an_at_sign_behind_the_host_is_no_user() {
        for text in [
            "https://example.com/users/@me",
            "https://example.com?to=a@b",
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().authority(), "example.com");
        }
    }

    #[test]
    fn the_query_and_a_trailing_slash_are_kept_as_written() {
        let endpoint = Endpoint::parse("https://example.com/o/token/?tenant=A%20b").unwrap();
        assert_eq!(
            endpoint.url().as_str(),
            "https://example.com/o/token/?tenant=A%20b"
        );
    }

    #[test]
    fn a_bare_host_permits_any_port_and_a_host_with_a_port_only_that_one() {
        let list =
            HostList::parse("a.example, b.example:8443,c.example:443,d.example:0443, ::1, [::2]:9")
                .unwrap();
        for (url, permitted) in [
            ("https://a.example/", true),
            ("https://A.EXAMPLE:9/", true),
            ("https://b.example:8443/", true),
            ("https://b.example/", false),
            ("https://c.example/", true),
            ("https://c.example:444/", false),
            ("https://d.example/", true),
            ("https://d.example:444/", false),
            ("https://x.a.example/", false),
            ("https://[::1]:7/", true),
            ("https://[::2]:9/", true),
            ("https://[::2]/", false),
        ] {
            assert_eq!(
                list.permits(&Endpoint::parse(url).unwrap()),
                permitted,
                "{url}"
            );
        }
        assert_eq!(
            HostList::parse("a.example, *.example"),
            Err("*.example".into())
        );
        assert_eq!(
            HostList::parse("https://a.example"),
            Err("https://a.example".into())
        );
        for entry in [
            "a.example:",
            "a.example:x",
            "a.example:+1",
            "a.example\\b",
            "%61.example",
        ] {
            assert_eq!(HostList::parse(entry), Err(entry.into()));
        }
        assert!(
            !HostList::parse("")
                .unwrap()
                .permits(&Endpoint::parse("https://a.example").unwrap())
        );
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
            assert_eq!(none.refusal(address.parse().unwrap()), refusal, "{address}");
        }
        let loopback = Networks::allowing(vec!["127.0.0.0/8".parse().unwrap()]);
        assert_eq!(loopback.refusal("127.0.0.1".parse().unwrap()), None);
        assert_eq!(loopback.refusal("::ffff:127.0.0.1".parse().unwrap()), None);
        assert_eq!(loopback.refusal("::1".parse().unwrap()), Some("loopback"));
    }
}
