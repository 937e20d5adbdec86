//! `spec.target`: the Secret that the token is published in.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{
    data_key_rule, data_rule, metadata_key_rule, name_rule, prefix_rule, target_annotations,
    target_data, target_labels, type_rule,
};

/// The Secret that the token is published in, in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = data_rule("kubernetes.io/basic-auth", &["username", "password"], " || "))]
#[x_kube(validation = data_rule("kubernetes.io/dockercfg", &[".dockercfg"], ""))]
#[x_kube(validation = data_rule("kubernetes.io/dockerconfigjson", &[".dockerconfigjson"], ""))]
#[x_kube(validation = data_rule("kubernetes.io/ssh-auth", &["ssh-privatekey"], ""))]
#[x_kube(validation = data_rule("kubernetes.io/tls", &["tls.crt", "tls.key"], " && "))]
pub struct TargetSpec {
    /// The name of the Secret; by default `<metadata.name>-token`. A change moves the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = name_rule())]
    pub name: Option<String>,
    /// The type of the Secret: Opaque, a type of your own, or with data one of kubernetes.io/basic-auth, dockercfg, dockerconfigjson,
    /// ssh-auth and tls. A change deletes the Secret and creates it again.
    #[serde(default = "default_target_type")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = type_rule())]
    pub r#type: String,
    /// The keys of the Secret and a template for the value of each, such as `Bearer {{ access_token }}`. Without it the keys are
    /// `access-token`, `token-type` and `expires-at`. A change requests no token, unless it begins to use what was not kept of the
    /// last response.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "target_data")]
    #[x_kube(validation = data_key_rule())]
    pub data: BTreeMap<String, String>,
    /// Further labels of the Secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "target_labels")]
    #[x_kube(validation = metadata_key_rule())]
    #[x_kube(validation = prefix_rule())]
    pub labels: BTreeMap<String, String>,
    /// Further annotations of the Secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "target_annotations")]
    #[x_kube(validation = metadata_key_rule())]
    #[x_kube(validation = prefix_rule())]
    pub annotations: BTreeMap<String, String>,
    /// The end of the operator's Secrets when the `CubeCredential` is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

impl Default for TargetSpec {
    fn default() -> Self {
        Self {
            name: None,
            r#type: default_target_type(),
            data: BTreeMap::new(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
            deletion_policy: None,
        }
    }
}

/// The end of the operator's Secrets when the `CubeCredential` is deleted. By default the target is deleted, and a stored refresh token
/// is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// The garbage collector deletes the target and a stored refresh token, also without the operator.
    Delete,
    /// The target and a stored refresh token are kept.
    Retain,
}

fn default_target_type() -> String {
    "Opaque".into()
}
