//! After any events the index finds what a walk over all credentials finds.

use std::collections::BTreeMap;

use proptest::{collection::vec, option, prelude::*};

use super::*;

const NAMESPACES: [&str; 2] = ["treasury", "payments"];
/// Few names, so that credentials share targets, Secrets and bundles.
const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const PROVIDER_KINDS: [ProviderKind; 2] = [
    ProviderKind::CubeProvider,
    ProviderKind::ClusterCubeProvider,
];
const KINDS: [CaBundleKind; 2] = [CaBundleKind::ConfigMap, CaBundleKind::Secret];

/// A step of the watch on credentials.
#[derive(Clone, Debug)]
enum Change {
    Apply(Entry),
    Delete(ObjectKey),
}

/// The same without an index.
#[derive(Default)]
struct Naive {
    current: BTreeMap<ObjectKey, Entry>,
}

impl Naive {
    fn take(&mut self, change: Change) {
        match change {
            Change::Apply(entry) => drop(self.current.insert(entry.key.clone(), entry)),
            Change::Delete(key) => drop(self.current.remove(&key)),
        }
    }

    fn find(&self, namespace: &str, wanted: impl Fn(&Entry) -> bool) -> Vec<&ObjectKey> {
        let mut found: Vec<_> = self.current.values().collect();
        found.retain(|entry| *entry.key.namespace() == *namespace && wanted(entry));
        found.sort_by_key(|entry| (entry.created, &entry.key));
        found.into_iter().map(|entry| &entry.key).collect()
    }

    fn owner(&self, namespace: &str, target: &str) -> Option<&ObjectKey> {
        let claims = |entry: &Entry| !entry.deleting && entry.target.as_deref() == Some(target);
        self.find(namespace, claims).first().copied()
    }

    /// The owner of each target.
    fn owners(&self) -> Vec<Option<ObjectKey>> {
        let owner = |namespace| NAMES.map(|name| self.owner(namespace, name).cloned());
        NAMESPACES.into_iter().flat_map(owner).collect()
    }

    fn older_login(&self, entry: &Entry) -> Option<&ObjectKey> {
        let others = self.find(entry.key.namespace(), |other| {
            other.key != entry.key
                && !other.deleting
                && entry.seed.is_some()
                && other.seed == entry.seed
                && (other.created, &other.key) < (entry.created, &entry.key)
        });
        others.first().copied()
    }

    fn older_rival(&self, entry: &Entry) -> Option<&ObjectKey> {
        let rivals = self.find(entry.key.namespace(), |other| {
            other.key != entry.key
                && !other.deleting
                && entry.target.is_some()
                && other.target == entry.target
                && (other.created, &other.key) < (entry.created, &entry.key)
        });
        rivals.first().copied()
    }
}

fn take(index: &mut Index, change: Change) -> Vec<ObjectKey> {
    match change {
        Change::Apply(entry) => index.apply(entry),
        Change::Delete(key) => index.delete(&key),
    }
}

fn name() -> impl Strategy<Value = String> {
    proptest::sample::select(&NAMES[..]).prop_map(str::to_owned)
}

fn object_key() -> impl Strategy<Value = ObjectKey> {
    (proptest::sample::select(&NAMESPACES[..]), name())
        .prop_map(|(namespace, name)| ObjectKey::new(namespace, &name))
}

prop_compose! {
    fn bundle()(kind in proptest::sample::select(&KINDS[..]), name in name()) -> Bundle {
        Bundle { kind, name }
    }
}

prop_compose! {
    fn provider()(kind in proptest::sample::select(&PROVIDER_KINDS[..]), name in name()) -> ProviderRef {
        ProviderRef { kind, name }
    }
}

prop_compose! {
    fn readable()(target in name(), secrets in vec(name(), 1..3), ca_bundle in option::of(bundle()))
        -> (Option<String>, Vec<String>, Option<Bundle>) {
        (Some(target), secrets, ca_bundle)
    }
}

prop_compose! {
    fn entries()(
        key in object_key(),
        uid in option::weighted(0.9, name()),
        created in option::weighted(0.9, 0..3_i64),
        deleting in proptest::bool::weighted(0.2),
        provider in option::of(provider()),
        spec in prop_oneof![4 => readable(), 1 => Just((None, Vec::new(), None))],
    ) -> Entry {
        let (target, secrets, ca_bundle) = spec;
        let created = created.map(|second| Timestamp::from_second(second).unwrap());
        // One Secret may have two refresh tokens.
        let seed = secrets.last().map(|secret| Seed {
            secret: secret.clone(),
            key: if secrets.len() > 1 { "a" } else { "b" }.to_owned(),
        });
        Entry {
            key,
            uid: uid.as_deref().map(Uid::from),
            created,
            deleting,
            target: target.map(Into::into),
            secrets: secrets.into_iter().map(Into::into).collect(),
            seed: seed.map(Box::new),
            ca_bundle: ca_bundle.map(Arc::new),
            provider: provider.map(Arc::new),
        }
    }
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        6 => entries().prop_map(Change::Apply),
        2 => object_key().prop_map(Change::Delete),
    ];
    vec(change, 1..60)
}

fn keys<'a>(found: impl Iterator<Item = &'a Entry>) -> Vec<&'a ObjectKey> {
    found.map(|entry| &entry.key).collect()
}

fn assert_finds_the_same(index: &Index, naive: &Naive) {
    for namespace in NAMESPACES {
        for name in NAMES {
            let key = ObjectKey::new(namespace, name);
            let word = name.to_owned();
            let uses = |entry: &Entry| {
                entry.secrets.iter().any(|secret| **secret == *word)
                    || entry.trusts(CaBundleKind::Secret, name)
            };
            let owner = naive.owner(namespace, name);
            let affected = naive.find(namespace, uses).into_iter().chain(owner);
            assert_eq!(keys(index.users_of(&key)), affected.collect::<Vec<_>>());
            let owns = |entry: &Entry| entry.uid == Some(Uid::from(&*word));
            assert_eq!(
                keys(index.by_uid(namespace, name)),
                naive.find(namespace, owns)
            );
            let names = |entry: &Entry, kind| {
                let provider = entry.provider.as_ref();
                provider.is_some_and(|used| used.kind == kind && used.name == name)
            };
            let kind = ProviderKind::CubeProvider;
            assert_eq!(
                keys(index.users_of_provider(kind, &key)),
                naive.find(namespace, |entry| names(entry, kind))
            );
            let kind = ProviderKind::ClusterCubeProvider;
            let everywhere =
                NAMESPACES.map(|namespace| naive.find(namespace, |entry| names(entry, kind)));
            let everywhere: BTreeSet<_> = everywhere.into_iter().flatten().collect();
            let found = keys(index.users_of_provider(kind, &ObjectKey::new("", name)));
            assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), everywhere);
            for kind in KINDS {
                assert_eq!(
                    keys(index.trusting(kind, &key)),
                    naive.find(namespace, |entry| entry.trusts(kind, name))
                );
            }
        }
    }
    for entry in naive.current.values() {
        let rival = index.older_rival(entry).map(|rival| &rival.key);
        assert_eq!(rival, naive.older_rival(entry), "{entry:?}");
        let older = index.older_login(entry).map(|older| &older.key);
        assert_eq!(older, naive.older_login(entry), "{entry:?}");
    }
}

proptest! {
    #[test]
    fn the_index_finds_what_a_walk_over_all_credentials_finds(changes in changes()) {
        let (mut index, mut naive) = (Index::default(), Naive::default());
        for change in changes {
            let itself = match &change {
                Change::Apply(entry) => entry.key.clone(),
                Change::Delete(key) => key.clone(),
            };
            let affected: BTreeSet<_> = take(&mut index, change.clone()).into_iter().collect();
            let before = naive.owners();
            naive.take(change);
            assert_finds_the_same(&index, &naive);
            let owners = before.into_iter().zip(naive.owners());
            let changed = owners.filter(|(before, after)| before != after);
            let changed = changed.flat_map(|(before, after)| [before, after]).flatten();
            let expected: BTreeSet<_> = changed.filter(|key| *key != itself).collect();
            prop_assert_eq!(affected, expected);
        }
    }

    #[test]
    fn nothing_stays_of_credentials_that_are_gone(entries in vec(entries(), 1..20)) {
        let mut index = Index::default();
        for entry in &entries {
            index.apply(entry.clone());
        }
        for entry in &entries {
            index.delete(&entry.key);
        }
        prop_assert!(index.is_empty());
    }
}
