//! Watches the `ConfigMap`s that a failing credential trusts: a corrected CA bundle is used immediately. No other
//! `ConfigMap` of the cluster is watched, because a working credential reads its bundle when it needs it.

use std::{
    collections::{HashMap, HashSet},
    pin::pin,
    sync::Mutex,
};

use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::{Client, runtime::watcher::Event};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::watch::{self, WatchFailure};
use crate::{
    cluster::{Metadata, ObjectKey},
    lock::lock,
};

/// The most `ConfigMap`s of a scope that are watched. A credential beyond them tries again when its delay is over.
const MOST: usize = 128;

/// The watches of a scope.
pub(super) struct BundleWatches {
    client: Client,
    changes: mpsc::Sender<ObjectKey>,
    followed: Mutex<Followed>,
}

#[derive(Default)]
struct Followed {
    /// The ConfigMap of each failing credential, by the uid of the credential.
    by_uid: HashMap<String, ObjectKey>,
    watches: HashMap<ObjectKey, Watch>,
}

struct Watch {
    followers: HashSet<String>,
    _task: AbortOnDropHandle<()>,
}

impl BundleWatches {
    /// No watch yet, and the names of the `ConfigMap`s that change.
    pub(super) fn new(client: Client) -> (Self, mpsc::Receiver<ObjectKey>) {
        let (changes, receiver) = mpsc::channel(1);
        let watches = Self {
            client,
            changes,
            followed: Mutex::default(),
        };
        (watches, receiver)
    }

    /// A credential depends on a change of this ConfigMap now, or on none.
    pub(super) fn follow(&self, uid: &str, bundle: Option<ObjectKey>) {
        let mut followed = lock(&self.followed);
        if followed.by_uid.get(uid) == bundle.as_ref() {
            return;
        }
        followed.leave(uid);
        let Some(bundle) = bundle else { return };
        if followed.watches.len() == MOST && !followed.watches.contains_key(&bundle) {
            return;
        }
        followed.by_uid.insert(uid.to_owned(), bundle.clone());
        let watch = followed
            .watches
            .entry(bundle)
            .or_insert_with_key(|bundle| self.watch(bundle));
        watch.followers.insert(uid.to_owned());
    }

    fn watch(&self, bundle: &ObjectKey) -> Watch {
        let this = format!("metadata.name={}", bundle.name);
        let config = watch::all().fields(&this);
        let events = watch::events(&self.client, Some(&bundle.namespace), config);
        let report = report(events, bundle.clone(), self.changes.clone());
        Watch {
            followers: HashSet::new(),
            _task: AbortOnDropHandle::new(tokio::spawn(report)),
        }
    }
}

impl Followed {
    fn leave(&mut self, uid: &str) {
        let Some(bundle) = self.by_uid.remove(uid) else {
            return;
        };
        if let Some(watch) = self.watches.get_mut(&bundle) {
            watch.followers.remove(uid);
            if watch.followers.is_empty() {
                self.watches.remove(&bundle);
            }
        }
    }
}

/// Reports each change of a ConfigMap, and its state when the watch begins: it may have changed since it was read.
async fn report(
    events: impl Stream<Item = Result<Event<Metadata<ConfigMap>>, WatchFailure>>,
    key: ObjectKey,
    changes: mpsc::Sender<ObjectKey>,
) {
    let mut events = pin!(events);
    let mut logged = None;
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(_) | Event::InitApply(_) | Event::Delete(_)) => {}
            Ok(Event::Init) => continue,
            Ok(Event::InitDone) => {
                logged = None;
                continue;
            }
            Err(WatchFailure { error, .. }) => {
                if logged.as_ref() != Some(&error) {
                    let (namespace, name) = (&*key.namespace, &*key.name);
                    tracing::warn!(namespace, config_map = name, %error, "watch of a CA bundle interrupted, starting it again");
                    logged = Some(error);
                }
                continue;
            }
        }
        // Without a receiver, the scope has ended.
        if changes.send(key.clone()).await.is_err() {
            return;
        }
    }
}
