//! The HTTP client of one exchange: where it connects to, and whom it trusts.
//!
//! Each exchange has a client of its own. A stale keep-alive connection looks like a lost response, a retry inside the client would
//! send a refresh token twice, and a followed redirect would replay the client secret.

use std::{net::SocketAddr, time::Duration};

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{
    dns::{Addrs, Name, Resolve, Resolving},
    redirect, retry,
};
use rustls::ClientConfig;
use tokio::{select, time::sleep};

use super::{
    classify,
    error::{CONNECTION_SECONDS, HANDSHAKE_SECONDS, NetworkError, PROXY_SECONDS, Unreachable},
    opened::Opened,
};
use crate::oauth::{endpoint::Endpoint, networks::Address};

/// The most header lines of a response: as many as curl reads. The HTTP client limits their size to about 400 KiB.
const MOST_HEADERS: usize = 5_000;

/// How an exchange gets to its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Direct,
    /// The proxy looks up the endpoint's name, and connects to it.
    Proxied,
}

/// A client for one request.
pub(in crate::oauth) struct Connector {
    pub(in crate::oauth) http: reqwest::Client,
    endpoint: String,
    way: Way,
    opened: Opened,
}

/// The proxy that requests to this endpoint go through, as `host:port`. The HTTP client uses the same rules.
#[must_use]
pub(crate) fn proxy(endpoint: &Endpoint) -> Option<String> {
    let destination = endpoint.url().as_str().parse().ok()?;
    let proxy = Matcher::from_system().intercept(&destination)?;
    let proxy = proxy.uri();
    let default = if proxy.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    // The rest of the URI is left out, because it may hold a password.
    Some(format!(
        "{}:{}",
        proxy.host()?,
        proxy.port_u16().unwrap_or(default)
    ))
}

impl Connector {
    /// A client with this TLS configuration that connects to these addresses of the endpoint; `None`: through the proxy.
    pub(super) fn new(
        endpoint: &Endpoint,
        addresses: Option<&[SocketAddr]>,
        mut tls: ClientConfig,
    ) -> Result<Self, NetworkError> {
        let opened = Opened::default();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        tls.resumption = opened.resumption();
        let host = endpoint.host();
        let builder = builder().tls_backend_preconfigured(tls);
        let (way, limit, builder) = match addresses {
            None => (Way::Proxied, PROXY_SECONDS, builder),
            Some(addresses) => {
                let builder = builder.resolve_to_addrs(&host, addresses);
                (Way::Direct, HANDSHAKE_SECONDS, builder)
            }
        };
        let http = builder
            .dns_resolver(ProxyResolver { token_host: host })
            .connect_timeout(Duration::from_secs(limit))
            .build()
            .map_err(|_| NetworkError::NoTlsClient)?;
        Ok(Self {
            http,
            endpoint: endpoint.authority(),
            way,
            opened,
        })
    }

    /// Sends a request, and waits for the head of its response.
    pub(in crate::oauth) async fn send(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, NetworkError> {
        select! {
            response = request.send() => response.map_err(|error| self.classify(&error)),
            () = self.not_opened() => Err(NetworkError::Unreachable {
                endpoint: self.endpoint.clone(),
                cause: Unreachable::NoConnection,
            }),
        }
    }

    pub(in crate::oauth) fn classify(&self, error: &reqwest::Error) -> NetworkError {
        let timed_out = match self.way {
            Way::Direct => Unreachable::HandshakeTimedOut,
            Way::Proxied => Unreachable::NoProxiedConnection,
        };
        classify::http(error, &self.endpoint, timed_out)
    }

    /// Ends when it took too long to open the connection, and never if it is open in time.
    async fn not_opened(&self) {
        if self.way == Way::Direct {
            sleep(Duration::from_secs(CONNECTION_SECONDS)).await;
            if !self.opened.is_open() {
                return;
            }
        }
        std::future::pending::<()>().await;
    }
}

/// The sockets of the addresses that are not refused.
pub(in crate::oauth) fn usable(addresses: &[Address], port: u16) -> Vec<SocketAddr> {
    let allowed = addresses.iter().filter(|address| address.refused.is_none());
    allowed
        .map(|address| SocketAddr::new(address.ip, port))
        .collect()
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!(
            env!("CARGO_PKG_NAME"),
            "/",
            env!("CARGO_PKG_VERSION")
        ))
        .https_only(true)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .pool_max_idle_per_host(0)
        // A header line that nobody needs must not cost a response. Browsers and curl read such responses too.
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_max_headers(MOST_HEADERS)
}

/// Resolves the name of a proxy as the system does: the operator's installer chose it.
struct ProxyResolver {
    token_host: String,
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
}
