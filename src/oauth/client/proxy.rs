//! The proxy of an exchange, as the environment names it. The HTTP client uses the same rules.

use std::env;

use hyper::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::error::ProxyVariableError;
use crate::oauth::endpoint::Endpoint;

/// The variables that may name the proxy of an HTTPS request, in the order in which they count: of each pair the first that is set.
const VARIABLES: [[&str; 2]; 2] = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];

/// Checks the variables that name proxies. The HTTP client would ignore one that it cannot read, and connect without a proxy.
///
/// # Errors
/// If one of them cannot be used.
pub(crate) fn check_variables() -> Result<(), ProxyVariableError> {
    for pair in VARIABLES {
        let set = pair
            .into_iter()
            .find_map(|name| Some((name, env::var_os(name)?)));
        let Some((name, value)) = set.filter(|(_, value)| !value.is_empty()) else {
            continue;
        };
        match scheme(value.to_str()).as_deref() {
            Some("http" | "https") => {}
            Some(scheme) if scheme.starts_with("socks") => {
                return Err(ProxyVariableError::Socks(name));
            }
            _ => return Err(ProxyVariableError::Unreadable(name)),
        }
    }
    Ok(())
}

/// The scheme of a proxy; `None`: it cannot be read.
fn scheme(value: Option<&str>) -> Option<String> {
    let uri: Uri = value?.parse().ok()?;
    uri.authority()?;
    Some(uri.scheme_str().unwrap_or("http").to_ascii_lowercase())
}

/// The proxy that requests to an endpoint go through.
#[derive(Clone)]
pub(in crate::oauth) struct Proxy(Intercept);

impl Proxy {
    pub(in crate::oauth) fn of(endpoint: &Endpoint) -> Option<Self> {
        let destination = endpoint.url().as_str().parse().ok()?;
        Matcher::from_system().intercept(&destination).map(Self)
    }

    /// `host:port`. The rest of the URI is left out, because it may hold a password.
    pub(in crate::oauth) fn authority(&self) -> String {
        let uri = self.0.uri();
        let default = if self.is_tls() { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default);
        format!("{}:{port}", uri.host().unwrap_or_default())
    }

    /// Whether the connection to the proxy itself is encrypted.
    pub(super) fn is_tls(&self) -> bool {
        self.0.uri().scheme_str() == Some("https")
    }

    /// The value of the header Proxy-Authorization.
    pub(super) fn authorization(&self) -> Option<&[u8]> {
        self.0.basic_auth().map(hyper::http::HeaderValue::as_bytes)
    }
}

/// The proxy that requests to this endpoint go through, as `host:port`.
#[must_use]
pub(crate) fn proxy(endpoint: &Endpoint) -> Option<String> {
    Proxy::of(endpoint).map(|proxy| proxy.authority())
}

/// Resolves the name of a proxy as the system does: the operator's installer chose it.
pub(super) struct ProxyResolver {
    pub(super) token_host: String,
}

impl Resolve for ProxyResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        // The addresses of the token endpoint were looked up and checked before. Should the HTTP client ask for them nevertheless,
        // it gets none that were not checked.
        let refused = host == self.token_host;
        Box::pin(async move {
            if refused {
                return Err("the name of the token endpoint is not looked up again".into());
            }
            let found: Vec<_> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_http_client_gets_no_address_of_the_token_endpoint_that_was_not_checked() {
        for (token_host, resolves) in [("localhost", false), ("example.com", true)] {
            let resolver = ProxyResolver {
                token_host: token_host.into(),
            };
            let found = resolver.resolve("localhost".parse().unwrap()).await;
            assert_eq!(found.is_ok(), resolves, "{token_host}");
        }
    }

    #[test]
    fn a_proxy_that_the_http_client_would_ignore_is_known() {
        for (value, expected) in [
            ("http://proxy:3128", Some("http")),
            ("HTTP://user:p%40ss@proxy", Some("http")),
            ("https://proxy", Some("https")),
            ("proxy:3128", Some("http")),
            ("proxy", Some("http")),
            ("socks5h://proxy:1080", Some("socks5h")),
            ("http://user:p ss@proxy", None),
            ("/path", None),
        ] {
            assert_eq!(scheme(Some(value)).as_deref(), expected, "{value}");
        }
    }
}
