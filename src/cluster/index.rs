//! Which credentials a name or a uid matters to, found without a walk over all of them. The watch on `CubeCredentials` keeps it.
//!
//! | what is known | what is found | for |
//! |---|---|---|
//! | the name of a target | its claimants, oldest first | who of several owns it |
//! | a uid | the credential | whether the owner of a Secret lives, and wants it |
//! | the name of a Secret | its users | whom a change of it affects |
//! | the name of a ConfigMap | those that trust it | whom a change of it affects |
//!
//! Pure: it holds names and times, and no object.

use std::{cmp::Ordering, mem, sync::Arc};

use jiff::Timestamp;

use super::{
    key::ObjectKey,
    table::{Groups, Table},
};
use crate::api::CaBundleKind;

/// What the index knows of one credential.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: ObjectKey,
    pub(super) uid: Option<String>,
    pub(super) created: Option<Timestamp>,
    pub(super) deleting: bool,
    /// The name of its target Secret. This field and the next two are empty if the spec cannot be read.
    pub(super) target: Option<String>,
    /// The names of the Secrets that it is given: its client's, and its initial refresh token's.
    pub(super) secrets: Vec<String>,
    pub(super) ca_bundle: Option<Bundle>,
}

/// The object that holds a CA bundle, in the namespace of its credential.
#[derive(Clone, Debug)]
pub(super) struct Bundle {
    pub(super) kind: CaBundleKind,
    pub(super) name: String,
}

impl Entry {
    /// Of two credentials with one target the older, then the first by name, owns it.
    pub(super) fn is_older_than(&self, other: &Self) -> bool {
        self < other
    }

    pub(super) fn trusts(&self, kind: CaBundleKind, name: &str) -> bool {
        let bundle = self.ca_bundle.as_ref();
        bundle.is_some_and(|bundle| bundle.kind == kind && bundle.name == name)
    }

    /// The Secrets whose changes affect it.
    fn used_secrets(&self) -> impl Iterator<Item = &str> {
        let bundle = self.ca_bundle.as_ref();
        let bundle = bundle.filter(|bundle| bundle.kind == CaBundleKind::Secret);
        let names = self.secrets.iter().chain(&self.target);
        names
            .chain(bundle.map(|bundle| &bundle.name))
            .map(String::as_str)
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.created, &self.key).cmp(&(other.created, &other.key))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The index of all credentials of a scope.
#[derive(Debug, Default)]
pub(super) struct Index {
    current: Generation,
    /// While a list is under way: what it has shown.
    listed: Generation,
}

impl Index {
    /// A credential was created or changed.
    pub(super) fn apply(&mut self, entry: Entry) {
        self.current.insert(entry);
    }

    pub(super) fn delete(&mut self, key: &ObjectKey) {
        self.current.remove(key);
    }

    /// A list begins. What was known counts until it is complete.
    pub(super) fn begin_list(&mut self) {
        self.listed = Generation::default();
    }

    pub(super) fn list(&mut self, entry: Entry) {
        self.listed.insert(entry);
    }

    /// The list is complete: what it did not show is gone.
    pub(super) fn finish_list(&mut self) {
        self.current = mem::take(&mut self.listed);
    }

    /// The credential that owns the target of this one, if that is another and older one.
    pub(super) fn older_rival(&self, entry: &Entry) -> Option<&Entry> {
        let target = entry.target.as_deref()?;
        let mut claimants = self.current.claimants.get(&entry.key.namespace, target);
        let oldest = claimants.find(|other| other.key != entry.key)?;
        oldest.is_older_than(entry).then_some(oldest)
    }

    pub(super) fn by_uid(&self, namespace: &str, uid: &str) -> impl Iterator<Item = &Entry> {
        let found = self.current.uids.get(namespace, uid);
        found.map(AsRef::as_ref)
    }

    /// The credentials that a change of this Secret affects.
    pub(super) fn users_of(&self, secret: &ObjectKey) -> impl Iterator<Item = &Entry> {
        let found = self.current.users.get(&secret.namespace, &secret.name);
        found.map(AsRef::as_ref)
    }

    /// The credentials whose CA bundle is in this object.
    pub(super) fn trusting(
        &self,
        kind: CaBundleKind,
        object: &ObjectKey,
    ) -> impl Iterator<Item = &Entry> {
        let ObjectKey { namespace, name } = object;
        let group = match kind {
            CaBundleKind::ConfigMap => &self.current.trusting,
            CaBundleKind::Secret => &self.current.users,
        };
        let users = group.get(namespace, name).map(AsRef::as_ref);
        users.filter(move |entry: &&Entry| entry.trusts(kind, name))
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let groups = &self.current;
        [
            &groups.claimants,
            &groups.uids,
            &groups.users,
            &groups.trusting,
        ]
        .iter()
        .all(|group| group.is_empty())
    }
}

/// The entries that one list and the events since then have brought.
#[derive(Debug, Default)]
struct Generation {
    entries: Table<ObjectKey, Arc<Entry>>,
    /// Those that are not being deleted, by their target.
    claimants: Groups<Arc<Entry>>,
    uids: Groups<Arc<Entry>>,
    /// By each Secret that they use.
    users: Groups<Arc<Entry>>,
    /// By the ConfigMap with their CA bundle.
    trusting: Groups<Arc<Entry>>,
}

impl Generation {
    fn insert(&mut self, entry: Entry) {
        self.remove(&entry.key);
        let entry = Arc::new(entry);
        self.for_each_group(&entry, |group, word| {
            group.insert(&entry.key.namespace, word, Arc::clone(&entry));
        });
        self.entries.insert(entry.key.clone(), entry);
    }

    fn remove(&mut self, key: &ObjectKey) {
        if let Some(entry) = self.entries.remove(key) {
            self.for_each_group(&entry, |group, word| {
                group.remove(&key.namespace, word, &entry);
            });
        }
    }

    /// The groups that an entry belongs to, with the word in each.
    fn for_each_group(
        &mut self,
        entry: &Entry,
        mut act: impl FnMut(&mut Groups<Arc<Entry>>, &str),
    ) {
        if let Some(uid) = &entry.uid {
            act(&mut self.uids, uid);
        }
        if let Some(target) = entry.target.as_ref().filter(|_| !entry.deleting) {
            act(&mut self.claimants, target);
        }
        for secret in entry.used_secrets() {
            act(&mut self.users, secret);
        }
        let bundle = entry.ca_bundle.as_ref();
        if let Some(bundle) = bundle.filter(|bundle| bundle.kind == CaBundleKind::ConfigMap) {
            act(&mut self.trusting, &bundle.name);
        }
    }
}

#[cfg(test)]
mod tests;
