//! The provider objects as the API server has them, for those who write their statuses. All scopes of a process share it: several
//! may watch the same `ClusterCubeProvider`.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Mutex,
};

use kube::{Resource, runtime::watcher::Event};
use tokio::sync::Notify;

use super::ProviderKey;
use crate::{
    api::{ProviderKind, ProviderStatus},
    cluster::{
        arrival::{ProviderResource, WatchedProvider},
        key::ObjectKey,
    },
    lock::lock,
    reconcile::ShownProvider,
};

/// The kind, and the key, of a provider object.
pub(crate) type ProviderId = (ProviderKind, ProviderKey);

/// The objects, and those of them whose status may have to be written.
#[derive(Debug, Default)]
pub(crate) struct ProviderBoard {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    shown: HashMap<ProviderId, ShownProvider>,
    changed: BTreeSet<ProviderId>,
    /// Those whose issuer's metadata may name other endpoints by now.
    suspected: BTreeSet<ProviderId>,
}

impl ProviderBoard {
    /// Takes in an event of a watch. `affected` are the objects that it is about, if it is the end of a list.
    pub(super) fn learn<K: ProviderResource>(&self, event: &Event<WatchedProvider<K>>) {
        match event {
            Event::Apply(object) | Event::InitApply(object) => {
                let id = (K::KIND, ObjectKey::of(object.meta()));
                self.change(id, Some(object.shown()));
            }
            Event::Delete(object) => self.change((K::KIND, ObjectKey::of(object.meta())), None),
            Event::Init | Event::InitDone => {}
        }
    }

    /// A list does not show these objects any more.
    pub(super) fn gone(&self, kind: ProviderKind, keys: &[ProviderKey]) {
        for key in keys {
            self.change((kind, key.clone()), None);
        }
    }

    /// Another number of credentials names this object.
    pub(crate) fn touch(&self, id: ProviderId) {
        lock(&self.state).changed.insert(id);
        self.changed.notify_one();
    }

    /// The endpoint that the metadata of its issuer named did not respond as one.
    pub(crate) fn suspect(&self, id: ProviderId) {
        let mut state = lock(&self.state);
        if state.shown.contains_key(&id) && state.suspected.insert(id.clone()) {
            state.changed.insert(id);
            self.changed.notify_one();
        }
    }

    /// Returns whether its endpoint is suspected.
    pub(crate) fn is_suspected(&self, id: &ProviderId) -> bool {
        lock(&self.state).suspected.contains(id)
    }

    /// The metadata of its issuer was read.
    pub(crate) fn looked_up(&self, id: &ProviderId) {
        lock(&self.state).suspected.remove(id);
    }

    fn change(&self, id: ProviderId, shown: Option<ShownProvider>) {
        let mut state = lock(&self.state);
        if let Some(shown) = shown {
            state.shown.insert(id.clone(), shown);
        } else {
            state.shown.remove(&id);
            state.suspected.remove(&id);
        }
        state.changed.insert(id);
        drop(state);
        self.changed.notify_one();
    }

    /// The object, if it exists.
    pub(crate) fn find(&self, id: &ProviderId) -> Option<ShownProvider> {
        lock(&self.state).shown.get(id).cloned()
    }

    /// This status was written. The watch may show it later.
    pub(crate) fn wrote(&self, id: &ProviderId, status: ProviderStatus) {
        if let Some(shown) = lock(&self.state).shown.get_mut(id) {
            shown.status = status;
        }
    }

    /// Waits until objects have changed, and returns them.
    pub(crate) async fn changed(&self) -> BTreeSet<ProviderId> {
        loop {
            let changed = std::mem::take(&mut lock(&self.state).changed);
            if !changed.is_empty() {
                return changed;
            }
            self.changed.notified().await;
        }
    }
}
