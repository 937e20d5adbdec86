//! From Kubernetes objects to the words of the domain.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{Resource, core::ObjectMeta};
use secrecy::SecretString;
use sha2::{Digest, Sha256};

use super::world::Watched;
use crate::{
    api::{ClientSecretRef, CubeCredentialStatus, annotation, label},
    reconcile::{Content, Credential, SourceSecret, SourceValue, TargetSecret, hex},
};

/// The metadata of a Secret that may be a target.
#[must_use]
pub fn target(meta: &ObjectMeta) -> TargetSecret {
    TargetSecret {
        name: meta.name.clone().unwrap_or_default(),
        uid: meta.uid.clone().unwrap_or_default(),
        version: meta.resource_version.clone().unwrap_or_default(),
        labels: meta.labels.clone().unwrap_or_default(),
        annotations: meta.annotations.clone().unwrap_or_default(),
        owners: meta
            .owner_references
            .iter()
            .flatten()
            .map(|owner| owner.uid.clone())
            .collect(),
        owner_lives: false,
        owner_wants_it: false,
        content: Content::Unread,
    }
}

/// The data of a Secret, as far as it is text.
#[must_use]
pub fn texts(data: Option<BTreeMap<String, ByteString>>) -> BTreeMap<String, SecretString> {
    let texts = data
        .into_iter()
        .flatten()
        .map(|(key, value)| (key, String::from_utf8(value.0)));
    texts
        .filter_map(|(key, text)| Some((key, text.ok()?.into())))
        .collect()
}

/// What is used of a source Secret.
#[must_use]
pub fn source(mut secret: Secret, reference: &ClientSecretRef) -> SourceSecret {
    let meta = &secret.metadata;
    let version = meta.resource_version.clone().unwrap_or_default();
    let token_hosts = meta
        .annotations
        .as_ref()
        .and_then(|all| all.get(annotation::TOKEN_HOSTS))
        .cloned();
    let data = secret.data.take().unwrap_or_default();
    SourceSecret {
        version,
        token_hosts,
        client_id: value(data.get(&reference.client_id_key)),
        client_secret: value(data.get(&reference.client_secret_key)),
    }
}

fn value(bytes: Option<&ByteString>) -> SourceValue {
    match bytes.map(|bytes| String::from_utf8(bytes.0.clone())) {
        None => SourceValue::Absent,
        Some(Ok(text)) => SourceValue::Text(text.into()),
        Some(Err(_)) => SourceValue::NotText,
    }
}

/// Whether the owner of a Secret permits its use.
#[must_use]
pub fn has_consent(meta: &ObjectMeta) -> bool {
    let labels = meta.labels.as_ref();
    labels.is_some_and(|labels| label::is_set(labels, label::CREDENTIAL))
}

/// The `CubeCredential` without its spec.
#[must_use]
pub fn credential(object: &Watched) -> Credential {
    let meta = object.meta();
    Credential {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
        uid: meta.uid.clone().unwrap_or_default(),
        generation: meta.generation.unwrap_or_default(),
        deleting: meta.deletion_timestamp.is_some(),
        refresh_request: refresh_request(meta),
        status: status(object),
    }
}

/// The status as it stands in the object.
#[must_use]
pub fn status(object: &Watched) -> CubeCredentialStatus {
    let readable = object.0.as_ref().ok();
    readable
        .and_then(|object| object.status.clone())
        .unwrap_or_default()
}

/// The hash of a refresh request: short, and of one length whatever people write.
fn refresh_request(meta: &ObjectMeta) -> Option<String> {
    let value = meta
        .annotations
        .as_ref()?
        .get(annotation::REFRESH_REQUESTED_AT)?;
    Some(hex(&Sha256::digest(value)[..8]))
}

/// Now, in the whole seconds of everything that is stored.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second())
        .expect("the current time is within the range of time")
}
