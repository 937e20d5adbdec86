//! The labelled Secrets as the watches show them: metadata only, and our own writes before the watch shows them.
//!
//! kube's reflector lags behind our writes, and a decision from before a write would ask the provider again. So an entry is
//! only ever replaced by a newer resourceVersion, which Kubernetes 1.35 made comparable and which always was a number.
//!
//! The watch may also be ahead of us: a response that comes after the event of a deletion must not bring the object back.

use std::collections::HashSet;

use kube::{Resource, runtime::watcher::Event};

use super::{
    key::ObjectKey,
    table::{Groups, Table},
};

/// The last known version of every object of a watch.
#[derive(Debug)]
pub(crate) struct Cache<T> {
    entries: Table<ObjectKey, Known<T>>,
    /// The names of objects, by the uid of their owner.
    owned: Groups<String>,
    owner: fn(&T) -> Option<&str>,
    /// The newest version that the watch has told about.
    watched: u64,
    /// While a list is under way: what is known to exist.
    listed: Option<HashSet<ObjectKey>>,
}

/// One object at its last known version.
#[derive(Debug)]
struct Known<T> {
    version: u64,
    /// `None`: it has this version or a newer one, and has to be read.
    value: Option<T>,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self::with_owners(|_| None)
    }
}

impl<T> Cache<T> {
    /// A cache that also finds objects by their owner.
    pub(crate) fn with_owners(owner: fn(&T) -> Option<&str>) -> Self {
        Self {
            entries: Table::default(),
            owned: Groups::default(),
            owner,
            watched: 0,
            listed: None,
        }
    }

    /// The last known version of an object.
    pub(crate) fn get(&self, key: &ObjectKey) -> Option<&T> {
        self.entries.get(key)?.value.as_ref()
    }

    /// The objects of an owner in a namespace, by name.
    pub(crate) fn owned_by(&self, namespace: &str, uid: &str) -> impl Iterator<Item = &T> {
        let names = self.owned.get(namespace, uid);
        names.filter_map(move |name| self.get(&ObjectKey::new(namespace, name)))
    }

    /// Takes in what we wrote or read ourselves.
    pub(crate) fn put(&mut self, key: ObjectKey, version: &str, value: T) {
        let version = number(version);
        let newer = match self.entries.get(&key) {
            Some(known) => version >= known.version,
            // The watch is past this version and does not know the object: it is gone.
            None => version > self.watched,
        };
        if newer {
            self.store(key, version, value);
        }
    }

    fn store(&mut self, key: ObjectKey, version: u64, value: T) {
        if let Some(listed) = &mut self.listed {
            listed.insert(key.clone());
        }
        self.forget(&key);
        if let Some(uid) = (self.owner)(&value) {
            self.owned.insert(&key.namespace, uid, key.name.clone());
        }
        let value = Some(value);
        self.entries.insert(key, Known { version, value });
    }

    /// Takes in a version that the watch told about; the same one again brings nothing new.
    fn learn(&mut self, key: ObjectKey, version: &str, value: T) {
        let known = self.entries.get(&key);
        if known.is_none_or(|known| number(version) > known.version) {
            self.store(key, number(version), value);
        } else if let Some(listed) = &mut self.listed {
            listed.insert(key);
        }
    }

    /// Forgets an object, so that it is read before the next decision.
    pub(crate) fn forget(&mut self, key: &ObjectKey) {
        let known = self.entries.get_mut(key);
        let Some(value) = known.and_then(|known| known.value.take()) else {
            return;
        };
        if let Some(uid) = (self.owner)(&value) {
            self.owned.remove(&key.namespace, uid, &key.name);
        }
    }

    fn remove(&mut self, key: &ObjectKey) {
        self.forget(key);
        self.entries.remove(key);
    }

    /// Takes in an event of the watch and returns the objects that it tells about.
    pub(crate) fn absorb<K>(&mut self, event: Event<K>, convert: impl Fn(&K) -> T) -> Vec<ObjectKey>
    where
        K: Resource<DynamicType = ()>,
    {
        match event {
            Event::Apply(object) | Event::InitApply(object) => {
                let key = ObjectKey::of(object.meta());
                let version = self.observe_version(&object);
                self.learn(key.clone(), &version, convert(&object));
                vec![key]
            }
            Event::Delete(object) => {
                let key = ObjectKey::of(object.meta());
                let version = number(&self.observe_version(&object));
                let known = self.entries.get(&key);
                if known.is_none_or(|known| version >= known.version) {
                    self.remove(&key);
                }
                vec![key]
            }
            Event::Init => {
                // A restored cluster counts from an earlier version.
                self.watched = 0;
                self.listed = Some(HashSet::new());
                Vec::new()
            }
            Event::InitDone => self.finish_list(),
        }
    }

    /// The version that an event shows; the watch has come so far.
    fn observe_version<K: Resource>(&mut self, object: &K) -> String {
        let version = object.meta().resource_version.clone().unwrap_or_default();
        self.watched = self.watched.max(number(&version));
        version
    }

    /// Forgets what the list did not show, and returns it.
    fn finish_list(&mut self) -> Vec<ObjectKey> {
        let listed = self.listed.take().unwrap_or_default();
        let known = self.entries.walk().map(|(key, _)| key);
        let gone: Vec<_> = known
            .filter(|key| !listed.contains(*key))
            .cloned()
            .collect();
        for key in &gone {
            self.remove(key);
        }
        gone
    }
}

/// A version that is no number counts as newer than all: reading once too often is safe.
fn number(version: &str) -> u64 {
    version.parse().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Secret;
    use kube::core::ObjectMeta;
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn secret(name: &str, version: &str) -> Secret {
        Secret {
            metadata: ObjectMeta {
                namespace: Some("ns".into()),
                name: Some(name.into()),
                resource_version: Some(version.into()),
                ..ObjectMeta::default()
            },
            ..Secret::default()
        }
    }

    fn tell(cache: &mut Cache<String>, event: Event<Secret>) -> Vec<ObjectKey> {
        cache.absorb(event, |secret| {
            format!(
                "watched {}",
                secret.metadata.resource_version.as_ref().unwrap()
            )
        })
    }

    fn key(name: &str) -> ObjectKey {
        ObjectKey::new("ns", name)
    }

    #[test]
    fn an_own_write_is_not_undone_by_an_older_event() {
        let mut cache = Cache::default();
        cache.put(key("a"), "7", "written 7".to_owned());
        tell(&mut cache, Event::Apply(secret("a", "6")));
        tell(&mut cache, Event::Delete(secret("a", "5")));
        tell(&mut cache, Event::Apply(secret("a", "7")));
        assert_eq!(cache.get(&key("a")).unwrap(), "written 7");
        tell(&mut cache, Event::Apply(secret("a", "10")));
        assert_eq!(cache.get(&key("a")).unwrap(), "watched 10");
        tell(&mut cache, Event::Delete(secret("a", "11")));
        assert_eq!(cache.get(&key("a")), None);
    }

    #[test]
    fn what_was_read_before_a_deletion_does_not_bring_the_object_back() {
        let mut cache = Cache::default();
        tell(&mut cache, Event::Apply(secret("a", "6")));
        tell(&mut cache, Event::Delete(secret("a", "7")));
        cache.put(key("a"), "6", "read 6".to_owned());
        assert_eq!(cache.get(&key("a")), None);
        cache.put(key("a"), "8", "written 8".to_owned());
        assert_eq!(cache.get(&key("a")).unwrap(), "written 8");
    }

    #[test]
    fn what_is_forgotten_is_looked_at_and_then_known_again() {
        let mut cache = Cache::with_owners(|_| Some("owner"));
        tell(&mut cache, Event::Apply(secret("a", "6")));
        tell(&mut cache, Event::Apply(secret("b", "7")));
        cache.forget(&key("a"));
        assert_eq!(cache.get(&key("a")), None);
        assert_eq!(cache.owned_by("ns", "owner").count(), 1);
        cache.put(key("a"), "6", "read 6".to_owned());
        assert_eq!(cache.get(&key("a")).unwrap(), "read 6");
    }

    #[test]
    fn a_list_removes_what_it_does_not_show_but_not_what_was_written_meanwhile() {
        let mut cache = Cache::default();
        for name in ["kept", "gone"] {
            tell(&mut cache, Event::Apply(secret(name, "1")));
        }
        tell(&mut cache, Event::Init);
        tell(&mut cache, Event::InitApply(secret("kept", "1")));
        cache.put(key("written"), "9", "written".into());
        assert_eq!(tell(&mut cache, Event::InitDone), vec![key("gone")]);
        assert!(cache.get(&key("kept")).is_some() && cache.get(&key("written")).is_some());
    }

    /// An object whose version and owner the test chooses.
    fn owned(name: &str, version: &str, owner: &str) -> Secret {
        let mut secret = secret(name, version);
        secret.metadata.uid = Some(owner.into());
        secret
    }

    proptest! {
        #[test]
        fn an_owners_objects_are_those_that_a_walk_finds(
            steps in vec((0..6, 0..3_usize, 0..2_usize, 1..9_u32), 1..60)
        ) {
            let mut cache = Cache::with_owners(|owner: &String| Some(owner));
            for (step, name, owner, version) in steps {
                let (name, owner) = (["a", "b", "c"][name], ["x", "y"][owner]);
                let version = version.to_string();
                let object = owned(name, &version, owner);
                let uid = |secret: &Secret| secret.metadata.uid.clone().unwrap();
                match step {
                    0 => cache.put(key(name), &version, owner.to_owned()),
                    1 => cache.forget(&key(name)),
                    2 => drop(cache.absorb(Event::Apply(object), uid)),
                    3 => drop(cache.absorb(Event::Delete(object), uid)),
                    4 => drop(cache.absorb(Event::Init, uid)),
                    _ => drop(cache.absorb(Event::InitDone, uid)),
                }
                for owner in ["x", "y"] {
                    let walk = cache.entries.walk().filter_map(|(_, known)| known.value.as_ref());
                    let expected = walk.filter(|found| *found == owner).count();
                    prop_assert_eq!(cache.owned_by("ns", owner).count(), expected);
                }
            }
        }
    }
}
