//! The CA bundles that are in use. Credentials with the same bundle share its certificates: their exchanges may hang at the same
//! time, and a bundle may be large. A bundle is read again only when its object has another version, as far as a watch shows that.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, Weak},
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};
use tokio::sync::Mutex as AsyncMutex;

use crate::{
    api::{CaBundleKind, CaBundleRef},
    lock::lock,
    oauth::ca_bundle::CaCertificates,
    object::ObjectKey,
    reconcile::CaBundle,
};

/// The most bundles that are kept, and the most bytes of their texts. A bundle beyond them is read for each exchange.
const MOST: usize = 64;
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// How long a `ConfigMap` that no watch shows yet counts as read. Otherwise all credentials of a new namespace would read it until
/// its watch begins, which is after the first token.
const LASTS: Duration = Duration::from_secs(1);

/// The CA bundles of a process.
#[derive(Debug, Default)]
pub(crate) struct CaBundles {
    /// The certificates in use, by the hash of their PEM text.
    in_use: Mutex<HashMap<[u8; 32], Weak<CaCertificates>>>,
    watched: Mutex<WatchedBundles>,
    kept: Mutex<KeptBundles>,
    /// The places that are being read.
    reads: Mutex<Vec<(Place, Weak<AsyncMutex<()>>)>>,
}

/// A watch of one ConfigMap. What an earlier watch of it still reports is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WatchId(u64);

#[derive(Debug, Default)]
struct WatchedBundles {
    count: u64,
    /// The watch of each ConfigMap, and the version that it shows.
    versions: HashMap<ObjectKey, (WatchId, Option<String>)>,
}

/// The bundles that were read last, the newest one at the end.
#[derive(Debug, Default)]
struct KeptBundles {
    bundles: VecDeque<KeptBundle>,
    bytes: usize,
}

#[derive(Debug)]
struct KeptBundle {
    place: Place,
    version: String,
    bundle: CaBundle,
    bytes: usize,
    read_at: Instant,
}

/// Where a bundle is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) kind: CaBundleKind,
    pub(super) object: ObjectKey,
    key: String,
}

impl Place {
    pub(super) fn of(namespace: &str, reference: &CaBundleRef) -> Self {
        Self {
            kind: reference.kind,
            object: ObjectKey::new(namespace, &reference.name),
            key: reference.key.clone(),
        }
    }
}

impl CaBundles {
    /// The bundle in this version of its object, if it is kept.
    pub(super) fn known(&self, place: &Place, version: &str) -> Option<CaBundle> {
        let kept = lock(&self.kept);
        let mut bundles = kept.bundles.iter();
        let known = bundles.find(|kept| kept.place == *place && kept.version == version)?;
        Some(known.bundle.clone())
    }

    /// The bundle, if it was read a moment ago.
    pub(super) fn just_read(&self, place: &Place) -> Option<CaBundle> {
        let kept = lock(&self.kept);
        let mut bundles = kept.bundles.iter();
        let known = bundles.find(|kept| kept.place == *place && kept.read_at.elapsed() < LASTS)?;
        Some(known.bundle.clone())
    }

    /// The holder of this lock reads the bundle, and the others use the result.
    pub(super) fn reader(&self, place: &Place) -> Arc<AsyncMutex<()>> {
        let mut reads = lock(&self.reads);
        reads.retain(|(_, reader)| reader.strong_count() > 0);
        let known = reads.iter().find(|(known, _)| known == place);
        if let Some(reader) = known.and_then(|(_, reader)| reader.upgrade()) {
            return reader;
        }
        let reader = Arc::new(AsyncMutex::new(()));
        reads.push((place.clone(), Arc::downgrade(&reader)));
        reader
    }

    /// Reads the PEM text in this version of its object.
    pub(super) fn read(&self, place: Place, version: String, pem: &[u8]) -> CaBundle {
        let bundle = self.certificates(pem);
        lock(&self.kept).keep(KeptBundle {
            place,
            version,
            bundle: bundle.clone(),
            bytes: pem.len(),
            read_at: monotonic(),
        });
        bundle
    }

    /// Reads a PEM text, unless its certificates are in use already.
    fn certificates(&self, pem: &[u8]) -> CaBundle {
        let hash = Sha256::digest(pem).into();
        let known = lock(&self.in_use).get(&hash).and_then(Weak::upgrade);
        if let Some(known) = known {
            return CaBundle::Read(known);
        }
        let bundle = CaBundle::of(pem);
        if let CaBundle::Read(read) = &bundle {
            let mut in_use = lock(&self.in_use);
            in_use.retain(|_, bundle| bundle.strong_count() > 0);
            in_use.insert(hash, Arc::downgrade(read));
        }
        bundle
    }
}

/// The watches of `ConfigMap`s.
impl CaBundles {
    /// A watch of this ConfigMap begins.
    pub(crate) fn begin_watch(&self, object: &ObjectKey) -> WatchId {
        let mut watched = lock(&self.watched);
        watched.count += 1;
        let id = WatchId(watched.count);
        watched.versions.insert(object.clone(), (id, None));
        id
    }

    /// The watch shows this version of the ConfigMap; `None`: it does not exist, or is not known.
    pub(crate) fn shows(&self, object: &ObjectKey, id: WatchId, version: Option<String>) {
        let mut watched = lock(&self.watched);
        let entry = watched.versions.get_mut(object);
        if let Some((_, shown)) = entry.filter(|(current, _)| *current == id) {
            *shown = version;
        }
    }

    /// The watch of this ConfigMap has ended.
    pub(crate) fn end_watch(&self, object: &ObjectKey) {
        lock(&self.watched).versions.remove(object);
    }

    /// The version of a ConfigMap, if a watch shows it.
    pub(super) fn watched_version(&self, object: &ObjectKey) -> Option<String> {
        lock(&self.watched).versions.get(object)?.1.clone()
    }
}

impl KeptBundles {
    fn keep(&mut self, bundle: KeptBundle) {
        let same = self
            .bundles
            .iter()
            .position(|kept| kept.place == bundle.place);
        self.drop_at(same);
        self.bytes += bundle.bytes;
        self.bundles.push_back(bundle);
        while self.bundles.len() > MOST || self.bytes > MOST_BYTES {
            self.drop_at(Some(0));
        }
    }

    fn drop_at(&mut self, position: Option<usize>) {
        let dropped = position.and_then(|at| self.bundles.remove(at));
        self.bytes -= dropped.map_or(0, |dropped| dropped.bytes);
    }
}

#[expect(clippy::disallowed_methods, reason = "it measures how old a read is")]
fn monotonic() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};

    use super::*;

    fn certificate() -> String {
        let key = KeyPair::generate().unwrap();
        CertificateParams::default()
            .self_signed(&key)
            .unwrap()
            .pem()
    }

    fn read(bundles: &CaBundles, pem: &str) -> Arc<CaCertificates> {
        match bundles.certificates(pem.as_bytes()) {
            CaBundle::Read(read) => read,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn credentials_with_the_same_bundle_share_it_as_long_as_it_is_in_use() {
        let (bundles, one, two) = (CaBundles::default(), certificate(), certificate());
        let first = read(&bundles, &one);
        assert!(Arc::ptr_eq(&first, &read(&bundles, &one)));
        let second = read(&bundles, &two);
        assert!(!Arc::ptr_eq(&first, &second));
        drop((first, second));
        drop(read(&bundles, &one));
        assert_eq!(lock(&bundles.in_use).len(), 1, "the others are forgotten");
    }

    fn place(number: usize) -> Place {
        Place {
            kind: CaBundleKind::ConfigMap,
            object: ObjectKey::new("treasury", &format!("roots-{number}")),
            key: "ca.crt".into(),
        }
    }

    #[test]
    fn a_bundle_is_known_in_the_version_that_was_read_and_the_oldest_ones_make_way() {
        let (bundles, pem) = (CaBundles::default(), certificate());
        let read = |number, version: &str, pem: &str| {
            bundles.read(place(number), version.into(), pem.as_bytes());
        };
        read(0, "7", &pem);
        assert!(bundles.known(&place(0), "7").is_some());
        assert!(bundles.known(&place(0), "8").is_none());
        assert!(bundles.known(&place(1), "7").is_none());
        read(0, "8", &pem);
        assert_eq!(lock(&bundles.kept).bundles.len(), 1);
        let bytes = lock(&bundles.kept).bytes;
        assert_eq!(bytes, pem.len());
        for number in 1..=MOST {
            read(number, "1", &pem);
        }
        assert!(bundles.known(&place(0), "8").is_none());
        assert!(bundles.known(&place(1), "1").is_some());
        read(1, "2", &(pem + &"\n".repeat(MOST_BYTES / 2)));
        read(2, "2", &(certificate() + &"\n".repeat(MOST_BYTES / 2)));
        assert_eq!(lock(&bundles.kept).bundles.len(), 1, "the others make way");
    }

    #[test]
    fn only_the_current_watch_tells_the_version() {
        let (bundles, object) = (CaBundles::default(), ObjectKey::new("treasury", "roots"));
        let first = bundles.begin_watch(&object);
        bundles.shows(&object, first, Some("7".into()));
        assert_eq!(bundles.watched_version(&object).as_deref(), Some("7"));
        let second = bundles.begin_watch(&object);
        bundles.shows(&object, first, Some("8".into()));
        assert_eq!(bundles.watched_version(&object), None);
        bundles.shows(&object, second, Some("9".into()));
        bundles.shows(&object, second, None);
        assert_eq!(bundles.watched_version(&object), None);
        bundles.end_watch(&object);
        bundles.shows(&object, second, Some("9".into()));
        assert_eq!(bundles.watched_version(&object), None);
    }
}
