//! The metadata of labelled Secrets as the watches show them, and our own writes before the watch shows them.
//!
//! kube's reflector lags behind our writes, and a decision on the state before a write would request another token. So an entry
//! is only replaced by a newer resourceVersion. Kubernetes 1.35 declares resourceVersions comparable; they have always been
//! numbers.
//!
//! The watch may also be ahead of us: a response that arrives after the event of a deletion must not bring the object back.

use std::collections::HashSet;

use kube::{Resource, runtime::watcher::Event};

use super::table::{Groups, Table};
use crate::object::{ObjectKey, Uid};

/// The last known version of every object of a watch.
#[derive(Debug)]
pub(crate) struct Cache<T> {
    entries: Table<ObjectKey, Cached<T>>,
    /// The keys of objects, by the uid of their owner.
    owned: Groups<ObjectKey, Uid>,
    owner: fn(&T) -> Option<Uid>,
    /// The newest version that the watch has shown.
    watched: u64,
    /// The objects that a list in progress has shown, or that we wrote in the meantime.
    listed: Option<HashSet<ObjectKey>>,
}

/// The last known version of one object.
#[derive(Debug)]
struct Cached<T> {
    version: u64,
    /// `None`: the object has this version or a newer one, and has to be read.
    value: Option<T>,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self::with_owners(|_| None)
    }
}

impl<T> Cache<T> {
    /// A cache that also finds objects by their owner.
    pub(crate) fn with_owners(owner: fn(&T) -> Option<Uid>) -> Self {
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

    /// The objects of an owner in a namespace, in the order of their names.
    pub(crate) fn owned_by(&self, namespace: &str, uid: &str) -> impl Iterator<Item = (&str, &T)> {
        let keys = self.owned.get(namespace, &Uid::from(uid));
        keys.filter_map(|key| Some((key.name(), self.get(key)?)))
    }

    /// Takes in a version that this process wrote or read.
    pub(crate) fn put(&mut self, key: ObjectKey, version: &str, value: T) {
        let (key, version) = (self.entries.shared(key), number(version));
        let newer = match self.entries.get(&key) {
            Some(cached) => version >= cached.version,
            // The watch is past this version and has not shown the object, so it is gone.
            None => version > self.watched,
        };
        if newer {
            self.store(key, version, Some(value));
        }
    }

    fn store(&mut self, key: ObjectKey, version: u64, value: Option<T>) {
        if let Some(listed) = &mut self.listed {
            listed.insert(key.clone());
        }
        self.forget(&key);
        if let Some(uid) = value.as_ref().and_then(self.owner) {
            self.owned.insert(key.namespace(), &uid, key.clone());
        }
        self.entries.insert(key, Cached { version, value });
    }

    /// Takes in a version that the watch shows. A version that is cached already changes nothing, and is not converted: the watch
    /// shows each of our own writes.
    fn learn(&mut self, key: ObjectKey, version: &str, value: impl FnOnce() -> Option<T>) {
        let key = self.entries.shared(key);
        let cached = self.entries.get(&key);
        if cached.is_none_or(|cached| number(version) > cached.version) {
            self.store(key, number(version), value());
        } else if let Some(listed) = &mut self.listed {
            listed.insert(key);
        }
    }

    /// Forgets an object, so that it is read before the next decision.
    pub(crate) fn forget(&mut self, key: &ObjectKey) {
        let cached = self.entries.get_mut(key);
        let Some(value) = cached.and_then(|cached| cached.value.take()) else {
            return;
        };
        if let Some(uid) = (self.owner)(&value) {
            self.owned.remove(key.namespace(), &uid, key);
        }
    }

    fn remove(&mut self, key: &ObjectKey) {
        self.forget(key);
        self.entries.remove(key);
    }

    /// Takes in an event of the watch and returns the objects that it is about. An object that converts to nothing is not kept,
    /// and has to be read.
    pub(crate) fn absorb<K>(
        &mut self,
        event: Event<K>,
        convert: impl Fn(&K) -> Option<T>,
    ) -> Vec<ObjectKey>
    where
        K: Resource<DynamicType = ()>,
    {
        match event {
            Event::Apply(object) | Event::InitApply(object) => {
                let key = ObjectKey::of(object.meta());
                let version = self.observe_version(&object);
                self.learn(key.clone(), &version, || convert(&object));
                vec![key]
            }
            Event::Delete(object) => {
                let key = ObjectKey::of(object.meta());
                let version = number(&self.observe_version(&object));
                let cached = self.entries.get(&key);
                if cached.is_none_or(|cached| version >= cached.version) {
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

    /// The version in an event, which the watch has reached.
    fn observe_version<K: Resource>(&mut self, object: &K) -> String {
        let version = object.meta().resource_version.clone().unwrap_or_default();
        self.watched = self.watched.max(number(&version));
        version
    }

    /// Forgets the objects that the list did not show, and returns them.
    fn finish_list(&mut self) -> Vec<ObjectKey> {
        let listed = self.listed.take().unwrap_or_default();
        let cached = self.entries.walk().map(|(key, _)| key);
        let gone: Vec<_> = cached
            .filter(|key| !listed.contains(*key))
            .cloned()
            .collect();
        for key in &gone {
            self.remove(key);
        }
        gone
    }
}

/// A version that is not a number counts as the newest, because one read too many is safe.
fn number(version: &str) -> u64 {
    version.parse().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use allocation_counter::measure;
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

    fn deliver(cache: &mut Cache<String>, event: Event<Secret>) -> Vec<ObjectKey> {
        cache.absorb(event, |secret| {
            let version = secret.metadata.resource_version.as_ref().unwrap();
            Some(format!("watched {version}"))
        })
    }

    fn key(name: &str) -> ObjectKey {
        ObjectKey::new("ns", name)
    }

    #[test]
    fn an_own_write_is_not_undone_by_an_older_event() {
        let mut cache = Cache::default();
        cache.put(key("a"), "7", "written 7".to_owned());
        deliver(&mut cache, Event::Apply(secret("a", "6")));
        deliver(&mut cache, Event::Delete(secret("a", "5")));
        let never = |_: &_| panic!("it is not converted again");
        cache.absorb(Event::Apply(secret("a", "7")), never);
        assert_eq!(cache.get(&key("a")).unwrap(), "written 7");
        deliver(&mut cache, Event::Apply(secret("a", "10")));
        assert_eq!(cache.get(&key("a")).unwrap(), "watched 10");
        deliver(&mut cache, Event::Delete(secret("a", "11")));
        assert_eq!(cache.get(&key("a")), None);
    }

    #[test]
    fn a_read_from_before_a_deletion_does_not_bring_the_object_back() {
        let mut cache = Cache::default();
        deliver(&mut cache, Event::Apply(secret("a", "6")));
        deliver(&mut cache, Event::Delete(secret("a", "7")));
        cache.put(key("a"), "6", "read 6".to_owned());
        assert_eq!(cache.get(&key("a")), None);
        cache.put(key("a"), "8", "written 8".to_owned());
        assert_eq!(cache.get(&key("a")).unwrap(), "written 8");
    }

    #[test]
    fn a_forgotten_object_is_cached_again_after_a_read() {
        let mut cache = Cache::with_owners(|_| Some("owner".into()));
        deliver(&mut cache, Event::Apply(secret("a", "6")));
        deliver(&mut cache, Event::Apply(secret("b", "7")));
        cache.forget(&key("a"));
        assert_eq!(cache.get(&key("a")), None);
        assert_eq!(cache.owned_by("ns", "owner").count(), 1);
        cache.put(key("a"), "6", "read 6".to_owned());
        assert_eq!(cache.get(&key("a")).unwrap(), "read 6");
    }

    #[test]
    fn all_versions_of_an_object_share_the_text_of_its_key() {
        let mut cache = Cache::with_owners(|()| Some("owner".into()));
        let show = |cache: &mut Cache<()>, version| {
            let event = Event::Apply(secret("a", version));
            drop(cache.absorb(event, |_| Some(())));
        };
        show(&mut cache, "6");
        assert_eq!(measure(|| show(&mut cache, "7")).bytes_current, 0);
        let write = || cache.put(key("a"), "8", ());
        assert_eq!(measure(write).bytes_current, 0);
    }

    #[test]
    fn a_list_removes_what_it_does_not_show_but_not_what_was_written_meanwhile() {
        let mut cache = Cache::default();
        for name in ["kept", "gone"] {
            deliver(&mut cache, Event::Apply(secret(name, "1")));
        }
        deliver(&mut cache, Event::Init);
        deliver(&mut cache, Event::InitApply(secret("kept", "1")));
        cache.put(key("written"), "9", "written".into());
        assert_eq!(deliver(&mut cache, Event::InitDone), vec![key("gone")]);
        assert!(cache.get(&key("kept")).is_some() && cache.get(&key("written")).is_some());
    }

    #[test]
    fn an_object_that_is_not_kept_has_to_be_read_and_is_then_known() {
        let mut cache = Cache::<String>::default();
        deliver(&mut cache, Event::Apply(secret("a", "6")));
        cache.absorb(Event::Apply(secret("a", "7")), |_: &Secret| None);
        assert_eq!(cache.get(&key("a")), None);
        cache.put(key("a"), "6", "read 6".to_owned());
        assert_eq!(cache.get(&key("a")), None);
        cache.put(key("a"), "7", "read 7".to_owned());
        assert_eq!(cache.get(&key("a")).unwrap(), "read 7");
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
            let mut cache = Cache::with_owners(|owner: &String| Some(owner.as_str().into()));
            for (step, name, owner, version) in steps {
                let (name, owner) = (["a", "b", "c"][name], ["x", "y"][owner]);
                let version = version.to_string();
                let object = owned(name, &version, owner);
                let uid = |secret: &Secret| secret.metadata.uid.clone();
                match step {
                    0 => cache.put(key(name), &version, owner.to_owned()),
                    1 => cache.forget(&key(name)),
                    2 => drop(cache.absorb(Event::Apply(object), uid)),
                    3 => drop(cache.absorb(Event::Delete(object), uid)),
                    4 => drop(cache.absorb(Event::Init, uid)),
                    _ => drop(cache.absorb(Event::InitDone, uid)),
                }
                for owner in ["x", "y"] {
                    let walk = cache.entries.walk().filter_map(|(_, cached)| cached.value.as_ref());
                    let expected = walk.filter(|found| *found == owner).count();
                    prop_assert_eq!(cache.owned_by("ns", owner).count(), expected);
                }
            }
        }
    }
}
