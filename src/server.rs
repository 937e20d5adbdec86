//! The HTTP endpoints of a running operator: `/livez`, `/readyz` and `/metrics`.

use std::{io, net::SocketAddr};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    routing::get,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// Prometheus refuses a response without a format.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Opens the port.
///
/// # Errors
/// If it is taken, or may not be opened.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until stopped. `missing` names what this process still needs to be ready.
///
/// # Errors
/// If the port breaks.
pub async fn serve(
    listener: TcpListener,
    metrics: Metrics,
    missing: impl Fn() -> Option<&'static str> + Clone + Send + Sync + 'static,
    stop: CancellationToken,
) -> io::Result<()> {
    axum::serve(listener, router(metrics, missing))
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

fn router(
    metrics: Metrics,
    missing: impl Fn() -> Option<&'static str> + Clone + Send + Sync + 'static,
) -> Router {
    let readyz = move || {
        let response = match missing() {
            None => (StatusCode::OK, "ok\n".to_owned()),
            Some(missing) => (StatusCode::SERVICE_UNAVAILABLE, format!("{missing}\n")),
        };
        std::future::ready(response)
    };
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
        .route(
            "/metrics",
            get(|State(metrics): State<Metrics>| async move {
                ([(CONTENT_TYPE, OPEN_METRICS)], metrics.text())
            }),
        )
        .with_state(metrics)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::api::Reason;
    use axum::{
        body::{Body, to_bytes},
        http::Request,
    };
    use tower::ServiceExt;

    async fn get(path: &str, missing: Option<&'static str>) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let metrics = Metrics::default();
        metrics.exchanged(Reason::TokenIssued, Duration::ZERO);
        let answer = router(metrics, move || missing)
            .oneshot(request)
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let body = to_bytes(answer.into_body(), 64 * 1024).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn it_is_ready_only_when_nothing_is_missing_but_alive_before() {
        let missing = Some("the first lists are not there yet");
        assert_eq!(
            get("/readyz", missing).await,
            (503, "the first lists are not there yet\n".into())
        );
        assert_eq!(get("/readyz", None).await, (200, "ok\n".into()));
        assert_eq!(get("/livez", missing).await, (200, "ok\n".into()));
    }

    #[tokio::test]
    async fn metrics_are_in_the_text_format_that_prometheus_reads() {
        let (status, text) = get("/metrics", None).await;
        assert_eq!(status, 200);
        assert!(
            text.contains("# TYPE cube_operator_exchanges counter"),
            "{text}"
        );
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
