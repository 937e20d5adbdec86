//! The `CubeCredentials` that are watched. kube's store keeps each of them as a struct, and all of them twice during a list.
//!
//! A list is taken in as it arrives. Its end tells which objects it did not show, and these are gone.

use std::sync::Arc;

use jiff::Timestamp;
use kube::Resource;

use super::{
    arrival::{Unreadable, Watched},
    packed::Packed,
    table::Table,
    watched::{expires_at, paused_until},
};
use crate::{
    api::CubeCredential,
    object::{ObjectKey, Uid},
};

/// The objects of a scope.
#[derive(Debug, Default)]
pub(super) struct Store {
    objects: Table<ObjectKey, Box<Stored>>,
    /// The number of the last list that began.
    list: u32,
}

/// One object, and the facts of it that are needed without the rest.
#[derive(Debug)]
struct Stored {
    uid: Uid,
    expires_at: Option<Timestamp>,
    /// In a box, because few objects have one.
    paused_until: Option<Box<Timestamp>>,
    /// The number of the list that was in progress, or was the last one, when an event showed it.
    list: u32,
    object: Object,
}

#[derive(Debug)]
enum Object {
    Packed(Packed<CubeCredential>),
    /// It cannot be read, which is rare.
    Unreadable(Box<Unreadable>),
}

/// An object that does not exist any more.
#[derive(Debug, PartialEq, Eq)]
pub struct Gone {
    pub(crate) key: ObjectKey,
    pub(crate) uid: Uid,
}

impl Store {
    /// The same key, with texts that the other tables share.
    pub(super) fn shared(&self, key: ObjectKey) -> ObjectKey {
        self.objects.shared(key)
    }

    /// An event or a list shows the object with this key. Returns the one that had its name, if that was another one.
    pub(super) fn apply(&mut self, key: &ObjectKey, object: &Watched) -> Option<Gone> {
        let uid = Uid::of(object.meta());
        let stored = Box::new(Stored {
            uid,
            expires_at: expires_at(object),
            paused_until: paused_until(object).map(Box::new),
            list: self.list,
            object: Object::of(object)?,
        });
        let before = self.objects.insert(key.clone(), stored)?;
        (before.uid != uid).then(|| Gone {
            key: key.clone(),
            uid: before.uid,
        })
    }

    /// The object is gone.
    pub(super) fn delete(&mut self, key: &ObjectKey) -> Option<Gone> {
        let gone = self.objects.remove(key)?;
        Some(Gone {
            key: key.clone(),
            uid: gone.uid,
        })
    }

    pub(super) fn begin_list(&mut self) {
        self.list += 1;
    }

    /// The list is complete: returns the objects that it did not show.
    pub(super) fn finish_list(&mut self) -> Vec<Gone> {
        let list = self.list;
        let missed = self
            .objects
            .walk()
            .filter(|(_, stored)| stored.list != list);
        let missed: Vec<_> = missed.map(|(key, _)| key.clone()).collect();
        missed.iter().filter_map(|key| self.delete(key)).collect()
    }

    pub(super) fn get(&self, key: &ObjectKey) -> Option<Arc<Watched>> {
        self.objects.get(key)?.object.unpack().map(Arc::new)
    }

    pub(super) fn uid(&self, key: &ObjectKey) -> Option<&Uid> {
        self.objects.get(key).map(|stored| &stored.uid)
    }

    /// The time at which the published token of an object expires, as its status says.
    pub(super) fn expires_at(&self, key: &ObjectKey) -> Option<Timestamp> {
        self.objects.get(key)?.expires_at
    }

    /// Every key. It serves the end of a list, rare periodic work and `check`.
    pub(super) fn keys(&self) -> impl Iterator<Item = &ObjectKey> {
        self.objects.walk().map(|(key, _)| key)
    }

    /// The objects whose status has a pause that is not over. Only the first list needs them.
    pub(super) fn paused(&self, now: Timestamp) -> impl Iterator<Item = &ObjectKey> {
        let paused = move |stored: &Stored| {
            let until = stored.paused_until.as_deref();
            until.is_some_and(|until| now < *until)
        };
        let objects = self.objects.walk();
        objects.filter_map(move |(key, stored)| paused(stored).then_some(key))
    }
}

impl Object {
    fn of(object: &Watched) -> Option<Self> {
        Some(match &object.0 {
            Ok(object) => Self::Packed(Packed::of(object)?),
            Err(unreadable) => Self::Unreadable(Box::new(unreadable.clone())),
        })
    }

    fn unpack(&self) -> Option<Watched> {
        Some(Watched(match self {
            Self::Packed(packed) => Ok(packed.unpack()?),
            Self::Unreadable(unreadable) => Err((**unreadable).clone()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cluster::key as key_of;

    fn object(name: &str, uid: &str) -> Watched {
        serde_json::from_value(json!({
            "metadata": {
                "namespace": "treasury", "name": name, "uid": uid, "resourceVersion": "7", "generation": 3,
                "annotations": {"cube-operator.dev/refresh-requested-at": "now"}, "creationTimestamp": "2026-11-23T10:00:00Z",
            },
            "spec": {"provider": "Cubewire", "clientSecretRef": {"name": "client"}, "scopes": ["a b", "ü\n\"{"]},
            "status": {"expiresAt": "2026-11-23T11:00:00Z", "failedWith": {
                "generation": 1, "sourceResourceVersion": "5", "pausedUntil": "2026-11-23T10:30:00Z"}},
        }))
        .unwrap()
    }

    fn apply(store: &mut Store, object: &Watched) -> Option<Gone> {
        store.apply(&key_of(object), object)
    }

    fn gone(name: &str, uid: &str) -> Gone {
        let (key, uid) = (ObjectKey::new("treasury", name), uid.into());
        Gone { key, uid }
    }

    #[test]
    fn an_object_comes_back_as_it_was_put_in() {
        let mut store = Store::default();
        let (good, bad) = (object("good", "1"), json!({"metadata": {"name": "bad"}}));
        let bad: Watched = serde_json::from_value(bad).unwrap();
        for object in [&good, &bad] {
            apply(&mut store, object);
        }
        let found = store.get(&key_of(&good)).unwrap();
        assert_eq!(found.0.as_ref().unwrap(), good.0.as_ref().unwrap());
        let found = store.get(&key_of(&bad)).unwrap();
        let error = |object: &Watched| object.0.as_ref().unwrap_err().to_string();
        assert_eq!(error(&found), error(&bad));
        let expires_at = store.expires_at(&key_of(&good)).unwrap();
        assert_eq!(expires_at.to_string(), "2026-11-23T11:00:00Z");
    }

    #[test]
    fn a_list_that_is_complete_tells_which_objects_are_gone_and_one_that_broke_off_does_not() {
        let mut store = Store::default();
        for name in ["a", "b", "c"] {
            apply(&mut store, &object(name, name));
        }
        store.begin_list();
        apply(&mut store, &object("a", "a"));
        store.begin_list();
        assert_eq!(apply(&mut store, &object("b", "new")), Some(gone("b", "b")));
        apply(&mut store, &object("a", "a"));
        assert_eq!(store.keys().count(), 3, "the list is not complete");
        assert_eq!(store.finish_list(), [gone("c", "c")]);
        assert_eq!(store.finish_list(), []);
        assert_eq!(
            store.uid(&ObjectKey::new("treasury", "b")),
            Some(&"new".into())
        );
        assert_eq!(
            store.delete(&ObjectKey::new("treasury", "b")),
            Some(gone("b", "new"))
        );
    }

    #[test]
    fn a_pause_that_is_not_over_is_known_without_a_look_at_the_objects() {
        let mut store = Store::default();
        apply(&mut store, &object("a", "a"));
        let paused = |at: &str| store.paused(at.parse().unwrap()).count();
        assert_eq!(paused("2026-11-23T10:29:59Z"), 1);
        assert_eq!(paused("2026-11-23T10:30:00Z"), 0);
    }
}
