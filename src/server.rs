//! The HTTP endpoints of a running operator: `/livez` and `/readyz`, and `/metrics` on the same port or on one of its own.

mod access;
mod bind;
mod connections;
mod scrape;
mod tls;

use std::{future, iter, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
pub(crate) use access::MetricsAccess;
pub(crate) use bind::bind;
pub(crate) use tls::Certificate;

/// The metrics, and the readers that they are for.
pub(crate) struct MetricsPage {
    pub(crate) metrics: Metrics,
    pub(crate) access: MetricsAccess,
}

/// A port for the metrics alone, with TLS.
pub(crate) struct MetricsPort {
    pub(crate) listener: TcpListener,
    pub(crate) certificate: Certificate,
}

impl MetricsPort {
    /// The address that it listens on.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }
}

/// The response of `/readyz`.
pub(crate) enum Health {
    /// The process does its work. Each line says what does not work all the same.
    Ready(Vec<String>),
    /// The process is not ready. The text says what it waits for or lacks.
    NotReady(String),
}

impl IntoResponse for Health {
    fn into_response(self) -> Response {
        let response = match self {
            Self::Ready(lacking) => (
                StatusCode::OK,
                iter::once("ok".to_owned()).chain(lacking).collect(),
            ),
            Self::NotReady(missing) => (StatusCode::SERVICE_UNAVAILABLE, vec![missing]),
        };
        let (status, lines): (_, Vec<_>) = response;
        (status, lines.join("\n") + "\n").into_response()
    }
}

/// Serves until stopped, and cuts off the connections that are left then: no client may hold up the end of the process.
pub(crate) async fn serve(
    probes: TcpListener,
    health: impl Fn() -> Health + Clone + Send + Sync + 'static,
    page: MetricsPage,
    port: Option<MetricsPort>,
    stop: CancellationToken,
) {
    let (probing, metrics) = (probing(health), page.router());
    let serving = async {
        match port {
            None => connections::serve(probes, probing.merge(metrics), None).await,
            Some(port) => {
                let certificate = Some(Arc::new(port.certificate));
                let metrics = connections::serve(port.listener, metrics, certificate);
                futures::future::join(connections::serve(probes, probing, None), metrics).await;
            }
        }
    };
    stop.run_until_cancelled(serving).await;
}

fn probing(health: impl Fn() -> Health + Clone + Send + Sync + 'static) -> Router {
    let readyz = move || future::ready(health());
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(readyz))
}

impl MetricsPage {
    fn router(self) -> Router {
        let Self { metrics, access } = self;
        let page = async move |headers: HeaderMap| match access.check(&headers).await {
            Ok(()) => scrape::response(&metrics),
            Err(status) => status.into_response(),
        };
        Router::new().route("/metrics", get(page))
    }
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

    async fn get(
        path: &str,
        health: impl Fn() -> Health + Clone + Send + Sync + 'static,
    ) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let metrics = Metrics::default();
        metrics.exchanged(Reason::TokenIssued, Duration::ZERO);
        let access = MetricsAccess::Open;
        let page = MetricsPage { metrics, access };
        let router = probing(health).merge(page.router());
        let response = router.oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 64 * 1024).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn it_is_ready_only_when_nothing_is_missing_but_alive_before() {
        let missing = || Health::NotReady("waiting for the first lists".into());
        assert_eq!(
            get("/readyz", missing).await,
            (503, "waiting for the first lists\n".into())
        );
        assert_eq!(get("/livez", missing).await, (200, "ok\n".into()));
        let ready = || Health::Ready(Vec::new());
        assert_eq!(get("/readyz", ready).await, (200, "ok\n".into()));
    }

    #[tokio::test]
    async fn it_says_what_does_not_work_although_it_is_ready() {
        let ready = || Health::Ready(vec!["cannot watch namespace \"a\"".into()]);
        assert_eq!(
            get("/readyz", ready).await,
            (200, "ok\ncannot watch namespace \"a\"\n".into())
        );
    }

    #[tokio::test]
    async fn metrics_are_in_the_text_format_that_prometheus_reads() {
        let (status, text) = get("/metrics", || Health::Ready(Vec::new())).await;
        assert_eq!(status, 200);
        assert!(
            text.contains("# TYPE cube_operator_exchanges counter"),
            "{text}"
        );
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
