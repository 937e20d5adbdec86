//! A `CubeCredential` as the watch delivers it, and the facts that are read from it.

use jiff::Timestamp;
use kube::{Resource, ResourceExt, runtime::reflector::ObjectRef};

use super::{
    arrival::Watched,
    index::{Bundle, Entry, Seed},
    key::ObjectKey,
};
use crate::{
    api::{CaBundleKind, ConditionStatus, ConditionType, CubeCredentialSpec, CubeCredentialStatus},
    reconcile::Settings,
};

pub(crate) fn key(object: &Watched) -> ObjectKey {
    ObjectKey::of(object.meta())
}

/// The `CubeCredential` with this key, as kube's store names it.
pub(super) fn reference(key: &ObjectKey) -> ObjectRef<Watched> {
    ObjectRef::new(&key.name).within(&key.namespace)
}

/// The name of its target Secret, if its spec can be read.
pub(crate) fn target_name(object: &Watched) -> Option<String> {
    Some(Settings::target_name(&object.name_any(), spec(object)?))
}

/// The time at which its published token expires, as its status says.
pub(crate) fn expires_at(object: &Watched) -> Option<Timestamp> {
    object.0.as_ref().ok()?.status.as_ref()?.expires_at
}

pub(super) fn spec(object: &Watched) -> Option<&CubeCredentialSpec> {
    object.0.as_ref().ok().map(|object| &object.spec)
}

/// The ConfigMap with the CA bundle of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FollowedBundle {
    pub(crate) object: ObjectKey,
    /// Whether the last exchange failed, so that a change may help.
    pub(crate) is_failing: bool,
}

impl FollowedBundle {
    pub(crate) fn of(object: &Watched, status: &CubeCredentialStatus) -> Option<Self> {
        let refreshed = status.condition(ConditionType::Refreshed)?.status;
        let bundle = spec(object)?.ca_bundle_ref.as_ref()?;
        let follows =
            refreshed != ConditionStatus::Unknown && bundle.kind == CaBundleKind::ConfigMap;
        let namespace = object.namespace().unwrap_or_default();
        follows.then(|| Self {
            object: ObjectKey::new(&namespace, &bundle.name),
            is_failing: refreshed == ConditionStatus::False,
        })
    }
}

/// The index entry of an object. An object that cannot be read has one with its metadata, so that its uid still owns its Secrets.
pub(super) fn entry(object: &Watched) -> Entry {
    let meta = object.meta();
    let spec = spec(object);
    let secrets = spec.into_iter().flat_map(|spec| {
        let refresh_token = spec.refresh_token_ref.as_ref();
        let refresh_token = refresh_token.map(|reference| reference.name.as_str());
        [Some(spec.client_secret_ref.name.as_str()), refresh_token]
    });
    let bundle = spec.and_then(|spec| spec.ca_bundle_ref.as_ref());
    Entry {
        key: key(object),
        uid: meta.uid.clone(),
        created: meta.creation_timestamp.as_ref().map(|time| time.0),
        deleting: meta.deletion_timestamp.is_some(),
        target: target_name(object),
        secrets: secrets.flatten().map(str::to_owned).collect(),
        seed: spec.and_then(|spec| {
            let initial = spec.refresh_token_ref.as_ref()?;
            Some(Seed {
                secret: initial.name.clone(),
                key: initial.key.clone(),
            })
        }),
        ca_bundle: bundle.map(|bundle| Bundle {
            kind: bundle.kind,
            name: bundle.name.clone(),
        }),
    }
}
