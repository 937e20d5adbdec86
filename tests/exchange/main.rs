//! One exchange over a real connection: what goes over the wire, and the reason of everything that can happen to it.
//!
//! The other side is a scripted server over TLS. Nothing here leaves the machine.

#![expect(clippy::unwrap_used, reason = "a test fails where its world does")]
#![expect(
    clippy::disallowed_methods,
    reason = "the program under test runs by the real clock"
)]

#[path = "../provider/scripted.rs"]
mod scripted;
#[path = "../provider/tunnel.rs"]
mod tunnel;

mod answers;
mod assertion;
mod cost;
mod dns;
mod ends;
mod handshake;
mod headers;
mod jwt_bearer;
mod memory;
mod metadata;
mod mutual_tls;
mod names;
mod networks;
mod probe;
mod process;
mod proxy;
mod reach;
mod redirects;
mod requests;
mod route;
mod secrets;
mod sessions;
mod token_exchange;
mod trust;

use std::{collections::BTreeMap, env, time::Duration};

use cube_operator::{
    api::Reason,
    oauth::{
        authentication::{Authentication, Client},
        ca_bundle::TrustedCa,
        client::TokenClient,
        endpoint::Endpoint,
        error::TokenError,
        grant::Grant,
        networks::Networks,
        request::TokenRequest,
        response::{self, Body, Response},
    },
};
use jiff::SignedDuration;
use scripted::Authority;
use secrecy::{ExposeSecret, SecretString};

/// The outcome of an exchange: status and body, or why there is no response.
type Outcome = Result<(u16, String), Refused>;

/// Everything that an error says.
#[derive(Debug, PartialEq)]
struct Refused {
    reason: Reason,
    what: String,
    pause: Option<SignedDuration>,
    outcome_unknown: bool,
}

impl<E: Into<TokenError>> From<E> for Refused {
    fn from(error: E) -> Self {
        let error = error.into();
        Self {
            reason: error.reason(),
            what: error.to_string(),
            pause: error.pause(),
            outcome_unknown: error.outcome_unknown(),
        }
    }
}

/// A client with this secret.
fn billing(secret: &str) -> Client {
    Client {
        id: "billing".into(),
        secret: secret.into(),
    }
}

/// A request for a token from this URL.
fn request(url: &str) -> TokenRequest {
    TokenRequest {
        endpoint: Endpoint::parse(url).unwrap(),
        authentication: Authentication::Body(billing("s3cret")),
        grant: Grant::ClientCredentials,
        scopes: vec![],
        parameters: BTreeMap::new(),
        ca_bundle: None,
    }
}

/// The same with the CA certificate of this authority.
fn trusting(authority: &Authority, url: &str) -> TokenRequest {
    TokenRequest {
        ca_bundle: Some(TrustedCa::besides_system(authority.pem()).unwrap()),
        ..request(url)
    }
}

/// A client that may reach these networks besides the ordinary ones.
fn client(networks: &[&str]) -> TokenClient {
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        assert!(
            env::var_os(name).is_none(),
            "unset {name}: these tests talk to servers of their own"
        );
    }
    direct_or_proxied_client(networks)
}

fn direct_or_proxied_client(networks: &[&str]) -> TokenClient {
    // `main` does the same; only the first call in a process succeeds.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let networks = networks.iter().map(|network| network.parse().unwrap());
    TokenClient::new(Networks::allowing(networks.collect()))
}

/// A client for servers of this machine.
fn local() -> TokenClient {
    client(&["127.0.0.0/8"])
}

/// A client for servers that never finish. A timeout is sure to end the exchange, however short it is.
fn impatient() -> TokenClient {
    local().with_timeout(Duration::from_secs(2))
}

fn block_on<T>(what: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(what)
}

fn answer(client: &TokenClient, request: &TokenRequest) -> Result<Response, Refused> {
    block_on(client.send(request)).map_err(Into::into)
}

fn exchange(client: &TokenClient, request: &TokenRequest) -> Outcome {
    answer(client, request).map(|answer| match answer.body {
        Body::Complete(bytes) => (answer.status, String::from_utf8(bytes).unwrap()),
        Body::Cut { bytes, cause } => {
            let bytes = String::from_utf8_lossy(&bytes);
            (answer.status, format!("<cut: {cause}>{bytes}"))
        }
        Body::TooLarge => (answer.status, "<too large>".into()),
    })
}

/// The tokens that an exchange brings: the access token, and the successor of a refresh token.
type Tokens = (String, Option<String>);

/// The meaning of the response to a request.
fn issued(client: &TokenClient, request: &TokenRequest) -> Result<Tokens, Refused> {
    let response = answer(client, request)?;
    let parsed = response::read(&response, request.context(), request.scrubber());
    let text = |token: SecretString| token.expose_secret().to_owned();
    let issued = parsed.outcome?;
    Ok((text(issued.access_token), parsed.refresh_token.map(text)))
}

/// The response of a server where the test does not depend on it.
fn fine() -> (u16, String) {
    (200, "{}".into())
}

fn refused<T>(reason: Reason, what: impl Into<String>) -> Result<T, Refused> {
    Err(Refused {
        reason,
        what: what.into(),
        pause: None,
        // Only this reason says that the request may have arrived.
        outcome_unknown: reason == Reason::NoResponse,
    })
}
