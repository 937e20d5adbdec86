//! Receives the body of a response until it ends, the connection ends or the time is over.

use std::pin::Pin;

use reqwest::header::{self, HeaderName};
use tokio::{select, time::Sleep};

use crate::oauth::response::{Body, Cut, LARGEST_BODY, Response};

/// Whatever ends the body, the status and the bytes that arrived are kept: many servers and proxies end connections rudely, and a
/// response with a refresh token must not be lost to that.
///
/// `time` ends with the exchange, and `late` is then the reason.
pub(super) async fn receive(
    mut response: reqwest::Response,
    mut time: Pin<&mut Sleep>,
    late: Cut,
) -> Response {
    let text = |name: HeaderName| {
        let value = response.headers().get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let head = Response {
        status: response.status().as_u16(),
        content_type: text(header::CONTENT_TYPE),
        location: text(header::LOCATION),
        retry_after: text(header::RETRY_AFTER),
        date: text(header::DATE),
        body: Body::default(),
    };
    let mut bytes = Vec::new();
    let cut = loop {
        let chunk = select! {
            chunk = response.chunk() => chunk,
            () = &mut time => break Some(late),
        };
        match chunk {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => break None,
            Err(_) => break Some(Cut::ConnectionEnded),
        }
        if bytes.len() > LARGEST_BODY {
            break None;
        }
    };
    Response {
        body: Body::received(bytes, cut),
        ..head
    }
}
