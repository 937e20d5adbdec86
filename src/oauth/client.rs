//! The network side of one exchange: one request on a fresh connection, never repeated, limited in time and size.

mod handshake;
mod resolver;
mod route;
mod trouble;

use std::time::Duration;

use reqwest::{Certificate, header, redirect, retry, tls};
use secrecy::{ExposeSecret, SecretString};

use super::{
    authorities,
    endpoint::{Endpoint, Networks},
    request::TokenRequest,
    response::{Body, Response, TokenError},
};
use crate::api::Reason;
pub use handshake::Handshake;
use resolver::Resolver;
pub use route::Address;

/// Finding the host, connecting and the TLS handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The whole exchange. Real servers hash the secret: 0.2–0.6 s is normal.
pub const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes of a body that are read, after decompression.
const LARGEST_BODY: usize = 256 * 1024;

/// Sends token requests.
#[derive(Clone, Debug)]
pub struct TokenClient {
    networks: Networks,
    exchange_timeout: Duration,
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

    /// With another limit for the whole exchange: for tests of what a slow server does.
    #[must_use]
    pub fn with_timeout(self, exchange_timeout: Duration) -> Self {
        Self {
            exchange_timeout,
            ..self
        }
    }

    /// Sends one request and reads its answer.
    ///
    /// # Errors
    /// The refusal says how far it came: nothing was sent (`HostNotAllowed`, `CABundleInvalid`, `TLSUntrusted`, `Unreachable`)
    /// or it may have arrived (`NoResponse`).
    pub async fn send(&self, request: &TokenRequest) -> Result<Response, TokenError> {
        self.post(
            &request.endpoint,
            request.ca_bundle.as_deref(),
            &request.body(),
            request.authorization(),
        )
        .await
    }

    async fn post(
        &self,
        endpoint: &Endpoint,
        ca_bundle: Option<&str>,
        form: &SecretString,
        authorization: Option<SecretString>,
    ) -> Result<Response, TokenError> {
        self.permit(endpoint)?;
        let mut post = self
            .connector(endpoint, ca_bundle)?
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
        let limit = self.exchange_timeout;
        let describe =
            |error: &reqwest::Error| trouble::describe(error, &endpoint.authority(), limit);
        let response = post.send().await.map_err(|error| describe(&error))?;
        read(response).await.map_err(|error| describe(&error))
    }

    /// Whether the host of an endpoint may be asked at all; the resolver asks the same of its addresses.
    ///
    /// # Errors
    /// `HostNotAllowed`.
    pub fn permit(&self, endpoint: &Endpoint) -> Result<(), TokenError> {
        match self.networks.refusal_of_host(endpoint) {
            Some(why) => Err(trouble::refused_network(&endpoint.authority(), why)),
            None => Ok(()),
        }
    }

    fn connector(
        &self,
        endpoint: &Endpoint,
        ca_bundle: Option<&str>,
    ) -> Result<reqwest::Client, TokenError> {
        let roots = ca_bundle.map(authorities).transpose()?.unwrap_or_default();
        let builder = self.builder(endpoint);
        let builder = if roots.is_empty() {
            builder
        } else {
            builder.tls_certs_merge(roots)
        };
        builder.build().map_err(|_| unusable_authorities())
    }

    /// A client of its own for each exchange. A stale keep-alive connection looks like a lost answer, a retry inside the
    /// client would send a refresh token twice, a followed redirect would replay the client secret.
    fn builder(&self, endpoint: &Endpoint) -> reqwest::ClientBuilder {
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

fn unusable_authorities() -> TokenError {
    let what =
        "no TLS client could be made: the system's certificates or the CA bundle cannot be used";
    TokenError::new(Reason::CABundleInvalid, what)
}

/// The certificates of a PEM text.
///
/// # Errors
/// A refusal if it holds none, or something that is no certificate.
pub fn authorities(pem: &str) -> Result<Vec<Certificate>, TokenError> {
    let invalid = |what: String| TokenError::new(Reason::CABundleInvalid, what);
    let roots = authorities::read(pem).map_err(|error| invalid(error.to_string()))?;
    roots
        .iter()
        .map(|der| Certificate::from_der(der))
        .collect::<Result<_, _>>()
        .map_err(|_| invalid("the CA bundle is not valid PEM".into()))
}

/// Marked so that no layer below prints it.
fn sensitive(value: &str) -> Result<header::HeaderValue, TokenError> {
    let mut value = header::HeaderValue::from_str(value).map_err(|_| {
        TokenError::new(
            Reason::ClientSecretMalformed,
            "the client secret does not fit into a header",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

async fn read(mut response: reqwest::Response) -> Result<Response, reqwest::Error> {
    let text = |name| {
        let value = response.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let answer = Response {
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
            return Ok(answer);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response {
        body: Body::Complete(body),
        ..answer
    })
}
