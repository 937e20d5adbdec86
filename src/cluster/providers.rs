//! The provider objects that the watches show.
//!
//! Only what a credential uses of an object is kept. An event that changes nothing of it, such as a label or a status, affects
//! nobody; and neither does a list, unless it shows something new.

pub(super) mod board;
pub(super) mod changes;
pub(super) mod discover;
pub(super) mod report;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use kube::{Resource, runtime::watcher::Event};

use super::{
    arrival::{ProviderResource, WatchedProvider},
    key::ObjectKey,
};
use crate::{
    api::{ProviderKind, ProviderRef},
    reconcile::{FoundProvider, ProviderObject, Unusable},
};

/// The key of a provider object. A `ClusterCubeProvider` has an empty namespace in it.
pub(crate) type ProviderKey = ObjectKey;

type Found = Result<Arc<ProviderObject>, Unusable>;

/// The objects of both kinds.
#[derive(Debug, Default)]
pub(super) struct Providers {
    of_namespaces: Objects,
    /// `None`: this operator does not use them.
    of_cluster: Option<Objects>,
}

/// The objects of one kind.
#[derive(Debug, Default)]
struct Objects {
    known: HashMap<ProviderKey, Found>,
    /// The objects that a list in progress has shown.
    listing: HashSet<ProviderKey>,
    /// The objects that were read without a list, and are not there.
    absent: HashSet<ProviderKey>,
    is_listed: bool,
    /// True while they cannot be listed.
    fails: bool,
}

impl Providers {
    /// No object yet of these kinds. Others are not used.
    pub(super) fn new(kinds: &[ProviderKind]) -> Self {
        let uses_cluster_kind = kinds.contains(&ProviderKind::ClusterCubeProvider);
        Self {
            of_namespaces: Objects::default(),
            of_cluster: uses_cluster_kind.then(Objects::default),
        }
    }

    fn of(&mut self, kind: ProviderKind) -> Option<&mut Objects> {
        match kind {
            ProviderKind::CubeProvider => Some(&mut self.of_namespaces),
            ProviderKind::ClusterCubeProvider => self.of_cluster.as_mut(),
        }
    }

    /// This was read.
    fn put(&mut self, reference: &ProviderRef, namespace: &str, found: FoundProvider) {
        let key = provider_key(reference, namespace);
        let Some(objects) = self.of(reference.kind) else {
            return;
        };
        match found {
            FoundProvider::Present(object) => drop(objects.known.insert(key, object)),
            _ => {
                objects.absent.insert(key);
            }
        }
    }

    /// The object that a reference in this namespace leads to.
    pub(super) fn find(&self, reference: &ProviderRef, namespace: &str) -> FoundProvider {
        let objects = match reference.kind {
            ProviderKind::CubeProvider => Some(&self.of_namespaces),
            ProviderKind::ClusterCubeProvider => self.of_cluster.as_ref(),
        };
        let Some(objects) = objects else {
            return FoundProvider::Unused;
        };
        let key = provider_key(reference, namespace);
        match objects.known.get(&key) {
            Some(found) => FoundProvider::Present(found.clone()),
            None if objects.is_listed || objects.absent.contains(&key) => FoundProvider::Absent,
            None if objects.fails => FoundProvider::Unwatched,
            None => FoundProvider::Unlisted,
        }
    }
}

impl Objects {
    /// Takes in an event, and returns the objects that changed. The end of the first list matters to all, so its objects are not
    /// named one by one.
    fn learn<K: ProviderResource>(&mut self, event: Event<WatchedProvider<K>>) -> Vec<ProviderKey> {
        match event {
            Event::Init => {
                self.listing.clear();
                Vec::new()
            }
            Event::InitApply(object) => {
                self.listing.insert(ObjectKey::of(object.meta()));
                let changed = self.show(object);
                if self.is_listed { changed } else { Vec::new() }
            }
            Event::Apply(object) => self.show(object),
            Event::Delete(object) => {
                let key = ObjectKey::of(object.meta());
                let known = self.known.remove(&key);
                known.map(|_| key).into_iter().collect()
            }
            Event::InitDone => {
                self.is_listed = true;
                self.fails = false;
                let listed = std::mem::take(&mut self.listing);
                let gone = self.known.keys().filter(|key| !listed.contains(key));
                let gone: Vec<_> = gone.cloned().collect();
                for key in &gone {
                    self.known.remove(key);
                }
                gone
            }
        }
    }

    fn show<K: ProviderResource>(&mut self, object: WatchedProvider<K>) -> Vec<ProviderKey> {
        let key = ObjectKey::of(object.meta());
        if self.known.get(&key) == Some(&object.object) {
            return Vec::new();
        }
        self.known.insert(key.clone(), object.object);
        vec![key]
    }
}

pub(super) fn provider_key(reference: &ProviderRef, namespace: &str) -> ProviderKey {
    match reference.kind {
        ProviderKind::CubeProvider => ObjectKey::new(namespace, &reference.name),
        ProviderKind::ClusterCubeProvider => ObjectKey::new("", &reference.name),
    }
}

#[cfg(test)]
mod tests;
