//! The HTTP request of an exchange. It is sent once, and a redirect is a response like others: to follow it would replay the
//! client secret.

use hyper::{
    Method, Request, Response,
    body::Incoming,
    client::conn::http1::{self, SendRequest},
    header::{self, HeaderValue, InvalidHeaderValue},
    http::request::Builder,
};
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite};
use url::Position;

use super::error::{NetworkError, NoResponse};
use crate::{
    api::ProbeMethod,
    oauth::{endpoint::Endpoint, probe::ProbeRequest},
};

pub(super) const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// The most header lines of a response that may bring the only copy of a refresh token: as many as curl reads. The HTTP library
/// limits their size to about 400 KiB.
const MOST_HEADERS: usize = 5_000;

/// The most header lines of other responses. The HTTP library reserves memory for all of them, and above a few thousand the
/// allocator gets it from the system for each response, and gives it back.
const MOST_HEADERS_OF_OTHERS: usize = 1_000;

/// The most bytes of the head of an API's response. Nothing but its status is needed.
const LARGEST_HEAD: usize = 64 * 1024;

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
    settings: &http1::Builder,
) -> hyper::Result<Head> {
    let (mut sender, connection) = settings.handshake(TokioIo::new(connection)).await?;
    // Its errors also end the request or the body, where they are handled.
    tokio::spawn(connection);
    let response = sender.send_request(request).await?;
    Ok(Head {
        response,
        connection: sender,
    })
}

/// The settings for a request, whose response may bring a refresh token that exists nowhere else if `has_successor`.
pub(super) fn settings(has_successor: bool) -> http1::Builder {
    let most_headers = if has_successor {
        MOST_HEADERS
    } else {
        MOST_HEADERS_OF_OTHERS
    };
    let mut settings = http1::Builder::new();
    // A header line that nobody needs must not cost a response. Browsers and curl read such responses too.
    settings
        .ignore_invalid_headers_in_responses(true)
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .max_headers(most_headers);
    settings
}

/// The settings for a probe, of whose response only the status is read.
pub(super) fn settings_of_probe() -> http1::Builder {
    let mut settings = settings(false);
    settings.max_buf_size(LARGEST_HEAD);
    settings
}

/// A request that tries a token.
///
/// # Errors
/// If a header cannot hold the token.
pub(super) fn probe(request: &ProbeRequest) -> Result<Request<String>, NetworkError> {
    let probe = &request.probe;
    let endpoint = &probe.endpoint;
    let token = request.authorization();
    let token = sensitive(token.expose_secret());
    let token = token.map_err(|_| NetworkError::SecretNotSendable)?;
    let method = match probe.method {
        ProbeMethod::Get => Method::GET,
        ProbeMethod::Head => Method::HEAD,
    };
    let mut http = Request::builder()
        .method(method)
        .uri(&endpoint.url()[Position::BeforePath..])
        .header(header::HOST, endpoint.authority())
        .header(header::AUTHORIZATION, token);
    let defaults = [
        (header::ACCEPT.as_str(), "*/*"),
        (header::USER_AGENT.as_str(), USER_AGENT),
    ];
    let is_set = |name: &str| {
        probe
            .headers
            .keys()
            .any(|set| set.eq_ignore_ascii_case(name))
    };
    for (name, value) in defaults.into_iter().filter(|(name, _)| !is_set(name)) {
        http = http.header(name, value);
    }
    for (name, value) in &probe.headers {
        http = http.header(name, value);
    }
    complete(endpoint, http, String::new())
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
    let mut post = to(endpoint, Method::POST)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    if let Some(authorization) = authorization {
        let value = sensitive(authorization.expose_secret());
        let value = value.map_err(|_| NetworkError::SecretNotSendable)?;
        post = post.header(header::AUTHORIZATION, value);
    }
    complete(endpoint, post, form.expose_secret().to_owned())
}

/// A GET without credentials.
pub(super) fn get(endpoint: &Endpoint) -> Result<Request<String>, NetworkError> {
    complete(endpoint, to(endpoint, Method::GET), String::new())
}

fn to(endpoint: &Endpoint, method: Method) -> Builder {
    Request::builder()
        .method(method)
        .uri(&endpoint.url()[Position::BeforePath..])
        .header(header::ACCEPT, "application/json")
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::HOST, endpoint.authority())
}

fn complete(
    endpoint: &Endpoint,
    request: Builder,
    body: String,
) -> Result<Request<String>, NetworkError> {
    request.body(body).map_err(|_| NetworkError::NoResponse {
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
