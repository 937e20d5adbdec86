//! What the watches on labelled Secrets have told: metadata only, and our own writes before the watch tells about them.
//!
//! kube's reflector lags behind our writes, and a decision from before a write would ask the provider again. So an entry is
//! only ever replaced by a newer resourceVersion, which Kubernetes 1.35 made comparable and which always was a number.
//!
//! The watch may also be ahead of us: an answer that comes after the event of a deletion must not bring the object back.

use std::collections::{HashMap, HashSet};

use kube::runtime::{reflector::Lookup, watcher::Event};

/// The namespace and name of an object.
pub type Key = (String, String);

/// The last known version of every object of a watch.
#[derive(Debug)]
pub struct Cache<T> {
    /// `None`: it has this version or a newer one, and is to be looked at.
    entries: HashMap<Key, (u64, Option<T>)>,
    /// The newest version that the watch has told about.
    watched: u64,
    /// While a list is under way: what is known to exist.
    listed: Option<HashSet<Key>>,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            watched: 0,
            listed: None,
        }
    }
}

impl<T> Cache<T> {
    /// The last known version of an object.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&T> {
        self.entries.get(key)?.1.as_ref()
    }

    /// All objects of a namespace.
    pub fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = &T> {
        self.entries
            .iter()
            .filter(move |((ns, _), _)| ns == namespace)
            .filter_map(|(_, (_, value))| value.as_ref())
    }

    /// Takes in what we wrote or read ourselves.
    pub fn put(&mut self, key: Key, version: &str, value: T) {
        let version = number(version);
        let newer = match self.entries.get(&key) {
            Some((known, _)) => version >= *known,
            // The watch is past this version and does not know the object: it is gone.
            None => version > self.watched,
        };
        if newer {
            self.store(key, version, value);
        }
    }

    fn store(&mut self, key: Key, version: u64, value: T) {
        if let Some(listed) = &mut self.listed {
            listed.insert(key.clone());
        }
        self.entries.insert(key, (version, Some(value)));
    }

    /// Takes in a version that the watch told about; the same one again brings nothing new.
    fn learn(&mut self, key: Key, version: &str, value: T) {
        if self
            .entries
            .get(&key)
            .is_none_or(|(known, _)| number(version) > *known)
        {
            self.store(key, number(version), value);
        } else if let Some(listed) = &mut self.listed {
            listed.insert(key);
        }
    }

    /// Forgets an object, so that it is looked for before the next decision.
    pub fn forget(&mut self, key: &Key) {
        if let Some((_, value)) = self.entries.get_mut(key) {
            *value = None;
        }
    }

    /// Takes in an event of the watch and returns the objects that it tells about.
    pub fn absorb<K>(&mut self, event: Event<K>, convert: impl Fn(&K) -> T) -> Vec<Key>
    where
        K: Lookup<DynamicType = ()> + kube::Resource<DynamicType = ()>,
    {
        let identify = |object: &K| {
            let meta = object.meta();
            let key = (
                meta.namespace.clone().unwrap_or_default(),
                meta.name.clone().unwrap_or_default(),
            );
            (key, meta.resource_version.clone().unwrap_or_default())
        };
        match event {
            Event::Apply(object) | Event::InitApply(object) => {
                let (key, version) = identify(&object);
                self.watched = self.watched.max(number(&version));
                self.learn(key.clone(), &version, convert(&object));
                vec![key]
            }
            Event::Delete(object) => {
                let (key, version) = identify(&object);
                self.watched = self.watched.max(number(&version));
                let outdated = self
                    .entries
                    .get(&key)
                    .is_some_and(|(known, _)| number(&version) < *known);
                if !outdated {
                    self.entries.remove(&key);
                }
                vec![key]
            }
            Event::Init => {
                // A restored cluster counts from an earlier version.
                self.watched = 0;
                self.listed = Some(HashSet::new());
                Vec::new()
            }
            Event::InitDone => {
                let listed = self.listed.take().unwrap_or_default();
                let gone: Vec<Key> = self
                    .entries
                    .keys()
                    .filter(|key| !listed.contains(*key))
                    .cloned()
                    .collect();
                for key in &gone {
                    self.entries.remove(key);
                }
                gone
            }
        }
    }
}

/// A version that is no number counts as newer than all: looking once too often is safe.
fn number(version: &str) -> u64 {
    version.parse().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::Secret;
    use kube::core::ObjectMeta;

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

    fn tell(cache: &mut Cache<String>, event: Event<Secret>) -> Vec<Key> {
        cache.absorb(event, |secret| {
            format!(
                "watched {}",
                secret.metadata.resource_version.as_ref().unwrap()
            )
        })
    }

    fn key(name: &str) -> Key {
        ("ns".into(), name.into())
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
        let mut cache = Cache::default();
        tell(&mut cache, Event::Apply(secret("a", "6")));
        tell(&mut cache, Event::Apply(secret("b", "7")));
        cache.forget(&key("a"));
        assert_eq!(cache.get(&key("a")), None);
        assert_eq!(cache.in_namespace("ns").count(), 1);
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
}
