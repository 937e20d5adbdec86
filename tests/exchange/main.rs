//! One exchange over a real connection: the bytes on the wire, and the name of everything that can happen to it.
//!
//! The other side is a scripted server over TLS. Nothing here leaves the machine.

#![expect(clippy::unwrap_used, reason = "a test fails where its world does")]
#![expect(
    clippy::disallowed_methods,
    reason = "the program under test runs by the real clock"
)]

#[path = "../provider/scripted.rs"]
mod scripted;

mod answers;
mod networks;
mod process;
mod proxy;
mod reach;
mod redirects;
mod requests;
mod route;
mod secrets;
mod trust;

use std::{collections::BTreeMap, env, time::Duration};

use cube_operator::{
    api::{ClientAuthentication, Reason},
    oauth::{
        client::TokenClient,
        endpoint::{Endpoint, Networks},
        request::{Client, TokenRequest},
        response::{Body, Response, TokenError},
    },
};
use scripted::Authority;

/// The outcome of an exchange: status and body, or the reason why there is no response.
type Outcome = Result<(u16, String), TokenError>;

/// A request for a token from this URL.
fn request(url: &str) -> TokenRequest {
    TokenRequest {
        endpoint: Endpoint::parse(url).unwrap(),
        client: Client {
            id: "billing".into(),
            secret: Some("s3cret".into()),
        },
        authentication: ClientAuthentication::Body,
        refresh_token: None,
        scopes: vec![],
        parameters: BTreeMap::new(),
        ca_bundle: None,
    }
}

/// A request that trusts this CA.
fn trusting(authority: &Authority, url: &str) -> TokenRequest {
    TokenRequest {
        ca_bundle: Some(authority.pem()),
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
    let _ = rustls::crypto::ring::default_provider().install_default();
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

fn answer(client: &TokenClient, request: &TokenRequest) -> Result<Response, TokenError> {
    block_on(client.send(request))
}

fn exchange(client: &TokenClient, request: &TokenRequest) -> Outcome {
    answer(client, request).map(|answer| match answer.body {
        Body::Complete(bytes) => (answer.status, String::from_utf8(bytes).unwrap()),
        Body::TooLarge => (answer.status, "<too large>".into()),
    })
}

/// The response of a server where the response does not matter.
fn fine() -> (u16, String) {
    (200, "{}".into())
}

fn refused<T>(reason: Reason, what: impl Into<String>) -> Result<T, TokenError> {
    Err(TokenError {
        // This is the only failure of a connection after which the request may have arrived.
        outcome_unknown: reason == Reason::NoResponse,
        ..TokenError::new(reason, what)
    })
}
