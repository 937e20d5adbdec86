//! A `CubeCredential` as the watch delivers it, and the facts that are read from it.

use std::sync::Arc;

use jiff::Timestamp;
use kube::{Resource, ResourceExt};

use super::{
    arrival::Watched,
    index::{Bundle, Entry, Seed},
};
use crate::{
    api::{CaBundleKind, ConditionStatus, ConditionType, CubeCredentialSpec, CubeCredentialStatus},
    object::{ObjectKey, Uid},
    reconcile::Settings,
};

pub(crate) fn key(object: &Watched) -> ObjectKey {
    ObjectKey::of(object.meta())
}

/// The name of its target Secret, if its spec can be read.
pub(crate) fn target_name(object: &Watched) -> Option<String> {
    Some(Settings::target_name(&object.name_any(), spec(object)?))
}

/// The time at which its published token expires, as its status says.
pub(super) fn expires_at(object: &Watched) -> Option<Timestamp> {
    object.0.as_ref().ok()?.status.as_ref()?.expires_at
}

/// The end of the pause that the provider asked for at the last failed attempt, as its status says.
pub(super) fn paused_until(object: &Watched) -> Option<Timestamp> {
    let status = object.0.as_ref().ok()?.status.as_ref()?;
    status.attempted.as_ref()?.paused_until
}

pub(super) fn spec(object: &Watched) -> Option<&CubeCredentialSpec> {
    object.0.as_ref().ok().map(|object| &object.spec)
}

/// The ServiceAccount whose token authenticates the client.
pub(super) fn service_account(spec: &CubeCredentialSpec) -> Option<&String> {
    spec.client_assertion
        .as_ref()?
        .service_account_name
        .as_ref()
}

/// The ServiceAccount whose token is exchanged.
pub(super) fn subject_account(spec: &CubeCredentialSpec) -> Option<&String> {
    let exchange = spec.token_exchange.as_ref()?;
    let account = exchange.subject_service_account.as_ref()?;
    Some(&account.name)
}

/// The name of a ServiceAccount among those of Secrets, in which no `/` can be.
pub(super) fn service_account_key(name: &str) -> String {
    format!("serviceaccount/{name}")
}

/// The ConfigMap with the CA bundle of a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FollowedBundle {
    pub(crate) object: ObjectKey,
    /// True if the last exchange failed, so that a change may help.
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
pub(super) fn entry(key: ObjectKey, object: &Watched) -> Entry {
    let meta = object.meta();
    let spec = spec(object);
    let secrets = spec.into_iter().flat_map(|spec| {
        let refresh_token = spec.refresh_token_ref.as_ref();
        let refresh_token = refresh_token.map(|reference| reference.name.as_str());
        let client = spec.client_secret_ref.as_ref();
        let client = client.map(|reference| reference.name.as_str().into());
        let account = |name: &String| service_account_key(name).into();
        let subject = spec.token_exchange.as_ref();
        let subject = subject.and_then(|exchange| exchange.subject_token_ref.as_ref());
        [
            client,
            service_account(spec).map(account),
            refresh_token.map(Into::into),
            subject.map(|reference| reference.name.as_str().into()),
            subject_account(spec).map(account),
        ]
    });
    let bundle = spec.and_then(|spec| spec.ca_bundle_ref.as_ref());
    Entry {
        key,
        uid: meta.uid.as_deref().map(Uid::from),
        created: meta.creation_timestamp.as_ref().map(|time| time.0),
        deleting: meta.deletion_timestamp.is_some(),
        target: target_name(object).map(Into::into),
        secrets: secrets.flatten().collect(),
        seed: spec.and_then(|spec| {
            let initial = spec.refresh_token_ref.as_ref()?;
            Some(Box::new(Seed {
                secret: initial.name.clone(),
                key: initial.key.clone(),
            }))
        }),
        provider: spec.and_then(|spec| spec.provider_ref.clone().map(Arc::new)),
        ca_bundle: bundle.map(|bundle| {
            Arc::new(Bundle {
                kind: bundle.kind,
                name: bundle.name.clone(),
            })
        }),
    }
}
