//! Reads objects whose size others decide: however large they are, they do not fill the memory.

use std::pin::pin;

use axum::http::Request;
use futures::{AsyncReadExt, io};
use kube::{Client, Error};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use super::error::{ApiError, Cause};

/// The largest response that is read. A single object can hardly be larger.
const LARGEST: u64 = 4 * MIB;
const MIB: u64 = 1024 * 1024;

/// The responses that are in memory at the same time, as text and as objects.
static READS: Semaphore = Semaphore::const_new(2);

/// Reads a response, and hands it on while no more than two are in memory. `None`: it is larger than 4 MiB.
///
/// # Errors
/// If the API server refuses or cannot be reached, or the response is something else.
pub(crate) async fn read<T: DeserializeOwned, R>(
    client: &Client,
    request: Request<Vec<u8>>,
    take: impl FnOnce(T) -> R,
) -> Result<Option<R>, Error> {
    let _read = READS.acquire().await;
    let response = client.request_stream(request).await?;
    let mut text = Vec::new();
    let mut response = pin!(response.take(LARGEST + 1));
    let length = response.read_to_end(&mut text).await;
    if length.map_err(broken)? as u64 > LARGEST {
        return Ok(None);
    }
    let found = serde_json::from_slice(&text).map_err(Error::SerdeError)?;
    drop(text);
    Ok(Some(take(found)))
}

/// The error of such a response that is larger.
pub(crate) fn too_large(verb: &'static str, object: String) -> ApiError {
    ApiError {
        verb,
        object,
        cause: Cause::TooLarge(LARGEST / MIB),
    }
}

/// Makes a request whose response says nothing but that it was accepted.
///
/// # Errors
/// If the API server refuses or cannot be reached.
pub(crate) async fn send(client: &Client, request: Request<Vec<u8>>) -> Result<(), Error> {
    let response = client.request_stream(request).await?;
    // It is read to its end, so that the connection can be used again.
    let end = io::copy(pin!(response), &mut io::sink()).await;
    end.map(drop).map_err(broken)
}

fn broken(error: io::Error) -> Error {
    Error::Service(Box::new(error))
}
