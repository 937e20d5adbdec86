//! The network side of one exchange: one request on a fresh connection, never repeated, limited in time and size.

pub(in crate::oauth) mod classify;
pub mod error;
mod resolver;

use std::time::Duration;

use reqwest::{Certificate, header, redirect, retry, tls};
use secrecy::{ExposeSecret, SecretString};

use self::{error::NetworkError, resolver::Resolver};
use super::{
    ca_bundle::{self, CaBundleError},
    endpoint::Endpoint,
    networks::Networks,
    request::TokenRequest,
    response::{Body, Response},
};

/// The limit for name resolution, connecting and the TLS handshake.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The limit for the whole exchange. Real servers hash the secret: 0.2–0.6 s is normal.
pub const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes of a body that are read, after decompression.
const LARGEST_BODY: usize = 256 * 1024;

/// Sends token requests.
#[derive(Clone, Debug)]
pub struct TokenClient {
    pub(super) networks: Networks,
    pub(super) exchange_timeout: Duration,
}

impl TokenClient {
    /// A client that reaches ordinary networks and these.
    #[must_use]
    pub fn new(networks: Networks) -> Self {
        Self {
            networks,
            exchange_timeout: EXCHANGE_TIMEOUT,
        }
    }

    /// The same client with another limit for the whole exchange, for tests with a slow server.
    #[must_use]
    pub fn with_timeout(self, exchange_timeout: Duration) -> Self {
        Self {
            exchange_timeout,
            ..self
        }
    }

    /// Sends one request and reads its response.
    ///
    /// # Errors
    /// The error says whether the request may have arrived: [`NetworkError::outcome_unknown`].
    pub async fn send(&self, request: &TokenRequest) -> Result<Response, NetworkError> {
        self.post(
            &request.endpoint,
            request.ca_bundle.as_deref(),
            request.ca_bundle_replaces_roots,
            &request.body(),
            request.authorization(),
        )
        .await
    }

    pub(super) async fn post(
        &self,
        endpoint: &Endpoint,
        ca_bundle: Option<&str>,
        replaces_roots: bool,
        form: &SecretString,
        authorization: Option<SecretString>,
    ) -> Result<Response, NetworkError> {
        self.check_network(endpoint)?;
        let mut post = self
            .connector(endpoint, ca_bundle, replaces_roots)?
            .post(endpoint.url().clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .header(header::ACCEPT_ENCODING, "identity")
            .body(form.expose_secret().to_owned());
        if let Some(authorization) = authorization {
            post = post.header(
                header::AUTHORIZATION,
                sensitive(authorization.expose_secret())?,
            );
        }
        let authority = endpoint.authority();
        let classify = |error| classify::http(&error, &authority, self.exchange_timeout);
        let response = post.send().await.map_err(classify)?;
        read(response).await.map_err(classify)
    }

    /// Checks by its host alone that an endpoint is on a network that is allowed. The resolver checks its addresses.
    ///
    /// # Errors
    /// [`NetworkError::RefusedNetwork`].
    pub(crate) fn check_network(&self, endpoint: &Endpoint) -> Result<(), NetworkError> {
        match self.networks.refusal_of_host(endpoint) {
            Some(network) => Err(NetworkError::RefusedNetwork {
                endpoint: endpoint.authority(),
                network,
            }),
            None => Ok(()),
        }
    }

    fn connector(
        &self,
        endpoint: &Endpoint,
        ca_bundle: Option<&str>,
        replaces_roots: bool,
    ) -> Result<reqwest::Client, NetworkError> {
        let roots = ca_bundle.map(certificates).transpose()?.unwrap_or_default();
        let builder = self.builder(endpoint);
        let builder = match (roots.is_empty(), replaces_roots) {
            (true, _) => builder,
            (false, true) => builder.tls_certs_only(roots),
            (false, false) => builder.tls_certs_merge(roots),
        };
        builder.build().map_err(|_| NetworkError::NoTlsClient)
    }

    /// Each exchange has an HTTP client of its own. A stale keep-alive connection looks like a lost response, a retry inside the
    /// client would send a refresh token twice, and a followed redirect would replay the client secret.
    pub(super) fn builder(&self, endpoint: &Endpoint) -> reqwest::ClientBuilder {
        let resolver = Resolver {
            token_host: endpoint.host(),
            networks: self.networks.clone(),
        };
        reqwest::Client::builder()
            .user_agent(concat!(
                env!("CARGO_PKG_NAME"),
                "/",
                env!("CARGO_PKG_VERSION")
            ))
            .https_only(true)
            .tls_version_min(tls::Version::TLS_1_2)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(self.exchange_timeout)
            .dns_resolver(resolver)
    }
}

/// The certificates of a PEM text, as the HTTP client reads them.
///
/// # Errors
/// If the text holds no certificate, or a block that cannot be read.
pub fn certificates(pem: &str) -> Result<Vec<Certificate>, CaBundleError> {
    let roots = ca_bundle::read(pem)?;
    roots
        .iter()
        .map(|der| Certificate::from_der(der))
        .collect::<Result<_, _>>()
        .map_err(|_| CaBundleError::NotPem)
}

/// A header value that no layer below prints.
fn sensitive(value: &str) -> Result<header::HeaderValue, NetworkError> {
    let value = header::HeaderValue::from_str(value);
    let mut value = value.map_err(|_| NetworkError::SecretNotSendable)?;
    value.set_sensitive(true);
    Ok(value)
}

async fn read(mut response: reqwest::Response) -> Result<Response, reqwest::Error> {
    let text = |name| {
        let value = response.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let head = Response {
        status: response.status().as_u16(),
        content_type: text(header::CONTENT_TYPE),
        location: text(header::LOCATION),
        retry_after: text(header::RETRY_AFTER),
        date: text(header::DATE),
        body: Body::TooLarge,
    };
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Ok(head);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response {
        body: Body::Complete(body),
        ..head
    })
}
