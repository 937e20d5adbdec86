//! The status of a `CubeCredential`. The target Secret decides whether a token is good, never the status.

use jiff::Timestamp;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::{Condition, ConditionType, Reason};

/// The most Secrets under earlier names of a target that a status lists. The others come up when these are gone.
pub const MOST_PREVIOUS_TARGETS: usize = 16;

/// The last observations and actions of the operator. All times are whole seconds, UTC, RFC 3339.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
// An object without a status would count as ready for what follows kstatus, such as Flux: see docs/gitops.md.
#[schemars(extend("default" = {"observedGeneration": -1}))]
pub struct CubeCredentialStatus {
    /// The generation of the spec that this status is about; -1 before the operator has observed any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The reason that matters most, whichever condition it is of; Synced: all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub reason: Option<String>,
    /// Ready, Refreshed and, while not ready, Reconciling or Stalled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    #[schemars(length(max = 8))]
    pub conditions: Vec<Condition>,
    /// The time at which the request for the published token was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub issued_at: Option<Timestamp>,
    /// The time at which the published token expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub expires_at: Option<Timestamp>,
    /// The time at which the login behind the refresh token ends, if the provider states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub login_expires_at: Option<Timestamp>,
    /// True if the last refresh did not extend the login: a person must sign in again before loginExpiresAt.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub login_fixed: bool,
    /// The next planned exchange; absent when nothing is planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub refresh_at: Option<Timestamp>,
    /// The time at which the last request was sent to the token endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last_attempt_at: Option<Timestamp>,
    /// The number of consecutive failed exchanges.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub failures: Option<i32>,
    /// The scopes that the provider granted, if its response stated them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// The first 8 hexadecimal digits of the SHA-256 of the access token, to compare it without showing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_fingerprint: Option<String>,
    /// The Secret that holds the token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetStatus>,
    /// True if the published token has not passed spec.probe: after three failures it was published, because no other one lived or the
    /// API did not refuse it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unproven: bool,
    /// The resourceVersion of the Secret with the current refresh token, as it was last written or read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_version: Option<String>,
    /// The Secrets that held the token under earlier names of the target. They are kept while pods use them, and not refreshed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MOST_PREVIOUS_TARGETS))]
    pub previous_targets: Vec<String>,
    /// The fingerprint of the token that the workloads of consumers.restart were last restarted for, or began with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarted_for: Option<String>,
    /// The key of the client secret that the provider last accepted, if clientSecretKey names two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    pub client_secret_key: Option<String>,
    /// The hash of the last refresh request that was served.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_request: Option<String>,
    /// The inputs of the last failed attempt. A change of them is followed by an attempt immediately, also after a restart.
    // It has this name so that `kubectl describe`, which sorts by name, shows the conditions before it.
    #[serde(
        rename = "failedWith",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub attempted: Option<Attempted>,
}

/// The target Secret as it was last written or confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetStatus {
    /// The name of the Secret, in the namespace of the `CubeCredential`.
    pub name: String,
    /// The resourceVersion of the Secret.
    pub resource_version: String,
}

/// The inputs of a failed attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempted {
    /// The generation of the `CubeCredential`.
    pub generation: i64,
    /// The resourceVersion of the source Secret.
    pub source_resource_version: String,
    /// The resourceVersion of the Secret with the initial refresh token, if one is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed_resource_version: Option<String>,
    /// A hash of the provider object's fields, if the spec names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_version: Option<String>,
    /// The token endpoint without its query. A pause holds only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The end of the pause that the provider asked this client for, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub paused_until: Option<Timestamp>,
    /// A hash of the CA bundle, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle_hash: Option<String>,
    /// The hash of the refresh request that the attempt was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_request: Option<String>,
}

impl CubeCredentialStatus {
    /// The condition of this type, if it is present.
    #[must_use]
    pub fn condition(&self, r#type: ConditionType) -> Option<&Condition> {
        self.conditions
            .iter()
            .find(|condition| condition.r#type == r#type)
    }

    /// Returns whether the condition of this type has this reason.
    #[must_use]
    pub(crate) fn has_reason(&self, r#type: ConditionType, reason: Reason) -> bool {
        let condition = self.condition(r#type);
        condition.is_some_and(|condition| condition.reason == reason.to_string())
    }
}
