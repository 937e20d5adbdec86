//! Token URLs, as somebody wrote them into a spec.

use axum::http::Uri;
use cube_operator::oauth::{endpoint::Endpoint, hosts::HostList, networks::Networks};
use url::Host;

pub(crate) fn holds(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches('\n');
    match Endpoint::parse(text) {
        Ok(endpoint) => {
            may_get_a_secret(&endpoint, text);
            is_what_the_request_goes_to(&endpoint);
            is_kept_as_written(&endpoint, text);
            is_the_same_again(&endpoint);
        }
        Err(error) => {
            // It is shown, and the URL may hold a secret: only what we wrote ourselves.
            let shown = error.to_string();
            assert!(
                ["is not", "must ", "names ", "has "]
                    .iter()
                    .any(|start| shown.starts_with(start))
                    && shown.len() < 100,
                "{shown}"
            );
        }
    }
}

fn may_get_a_secret(endpoint: &Endpoint, text: &str) {
    let url = endpoint.url();
    assert!(
        text.starts_with("https://") && url.scheme() == "https",
        "{url}"
    );
    assert!(
        url.username().is_empty() && url.password().is_none(),
        "{url}"
    );
    let authority = text["https:".len()..].trim_start_matches('/');
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    assert!(!authority.contains('@'), "{text}");
    assert!(!text.contains([' ', '\t', '\r', '\n', '\\']), "{text}");
    assert_eq!(url.fragment(), None);
    assert!(!endpoint.host().is_empty());
    let shown = format!("{endpoint:?} {}", endpoint.authority());
    assert!(!shown.contains('?'), "the query is shown: {shown}");
    assert!(shown.bytes().all(|b| matches!(b, b' '..=b'~')), "{shown}");
}

/// The HTTP client reads the URL once more by other rules. The address that is checked is the one that is connected to.
fn is_what_the_request_goes_to(endpoint: &Endpoint) {
    let url = endpoint.url();
    let uri: Uri = url
        .as_str()
        .parse()
        .unwrap_or_else(|error| panic!("{url} cannot be sent to: {error}"));
    assert_eq!(uri.scheme_str(), Some("https"));
    let host = uri.host().unwrap_or_default();
    assert_eq!(host.trim_matches(['[', ']']), endpoint.host());
    assert_eq!(
        uri.port_u16().unwrap_or(443),
        url.port_or_known_default().unwrap_or_default()
    );
    assert_eq!(
        uri.authority().map(ToString::to_string),
        Some(endpoint.authority())
    );
    assert_eq!((uri.path(), uri.query()), (url.path(), url.query()));
    let networks = Networks::default();
    let refusal = networks.refusal_of_host(endpoint);
    match url.host() {
        Some(Host::Ipv4(v4)) => {
            assert_eq!(refusal, networks.refusal(v4.into()));
            assert_eq!(refusal, networks.refusal(v4.to_ipv6_mapped().into()));
        }
        Some(Host::Ipv6(v6)) => assert_eq!(refusal, networks.refusal(v6.into())),
        _ => assert!(refusal.is_none_or(|why| why.to_string() == "loopback")),
    }
}

/// Path and query, where they have neither characters that URLs cannot have nor steps such as `..`.
fn is_kept_as_written(endpoint: &Endpoint, text: &str) {
    let rest = &text["https://".len()..];
    let Some(start) = rest.find(['/', '?']).filter(|start| *start > 0) else {
        return;
    };
    let written = &rest[start..];
    let ordinary = |c: char| c.is_ascii_alphanumeric() || "-_~/?=&:;,+!".contains(c);
    if written.chars().all(ordinary) && rest[..start].chars().all(|c| c.is_ascii_graphic()) {
        let root = if written.starts_with('?') { "/" } else { "" };
        let url = endpoint.url().as_str();
        assert!(
            url.ends_with(&format!("{root}{written}")),
            "{text} became {url}"
        );
    }
}

fn is_the_same_again(endpoint: &Endpoint) {
    assert_eq!(
        Endpoint::parse(endpoint.url().as_str()),
        Ok(endpoint.clone())
    );
    let hosts = HostList::parse(&endpoint.authority()).expect("a host can be allowed");
    assert!(
        hosts.allows(endpoint),
        "{endpoint:?} is not in the list of its host"
    );
}
