//! Converts Kubernetes objects to the types of the domain.

use std::collections::BTreeMap;

use k8s_openapi::{
    ByteString,
    api::core::v1::{ConfigMap, Secret},
};
use kube::{Resource, core::ObjectMeta};
use secrecy::{SecretString, zeroize::Zeroize};
use sha2::{Digest, Sha256};

use super::arrival::Watched;
use crate::{
    api::{ClientSecretRef, CubeCredentialStatus, annotation, label},
    object::{ObjectKey, Uid},
    reconcile::{
        ClientValues, Content, Credential, Source, SourceCertificate, SourceKey, SourceSecret,
        SourceValue, StateReading, TargetSecret, hex,
    },
};

impl ObjectKey {
    pub(crate) fn of(meta: &ObjectMeta) -> Self {
        Self::new(
            meta.namespace.as_deref().unwrap_or_default(),
            meta.name.as_deref().unwrap_or_default(),
        )
    }
}

impl Uid {
    pub(crate) fn of(meta: &ObjectMeta) -> Self {
        meta.uid.as_deref().unwrap_or_default().into()
    }
}

/// The value of a key of a `ConfigMap`, which has keys with text and keys with any bytes. No key is in both.
pub(crate) fn config_value(map: ConfigMap, key: &str) -> Option<Vec<u8>> {
    let text = map.data.and_then(|mut data| data.remove(key));
    let bytes = map.binary_data.and_then(|mut data| data.remove(key));
    text.map(String::into_bytes).or(bytes.map(|bytes| bytes.0))
}

/// The metadata of a Secret that may be a target.
pub(crate) fn target(meta: &ObjectMeta) -> TargetSecret {
    TargetSecret {
        namespace: meta.namespace.clone().unwrap_or_default(),
        name: meta.name.clone().unwrap_or_default(),
        uid: meta.uid.clone().unwrap_or_default(),
        version: meta.resource_version.clone().unwrap_or_default(),
        labels: meta.labels.clone().unwrap_or_default(),
        annotations: meta.annotations.clone().unwrap_or_default(),
        owners: owners(meta),
        held_by: meta
            .deletion_timestamp
            .as_ref()
            .map(|_| meta.finalizers.clone().unwrap_or_default()),
        owner_lives: false,
        owner_wants_it: false,
        content: Content::Unread,
    }
}

/// A Secret by the name of a state, without data where that may not be read.
pub(crate) fn state(
    meta: &ObjectMeta,
    data: Option<BTreeMap<String, SecretString>>,
) -> StateReading {
    StateReading {
        name: meta.name.clone().unwrap_or_default(),
        uid: meta.uid.clone().unwrap_or_default(),
        version: meta.resource_version.clone().unwrap_or_default(),
        labels: meta.labels.clone().unwrap_or_default(),
        annotations: meta.annotations.clone().unwrap_or_default(),
        owners: owners(meta),
        data,
    }
}

fn owners(meta: &ObjectMeta) -> Vec<String> {
    let owners = meta.owner_references.iter().flatten();
    owners.map(|owner| owner.uid.clone()).collect()
}

/// The data of a Secret, as far as it is text.
pub(crate) fn texts(data: Option<BTreeMap<String, ByteString>>) -> BTreeMap<String, SecretString> {
    let texts = data
        .into_iter()
        .flatten()
        .map(|(key, value)| (key, String::from_utf8(value.0)));
    texts
        .filter_map(|(key, text)| Some((key, text.ok()?.into())))
        .collect()
}

/// The values of a Secret that may be read.
pub(crate) fn source<T>(
    secret: Secret,
    values: impl FnOnce(&BTreeMap<String, ByteString>) -> T,
) -> SourceSecret<T> {
    let meta = &secret.metadata;
    let annotations = meta.annotations.as_ref();
    let annotation = |name| annotations.and_then(|all| all.get(name)).cloned();
    let mut data = secret.data.unwrap_or_default();
    let source = SourceSecret {
        version: meta.resource_version.clone().unwrap_or_default(),
        token_hosts: annotation(annotation::TOKEN_HOSTS),
        token_ca: annotation(annotation::TOKEN_CA),
        values: values(&data),
    };
    // The values that are needed are copied into a type that wipes itself.
    for value in data.values_mut() {
        value.0.zeroize();
    }
    source
}

/// The consent on a ServiceAccount, in place of a Secret with these values. It has none.
pub(crate) fn service_account<T>(meta: Option<&ObjectMeta>, values: T) -> Source<T> {
    let meta = match meta {
        None => return Source::Absent,
        Some(meta) if !has_consent(meta) => return Source::NotLabelled,
        Some(meta) => meta,
    };
    let annotations = meta.annotations.as_ref();
    let annotation = |name| annotations.and_then(|all| all.get(name)).cloned();
    Source::Read(SourceSecret {
        version: meta.resource_version.clone().unwrap_or_default(),
        token_hosts: annotation(annotation::TOKEN_HOSTS),
        token_ca: annotation(annotation::TOKEN_CA),
        values,
    })
}

/// The value under a key.
pub(crate) fn value(data: &BTreeMap<String, ByteString>, key: &str) -> SourceValue {
    match data.get(key).map(|bytes| str::from_utf8(&bytes.0)) {
        None => SourceValue::Absent,
        Some(Ok(text)) => SourceValue::Text(text.into()),
        Some(Err(_)) => SourceValue::NotText,
    }
}

/// The values of a client. A key is read where the reference names one: its default is already in it.
pub(crate) fn client(
    data: &BTreeMap<String, ByteString>,
    reference: &ClientSecretRef,
) -> ClientValues {
    let bytes = |key: &Option<String>| Some(data.get(key.as_ref()?)?.0.as_slice());
    let mut secrets = reference.client_secret_keys();
    let mut next_secret = || match secrets.next() {
        Some(key) => value(data, key),
        None => SourceValue::Absent,
    };
    ClientValues {
        id: value(data, &reference.client_id_key),
        secret: next_secret(),
        next_secret: next_secret(),
        key: SourceKey::of(bytes(&reference.private_key_key)),
        certificate: SourceCertificate::of(bytes(&reference.certificate_key)),
    }
}

/// Returns whether the owner of a Secret allows its use.
pub(crate) fn has_consent(meta: &ObjectMeta) -> bool {
    let labels = meta.labels.as_ref();
    labels.is_some_and(|labels| label::is_set(labels, label::CREDENTIAL))
}

/// The `CubeCredential` without its spec.
pub(crate) fn credential(object: &Watched) -> Credential {
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
pub(crate) fn status(object: &Watched) -> CubeCredentialStatus {
    let readable = object.0.as_ref().ok();
    readable
        .and_then(|object| object.status.clone())
        .unwrap_or_default()
}

/// The hash of a refresh request, which has one length whatever people write into the annotation.
fn refresh_request(meta: &ObjectMeta) -> Option<String> {
    let value = meta
        .annotations
        .as_ref()?
        .get(annotation::REFRESH_REQUESTED_AT)?;
    Some(request_hash(value))
}

/// The hash that a status and a target have of a refresh request.
pub(crate) fn request_hash(value: &str) -> String {
    hex(&Sha256::digest(value)[..8])
}
