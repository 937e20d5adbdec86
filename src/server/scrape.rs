//! The metrics as a response. With thousands of `CubeCredentials` they have megabytes, so they are made page by page, as fast as
//! the client takes them.

use std::convert::Infallible;

use axum::{
    body::Body,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use futures::stream;

use crate::metrics::Metrics;

/// Prometheus refuses a response without a format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) fn response(metrics: &Metrics) -> Response {
    let pages = stream::iter(metrics.pages().map(Ok::<_, Infallible>));
    ([(CONTENT_TYPE, OPEN_METRICS)], Body::from_stream(pages)).into_response()
}
