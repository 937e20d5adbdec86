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

use crate::{cluster::slim, kubernetes::error::explain_watch};

/// The number of objects on a page of a list. An object may have 1.4 MB, and a page is in memory as text and once more as objects:
/// a neighbour who fills a page must not bring the process to the chart's limit of memory.
const PAGE: u32 = 10;
/// The longest pause before a broken watch is started again. kube's own limit is half a minute: after a short outage, the operator
/// saw nothing for another minute.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The longest pause after a refusal, which lasts until somebody grants a right.
const LONGEST_PAUSE_IF_REFUSED: Duration = Duration::from_secs(15);

/// All objects of a kind.
pub(super) fn all() -> watcher::Config {
    watcher::Config::default().page_size(PAGE)
}

/// A list or watch that failed. It is started again.
#[derive(Clone, Debug)]
pub(super) struct WatchFailure {
    pub(super) error: String,
    /// Whether it lasts until a list is complete. The end of any other failure shows only in that no further one follows.
    pub(super) lasts: bool,
}

/// The events of one kind, and the failures between them.
pub(super) fn events<K>(
    client: &Client,
    namespace: Option<&str>,
    config: watcher::Config,
) -> impl Stream<Item = Result<Event<K>, WatchFailure>> + Send + 'static
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
    let start = move || watcher(api.clone(), config.clone()).modify(slim).boxed();
    let watch = Watch {
        events: start(),
        backoff: DefaultBackoff::default(),
        pause: Duration::ZERO,
    };
    stream::unfold((watch, start), async |(mut watch, start)| {
        let event = watch.next(&start).await?;
        Some((event, (watch, start)))
    })
}

/// A watch, and the pause before it is started again.
struct Watch<K> {
    events: BoxStream<'static, watcher::Result<Event<K>>>,
    backoff: DefaultBackoff,
    pause: Duration,
}

impl<K> Watch<K> {
    async fn next(
        &mut self,
        start: impl Fn() -> BoxStream<'static, watcher::Result<Event<K>>>,
    ) -> Option<Result<Event<K>, WatchFailure>> {
        tokio::time::sleep(std::mem::take(&mut self.pause)).await;
        let error = match self.events.next().await? {
            // It only says that a list begins.
            Ok(Event::Init) => return Some(Ok(Event::Init)),
            Ok(event) => {
                self.backoff.reset();
                return Some(Ok(event));
            }
            Err(error) => error,
        };
        let refused = is_refusal(&error);
        if refused {
            // kube would only try to continue the watch, and nothing would tell when it may.
            self.events = start();
        }
        let longest = if refused {
            LONGEST_PAUSE_IF_REFUSED
        } else {
            LONGEST_PAUSE
        };
        self.pause = self.backoff.next().unwrap_or(longest).min(longest);
        Some(Err(WatchFailure {
            error: explain_watch(&error),
            lasts: refused || matches!(error, Error::InitialListFailed(_)),
        }))
    }
}

/// Whether the account lacks a right, or the API server does not know the kind.
fn is_refusal(error: &Error) -> bool {
    match error {
        Error::InitialListFailed(kube::Error::Api(status))
        | Error::WatchStartFailed(kube::Error::Api(status)) => [403, 404].contains(&status.code),
        _ => false,
    }
}
