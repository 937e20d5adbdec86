//! Finds the `CubeCredentials` that a watch event affects, once the index and the caches have taken it in.

use k8s_openapi::api::core::v1::Secret;
use kube::{ResourceExt, runtime::watcher::Event};

use super::{
    arrival::{Metadata, Watched},
    context::Context,
    index::Entry,
    key::ObjectKey,
    slim,
    watched::{entry, key},
};
use crate::{api::CaBundleKind, lock::lock};

/// The `CubeCredentials` to reconcile after an event.
pub type Affected = Vec<ObjectKey>;

impl Context {
    /// Takes in an event of the watch on `CubeCredentials`, which the store has taken in already.
    pub fn learn_credential(&self, event: &Event<Watched>) -> Affected {
        match event {
            Event::Apply(object) => {
                let mut affected = lock(&self.index).apply(entry(object));
                affected.push(key(object));
                affected
            }
            Event::Delete(object) => lock(&self.index).delete(&key(object)),
            Event::Init => {
                lock(&self.index).begin_list();
                Vec::new()
            }
            Event::InitApply(object) => {
                lock(&self.index).list(entry(object));
                Vec::new()
            }
            Event::InitDone => {
                lock(&self.index).finish_list();
                self.all().iter().map(|object| key(object)).collect()
            }
        }
    }

    /// Takes in an event of the watch on targets.
    pub fn learn_target(&self, event: Event<Metadata<Secret>>) -> Affected {
        let keys = lock(&self.targets).absorb(event, |secret| slim::target(&secret.metadata));
        keys.iter().flat_map(|key| self.affected_by(key)).collect()
    }

    /// Takes in an event of the watch on the Secrets that may be read, and returns these.
    pub(crate) fn learn_source(&self, event: Event<Metadata<Secret>>) -> Vec<ObjectKey> {
        lock(&self.sources).absorb(event, |secret| {
            Some(secret.resource_version().unwrap_or_default())
        })
    }

    /// Takes in an event of the watch on states.
    pub(crate) fn learn_state(&self, event: Event<Metadata<Secret>>) {
        lock(&self.states).absorb(event, |secret| {
            Some(secret.resource_version().unwrap_or_default())
        });
    }

    /// The `CubeCredentials` that a change of this Secret affects.
    pub(crate) fn affected_by(&self, secret: &ObjectKey) -> Affected {
        let index = lock(&self.index);
        let users = index.users_of(secret);
        users.map(|entry| entry.key.clone()).collect()
    }

    /// The `CubeCredentials` whose CA bundle is in this object.
    pub(crate) fn trusting(&self, kind: CaBundleKind, object: &ObjectKey) -> Vec<Trusting> {
        let index = lock(&self.index);
        let trusting = index.trusting(kind, object);
        trusting.map(Trusting::from).collect()
    }
}

/// A `CubeCredential` whose CA bundle may have changed.
pub(crate) struct Trusting {
    pub(crate) key: ObjectKey,
    pub(crate) uid: String,
}

impl From<&Entry> for Trusting {
    fn from(entry: &Entry) -> Self {
        Self {
            key: entry.key.clone(),
            uid: entry.uid.clone().unwrap_or_default(),
        }
    }
}
