//! A `CubeCredential` as far as this version can read it. Another version may have written it, or its definition may be older: one
//! odd object must not hide the others.

use jiff::Timestamp;
use kube::{Client, Resource, core::ObjectMeta};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json, value::RawValue};

use crate::{
    api::{Condition, CubeCredential, CubeCredentialSpec, CubeCredentialStatus},
    cluster::{Meta, read_provider},
    kubernetes::kind::kind_of,
    reconcile::{FoundProvider, Settings, SettingsError},
};

/// A `CubeCredential` as a list or a watch delivers it.
#[derive(Clone, Debug)]
pub(super) struct Object {
    metadata: ObjectMeta,
    /// The spec as JSON; null if it cannot be read.
    spec: Value,
    /// The fields of the status that can be read.
    pub(super) status: CubeCredentialStatus,
    /// The fields of the status that cannot be read.
    pub(super) unread: Vec<String>,
}

#[derive(Deserialize)]
struct Parts {
    #[serde(default)]
    metadata: Meta,
    #[serde(default)]
    spec: Option<Box<RawValue>>,
    #[serde(default)]
    status: Option<Box<RawValue>>,
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Parts {
            metadata,
            spec,
            status,
        } = Parts::deserialize(deserializer)?;
        let read = |part: Option<Box<RawValue>>| {
            let part = part.and_then(|part| serde_json::from_str(part.get()).ok());
            part.unwrap_or(Value::Null)
        };
        let (status, unread) = readable(read(status));
        Ok(Self {
            metadata: metadata.into(),
            spec: read(spec),
            status,
            unread,
        })
    }
}

/// The fields of a status that can be read, and the names of the others.
fn readable(status: Value) -> (CubeCredentialStatus, Vec<String>) {
    if let Ok(status) = serde_json::from_value(status.clone()) {
        return (status, Vec::new());
    }
    let Value::Object(mut fields) = status else {
        return (CubeCredentialStatus::default(), Vec::new());
    };
    let mut unread = Vec::new();
    if let Some(Value::Array(conditions)) = fields.get_mut("conditions") {
        conditions.retain(|condition| {
            let is_read = serde_json::from_value::<Condition>(condition.clone()).is_ok();
            if !is_read {
                let name = condition["type"].as_str().unwrap_or("?");
                unread.push(format!("condition {name}"));
            }
            is_read
        });
    }
    let mut kept = Map::new();
    for (name, value) in fields {
        let alone = json!({ &name: &value });
        if serde_json::from_value::<CubeCredentialStatus>(alone).is_ok() {
            kept.insert(name, value);
        } else {
            unread.push(name);
        }
    }
    let status = serde_json::from_value(Value::Object(kept)).unwrap_or_default();
    (status, unread)
}

impl Object {
    pub(super) fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    pub(super) fn namespace(&self) -> &str {
        self.metadata.namespace.as_deref().unwrap_or_default()
    }

    pub(super) fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    pub(super) fn generation(&self) -> i64 {
        self.metadata.generation.unwrap_or_default()
    }

    pub(super) fn created_at(&self) -> Option<Timestamp> {
        self.metadata.creation_timestamp.as_ref().map(|time| time.0)
    }

    pub(super) fn is_deleting(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// A text in the spec, by its path.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.spec.pointer(path)?.as_str()
    }

    pub(super) fn is_suspended(&self) -> bool {
        self.spec["suspend"] == true
    }

    /// The name of the target Secret.
    pub(super) fn target(&self) -> String {
        let named = self.text("/target/name").map(str::to_owned);
        named.unwrap_or_else(|| format!("{}-token", self.name()))
    }

    /// The spec as the operator of this version reads it.
    ///
    /// # Errors
    /// If the spec cannot be used, or was written for another version.
    pub(super) fn settings(&self) -> Result<Settings, SettingsError> {
        Settings::read(self.namespace(), self.name(), &self.spec()?)
    }

    /// The same with the provider object that the spec names, if it names one. One that cannot be read counts as not known.
    ///
    /// # Errors
    /// The same.
    pub(super) async fn resolved(&self, client: &Client) -> Result<Settings, SettingsError> {
        let spec = self.spec()?;
        let found = match &spec.provider_ref {
            Some(reference) => read_provider(client, reference, self.namespace())
                .await
                .ok(),
            None => None,
        };
        let found = found.unwrap_or(FoundProvider::Unlisted).without_bundle();
        Settings::with_provider(self.namespace(), self.name(), &spec, found)
    }

    fn spec(&self) -> Result<CubeCredentialSpec, SettingsError> {
        let spec = serde_json::from_value(self.spec.clone());
        spec.map_err(|error| SettingsError::Unreadable(error.to_string()))
    }
}

impl Resource for Object {
    kind_of!(CubeCredential);

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ConditionType;

    #[test]
    fn what_another_version_wrote_hides_neither_the_rest_of_the_status_nor_the_object() {
        let condition = |name: &str| {
            json!({
                "type": name, "status": "True", "reason": "Synced", "message": "", "observedGeneration": 1,
                "lastTransitionTime": "2026-11-21T12:00:00Z",
            })
        };
        let object = json!({
            "metadata": {"name": "main", "namespace": "treasury"},
            "spec": {"provider": "NotYetKnown", "target": {"name": "other"}, "suspend": true},
            "status": {
                "conditions": [condition("Ready"), condition("Paused")],
                "expiresAt": "2026-11-21T13:00:00Z", "failures": "many", "further": {"a": 1},
            },
        });
        let object: Object = serde_json::from_value(object).unwrap();
        assert_eq!((object.name(), object.namespace()), ("main", "treasury"));
        assert_eq!(object.target(), "other");
        assert!(object.is_suspended());
        assert!(object.status.condition(ConditionType::Ready).is_some());
        assert!(object.status.expires_at.is_some());
        assert_eq!(object.unread, ["condition Paused", "failures"]);
        let error = object.settings().unwrap_err().to_string();
        assert!(error.contains("NotYetKnown"), "{error}");
    }

    #[test]
    fn an_object_without_spec_and_status_is_one_too() {
        let object: Object = serde_json::from_value(json!({"metadata": {"name": "a"}})).unwrap();
        assert_eq!(object.target(), "a-token");
        assert!(object.unread.is_empty() && object.settings().is_err());
    }
}
