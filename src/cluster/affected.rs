//! Finds the `CubeCredentials` that a watch event affects, once the index and the caches have taken it in.

use k8s_openapi::api::core::v1::{Secret, ServiceAccount};
use kube::{Resource, runtime::watcher::Event};

use super::{
    arrival::{Metadata, Watched},
    context::Context,
    index::{Entry, Index},
    providers::provider_key,
    slim,
    store::Gone,
    watched::{entry, key, service_account_key},
};
use crate::{
    api::CaBundleKind,
    lock::lock,
    object::{ObjectKey, Uid},
};

/// The `CubeCredentials` to reconcile after an event.
pub type Affected = Vec<ObjectKey>;

impl Context {
    /// Takes in an event of the watch on `CubeCredentials`. The end of a list affects all of them.
    pub fn learn_credential(&self, event: &Event<Watched>) -> Learned {
        match event {
            Event::Apply(object) => {
                let (key, mut affected, gone) = self.show(object);
                affected.push(key);
                Learned { affected, gone }
            }
            Event::Delete(object) => {
                let key = key(object);
                let gone = lock(&self.store).delete(&key);
                Learned {
                    affected: self.remove(&key),
                    gone: gone.into_iter().collect(),
                }
            }
            Event::Init => {
                lock(&self.store).begin_list();
                Learned::default()
            }
            Event::InitApply(object) => {
                let (_, _, gone) = self.show(object);
                let affected = Vec::new();
                Learned { affected, gone }
            }
            Event::InitDone => {
                let gone = lock(&self.store).finish_list();
                for gone in &gone {
                    self.remove(&gone.key);
                }
                let affected = self.all();
                Learned { affected, gone }
            }
        }
    }

    fn show(&self, object: &Watched) -> (ObjectKey, Affected, Vec<Gone>) {
        let mut store = lock(&self.store);
        let key = store.shared(key(object));
        let gone = store.apply(&key, object);
        drop(store);
        let affected = self.index(&key, |index| index.apply(entry(key.clone(), object)));
        (key, affected, gone.into_iter().collect())
    }

    fn remove(&self, key: &ObjectKey) -> Affected {
        self.index(key, |index| index.delete(key))
    }

    /// Changes the entry of this credential. The statuses of the provider objects that it names before or after that count it.
    fn index(&self, key: &ObjectKey, change: impl FnOnce(&mut Index) -> Affected) -> Affected {
        let mut index = lock(&self.index);
        let before = index.provider_of(key).cloned();
        let affected = change(&mut index);
        let after = index.provider_of(key);
        if before.as_ref() != after {
            for reference in before.iter().chain(after) {
                let id = (reference.kind, provider_key(reference, key.namespace()));
                self.parts.provider_board.touch(id);
            }
        }
        affected
    }

    /// Takes in an event of the watch on targets.
    pub fn learn_target(&self, event: Event<Metadata<Secret>>) -> Affected {
        let keys = lock(&self.targets).absorb(event, |secret| slim::target(&secret.metadata));
        keys.iter().flat_map(|key| self.affected_by(key)).collect()
    }

    /// Takes in an event of the watch on the Secrets that may be read, and returns these.
    pub(crate) fn learn_source(&self, event: Event<Metadata<Secret>>) -> Vec<ObjectKey> {
        lock(&self.sources).absorb(event, version)
    }

    /// Takes in an event of the watch on the ServiceAccounts whose tokens may be requested.
    pub(crate) fn learn_service_account(&self, event: Event<Metadata<ServiceAccount>>) -> Affected {
        let keys = lock(&self.service_accounts).absorb(event, version);
        let keys = keys
            .iter()
            .map(|key| ObjectKey::new(key.namespace(), &service_account_key(key.name())));
        keys.flat_map(|key| self.affected_by(&key)).collect()
    }

    /// Takes in an event of the watch on states.
    pub(crate) fn learn_state(&self, event: Event<Metadata<Secret>>) {
        lock(&self.states).absorb(event, version);
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

#[expect(
    clippy::unnecessary_wraps,
    reason = "the conversions of other watches may drop an object"
)]
fn version<K: Resource<DynamicType = ()>>(object: &Metadata<K>) -> Option<Box<str>> {
    Some(
        object
            .metadata
            .resource_version
            .clone()
            .unwrap_or_default()
            .into(),
    )
}

/// The effect of an event of the watch on `CubeCredentials`.
#[derive(Debug, Default)]
pub struct Learned {
    pub(crate) affected: Affected,
    /// The objects that do not exist any more.
    pub(crate) gone: Vec<Gone>,
}

/// A `CubeCredential` whose CA bundle may have changed.
pub(crate) struct Trusting {
    pub(crate) key: ObjectKey,
    pub(crate) uid: Option<Uid>,
}

impl From<&Entry> for Trusting {
    fn from(entry: &Entry) -> Self {
        Self {
            key: entry.key.clone(),
            uid: entry.uid,
        }
    }
}
