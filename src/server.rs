//! The HTTP endpoints of a running operator: `/livez`, `/readyz` and `/metrics`.

use std::{io, net::SocketAddr};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{controller::Readiness, metrics::Metrics};

/// Opens the port.
///
/// # Errors
/// If it is taken, or may not be opened.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Answers until stopped.
///
/// # Errors
/// If the port breaks.
pub async fn serve(
    listener: TcpListener,
    metrics: Metrics,
    readiness: Readiness,
    stop: CancellationToken,
) -> io::Result<()> {
    axum::serve(listener, router(metrics, move || readiness.is_complete()))
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

fn router(metrics: Metrics, ready: impl Fn() -> bool + Clone + Send + Sync + 'static) -> Router {
    let readyz = move || {
        let ready = ready();
        async move {
            if ready {
                (StatusCode::OK, "ok\n")
            } else {
                (
                    StatusCode::SERVICE_UNAVAILABLE,
                    "the first lists are not there yet\n",
                )
            }
        }
    };
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route(
            "/metrics",
            get(|State(metrics): State<Metrics>| async move { metrics.text() }),
        )
        .with_state(metrics)
}
