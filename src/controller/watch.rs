//! One watch, as a stream of events and failures that never ends.

use std::{fmt::Debug, time::Duration};

use futures::{
    Stream, StreamExt,
    stream::{self, BoxStream},
};
use k8s_openapi::NamespaceResourceScope;
use kube::{
    Api, Client, Resource,
    runtime::{
        WatchStreamExt,
        utils::Backoff,
        watcher::{self, DefaultBackoff, Error, Event, watcher},
    },
};
use serde::de::DeserializeOwned;

use crate::{cluster::slim, kubernetes::error::explain_watch, leader::Shard};

/// The number of objects on a page of a list, for an API server that does not stream lists. An object may have 1.4 MB, and a page
/// is in memory as text and once more as objects: a neighbour who fills a page must not bring the process to the chart's limit.
const PAGE: u32 = 10;
/// The longest pause before a broken watch is started again. kube's own limit is half a minute: after a short outage, the operator
/// saw nothing for another minute.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause after a refusal, which lasts until an administrator grants the right.
const LONGEST_PAUSE_IF_REFUSED: Duration = Duration::from_secs(15);

/// After so many failures in a row, what was never listed is reported: half a minute.
pub(super) const REPORTED_FAILURES: usize = 6;

/// The failures in a row after this event. Where lists come in pages, each attempt begins with an event of its own.
pub(super) fn failures_after<K>(failures: usize, event: &Result<Event<K>, WatchFailure>) -> usize {
    match event {
        Ok(Event::Init) => failures,
        Ok(_) => 0,
        Err(_) => failures + 1,
    }
}

/// All objects of a kind.
pub(super) fn all() -> watcher::Config {
    watcher::Config::default().page_size(PAGE)
}

/// A kind of objects that can be watched.
pub(super) trait Watchable:
    Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static
{
}

impl<K> Watchable for K where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static
{
}

/// A list or watch that failed. It is started again.
#[derive(Clone, Debug)]
pub(super) struct WatchFailure {
    pub(super) error: String,
    /// True if it persists until a list is complete. The end of any other failure shows only in that no further one follows.
    pub(super) lasts: bool,
    /// True if the account lacks a right, or the API server does not know the kind.
    pub(super) refused: bool,
}

/// The events of one kind, and the failures between them.
///
/// The list arrives as a stream of single objects, so that no two of them are in memory as text at the same time. An API server
/// that refuses that is asked for pages.
pub(super) fn events<K: Watchable + Resource<Scope = NamespaceResourceScope>>(
    client: &Client,
    namespace: Option<&str>,
    config: watcher::Config,
) -> impl Stream<Item = Result<Event<K>, WatchFailure>> + Send + use<K> {
    events_of(
        match namespace {
            Some(namespace) => Api::namespaced(client.clone(), namespace),
            None => Api::all(client.clone()),
        },
        config,
    )
}

/// The same for a kind in any scope.
pub(super) fn events_of<K: Watchable>(
    api: Api<K>,
    config: watcher::Config,
) -> impl Stream<Item = Result<Event<K>, WatchFailure>> + Send + 'static {
    let slim = |object: &mut K| slim::metadata(object.meta_mut());
    let start = move |config| watcher(api.clone(), config).modify(slim).boxed();
    let streamed = config.clone().streaming_lists();
    let watch = Watch {
        events: start(streamed.clone()),
        config: streamed,
        paged: Some(config),
        backoff: DefaultBackoff::default(),
        pause: Duration::ZERO,
        is_listed: false,
    };
    stream::unfold((watch, start), async |(mut watch, start)| {
        let event = watch.next(&start).await?;
        Some((event, (watch, start)))
    })
}

/// Returns whether an event is one of this shard. Those of a list as a whole are.
pub(super) fn is_of<K: Watchable>(shard: Shard, event: &Event<K>) -> bool {
    match event {
        Event::Apply(object) | Event::InitApply(object) | Event::Delete(object) => {
            shard.has(object.meta().namespace.as_deref().unwrap_or_default())
        }
        Event::Init | Event::InitDone => true,
    }
}

/// A watch, and the pause before it is started again.
struct Watch<K> {
    events: BoxStream<'static, watcher::Result<Event<K>>>,
    config: watcher::Config,
    /// The configuration for an API server that streams no lists; `None`: it is in use.
    paged: Option<watcher::Config>,
    backoff: DefaultBackoff,
    pause: Duration,
    /// True if the list is complete.
    is_listed: bool,
}

impl<K> Watch<K> {
    async fn next(
        &mut self,
        start: impl Fn(watcher::Config) -> BoxStream<'static, watcher::Result<Event<K>>>,
    ) -> Option<Result<Event<K>, WatchFailure>> {
        self.pause().await;
        let mut event = self.events.next().await?;
        if refuses_to_stream(&event)
            && let Some(paged) = self.paged.take()
        {
            self.events = start(paged.clone());
            self.config = paged;
            event = self.events.next().await?;
        }
        let error = match event {
            Ok(event) => return Some(Ok(self.works(event))),
            Err(error) => error,
        };
        let refused = is_refusal(&error);
        if refused {
            // kube would only try to continue the watch, and nothing would tell when it may.
            self.events = start(self.config.clone());
            self.is_listed = false;
        }
        let longest = if refused {
            LONGEST_PAUSE_IF_REFUSED
        } else {
            LONGEST_PAUSE
        };
        self.pause = self.backoff.next().unwrap_or(longest).min(longest);
        Some(Err(WatchFailure {
            error: explain_watch(&error),
            lasts: !self.is_listed,
            refused,
        }))
    }

    /// Even the shortest sleep takes a millisecond, and a list has thousands of events.
    async fn pause(&mut self) {
        let pause = std::mem::take(&mut self.pause);
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }

    fn works(&mut self, event: Event<K>) -> Event<K> {
        match &event {
            // It only says that a list begins.
            Event::Init => self.is_listed = false,
            Event::InitDone => self.is_listed = true,
            Event::InitApply(_) | Event::Apply(_) | Event::Delete(_) => {}
        }
        if !matches!(event, Event::Init) {
            self.backoff.reset();
        }
        event
    }
}

/// Returns whether the account lacks a right, or the API server does not know the kind.
fn is_refusal(error: &Error) -> bool {
    match error {
        Error::InitialListFailed(kube::Error::Api(status))
        | Error::WatchStartFailed(kube::Error::Api(status)) => [403, 404].contains(&status.code),
        _ => false,
    }
}

/// Returns whether the API server does not know a list that is streamed, or has that turned off: it calls the request invalid.
fn refuses_to_stream<K>(event: &watcher::Result<Event<K>>) -> bool {
    let Err(Error::WatchStartFailed(kube::Error::Api(status))) = event else {
        return false;
    };
    matches!(status.code, 400 | 422)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::http::{Request, Response};
    use k8s_openapi::api::core::v1::Secret;
    use kube::client::Body;
    use serde_json::{Value, json};

    use super::*;
    use crate::{clock::instant, cluster::Metadata, kubernetes::stub};

    /// An API server that lists one Secret, in pages only.
    async fn paging(request: Request<Body>) -> (u16, Value) {
        let query = request.uri().query().unwrap_or_default();
        if query.contains("sendInitialEvents") {
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
        }
    }

    #[tokio::test]
    async fn an_api_server_that_streams_no_list_is_asked_for_pages() {
        let client = stub::client(paging);
        let events = events::<Metadata<Secret>>(&client, None, all());
        let found: Vec<_> = events.take(3).collect().await;
        assert!(
            matches!(&found[..], [Ok(Event::Init), Ok(Event::InitApply(secret)), Ok(Event::InitDone)]
                if secret.metadata.name.as_deref() == Some("listed")),
            "{found:?}"
        );
    }

    /// A list of an ordinary large cluster.
    const MANY: usize = 5_000;

    /// An API server that streams a list.
    async fn streaming(_: Request<Body>) -> Result<Response<Body>, Infallible> {
        let event = |r#type: &str, metadata: Value| {
            let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata});
            json!({"type": r#type, "object": object}).to_string()
        };
        let events = (0..MANY).map(|number| {
            let name = format!("listed-{number}");
            event(
                "ADDED",
                json!({"name": name, "namespace": "treasury", "resourceVersion": "1"}),
            )
        });
        let end =
            json!({"resourceVersion": "1", "annotations": {"k8s.io/initial-events-end": "true"}});
        let lines: Vec<_> = events.chain([event("BOOKMARK", end)]).collect();
        Ok(Response::new(lines.join("\n").into_bytes().into()))
    }

    #[tokio::test(start_paused = true)]
    async fn a_streamed_list_is_taken_in_without_a_pause_between_its_objects() {
        let client = Client::new(tower::service_fn(streaming), "default");
        let events = events::<Metadata<Secret>>(&client, None, all());
        // A sleep ends at a whole millisecond.
        tokio::time::advance(Duration::from_micros(500)).await;
        let begun = instant();
        let found: Vec<_> = events.take(MANY + 2).collect().await;
        assert!(matches!(found.last(), Some(Ok(Event::InitDone))));
        // The clock of the timers moves only where something waits for it.
        assert_eq!(instant() - begun, Duration::ZERO);
    }
}
