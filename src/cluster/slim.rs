//! Drops what an object carries for others as soon as it arrives. Anybody who may write an object can attach 256 KiB of annotations
//! to it, and `kubectl apply` attaches a copy of the object: with a Secret, its plaintext.

use std::collections::BTreeMap;

use kube::{Resource, core::ObjectMeta};
use sha2::{Digest, Sha256};

use super::{arrival::Watched, convert, packed::Packed};
use crate::{
    api::annotation,
    object::Uid,
    reconcile::{TargetSecret, hex},
};

/// The copy of an object that `kubectl apply` attaches to it.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The most bytes of a target's labels and annotations that are kept: ours take half a kilobyte, and two with what each entry
/// costs besides its text.
const LARGEST: usize = 8 * 1024;
const ENTRY: usize = 100;
/// The most bytes of a refresh request that are kept. People write times.
const LONGEST_REQUEST: usize = 256;

/// Drops from any object the copy of itself.
pub(crate) fn metadata(meta: &mut ObjectMeta) {
    if let Some(annotations) = &mut meta.annotations {
        annotations.remove(LAST_APPLIED);
    }
}

/// Drops from a `CubeCredential` everything but its identity and the refresh request. A long request is known by its hash.
pub(crate) fn credential(object: &mut Watched) {
    let meta = object.meta_mut();
    meta.labels = None;
    meta.finalizers = None;
    meta.owner_references = None;
    let Some(annotations) = &mut meta.annotations else {
        return;
    };
    annotations.retain(|name, _| name == annotation::REFRESH_REQUESTED_AT);
    for request in annotations
        .values_mut()
        .filter(|value| value.len() > LONGEST_REQUEST)
    {
        *request = hex(&Sha256::digest(&*request));
    }
}

/// A Secret that may be a target, as it is kept.
#[derive(Debug)]
pub(super) struct KeptTarget {
    owner: Option<Uid>,
    packed: Packed<TargetSecret>,
}

impl KeptTarget {
    /// The Secret, unless it is too large to be kept.
    pub(super) fn of(secret: &TargetSecret) -> Option<Self> {
        if !fits(secret) {
            return None;
        }
        Some(Self {
            owner: secret.written_for().map(Uid::from),
            packed: Packed::of(secret)?,
        })
    }

    /// The uid of the `CubeCredential` that it was written for.
    pub(super) fn owner(&self) -> Option<Uid> {
        self.owner
    }

    pub(super) fn unpack(&self) -> Option<TargetSecret> {
        self.packed.unpack()
    }
}

/// The metadata of a Secret that may be a target, unless it is too large to be kept.
pub(super) fn target(meta: &ObjectMeta) -> Option<KeptTarget> {
    KeptTarget::of(&convert::target(meta))
}

/// Returns whether the metadata of a target is small enough to be kept.
fn fits(target: &TargetSecret) -> bool {
    let owners = target.owners.len() * ENTRY;
    size(&target.labels) + size(&target.annotations) + owners <= LARGEST
}

fn size(entries: &BTreeMap<String, String>) -> usize {
    let sizes = entries
        .iter()
        .map(|(name, value)| ENTRY + name.len() + value.len());
    sizes.sum()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn secret(annotations: &Value) -> ObjectMeta {
        let meta = json!({"name": "main-token", "annotations": annotations});
        serde_json::from_value(meta).unwrap()
    }

    #[test]
    fn a_copy_of_the_object_is_dropped_and_a_target_with_too_much_is_not_kept() {
        let ours = annotation::OWNER_NAME;
        let mut meta = secret(&json!({LAST_APPLIED: "x".repeat(LARGEST), ours: "main"}));
        assert!(target(&meta).is_none());
        metadata(&mut meta);
        let kept = target(&meta).unwrap().unpack().unwrap().annotations;
        assert_eq!(kept.into_keys().collect::<Vec<_>>(), [ours]);
    }

    #[test]
    fn only_the_refresh_request_of_a_credential_is_kept() {
        let request = annotation::REFRESH_REQUESTED_AT;
        let watched = |request_is: &str| -> Watched {
            let object = json!({
                "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeCredential",
                "metadata": {
                    "name": "main", "labels": {"a": "b"}, "finalizers": ["a/b"],
                    "annotations": {"a": "b", request: request_is},
                },
                "spec": {"provider": "Cubewire", "clientSecretRef": {"name": "client"}},
            });
            let mut object = serde_json::from_value(object).unwrap();
            credential(&mut object);
            object
        };
        let kept = |object: &Watched| object.meta().annotations.clone().unwrap();
        let short = watched("2026-11-21");
        assert_eq!(
            kept(&short),
            BTreeMap::from([(request.into(), "2026-11-21".into())])
        );
        assert!(short.meta().labels.is_none() && short.meta().finalizers.is_none());
        let long = |last: &str| kept(&watched(&("x".repeat(LONGEST_REQUEST) + last)));
        assert!(long("1")[request].len() <= LONGEST_REQUEST);
        assert_ne!(long("1"), long("2"));
    }
}
