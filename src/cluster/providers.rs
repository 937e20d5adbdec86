//! The provider objects that the watches show.
//!
//! Only what a credential uses of an object is kept. An event that changes nothing of it, such as a label or a status, affects
//! nobody; and neither does a list, unless it shows something new.

pub(super) mod board;
pub(super) mod bundles;
pub(super) mod changes;
pub(super) mod discover;
pub(super) mod read_bundle;
pub(super) mod report;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use kube::{Resource, runtime::watcher::Event};

use super::arrival::{ProviderResource, WatchedProvider};
use crate::{
    api::{ProviderKind, ProviderRef},
    object::ObjectKey,
    reconcile::{FoundProvider, ReadProvider},
};
use bundles::{Bundle, OperatorBundles};

/// The key of a provider object. A `ClusterCubeProvider` has an empty namespace in it.
pub(crate) type ProviderKey = ObjectKey;

/// The objects of both kinds.
#[derive(Debug)]
pub(super) struct Providers {
    of_namespaces: Objects,
    /// The objects of the cluster; `None`: this operator does not use them.
    of_cluster: Option<Objects>,
    bundles: Arc<OperatorBundles>,
}

/// The objects of one kind.
#[derive(Debug, Default)]
struct Objects {
    known: HashMap<ProviderKey, Known>,
    /// The objects that a list in progress has shown.
    listing: HashSet<ProviderKey>,
    /// The objects that were read without a list, and are not there.
    absent: HashSet<ProviderKey>,
    is_listed: bool,
    /// True while they cannot be listed.
    fails: bool,
}

/// An object that is there.
#[derive(Debug)]
struct Known {
    /// The object as it arrived.
    arrived: ReadProvider,
    /// The ConfigMap that it names.
    bundle: Option<Arc<Bundle>>,
    /// The object with the certificates of that ConfigMap.
    complete: ReadProvider,
}

impl Known {
    fn of(arrived: ReadProvider, bundles: &OperatorBundles) -> Self {
        let bundle = bundles.named_by(&arrived);
        let mut known = Self {
            complete: arrived.clone(),
            arrived,
            bundle,
        };
        known.complete();
        known
    }

    /// Reads the ConfigMap anew. Returns whether the object has changed.
    fn complete(&mut self) -> bool {
        let (Some(bundle), Ok(object)) = (&self.bundle, &self.arrived) else {
            return false;
        };
        let complete = bundle.complete(object);
        if complete == self.complete {
            return false;
        }
        self.complete = complete;
        true
    }

    fn waits(&self) -> bool {
        let object = self.complete.as_ref().ok();
        object.is_some_and(|object| object.waits_for_its_bundle())
    }
}

impl Providers {
    /// No object yet of these kinds. Others are not used.
    pub(super) fn new(kinds: &[ProviderKind], bundles: Arc<OperatorBundles>) -> Self {
        let uses_cluster_kind = kinds.contains(&ProviderKind::ClusterCubeProvider);
        Self {
            of_namespaces: Objects::default(),
            of_cluster: uses_cluster_kind.then(Objects::default),
            bundles,
        }
    }

    fn of(&mut self, kind: ProviderKind) -> Option<&mut Objects> {
        match kind {
            ProviderKind::CubeProvider => Some(&mut self.of_namespaces),
            ProviderKind::ClusterCubeProvider => self.of_cluster.as_mut(),
        }
    }

    /// The ConfigMaps that objects wait for.
    fn unread(&self) -> Vec<Arc<Bundle>> {
        let known = self.of_cluster.iter();
        let known = known.flat_map(|objects| objects.known.values());
        let named = known.filter_map(|known| known.bundle.as_ref());
        named.filter(|bundle| !bundle.is_read()).cloned().collect()
    }

    /// This was read.
    fn put(&mut self, reference: &ProviderRef, namespace: &str, found: FoundProvider) {
        let key = provider_key(reference, namespace);
        let bundles = Arc::clone(&self.bundles);
        let Some(objects) = self.of(reference.kind) else {
            return;
        };
        match found {
            FoundProvider::Present(object) => {
                objects.known.insert(key, Known::of(object, &bundles));
            }
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
            Some(known) => FoundProvider::Present(known.complete.clone()),
            None if objects.is_listed || objects.absent.contains(&key) => FoundProvider::Absent,
            None if objects.fails => FoundProvider::Unwatched,
            None => FoundProvider::Unlisted,
        }
    }
}

impl Objects {
    /// Takes in an event, and returns the objects that changed. The end of the first list matters to all, so its objects are not
    /// named one by one.
    fn learn<K: ProviderResource>(
        &mut self,
        event: &Event<WatchedProvider<K>>,
        bundles: &OperatorBundles,
    ) -> Vec<ProviderKey> {
        match event {
            Event::Init => {
                self.listing.clear();
                Vec::new()
            }
            Event::InitApply(object) => {
                self.listing.insert(ObjectKey::of(object.meta()));
                let changed = self.show(object, bundles);
                if self.is_listed { changed } else { Vec::new() }
            }
            Event::Apply(object) => self.show(object, bundles),
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

    fn show<K: ProviderResource>(
        &mut self,
        object: &WatchedProvider<K>,
        bundles: &OperatorBundles,
    ) -> Vec<ProviderKey> {
        let key = ObjectKey::of(object.meta());
        let known = self.known.get(&key);
        if known.is_some_and(|known| known.arrived == object.object) {
            return Vec::new();
        }
        // A bundle that it names still is not read again.
        let known = Known::of(object.object.clone(), bundles);
        self.known.insert(key.clone(), known);
        vec![key]
    }

    /// Reads the ConfigMaps of all objects anew: those whose certificates have changed, and those that have waited for them.
    fn complete(&mut self) -> (Vec<ProviderKey>, Vec<ProviderKey>) {
        let (mut changed, mut found) = (Vec::new(), Vec::new());
        for (key, known) in &mut self.known {
            let waited = known.waits();
            if known.complete() {
                let keys = if waited { &mut found } else { &mut changed };
                keys.push(key.clone());
            }
        }
        (changed, found)
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
