//! The further CA certificates that the spec names.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{key_rule, name_rule};

/// The object with PEM CA certificates, in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct CaBundleRef {
    /// `ConfigMap`, or a `Secret` with the label cube-operator.dev/credential: "true".
    #[serde(default)]
    pub kind: CaBundleKind,
    /// The name of the object.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = name_rule())]
    pub name: String,
    /// The key of the PEM text.
    #[serde(default = "default_ca_key")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = key_rule())]
    pub key: String,
    /// The use of the system's CA certificates.
    #[serde(default)]
    pub system_roots: SystemRoots,
}

/// The use of the system's CA certificates where an object names others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SystemRoots {
    /// They are trusted too.
    #[default]
    Keep,
    /// Only the named ones are trusted: a public CA cannot vouch for a private host.
    Replace,
}

/// The kind of the object that holds the PEM certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the two kinds")]
pub enum CaBundleKind {
    #[default]
    ConfigMap,
    Secret,
}

fn default_ca_key() -> String {
    "ca.crt".into()
}
