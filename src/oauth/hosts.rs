//! The lists of hosts that tokens may be requested from. The operator's installer and the owner of each Secret may set one.

use super::endpoint::Endpoint;

/// The only hosts that a secret may be sent to: `host` (any port) or `host:port`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostList(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    host: String,
    /// `None`: any port.
    port: Option<u16>,
}

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

    /// Returns whether a secret may be sent to `endpoint`.
    #[must_use]
    pub fn allows(&self, endpoint: &Endpoint) -> bool {
        let host = endpoint.host();
        self.0.iter().any(|entry| {
            entry.host == host && entry.port.is_none_or(|port| port == endpoint.port())
        })
    }
}

/// `Url` normalises case, IDNA and IPv6, so that an entry compares like the token URL's own host.
fn host_entry(entry: &str) -> Option<Entry> {
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
    // The port is not taken from `Url`, which drops the default port: "host:443" must not match other ports.
    let port = match entry.rsplit_once(':') {
        Some((_, port)) if !bare_ipv6 && !port.ends_with(']') => Some(port.parse().ok()?),
        _ => None,
    };
    Some(Entry {
        host: endpoint.host(),
        port,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_host_allows_any_port_and_a_host_with_a_port_only_that_one() {
        let list =
            HostList::parse("a.example, b.example:8443,c.example:443,d.example:0443, ::1, [::2]:9")
                .unwrap();
        for (url, allowed) in [
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
                list.allows(&Endpoint::parse(url).unwrap()),
                allowed,
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
                .allows(&Endpoint::parse("https://a.example").unwrap())
        );
    }
}
