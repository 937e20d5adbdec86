//! The state that is kept of each `CubeCredential` between reconciles, by its uid.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard},
};

use kube::{Resource, ResourceExt};

use crate::{
    api::CubeCredentialStatus,
    clock::now,
    cluster::{Context, Watched, convert},
    lock::lock,
    object::Uid,
    reconcile::{Memory, Observed},
};

/// The states of all objects of a scope.
#[derive(Default)]
pub(super) struct ObjectStates(Mutex<States>);

/// By uid. A state is large, and a map has up to twice as many places as states.
type States = HashMap<Uid, Box<ObjectState>>;

#[derive(Default)]
struct ObjectState {
    memory: Memory,
    reported: Option<Box<Reported>>,
    /// True while a reconcile is in progress.
    is_reconciled: bool,
    /// The number of reconciles in a row that the API server has interrupted.
    api_errors: u32,
}

/// The status that was written last, which the watch may not have shown yet.
struct Reported {
    version: u64,
    status: CubeCredentialStatus,
}

impl Reported {
    /// Returns whether this object has the status, or is newer.
    fn is_shown_by(&self, object: &Watched) -> bool {
        let version = object.resource_version();
        let version = version.and_then(|version| version.parse().ok());
        let version = version.unwrap_or(u64::MAX);
        // The status of an object that cannot be read is not known either.
        let known = self.version < version && object.0.is_ok();
        known || self.version == version && self.status == convert::status(object)
    }
}

impl ObjectState {
    fn drop_what_is_shown(&mut self, object: &Watched) {
        let shown = |reported: &mut Box<Reported>| reported.is_shown_by(object);
        drop(self.reported.take_if(shown));
    }
}

/// The states, locked. The metrics of an object are changed only while its state is locked: otherwise a reconcile that ends could
/// show an object again whose deletion has just removed it.
pub(super) struct LockedStates<'a>(MutexGuard<'a, States>);

impl ObjectStates {
    pub(super) fn lock(&self) -> LockedStates<'_> {
        LockedStates(lock(&self.0))
    }

    /// Observes an object without a request, with the memory of earlier reconciles.
    pub(super) fn observe(&self, context: &Context, object: &Watched) -> Observed {
        let mut states = lock(&self.0);
        let uid = Uid::of(object.meta());
        let state = states.entry(uid).or_insert_with(|| {
            Box::new(ObjectState {
                memory: Memory::recall(&convert::status(object), now()),
                ..ObjectState::default()
            })
        });
        state.is_reconciled = true;
        let mut observed = context.observe(object, state.memory.begin());
        state.drop_what_is_shown(object);
        if let Some(reported) = &state.reported {
            observed.credential.status.clone_from(&reported.status);
        }
        observed
    }

    /// This status was written, in this version of the object.
    pub(super) fn reported(&self, uid: Uid, version: u64, status: &CubeCredentialStatus) {
        if let Some(state) = lock(&self.0).get_mut(&uid) {
            let status = status.clone();
            state.reported = Some(Box::new(Reported { version, status }));
        }
    }

    /// The watch shows this object. The status that was written is not kept until the next reconcile: after a start, thousands
    /// wait for theirs.
    pub(super) fn shown(&self, object: &Watched) {
        if let Some(state) = lock(&self.0).get_mut(&Uid::of(object.meta())) {
            state.drop_what_is_shown(object);
        }
    }

    /// The CA bundle of an object may have changed. Returns whether a reconcile is in progress, which may use the earlier one.
    pub(super) fn touch_ca_bundle(&self, uid: Uid) -> bool {
        let mut states = lock(&self.0);
        let Some(state) = states.get_mut(&uid) else {
            return false;
        };
        state.memory.touch_ca_bundle();
        state.is_reconciled
    }

    /// The number of reconciles of an object in a row that the API server has interrupted.
    pub(super) fn api_errors(&self, uid: Uid) -> u32 {
        lock(&self.0).get(&uid).map_or(1, |state| state.api_errors)
    }
}

impl LockedStates<'_> {
    /// A reconcile has ended. Returns whether the object is still known.
    pub(super) fn keep(&mut self, uid: Uid, memory: Memory, worked: bool) -> bool {
        let Some(state) = self.0.get_mut(&uid) else {
            return false;
        };
        state.memory.end(memory);
        state.is_reconciled = false;
        state.api_errors = if worked {
            0
        } else {
            state.api_errors.saturating_add(1)
        };
        true
    }

    pub(super) fn has(&self, uid: Uid) -> bool {
        self.0.contains_key(&uid)
    }

    pub(super) fn forget(&mut self, uid: Uid) {
        self.0.remove(&uid);
    }
}

#[cfg(test)]
impl ObjectStates {
    pub(super) fn uids(&self) -> Vec<Uid> {
        lock(&self.0).keys().copied().collect()
    }

    pub(super) fn keeps_status(&self, uid: &str) -> bool {
        lock(&self.0)[&Uid::from(uid)].reported.is_some()
    }
}
