//! The table of responses, row by row.

mod dead_token;
mod issued;
mod refused;
mod retry_after;
mod shown;
mod successor;

use super::*;
use crate::{
    api::Reason,
    oauth::{
        authentication::{Authentication, Client},
        endpoint::Endpoint,
        request::TokenRequest,
    },
    scrub::Scrubber,
};

/// The grant of a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sent {
    ClientCredentials,
    RefreshToken,
}

const CLIENT: Sent = Sent::ClientCredentials;
const REFRESH: Sent = Sent::RefreshToken;

fn response(status: u16, body: impl AsRef<[u8]>) -> Response {
    Response {
        status,
        body: Body::Complete(body.as_ref().to_vec()),
        ..Response::default()
    }
}

fn meaning(sent: Sent, response: &Response) -> Parsed {
    let client = Authentication::Body(Client {
        id: "id".into(),
        secret: "hunter2".into(),
    });
    meaning_to(client, sent, response)
}

/// The meaning of a response to this client.
fn meaning_to(authentication: Authentication, sent: Sent, response: &Response) -> Parsed {
    let request = TokenRequest {
        endpoint: Endpoint::parse("https://example.com/token").unwrap(),
        authentication,
        grant: match sent {
            Sent::ClientCredentials => Grant::ClientCredentials,
            Sent::RefreshToken => Grant::RefreshToken("rt-hunter3".into()),
        },
        scopes: vec!["read".into(), "write".into()],
        parameters: std::collections::BTreeMap::new(),
        ca_bundle: None,
    };
    read(response, request.context(), request.scrubber())
}

fn reason(sent: Sent, status: u16, body: impl AsRef<[u8]>) -> Option<Reason> {
    meaning(sent, &response(status, body))
        .outcome
        .err()
        .map(|error| error.reason())
}

fn issued(body: impl AsRef<[u8]>) -> Issued {
    meaning(CLIENT, &response(200, body))
        .outcome
        .expect("the row is an issued token")
}
