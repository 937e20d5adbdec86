//! The CA certificates of a provider object.

use kube::{KubeSchema, core::Rule};
use serde::{Deserialize, Serialize};

use crate::api::spec::bounds::{key_rule, name_rule};

/// The `ConfigMap` with PEM CA certificates, in the operator's namespace. They are public, so no Secret is needed.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, KubeSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMapBundleRef {
    /// The name of the `ConfigMap`.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = name_rule())]
    pub name: String,
    /// The key of the PEM text.
    #[serde(default = "default_key")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = key_rule())]
    pub key: String,
}

fn default_key() -> String {
    "ca.crt".into()
}

/// At the root of the definition, because the two kinds have other fields for their certificates.
pub(super) fn replace_rule(has_one: &str, fields: &str) -> Rule {
    let rule =
        format!("!has(self.spec.systemRoots) || self.spec.systemRoots != 'Replace' || {has_one}");
    let message =
        format!("systemRoots Replace needs certificates that are trusted instead: set {fields}");
    Rule::new(rule)
        .message(message.as_str())
        .field_path(".spec.systemRoots")
}

pub(super) fn one_bundle_rule() -> Rule {
    Rule::new("!has(self.spec.caBundle) || !has(self.spec.caBundleRef)")
        .message("caBundle and caBundleRef are two places for the same certificates: remove one")
        .field_path(".spec.caBundleRef")
}
