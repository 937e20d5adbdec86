//! The ConfigMaps of the operator's namespace with the CA certificates of `ClusterCubeProvider`s. All scopes of a process share them.
//!
//! ```text
//!  an object names one ─▶ want ─▶ (the controller watches it) ─▶ Bundle::learn ─▶ every scope reads its objects anew
//! ```
//!
//! A ConfigMap is followed for as long as an object that is known names it. Nothing is kept of the others in that namespace.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Weak},
};

use tokio::sync::{Notify, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    api::ConfigMapBundleRef,
    lock::lock,
    reconcile::{BundleFlaw, ConfigMapPlace, ProviderObject, ReadBundle, ReadProvider},
};

/// The bundles that objects name.
#[derive(Debug)]
pub(crate) struct OperatorBundles {
    /// The namespace of this operator, if it is known.
    namespace: Option<String>,
    known: Mutex<HashMap<ConfigMapBundleRef, Weak<Bundle>>>,
    /// The bundles that nobody watches yet.
    unwatched: Mutex<Vec<Weak<Bundle>>>,
    is_named: Notify,
    /// The number of changes.
    changes: watch::Sender<u64>,
}

/// One bundle.
#[derive(Debug)]
pub(crate) struct Bundle {
    pub(crate) reference: ConfigMapBundleRef,
    pub(crate) place: ConfigMapPlace,
    /// The certificates that were found in it; `None`: it was not read yet.
    read: Mutex<Option<ReadBundle>>,
    /// Cancels `unnamed` once nobody names the bundle.
    _ended: DropGuard,
    unnamed: CancellationToken,
}

/// Those of a process that reads each of them itself, and says from where.
impl Default for OperatorBundles {
    fn default() -> Self {
        Self::of(Some(String::new()))
    }
}

impl OperatorBundles {
    /// No bundle yet in this namespace.
    pub(crate) fn of(namespace: Option<String>) -> Self {
        Self {
            namespace,
            known: Mutex::default(),
            unwatched: Mutex::default(),
            is_named: Notify::new(),
            changes: watch::Sender::new(0),
        }
    }

    /// The bundle that an object names, if it can be read and names one.
    pub(super) fn named_by(&self, object: &ReadProvider) -> Option<Arc<Bundle>> {
        let reference = object.as_ref().ok()?.bundle()?;
        Some(self.want(reference))
    }

    /// The bundle of a reference. It is followed from now on.
    pub(crate) fn want(&self, reference: &ConfigMapBundleRef) -> Arc<Bundle> {
        let mut known = lock(&self.known);
        if let Some(bundle) = known.get(reference).and_then(Weak::upgrade) {
            return bundle;
        }
        known.retain(|_, bundle| bundle.strong_count() > 0);
        let bundle = Arc::new(Bundle::new(reference, self.namespace.as_deref()));
        known.insert(reference.clone(), Arc::downgrade(&bundle));
        if self.namespace.is_some() {
            lock(&self.unwatched).push(Arc::downgrade(&bundle));
            self.is_named.notify_one();
        }
        bundle
    }

    /// Waits until objects name further bundles, and returns these.
    pub(crate) async fn named(&self) -> Vec<Weak<Bundle>> {
        loop {
            let named = std::mem::take(&mut *lock(&self.unwatched));
            if !named.is_empty() {
                return named;
            }
            self.is_named.notified().await;
        }
    }

    /// This is what a ConfigMap has now.
    pub(crate) fn learn(&self, bundle: &Bundle, read: ReadBundle) {
        let read = Some(read);
        let mut before = lock(&bundle.read);
        if *before == read {
            return;
        }
        *before = read;
        drop(before);
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// The changes from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

impl Bundle {
    pub(super) fn new(reference: &ConfigMapBundleRef, namespace: Option<&str>) -> Self {
        let name = reference.name.clone();
        let unnamed = CancellationToken::new();
        Self {
            reference: reference.clone(),
            place: ConfigMapPlace {
                namespace: namespace.unwrap_or_default().to_owned(),
                name: name.clone(),
            },
            read: Mutex::new(match namespace {
                Some(_) => None,
                None => Some(Err(BundleFlaw::NoNamespace { name })),
            }),
            _ended: unnamed.clone().drop_guard(),
            unnamed,
        }
    }

    /// It ends once no object names this bundle.
    pub(crate) fn unnamed(&self) -> CancellationToken {
        self.unnamed.clone()
    }

    /// Returns whether its ConfigMap was read, or cannot be.
    pub(crate) fn is_read(&self) -> bool {
        lock(&self.read).is_some()
    }

    /// Returns whether its certificates are known.
    pub(crate) fn has_certificates(&self) -> bool {
        matches!(&*lock(&self.read), Some(Ok(_)))
    }

    /// The reason why there are no certificates, if that is known.
    #[cfg(test)]
    pub(crate) fn flaw(&self) -> Option<BundleFlaw> {
        lock(&self.read).clone()?.err()
    }

    /// The object with the certificates, as far as they are known.
    pub(super) fn complete(&self, object: &Arc<ProviderObject>) -> ReadProvider {
        match &*lock(&self.read) {
            None => Ok(Arc::clone(object)),
            Some(Ok(certificates)) => Ok(Arc::new(object.with_bundle(certificates))),
            Some(Err(flaw)) => Err(flaw.clone().into()),
        }
    }
}
