//! Receives the body of a response until it ends, the connection ends or the time is over.

use std::{future::poll_fn, pin::Pin};

use hyper::{
    body::{Body as _, Bytes, Incoming},
    header::{self, HeaderName},
};
use tokio::{select, time::Sleep};

use super::request::Head;
use crate::oauth::response::{Body, Cut, LARGEST_BODY, Response};

/// Whatever ends the body, the status and the bytes that arrived are kept: many servers and proxies end connections rudely, and a
/// response with a refresh token must not be lost to that.
///
/// `time` ends with the exchange, and `late` is then the reason.
pub(super) async fn receive(head: Head, mut time: Pin<&mut Sleep>, late: Cut) -> Response {
    let Head {
        mut response,
        connection: _connection,
    } = head;
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
            chunk = next(response.body_mut()) => chunk,
            () = &mut time => break Some(late),
        };
        match chunk {
            Some(Ok(chunk)) => bytes.extend_from_slice(&chunk),
            None => break None,
            Some(Err(_)) => break Some(Cut::ConnectionEnded),
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

/// The next bytes of a body, none if they are trailers; `None`: it has ended.
async fn next(body: &mut Incoming) -> Option<hyper::Result<Bytes>> {
    let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await?;
    Some(frame.map(|frame| frame.into_data().unwrap_or_default()))
}
