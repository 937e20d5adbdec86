//! `spec.providerRef`: the object that defines the provider.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::name_rule;

/// The provider object that a `CubeCredential` gets its token from.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, KubeSchema,
)]
#[serde(rename_all = "camelCase")]
pub struct ProviderRef {
    /// The kind of the object.
    #[serde(default)]
    pub kind: ProviderKind,
    /// The name of the object.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = name_rule())]
    pub name: String,
}

/// The kind of a provider object.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub enum ProviderKind {
    /// An object in the same namespace.
    #[default]
    CubeProvider,
    /// An object for the namespaces that it allows. The operator uses these only if it was started with `--cluster-providers`.
    ClusterCubeProvider,
}

impl ProviderKind {
    /// Both kinds.
    pub const ALL: &[Self] = &[Self::CubeProvider, Self::ClusterCubeProvider];

    /// The name of the kind.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CubeProvider => "CubeProvider",
            Self::ClusterCubeProvider => "ClusterCubeProvider",
        }
    }
}
