//! Maps whose every visit of an entry is counted in tests, so that a walk over all objects cannot come back unnoticed.

use std::{borrow::Borrow, collections::HashMap, hash::Hash, slice};

/// A map that is read by key. The only way to see all of it is [`Table::walk`].
#[derive(Debug)]
pub(super) struct Table<K, V>(HashMap<K, V>);

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, V> Table<K, V> {
    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key).inspect(|_| visits::add(1))
    }

    /// The same key, as the map has it: with texts that others share.
    pub(super) fn shared(&self, key: K) -> K
    where
        K: Clone,
    {
        let found = self.0.get_key_value(&key).inspect(|_| visits::add(1));
        found.map_or(key, |(key, _)| key.clone())
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.get_mut(key).inspect(|_| visits::add(1))
    }

    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        visits::add(1);
        self.0.insert(key, value)
    }

    pub(super) fn remove<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.0.remove(key).inspect(|_| visits::add(1))
    }

    /// Every entry. It serves the end of a list only: no event of one object and no reconcile may need it.
    pub(super) fn walk(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().inspect(|_| visits::add(1))
    }
}

/// Values by a namespace and a word in it: the name of a Secret, a uid. A value is in as many groups as there are words.
#[derive(Debug)]
pub(super) struct Groups<T, W = Box<str>>(HashMap<Box<str>, HashMap<W, Group<T>>>);

/// Sorted values. Most groups have one, which takes no list.
#[derive(Debug)]
enum Group<T> {
    One(T),
    #[expect(clippy::box_collection, reason = "a list would make all groups larger")]
    Several(Box<Vec<T>>),
}

impl<T: Clone + Ord> Group<T> {
    fn values(&self) -> &[T] {
        match self {
            Self::One(value) => slice::from_ref(value),
            Self::Several(values) => values,
        }
    }

    fn insert(&mut self, value: T) {
        let place = self.values().binary_search(&value);
        match (self, place) {
            (Self::One(present), Ok(_)) => *present = value,
            (group @ Self::One(_), Err(place)) => {
                let mut values = group.values().to_vec();
                values.insert(place, value);
                *group = Self::Several(Box::new(values));
            }
            (Self::Several(values), Ok(place)) => values[place] = value,
            (Self::Several(values), Err(place)) => values.insert(place, value),
        }
    }

    /// Returns whether nothing is left.
    fn remove(&mut self, value: &T) -> bool {
        match self {
            Self::One(present) => present == value,
            Self::Several(values) => {
                if let Ok(place) = values.binary_search(value) {
                    values.remove(place);
                }
                values.is_empty()
            }
        }
    }
}

impl<T, W> Default for Groups<T, W> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Clone + Ord, W: Eq + Hash> Groups<T, W> {
    pub(super) fn insert<Q>(&mut self, namespace: &str, word: &Q, value: T)
    where
        Q: Eq + Hash + ?Sized,
        W: Borrow<Q> + for<'a> From<&'a Q>,
    {
        visits::add(1);
        // `entry` would need owned strings even where the group exists.
        if !self.0.contains_key(namespace) {
            self.0.insert(namespace.into(), HashMap::new());
        }
        let Some(words) = self.0.get_mut(namespace) else {
            return;
        };
        match words.get_mut(word) {
            Some(group) => group.insert(value),
            None => drop(words.insert(word.into(), Group::One(value))),
        }
    }

    /// Removes a value, and the maps that are empty without it.
    pub(super) fn remove<Q>(&mut self, namespace: &str, word: &Q, value: &T)
    where
        Q: Eq + Hash + ?Sized,
        W: Borrow<Q>,
    {
        visits::add(1);
        let Some(words) = self.0.get_mut(namespace) else {
            return;
        };
        if words.get_mut(word).is_some_and(|group| group.remove(value)) {
            words.remove(word);
        }
        if words.is_empty() {
            self.0.remove(namespace);
        }
    }

    /// A group, in the order of its values.
    pub(super) fn get<'a, Q>(
        &'a self,
        namespace: &str,
        word: &Q,
    ) -> impl Iterator<Item = &'a T> + use<'a, T, W, Q>
    where
        Q: Eq + Hash + ?Sized,
        W: Borrow<Q>,
    {
        let group = self.0.get(namespace).and_then(|words| words.get(word));
        let values = group.into_iter().flat_map(Group::values);
        values.inspect(|_| visits::add(1))
    }

    /// The number of values in a group.
    pub(super) fn count<Q>(&self, namespace: &str, word: &Q) -> usize
    where
        Q: Eq + Hash + ?Sized,
        W: Borrow<Q>,
    {
        visits::add(1);
        let group = self.0.get(namespace).and_then(|words| words.get(word));
        group.map_or(0, |group| group.values().len())
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Counts the entries that this thread visits. Nothing is counted outside tests.
pub(super) mod visits {
    #[cfg(test)]
    thread_local! {
        static COUNT: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    #[cfg(test)]
    pub(in crate::cluster) fn add(visits: usize) {
        COUNT.set(COUNT.get() + visits);
    }

    #[cfg(not(test))]
    pub(in crate::cluster) fn add(_visits: usize) {}

    /// The visits that some work costs.
    #[cfg(test)]
    pub(in crate::cluster) fn of<T>(work: impl FnOnce() -> T) -> (T, usize) {
        let before = COUNT.get();
        let result = work();
        (result, COUNT.get() - before)
    }
}
