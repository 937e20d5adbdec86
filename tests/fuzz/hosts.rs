//! Lists of hosts that a secret may be sent to: lines `hosts: …` and `url: …`.

use std::net::Ipv6Addr;

use cube_operator::oauth::{endpoint::Endpoint, hosts::HostList};

use super::input::Input;

pub(crate) fn holds(bytes: &[u8]) {
    let input = Input::read(bytes);
    let text = input.get("hosts").unwrap_or_default();
    let entries: Vec<&str> = text
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .collect();
    let list = match HostList::parse(text) {
        Ok(list) => list,
        Err(entry) => return assert!(entries.contains(&entry.as_str()), "{entry}"),
    };
    for entry in &entries {
        let (host, port) = host_and_port(entry);
        assert!(
            !host.contains(['/', '\\', '@', '*', '?', '#', '%', ' ']),
            "{entry}"
        );
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        allows(&list, &format!("https://{host}{port}/"), Some(true));
    }
    let url = input.get("url").unwrap_or_default();
    if let Ok(endpoint) = Endpoint::parse(url) {
        let listed = entries.iter().any(|entry| is_for(entry, &endpoint));
        allows(&list, url, Some(listed));
        let reversed = entries.iter().rev().copied().collect::<Vec<_>>().join(" ,");
        let reversed = HostList::parse(&reversed).expect("the same entries");
        allows(&reversed, url, Some(listed));
    }
}

fn allows(list: &HostList, url: &str, expected: Option<bool>) {
    let allowed = Endpoint::parse(url)
        .ok()
        .map(|endpoint| list.allows(&endpoint));
    assert_eq!(allowed, expected, "{url}");
}

/// An entry, and the text after its last colon if that is no part of an address.
fn host_and_port(entry: &str) -> (String, Option<&str>) {
    if entry.parse::<Ipv6Addr>().is_ok() {
        return (format!("[{entry}]"), None);
    }
    match entry.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host.to_owned(), Some(port)),
        _ => (entry.to_owned(), None),
    }
}

/// Whether it means this endpoint, by the words of `docs/token-hosts.md`: `host` for every port, or `host:port`.
fn is_for(entry: &str, endpoint: &Endpoint) -> bool {
    let (host, port) = host_and_port(entry);
    let same_host = Endpoint::parse(&format!("https://{host}/"))
        .is_ok_and(|listed| listed.host() == endpoint.host());
    let same_port = port.is_none_or(|port| {
        port.parse() == Ok(endpoint.url().port_or_known_default().unwrap_or_default())
    });
    same_host && same_port
}
