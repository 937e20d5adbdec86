//! Finds the credentials that a name or a uid matters to, without a walk over all of them. The watch on `CubeCredentials`
//! maintains it.
//!
//! | by | the index finds | to decide |
//! |---|---|---|
//! | the name of a target | its claimants, oldest first | which of them owns it |
//! | a uid | the credential | whether the owner of a Secret exists, and has it as its target |
//! | the name of a Secret | its users, and its owner if it is a target | which credentials a change of it affects |
//! | an initial refresh token (Secret and key) | those that are given it, oldest first | which of them begins a login with it |
//! | the name of a provider object | those that name it | which credentials a change of it affects |
//! | the name of a ConfigMap | those that trust it | which credentials a change of it affects |
//!
//! It is pure: it holds names and times, and no object.

use std::{cmp::Ordering, collections::BTreeSet, sync::Arc};

use jiff::Timestamp;

use super::table::{Groups, Table};
use crate::{
    api::{CaBundleKind, ProviderKind, ProviderRef},
    object::{ObjectKey, Uid},
};

/// The entry of one credential.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: ObjectKey,
    pub(super) uid: Option<Uid>,
    pub(super) created: Option<Timestamp>,
    pub(super) deleting: bool,
    /// The name of its target Secret. This field and the next two are empty if the spec cannot be read.
    pub(super) target: Option<Box<str>>,
    /// The names of the Secrets and the keys of the ServiceAccounts that it is given: its client's, and its initial refresh token's or
    /// subject token's.
    pub(super) secrets: Box<[Box<str>]>,
    /// The initial refresh token that it is given, with the grant that has one.
    pub(super) seed: Option<Box<Seed>>,
    pub(super) ca_bundle: Option<Arc<Bundle>>,
    /// The provider object that its spec names.
    pub(super) provider: Option<Arc<ProviderRef>>,
}

/// The Secret and the key of an initial refresh token, in the namespace of its credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seed {
    pub(super) secret: String,
    pub(super) key: String,
}

impl Seed {
    /// Both in one word. A slash is in no name and in no key.
    fn word(&self) -> String {
        format!("{}/{}", self.secret, self.key)
    }
}

/// The object that holds a CA bundle, in the namespace of its credential.
#[derive(Clone, Debug)]
pub(super) struct Bundle {
    pub(super) kind: CaBundleKind,
    pub(super) name: String,
}

impl Entry {
    /// Returns whether this credential owns a target that both have: the older one does, then the first by name.
    pub(super) fn is_older_than(&self, other: &Self) -> bool {
        self < other
    }

    pub(super) fn trusts(&self, kind: CaBundleKind, name: &str) -> bool {
        let bundle = self.ca_bundle.as_ref();
        bundle.is_some_and(|bundle| bundle.kind == kind && bundle.name == name)
    }

    /// The Secrets that it uses. A change of its target affects only the claimant that owns it.
    fn used_secrets(&self) -> impl Iterator<Item = &str> {
        let bundle = self.ca_bundle.as_ref();
        let bundle = bundle.filter(|bundle| bundle.kind == CaBundleKind::Secret);
        let names = self.secrets.iter().map(AsRef::as_ref);
        names.chain(bundle.map(|bundle| bundle.name.as_str()))
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
    entries: Table<ObjectKey, Arc<Entry>>,
    /// The entries that are not being deleted, by target.
    claimants: Groups<Arc<Entry>>,
    uids: Groups<Arc<Entry>, Uid>,
    /// The entries by each Secret that they use.
    users: Groups<Arc<Entry>>,
    /// The entries that are not being deleted, by their initial refresh token.
    seeds: Groups<Arc<Entry>>,
    /// The entries by the ConfigMap with their CA bundle.
    trusting: Groups<Arc<Entry>>,
    /// The entries by the `CubeProvider` that they name.
    of_providers: Groups<Arc<Entry>>,
    /// The entries by the `ClusterCubeProvider` that they name, all of them below the empty namespace.
    of_cluster_providers: Groups<Arc<Entry>>,
}

impl Index {
    /// A credential was created or changed. Returns the others that own a target now and did not before, or the other way round.
    pub(super) fn apply(&mut self, entry: Entry) -> Vec<ObjectKey> {
        let (key, target) = (entry.key.clone(), entry.target.clone());
        self.change(&key, target, |index| index.insert(entry))
    }

    /// A credential is gone. Returns the others that own its target now.
    pub(super) fn delete(&mut self, key: &ObjectKey) -> Vec<ObjectKey> {
        self.change(key, None, |index| index.remove(key))
    }

    /// Changes the entry of this credential, which has this target then. However many claim a target, only its owners before and
    /// after the change have something to do.
    fn change(
        &mut self,
        key: &ObjectKey,
        target: Option<Box<str>>,
        change: impl FnOnce(&mut Self),
    ) -> Vec<ObjectKey> {
        let before = self.entries.get(key);
        let before = before.and_then(|entry| entry.target.clone());
        let targets: BTreeSet<_> = [before, target].into_iter().flatten().collect();
        let owners = |index: &Self| {
            let owners = targets.iter().map(|target| {
                let mut claimants = index.claimants.get(key.namespace(), target);
                claimants.next().map(|owner| owner.key.clone())
            });
            owners.collect::<Vec<_>>()
        };
        let before = owners(self);
        change(self);
        let after = owners(self);
        let changed = before.into_iter().zip(after);
        let changed = changed.filter(|(before, after)| before != after);
        let owners = changed.flat_map(|(before, after)| [before, after]);
        owners.flatten().filter(|owner| owner != key).collect()
    }

    /// The credential that owns the target of this one, if that is another and older one.
    pub(super) fn older_rival(&self, entry: &Entry) -> Option<&Entry> {
        let target = entry.target.as_deref()?;
        let mut claimants = self.claimants.get(entry.key.namespace(), target);
        let oldest = claimants.find(|other| other.key != entry.key)?;
        oldest.is_older_than(entry).then_some(oldest)
    }

    /// The oldest other credential that is given the same initial refresh token, if it is older than this one.
    pub(super) fn older_login(&self, entry: &Entry) -> Option<&Entry> {
        let seed = entry.seed.as_ref()?.word();
        let mut users = self.seeds.get(entry.key.namespace(), seed.as_str());
        let oldest = users.find(|other| other.key != entry.key)?;
        oldest.is_older_than(entry).then_some(oldest)
    }

    pub(super) fn by_uid(&self, namespace: &str, uid: &str) -> impl Iterator<Item = &Entry> {
        let found = self.uids.get(namespace, &Uid::from(uid));
        found.map(AsRef::as_ref)
    }

    /// The credentials that a change of this Secret affects: its users, and the owner of the target by its name.
    pub(super) fn users_of(&self, secret: &ObjectKey) -> impl Iterator<Item = &Entry> {
        let (namespace, name) = secret.parts();
        let users = self.users.get(namespace, name);
        let owner = self.claimants.get(namespace, name).take(1);
        users.chain(owner).map(AsRef::as_ref)
    }

    /// The credentials that name this provider object.
    pub(super) fn users_of_provider(
        &self,
        kind: ProviderKind,
        provider: &ObjectKey,
    ) -> impl Iterator<Item = &Entry> {
        let (namespace, name) = provider.parts();
        let group = match kind {
            ProviderKind::CubeProvider => self.of_providers.get(namespace, name),
            ProviderKind::ClusterCubeProvider => self.of_cluster_providers.get("", name),
        };
        group.map(AsRef::as_ref)
    }

    /// The number of credentials that name this provider object.
    pub(super) fn count_of_provider(&self, kind: ProviderKind, provider: &ObjectKey) -> usize {
        let (namespace, name) = provider.parts();
        match kind {
            ProviderKind::CubeProvider => self.of_providers.count(namespace, name),
            ProviderKind::ClusterCubeProvider => self.of_cluster_providers.count("", name),
        }
    }

    /// The provider object that this credential names.
    pub(super) fn provider_of(&self, key: &ObjectKey) -> Option<&ProviderRef> {
        self.entries.get(key)?.provider.as_deref()
    }

    /// The credentials whose CA bundle is in this object.
    pub(super) fn trusting(
        &self,
        kind: CaBundleKind,
        object: &ObjectKey,
    ) -> impl Iterator<Item = &Entry> {
        let (namespace, name) = object.parts();
        let group = match kind {
            CaBundleKind::ConfigMap => &self.trusting,
            CaBundleKind::Secret => &self.users,
        };
        let users = group.get(namespace, name).map(AsRef::as_ref);
        users.filter(move |entry: &&Entry| entry.trusts(kind, name))
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        [
            &self.claimants,
            &self.users,
            &self.seeds,
            &self.trusting,
            &self.of_providers,
            &self.of_cluster_providers,
        ]
        .iter()
        .all(|group| group.is_empty())
            && self.uids.is_empty()
    }
}

/// The entries and their groups.
impl Index {
    fn insert(&mut self, mut entry: Entry) {
        self.share_names(&mut entry);
        self.remove(&entry.key);
        let entry = Arc::new(entry);
        if let Some(uid) = &entry.uid {
            let namespace = entry.key.namespace();
            self.uids.insert(namespace, uid, Arc::clone(&entry));
        }
        self.for_each_group(&entry, |group, namespace, word| {
            group.insert(namespace, word, Arc::clone(&entry));
        });
        self.entries.insert(entry.key.clone(), entry);
    }

    /// Thousands of entries name the same ConfigMap or provider object: they share its name.
    fn share_names(&self, entry: &mut Entry) {
        let key = |name: &str| ObjectKey::new(entry.key.namespace(), name);
        // Those that trust a Secret stand among its users, and are not looked for there.
        if let Some(bundle) = &entry.ca_bundle
            && bundle.kind == CaBundleKind::ConfigMap
            && let Some(other) = self.trusting(bundle.kind, &key(&bundle.name)).next()
        {
            entry.ca_bundle.clone_from(&other.ca_bundle);
        }
        if let Some(used) = &entry.provider
            && let Some(other) = self.users_of_provider(used.kind, &key(&used.name)).next()
        {
            entry.provider.clone_from(&other.provider);
        }
    }

    fn remove(&mut self, key: &ObjectKey) {
        if let Some(entry) = self.entries.remove(key) {
            if let Some(uid) = &entry.uid {
                self.uids.remove(key.namespace(), uid, &entry);
            }
            self.for_each_group(&entry, |group, namespace, word| {
                group.remove(namespace, word, &entry);
            });
        }
    }

    /// The groups that an entry belongs to, with the namespace and the word in each. The group of its uid is not among them.
    fn for_each_group(
        &mut self,
        entry: &Entry,
        mut act: impl FnMut(&mut Groups<Arc<Entry>>, &str, &str),
    ) {
        match &entry.provider {
            Some(used) if used.kind == ProviderKind::ClusterCubeProvider => {
                act(&mut self.of_cluster_providers, "", &used.name);
            }
            Some(used) => act(&mut self.of_providers, entry.key.namespace(), &used.name),
            None => {}
        }
        let namespace = entry.key.namespace();
        let mut act = |group: &mut Groups<Arc<Entry>>, word: &str| act(group, namespace, word);
        if let Some(target) = entry.target.as_ref().filter(|_| !entry.deleting) {
            act(&mut self.claimants, target);
        }
        for secret in entry.used_secrets() {
            act(&mut self.users, secret);
        }
        if let Some(seed) = entry.seed.as_ref().filter(|_| !entry.deleting) {
            act(&mut self.seeds, &seed.word());
        }
        let bundle = entry.ca_bundle.as_ref();
        if let Some(bundle) = bundle.filter(|bundle| bundle.kind == CaBundleKind::ConfigMap) {
            act(&mut self.trusting, &bundle.name);
        }
    }
}

#[cfg(test)]
mod tests;
