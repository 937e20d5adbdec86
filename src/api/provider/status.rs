//! The status of a provider object.

use jiff::Timestamp;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::api::ConditionStatus;

/// The last observations of the operator. All times are whole seconds, UTC, RFC 3339.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct ProviderStatus {
    /// The generation of the spec that this status is about; -1 before the operator has observed any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    #[schemars(length(max = 8))]
    pub conditions: Vec<ProviderCondition>,
    /// The endpoints that the metadata of the issuer names. They are used only for the issuer and the hosts that the spec has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<ProviderEndpoints>,
    /// The number of `CubeCredentials` that name a `CubeProvider`, counted every few seconds. A `ClusterCubeProvider` has none, because
    /// several operators may use it: metric `cube_operator_cluster_provider_credentials` shows theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub credentials: Option<i64>,
}

impl ProviderStatus {
    /// The condition Ready.
    #[must_use]
    pub(crate) fn ready(&self) -> Option<&ProviderCondition> {
        let mut conditions = self.conditions.iter();
        conditions.find(|condition| condition.r#type == ProviderConditionType::Ready)
    }

    /// Returns whether condition Ready has this reason.
    #[must_use]
    pub(crate) fn says(&self, reason: ProviderReason) -> bool {
        let ready = self.ready();
        ready.is_some_and(|condition| condition.reason == reason.name())
    }
}

/// Endpoints, and where and when they were found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderEndpoints {
    /// The issuer whose metadata names them.
    #[schemars(length(max = 512))]
    pub issuer: String,
    /// The token endpoint.
    #[serde(rename = "tokenURL")]
    #[schemars(length(max = 512))]
    pub token_url: String,
    /// The authorization endpoint, if the metadata has one and the spec has none.
    #[serde(
        rename = "authorizationURL",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(length(max = 512))]
    pub authorization_url: Option<String>,
    /// The time at which the metadata was read. It is read again within a day.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub read_at: Timestamp,
}

/// One fact about a provider object, with the reason and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderCondition {
    /// The type of the condition.
    pub r#type: ProviderConditionType,
    /// The status of the condition.
    pub status: ConditionStatus,
    /// Why, in one word; docs/provider-objects.md has a row for each.
    #[schemars(length(min = 1, max = 64))]
    pub reason: String,
    /// The token endpoint, or the reason why there is none and the remedy.
    #[schemars(length(max = 2048))]
    pub message: String,
    /// The generation of the object that the condition is about.
    pub observed_generation: i64,
    /// The time at which the status of the condition last changed.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_transition_time: Timestamp,
}

/// The conditions of a provider object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum ProviderConditionType {
    /// True: `CubeCredentials` can get their tokens from it.
    Ready,
}

/// The reasons of condition Ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderReason {
    /// The spec has the token endpoint.
    Usable,
    /// The metadata of the issuer names the token endpoint.
    Discovered,
    /// The metadata is not read before a `CubeCredential` names the object.
    NotNamed,
    /// The metadata is being read.
    Discovering,
    /// No token endpoint is known, because the metadata cannot be read or used.
    DiscoveryFailed,
    /// A field of its spec cannot be used.
    Unusable,
}

impl ProviderReason {
    /// The name in conditions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Usable => "Usable",
            Self::Discovered => "Discovered",
            Self::NotNamed => "NotNamed",
            Self::Discovering => "Discovering",
            Self::DiscoveryFailed => "DiscoveryFailed",
            Self::Unusable => "Unusable",
        }
    }

    /// The status that the condition has with it.
    #[must_use]
    pub fn status(self) -> ConditionStatus {
        match self {
            // Nothing is wrong, and a rollout that waits for the object must not wait for its first user.
            Self::Usable | Self::Discovered | Self::NotNamed => ConditionStatus::True,
            Self::Discovering => ConditionStatus::Unknown,
            Self::DiscoveryFailed | Self::Unusable => ConditionStatus::False,
        }
    }
}
