//! Watches the `ConfigMap`s with CA bundles: a corrected one is used immediately, and one that has not changed is not read again.
//! No other `ConfigMap` of the cluster is watched.

use std::{
    collections::HashMap,
    pin::pin,
    sync::{Arc, Mutex},
};

use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Client, ResourceExt, runtime::watcher::Event};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::watch::{self, WatchFailure};
use crate::{
    cluster::{CaBundles, FollowedBundle, Metadata, ObjectKey, WatchId},
    last_error::LastError,
    lock::lock,
    object::Uid,
};

/// The most `ConfigMap`s of a scope that are watched, each with a connection. A failing credential beyond them retries when its
/// delay is over. A namespace gets another watch while it has fewer than are left, because the ConfigMaps need not exist.
const MOST: usize = 128;
/// The most that are watched only to save a read: a working credential beyond them reads its bundle for each exchange.
const MOST_OF_WORKING: usize = 32;

/// The watches of a scope.
pub(super) struct BundleWatches {
    client: Client,
    bundles: Arc<CaBundles>,
    changes: mpsc::Sender<ObjectKey>,
    followed: Mutex<Followed>,
}

#[derive(Default)]
struct Followed {
    /// The ConfigMap of each credential, by the uid of the credential.
    by_uid: HashMap<Uid, FollowedBundle>,
    watches: HashMap<ObjectKey, Watch>,
}

struct Watch {
    followers: usize,
    _task: AbortOnDropHandle<()>,
}

impl BundleWatches {
    /// No watch yet, and the names of the `ConfigMap`s that change.
    pub(super) fn new(
        client: Client,
        bundles: Arc<CaBundles>,
    ) -> (Self, mpsc::Receiver<ObjectKey>) {
        let (changes, receiver) = mpsc::channel(1);
        let watches = Self {
            client,
            bundles,
            changes,
            followed: Mutex::default(),
        };
        (watches, receiver)
    }

    /// A credential uses this ConfigMap now, or none.
    pub(super) fn follow(&self, uid: Uid, bundle: Option<FollowedBundle>) {
        let mut followed = lock(&self.followed);
        let most = match &bundle {
            Some(bundle) if bundle.is_failing => MOST,
            Some(_) | None => MOST_OF_WORKING,
        };
        let is_over = followed.watches.len() > most;
        if !is_over && followed.update(uid, bundle.as_ref()) {
            return;
        }
        if let Some(unwatched) = followed.leave(uid) {
            self.bundles.end_watch(&unwatched);
        }
        let Some(mut bundle) = bundle.filter(|_| !is_over) else {
            return;
        };
        if let Some((object, _)) = followed.watches.get_key_value(&bundle.object) {
            // All followers share its texts.
            bundle.object = object.clone();
        } else if !followed.admits(&bundle.object, most) {
            return;
        }
        let watches = &mut followed.watches;
        let watch = watches.entry(bundle.object.clone());
        watch
            .or_insert_with_key(|object| self.watch(object))
            .followers += 1;
        followed.by_uid.insert(uid, bundle);
    }

    /// Returns whether a credential is known to work with its ConfigMap, so that a change of it can wait for the next exchange.
    pub(super) fn works(&self, uid: Uid) -> bool {
        let followed = lock(&self.followed);
        let bundle = followed.by_uid.get(&uid);
        bundle.is_some_and(|bundle| !bundle.is_failing)
    }

    fn watch(&self, object: &ObjectKey) -> Watch {
        let this = format!("metadata.name={}", object.name());
        let config = watch::all().fields(&this);
        let events = watch::events(&self.client, Some(object.namespace()), config);
        let report = Report {
            id: self.bundles.begin_watch(object),
            bundles: Arc::clone(&self.bundles),
            object: object.clone(),
            changes: self.changes.clone(),
        };
        Watch {
            followers: 0,
            _task: AbortOnDropHandle::new(tokio::spawn(report.run(events))),
        }
    }
}

impl Followed {
    /// Notes whether a credential that follows this ConfigMap already is failing. Returns whether there is nothing else to do.
    fn update(&mut self, uid: Uid, bundle: Option<&FollowedBundle>) -> bool {
        match (self.by_uid.get_mut(&uid), bundle) {
            (Some(followed), Some(bundle)) if followed.object == bundle.object => {
                followed.is_failing = bundle.is_failing;
                true
            }
            (None, None) => true,
            _ => false,
        }
    }

    /// Returns whether the namespace of this ConfigMap gets another one of so many watches.
    fn admits(&self, object: &ObjectKey, most: usize) -> bool {
        let held = self.watches.keys();
        let held = held.filter(|held| held.namespace() == object.namespace());
        held.count() < most.saturating_sub(self.watches.len())
    }

    /// Returns the ConfigMap that nobody follows any more.
    fn leave(&mut self, uid: Uid) -> Option<ObjectKey> {
        let FollowedBundle { object, .. } = self.by_uid.remove(&uid)?;
        let watch = self.watches.get_mut(&object)?;
        watch.followers -= 1;
        if watch.followers > 0 {
            return None;
        }
        self.watches.remove(&object);
        Some(object)
    }
}

/// Reports each change of a ConfigMap, and its state when the watch begins: it may have changed since it was read.
struct Report {
    id: WatchId,
    bundles: Arc<CaBundles>,
    object: ObjectKey,
    changes: mpsc::Sender<ObjectKey>,
}

impl Report {
    async fn run(
        self,
        events: impl Stream<Item = Result<Event<Metadata<ConfigMap>>, WatchFailure>>,
    ) {
        let mut events = pin!(events);
        let mut last_error = LastError::default();
        while let Some(event) = events.next().await {
            match event {
                Ok(Event::Apply(map) | Event::InitApply(map)) => self.shows(map.resource_version()),
                Ok(Event::Delete(_)) => self.shows(None),
                Ok(Event::Init) => {
                    self.shows(None);
                    continue;
                }
                Ok(Event::InitDone) => {
                    last_error.end();
                    continue;
                }
                Err(WatchFailure { error, .. }) => {
                    self.shows(None);
                    if last_error.is_new(&error) {
                        self.log(&error);
                    }
                    continue;
                }
            }
            // Without a receiver, the scope has ended.
            if self.changes.send(self.object.clone()).await.is_err() {
                return;
            }
        }
    }

    fn shows(&self, version: Option<String>) {
        self.bundles.shows(&self.object, self.id, version);
    }

    fn log(&self, error: &str) {
        let (namespace, name) = self.object.parts();
        tracing::warn!(namespace, config_map = name, %error, "watch of a CA bundle interrupted, retrying");
    }
}

#[cfg(test)]
mod tests;
