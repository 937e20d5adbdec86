//! One watch, as a stream of events that never ends.

use std::{fmt::Debug, future, time::Duration};

use futures::{Stream, StreamExt};
use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Client, Resource,
    runtime::{
        WatchStreamExt,
        utils::Backoff,
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;

use crate::{cluster::slim, kubernetes::error::explain_watch};

/// The number of objects on a page of a list, for an API server that does not stream lists. An object may have 1.4 MB, and a page
/// is in memory as text and once more as objects: a neighbour who fills a page must not bring the process to the chart's limit.
const PAGE: u32 = 10;
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// All objects of a kind.
pub(super) fn all() -> watcher::Config {
    watcher::Config::default().page_size(PAGE)
}

/// The events of one kind. A broken watch is logged in one line and started again.
///
/// The list arrives as a stream of single objects, so that no two of them are in memory as text at the same time. An API server
/// that refuses that is asked for pages.
pub(super) fn events<K>(
    client: &Client,
    namespace: Option<&str>,
    config: watcher::Config,
) -> impl Stream<Item = Event<K>> + Send + 'static
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + DeserializeOwned
        + Debug
        + Send
        + 'static,
{
    let api: Api<K> = match namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    };
    let slim = |object: &mut K| slim::metadata(object.meta_mut());
    let streamed = watcher(api.clone(), config.clone().streaming_lists())
        .take_while(|event| future::ready(!refuses_to_stream(event)));
    let paged = watcher(api, config);
    streamed.chain(paged).backoff(ShortBackoff::default()).modify(slim).filter_map(|event| {
        if let Err(error) = &event {
            tracing::warn!(kind = %K::kind(&()), error = %explain_watch(error), "watch interrupted, starting it again");
        }
        future::ready(event.ok())
    })
}

/// Whether the API server does not know a list that is streamed, or has that turned off: it calls the request invalid.
fn refuses_to_stream<K>(event: &watcher::Result<Event<K>>) -> bool {
    let Err(watcher::Error::WatchStartFailed(kube::Error::Api(status))) = event else {
        return false;
    };
    matches!(status.code, 400 | 422)
}

/// kube's pauses before a broken watch is started again, but 5 s at most. kube's own limit is half a minute: after a short
/// outage, the operator saw nothing for another minute.
#[derive(Default)]
struct ShortBackoff(watcher::DefaultBackoff);

impl Iterator for ShortBackoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.0.next().map(|pause| pause.min(LONGEST_PAUSE))
    }
}

impl Backoff for ShortBackoff {
    fn reset(&mut self) {
        self.0.reset();
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::http::{Request, Response};
    use k8s_openapi::api::core::v1::Secret;
    use kube::client::Body;
    use serde_json::json;

    use super::*;
    use crate::cluster::Metadata;

    /// An API server that lists one Secret, in pages only.
    async fn paging(request: Request<Body>) -> Result<Response<Body>, Infallible> {
        let query = request.uri().query().unwrap_or_default();
        let (code, body) = if query.contains("sendInitialEvents") {
            let status = json!({
                "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Invalid", "code": 422,
                "message": "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
            });
            (422, status)
        } else {
            assert!(query.contains("limit=10"), "{query}");
            let item = json!({"metadata": {"name": "listed", "namespace": "treasury"}});
            (
                200,
                json!({"metadata": {"resourceVersion": "1"}, "items": [item]}),
            )
        };
        let response = Response::builder().status(code);
        Ok(response.body(body.to_string().into_bytes().into()).unwrap())
    }

    #[tokio::test]
    async fn an_api_server_that_streams_no_list_is_asked_for_pages() {
        let client = Client::new(tower::service_fn(paging), "default");
        let events = events::<Metadata<Secret>>(&client, None, all());
        let found: Vec<_> = events.take(3).collect().await;
        assert!(
            matches!(&found[..], [Event::Init, Event::InitApply(secret), Event::InitDone]
                if secret.metadata.name.as_deref() == Some("listed")),
            "{found:?}"
        );
    }
}
