//! Watches the ConfigMaps of the operator's namespace that `ClusterCubeProvider`s name: each by its name, and no other one of that
//! namespace, whose content is nobody's business here.

use std::{
    pin::pin,
    sync::{Arc, Weak},
};

use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Client, runtime::watcher::Event};
use tokio::{sync::Semaphore, task::JoinSet};

use super::watch::{self, REPORTED_FAILURES, WatchFailure, failures_after};
use crate::{
    cluster::{Bundle, OperatorBundles, convert::config_value},
    last_error::LastError,
    reconcile::{BundleFlaw, ReadBundle, read_bundle},
};

/// The most bundles that are followed, each with a connection. The objects that name others wait until one of these is named no more.
const MOST: usize = 64;

/// Follows the bundles that objects name, for as long as it runs.
pub(super) async fn follow(client: Client, bundles: Arc<OperatorBundles>) {
    let slots = Arc::new(Semaphore::new(MOST));
    let mut followed = JoinSet::new();
    loop {
        tokio::select! {
            named = bundles.named() => {
                for bundle in named {
                    let Some(unnamed) = bundle.upgrade().map(|bundle| bundle.unnamed()) else {
                        continue;
                    };
                    let one = Follow {
                        bundle,
                        bundles: Arc::clone(&bundles),
                        slots: Arc::clone(&slots),
                    };
                    let run = one.run(client.clone());
                    followed.spawn(unnamed.run_until_cancelled_owned(run));
                }
            }
            Some(_) = followed.join_next() => {}
        }
    }
}

/// One bundle.
struct Follow {
    bundle: Weak<Bundle>,
    bundles: Arc<OperatorBundles>,
    slots: Arc<Semaphore>,
}

impl Follow {
    async fn run(self, client: Client) {
        let _slot = if let Ok(slot) = self.slots.try_acquire() {
            slot
        } else {
            self.learn(|bundle| {
                let place = bundle.place.clone();
                Err(BundleFlaw::TooMany { place, most: MOST })
            });
            let Ok(slot) = self.slots.acquire().await else {
                return;
            };
            slot
        };
        let Some(place) = self.bundle.upgrade().map(|bundle| bundle.place.clone()) else {
            return;
        };
        let config = watch::all().fields(&format!("metadata.name={}", place.name));
        self.take_in(watch::events(&client, Some(&place.namespace), config))
            .await;
    }

    async fn take_in(&self, events: impl Stream<Item = Result<Event<ConfigMap>, WatchFailure>>) {
        let mut events = pin!(events);
        let mut last_error = LastError::default();
        let (mut is_listed, mut failures) = (false, 0);
        while let Some(event) = events.next().await {
            failures = failures_after(failures, &event);
            match event {
                Ok(Event::Init) => is_listed = false,
                Ok(Event::InitApply(map) | Event::Apply(map)) => {
                    is_listed = true;
                    self.learn(|bundle| read(bundle, map));
                }
                Ok(Event::Delete(_)) => self.learn(absent),
                Ok(Event::InitDone) => {
                    last_error.end();
                    if !is_listed {
                        self.learn(absent);
                    }
                }
                Err(failure) => {
                    self.failed(&failure, &mut last_error);
                    if failures == REPORTED_FAILURES {
                        self.learn_that_it_cannot_be_read();
                    }
                }
            }
        }
    }

    /// A bundle that was read before stays in use, as a provider object does. Any failure but a refusal may be over with the next
    /// attempt.
    fn failed(&self, failure: &WatchFailure, last_error: &mut LastError) {
        let Some(bundle) = self.bundle.upgrade() else {
            return;
        };
        let error = &failure.error;
        if last_error.is_new(error) {
            let (namespace, name) = (&bundle.place.namespace, &bundle.place.name);
            tracing::warn!(
                namespace,
                config_map = name,
                %error,
                "failed to watch the CA bundle of a ClusterCubeProvider, retrying"
            );
        }
        if failure.refused && !bundle.has_certificates() {
            let denied = BundleFlaw::Denied(bundle.place.clone());
            self.bundles.learn(&bundle, Err(denied));
        }
    }

    /// Otherwise nothing but the log would say why nothing happens.
    fn learn_that_it_cannot_be_read(&self) {
        let bundle = self.bundle.upgrade();
        if let Some(bundle) = bundle.filter(|bundle| !bundle.is_read()) {
            let flaw = BundleFlaw::Unreadable(bundle.place.clone());
            self.bundles.learn(&bundle, Err(flaw));
        }
    }

    fn learn(&self, read: impl FnOnce(&Bundle) -> ReadBundle) {
        if let Some(bundle) = self.bundle.upgrade() {
            self.bundles.learn(&bundle, read(&bundle));
        }
    }
}

fn absent(bundle: &Bundle) -> ReadBundle {
    Err(BundleFlaw::Absent(bundle.place.clone()))
}

fn read(bundle: &Bundle, map: ConfigMap) -> ReadBundle {
    let key = &bundle.reference.key;
    let value = config_value(map, key);
    read_bundle(bundle.place.clone(), key, value.as_deref())
}

#[cfg(test)]
mod tests;
