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

/// The number of objects on a page of a list. An object may have 1.4 MB, and a page is in memory as text and once more as objects:
/// a neighbour who fills a page must not bring the process to the chart's limit of memory.
const PAGE: u32 = 10;
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// All objects of a kind.
pub(super) fn all() -> watcher::Config {
    watcher::Config::default().page_size(PAGE)
}

/// The events of one kind. A broken watch is logged in one line and started again.
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
    watcher(api, config).backoff(ShortBackoff::default()).modify(slim).filter_map(|event| {
        if let Err(error) = &event {
            tracing::warn!(kind = %K::kind(&()), error = %explain_watch(error), "watch interrupted, starting it again");
        }
        future::ready(event.ok())
    })
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
