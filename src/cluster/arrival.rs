//! Objects as they arrive from a list or a watch. They are read leniently and without what no decision needs: anybody who may
//! write an object of their own must not be able to stop the lists of all others, or to fill the memory.
//!
//! `managedFields` are not read at all. They may be nested more deeply than the JSON parser goes, and one such object would fail
//! its whole list.

mod provider;

use std::{collections::BTreeMap, fmt::Debug, marker::PhantomData};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use kube::{Resource, core::ObjectMeta};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};
use thiserror::Error;

use crate::{api::CubeCredential, kubernetes::kind::kind_of};
pub(crate) use provider::{ProviderResource, WatchedProvider};

/// The most bytes of a spec or status that are read. The schema counts characters and single values.
const LARGEST: usize = 64 * 1024;

/// A watched `CubeCredential`. One that this version cannot read must not stop the watch on all others.
#[derive(Clone, Debug)]
pub struct Watched(pub Result<CubeCredential, Unreadable>);

/// An object that cannot be read.
#[derive(Clone, Debug, Error)]
#[error("{error}")]
pub struct Unreadable {
    error: String,
    metadata: ObjectMeta,
}

/// The metadata of an object, which is all that is requested of it.
#[derive(Clone, Debug)]
pub struct Metadata<K> {
    /// The metadata, without `managedFields`.
    pub metadata: ObjectMeta,
    kind: PhantomData<K>,
}

/// The metadata that is read: `managedFields` may be nested more deeply than the JSON parser goes.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Meta {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
    owner_references: Option<Vec<OwnerReference>>,
    finalizers: Option<Vec<String>>,
}

impl From<Meta> for ObjectMeta {
    fn from(meta: Meta) -> Self {
        Self {
            name: meta.name,
            namespace: meta.namespace,
            uid: meta.uid,
            resource_version: meta.resource_version,
            generation: meta.generation,
            creation_timestamp: meta.creation_timestamp,
            deletion_timestamp: meta.deletion_timestamp,
            labels: meta.labels,
            annotations: meta.annotations,
            owner_references: meta.owner_references,
            finalizers: meta.finalizers,
            ..Self::default()
        }
    }
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    metadata: Meta,
    #[serde(default)]
    spec: Option<Box<RawValue>>,
    #[serde(default)]
    status: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct MetadataAlone {
    #[serde(default)]
    metadata: Meta,
}

impl<'de> Deserialize<'de> for Watched {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Object {
            metadata,
            spec,
            status,
        } = Object::deserialize(deserializer)?;
        let metadata = ObjectMeta::from(metadata);
        let spec = spec.as_deref().ok_or_else(|| "missing field `spec`".into());
        Ok(Self(match spec.and_then(read) {
            Ok(spec) => Ok(CubeCredential {
                metadata,
                spec,
                // A status is this program's own: one that cannot be read is written again.
                status: status.as_deref().and_then(|status| read(status).ok()),
            }),
            Err(error) => Err(Unreadable { error, metadata }),
        }))
    }
}

fn read<T: DeserializeOwned>(part: &RawValue) -> Result<T, String> {
    let text = part.get();
    if text.len() > LARGEST {
        let (size, most) = (text.len() / 1024, LARGEST / 1024);
        return Err(format!(
            "it has {size} KiB, and at most {most} KiB are read"
        ));
    }
    if let Ok(part) = serde_json::from_str(text) {
        return Ok(part);
    }
    // More is accepted this way, such as a field twice, and the error names no position in a text that nobody sees.
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    serde_json::from_value(value).map_err(|error| error.to_string())
}

impl Resource for Watched {
    kind_of!(CubeCredential);

    fn meta(&self) -> &ObjectMeta {
        match &self.0 {
            Ok(object) => &object.metadata,
            Err(unreadable) => &unreadable.metadata,
        }
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        match &mut self.0 {
            Ok(object) => &mut object.metadata,
            Err(unreadable) => &mut unreadable.metadata,
        }
    }
}

impl<'de, K> Deserialize<'de> for Metadata<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let MetadataAlone { metadata } = MetadataAlone::deserialize(deserializer)?;
        Ok(Self {
            metadata: metadata.into(),
            kind: PhantomData,
        })
    }
}

impl<K: Resource> Resource for Metadata<K> {
    kind_of!(K);

    fn metadata_api() -> bool {
        true
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Secret;
    use kube::core::{ObjectList, WatchEvent};
    use serde_json::json;

    use super::*;

    /// An object with fields of another manager, nested so deeply that a parser gives up.
    fn deep(spec: &Value) -> String {
        let fields = format!("{}{{}}{}", r#"{"f:a":"#.repeat(200), "}".repeat(200));
        format!(
            r#"{{"metadata":{{"name":"deep","managedFields":[{{"fieldsV1":{fields}}}]}},"spec":{spec}}}"#
        )
    }

    fn good() -> Value {
        json!({"provider": "Cubewire", "clientSecretRef": {"name": "client"}})
    }

    fn error(object: &Watched) -> String {
        object.0.as_ref().unwrap_err().to_string()
    }

    #[test]
    fn a_list_is_read_whatever_the_managed_fields_of_one_object_are() {
        let list = format!(r#"{{"items":[{0},{0}]}}"#, deep(&good()));
        let found: ObjectList<Watched> = serde_json::from_str(&list).unwrap();
        assert!(found.items.iter().all(|object| object.0.is_ok()));
        let found: ObjectList<Metadata<Secret>> = serde_json::from_str(&list).unwrap();
        assert_eq!(found.items[1].metadata.name.as_deref(), Some("deep"));
        let event = format!(r#"{{"type":"ADDED","object":{}}}"#, deep(&good()));
        let event: WatchEvent<Watched> = serde_json::from_str(&event).unwrap();
        assert!(matches!(event, WatchEvent::Added(object) if object.0.is_ok()));
    }

    #[test]
    fn a_spec_that_is_too_deep_too_large_or_missing_concerns_its_object_alone() {
        let lists = "[".repeat(200) + &"]".repeat(200);
        let text = deep(&good()).replace(r#""client""#, &lists);
        let object: Watched = serde_json::from_str(&text).unwrap();
        assert!(
            error(&object).contains("recursion limit"),
            "{}",
            error(&object)
        );

        let mut large = good();
        large["description"] = json!("x".repeat(LARGEST));
        let object: Watched = serde_json::from_str(&deep(&large)).unwrap();
        assert_eq!(error(&object), "it has 64 KiB, and at most 64 KiB are read");

        let object: Watched = serde_json::from_str(r#"{"metadata":{"name":"a"}}"#).unwrap();
        assert_eq!(error(&object), "missing field `spec`");
        assert_eq!(object.meta().name.as_deref(), Some("a"));
    }
}
