//! The table of responses, row by row.

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
};

/// Which grant a request has.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sent {
    ClientCredentials,
    RefreshToken,
}

const CLIENT: Sent = Sent::ClientCredentials;
const REFRESH: Sent = Sent::RefreshToken;

fn answer(status: u16, body: impl AsRef<[u8]>) -> Response {
    Response {
        status,
        body: Body::Complete(body.as_ref().to_vec()),
        ..Response::default()
    }
}

fn meaning(sent: Sent, answer: &Response) -> Parsed {
    let request = TokenRequest {
        endpoint: Endpoint::parse("https://example.com/token").unwrap(),
        authentication: Authentication::Body(Client {
            id: "id".into(),
            secret: "hunter2".into(),
        }),
        grant: match sent {
            Sent::ClientCredentials => Grant::ClientCredentials,
            Sent::RefreshToken => Grant::RefreshToken("rt-hunter3".into()),
        },
        scopes: vec!["read".into(), "write".into()],
        parameters: std::collections::BTreeMap::new(),
        ca_bundle: None,
    };
    read(answer, request.context(), request.scrubber())
}

fn reason(sent: Sent, status: u16, body: impl AsRef<[u8]>) -> Option<Reason> {
    meaning(sent, &answer(status, body))
        .outcome
        .err()
        .map(|error| error.reason())
}

fn issued(body: impl AsRef<[u8]>) -> Issued {
    meaning(CLIENT, &answer(200, body))
        .outcome
        .expect("the row is an issued token")
}
