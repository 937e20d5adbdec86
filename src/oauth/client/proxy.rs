//! The proxy of an exchange, as the environment names it by the rules of curl.

use std::env;

use hyper::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use super::error::ProxyVariableError;
use crate::oauth::endpoint::Endpoint;

/// The variables that may name the proxy of an HTTPS request, in the order in which they count: of each pair the first that is set.
const VARIABLES: [[&str; 2]; 2] = [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]];

/// Checks the variables that name proxies. One that cannot be read would be ignored, and no proxy used.
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
        format!(
            "{}:{}",
            self.0.uri().host().unwrap_or_default(),
            self.port()
        )
    }

    /// The host without brackets.
    pub(super) fn host(&self) -> &str {
        let host = self.0.uri().host().unwrap_or_default();
        host.trim_matches(['[', ']'])
    }

    pub(super) fn port(&self) -> u16 {
        let default = if self.is_tls() { 443 } else { 80 };
        self.0.uri().port_u16().unwrap_or(default)
    }

    /// Returns whether the connection to the proxy itself is encrypted.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_that_would_be_ignored_is_known() {
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
