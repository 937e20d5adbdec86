//! The provider objects as the API server has them, for those who write their statuses. All scopes of a process share it: several
//! may watch the same `ClusterCubeProvider`.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex},
};

use kube::{Resource, runtime::watcher::Event};
use tokio::sync::Notify;

use super::{
    ProviderKey,
    bundles::{Bundle, OperatorBundles},
};
use crate::{
    api::{ProviderKind, ProviderStatus},
    cluster::arrival::{ProviderResource, WatchedProvider},
    lock::lock,
    object::ObjectKey,
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
    shown: HashMap<ProviderId, Shown>,
    changed: BTreeSet<ProviderId>,
    /// The objects whose issuer's metadata may name other endpoints by now.
    suspected: BTreeSet<ProviderId>,
}

/// An object, and the ConfigMap that it names.
#[derive(Debug)]
struct Shown {
    object: ShownProvider,
    bundle: Option<Arc<Bundle>>,
}

/// An object that is visited.
#[derive(Debug)]
pub(crate) enum Visited {
    /// It does not exist.
    Gone,
    /// The ConfigMap that it names was not read yet.
    Waiting,
    Found(Box<ShownProvider>),
}

impl ProviderBoard {
    /// Takes in an event of a watch.
    pub(super) fn learn<K: ProviderResource>(
        &self,
        event: &Event<WatchedProvider<K>>,
        bundles: &OperatorBundles,
    ) {
        match event {
            Event::Apply(object) | Event::InitApply(object) => {
                let id = (K::KIND, ObjectKey::of(object.meta()));
                self.change(id, Some(Shown::of(object.shown(), bundles)));
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

    /// Another number of credentials names this object, or the ConfigMap that it names has changed.
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

    fn change(&self, id: ProviderId, shown: Option<Shown>) {
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

    /// The object as far as it is known.
    pub(crate) fn find(&self, id: &ProviderId) -> Visited {
        let state = lock(&self.state);
        let Some(Shown { object, bundle }) = state.shown.get(id) else {
            return Visited::Gone;
        };
        let mut found = object.clone();
        if let (Some(bundle), Ok(object)) = (bundle, &object.object) {
            if !bundle.is_read() {
                return Visited::Waiting;
            }
            found.object = bundle.complete(object);
        }
        Visited::Found(Box::new(found))
    }

    /// This status was written, in place of what was seen, and has given the object this version. The watch may show it later; if it
    /// has shown something newer than what was seen, that counts.
    pub(crate) fn wrote(
        &self,
        id: &ProviderId,
        seen: &ShownProvider,
        status: ProviderStatus,
        version: String,
    ) {
        if let Some(Shown { object, .. }) = lock(&self.state).shown.get_mut(id)
            && object.version == seen.version
        {
            object.status = status;
            object.version = version;
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

impl Shown {
    fn of(mut object: ShownProvider, bundles: &OperatorBundles) -> Self {
        let bundle = bundles.named_by(&object.object);
        object.bundle = bundle.as_ref().map(|bundle| bundle.place.clone());
        Self { object, bundle }
    }
}
