//! The HTTP request of an exchange. It is sent once, and a redirect is a response like others: to follow it would replay the
//! client secret.

use hyper::{
    Request, Response,
    body::Incoming,
    client::conn::http1::{self, SendRequest},
    header::{self, HeaderValue, InvalidHeaderValue},
};
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite};
use url::Position;

use super::error::{NetworkError, NoResponse};
use crate::oauth::endpoint::Endpoint;

pub(super) const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// The most header lines of a response: as many as curl reads. The HTTP library limits their size to about 400 KiB.
const MOST_HEADERS: usize = 5_000;

/// The beginning of a response.
pub(super) struct Head {
    pub(super) response: Response<Incoming>,
    /// The connection ends when this is dropped.
    pub(super) connection: SendRequest<String>,
}

/// Sends a request, and waits for the head of its response.
pub(super) async fn send(
    connection: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<String>,
) -> hyper::Result<Head> {
    let (mut sender, connection) = settings().handshake(TokioIo::new(connection)).await?;
    // Its errors also end the request or the body, where they are handled.
    tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    Ok(Head {
        response,
        connection: sender,
    })
}

fn settings() -> http1::Builder {
    let mut settings = http1::Builder::new();
    // A header line that nobody needs must not cost a response. Browsers and curl read such responses too.
    settings
        .ignore_invalid_headers_in_responses(true)
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .max_headers(MOST_HEADERS);
    settings
}

/// A POST of this form.
///
/// # Errors
/// If a header cannot hold the secret.
pub(super) fn post(
    endpoint: &Endpoint,
    form: &SecretString,
    authorization: Option<&SecretString>,
) -> Result<Request<String>, NetworkError> {
    let mut post = Request::post(&endpoint.url()[Position::BeforePath..])
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json")
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::HOST, endpoint.authority());
    if let Some(authorization) = authorization {
        let value = sensitive(authorization.expose_secret());
        let value = value.map_err(|_| NetworkError::SecretNotSendable)?;
        post = post.header(header::AUTHORIZATION, value);
    }
    post.body(form.expose_secret().to_owned())
        .map_err(|_| NetworkError::NoResponse {
            endpoint: endpoint.authority(),
            cause: NoResponse::Incomplete,
        })
}

/// A header value that no layer below prints.
fn sensitive(value: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_str(value)?;
    value.set_sensitive(true);
    Ok(value)
}

/// `host:port`, with the port 443 too.
pub(super) fn host_and_port(endpoint: &Endpoint) -> String {
    let host = endpoint.url().host_str().unwrap_or_default();
    format!("{host}:{}", endpoint.port())
}
