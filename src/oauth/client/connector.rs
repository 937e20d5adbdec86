//! The HTTP client of one exchange: where it connects to, and whom it trusts.
//!
//! Each exchange has a client of its own. A stale keep-alive connection looks like a lost response, a retry inside the client would
//! send a refresh token twice, and a followed redirect would replay the client secret.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use reqwest::{redirect, retry};
use rustls::{ClientConfig, client::danger::ServerCertVerifier};
use tokio::{select, time::sleep};

use super::{
    classify::{self, Facts},
    error::{
        CONNECTION_SECONDS, HANDSHAKE_SECONDS, NetworkError, PROXY_SECONDS, ProxyFault, Unreachable,
    },
    observer::Observer,
    proxy::{Proxy, ProxyResolver},
    tunnel,
    verifier::Verifier,
};
use crate::oauth::{endpoint::Endpoint, networks::Address};

/// The most header lines of a response: as many as curl reads. The HTTP client limits their size to about 400 KiB.
const MOST_HEADERS: usize = 5_000;

/// How an exchange gets to its endpoint.
pub(super) enum Way {
    /// To this address.
    Direct(SocketAddr),
    /// The proxy looks up the endpoint's name, and connects to it.
    Proxied(Proxy),
}

/// A client for one request.
pub(in crate::oauth) struct Connector {
    pub(in crate::oauth) http: reqwest::Client,
    endpoint: Endpoint,
    way: Way,
    observer: Observer,
    verifier: Arc<Verifier>,
}

impl Connector {
    /// A client that connects in this way, and trusts what `verifier` trusts. `witness` verifies in its place.
    pub(super) fn new(
        endpoint: &Endpoint,
        way: Way,
        verifier: Arc<Verifier>,
        witness: Option<Arc<dyn ServerCertVerifier>>,
    ) -> Result<Self, NetworkError> {
        let observer = Observer::default();
        let mut tls = ClientConfig::builder()
            .dangerous()
            .with_custom_certificate_verifier(witness.unwrap_or_else(|| verifier.clone()))
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        observer.observe(&mut tls);
        let host = endpoint.host();
        let builder = builder().tls_backend_preconfigured(tls);
        let (limit, builder) = match way {
            Way::Proxied(_) => (PROXY_SECONDS, builder),
            Way::Direct(socket) => (
                HANDSHAKE_SECONDS,
                builder.resolve_to_addrs(&host, &[socket]),
            ),
        };
        let http = builder
            .dns_resolver(ProxyResolver { token_host: host })
            .connect_timeout(Duration::from_secs(limit))
            .build()
            .map_err(|_| NetworkError::NoTlsClient)?;
        Ok(Self {
            http,
            endpoint: endpoint.clone(),
            way,
            observer,
            verifier,
        })
    }

    /// Sends a request, and waits for the head of its response.
    pub(in crate::oauth) async fn send(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, NetworkError> {
        let error = select! {
            response = request.send() => match response {
                Ok(response) => return Ok(response),
                Err(error) => self.classify(&error),
            },
            () = self.not_opened() => NetworkError::Unreachable {
                endpoint: self.endpoint.authority(),
                cause: Unreachable::NoConnection,
            },
        };
        Err(self.with_status(error).await)
    }

    /// Whether the server asked for a client certificate, and got none.
    pub(super) fn wants_certificate(&self) -> bool {
        self.observer.certificate_wanted()
    }

    pub(in crate::oauth) fn classify(&self, error: &reqwest::Error) -> NetworkError {
        let proxy = match &self.way {
            Way::Direct(_) => None,
            Way::Proxied(proxy) => Some(proxy.authority()),
        };
        let facts = Facts {
            endpoint: &self.endpoint.authority(),
            proxy: proxy.as_deref(),
            untrusted: self.verifier.refused(),
            certificate_wanted: self.observer.certificate_wanted(),
        };
        classify::http(error, facts)
    }

    /// The same error with the status with which a proxy refuses.
    async fn with_status(&self, error: NetworkError) -> NetworkError {
        match (&self.way, error) {
            (
                Way::Proxied(through),
                NetworkError::Proxy {
                    proxy,
                    cause: ProxyFault::Refused { endpoint, .. },
                },
            ) => {
                let status = tunnel::refusal(through, &self.endpoint).await;
                let cause = ProxyFault::Refused { endpoint, status };
                NetworkError::Proxy { proxy, cause }
            }
            (_, error) => error,
        }
    }

    /// Ends when it took too long to open the connection, and never if it is open in time.
    async fn not_opened(&self) {
        if let Way::Direct(_) = self.way {
            sleep(Duration::from_secs(CONNECTION_SECONDS)).await;
            if !self.observer.has_begun() {
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
