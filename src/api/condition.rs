//! Conditions, as the Kubernetes API conventions define them.

use jiff::Timestamp;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// The conditions of a `CubeCredential`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum ConditionType {
    /// The target holds an unexpired token issued for the current inputs.
    Ready,
    /// The last exchange worked.
    Refreshed,
    /// Not ready, and being worked on or retried soon (kstatus).
    Reconciling,
    /// Not ready, and a person has to act (kstatus).
    Stalled,
}

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[expect(missing_docs, reason = "True, False and Unknown")]
pub enum ConditionStatus {
    True,
    False,
    Unknown,
}

/// One fact about a `CubeCredential`, with the reason and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// Which fact.
    pub r#type: ConditionType,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why, in one word; docs/reference/conditions.md has a row for each.
    #[schemars(length(min = 1, max = 64))]
    pub reason: String,
    /// Ready: until when consumers have a token, or why not. Refreshed: the last attempt, what to do, and the next attempt.
    #[schemars(length(max = 2048))]
    pub message: String,
    /// The generation of the object that this speaks of.
    pub observed_generation: i64,
    /// When the status of this condition last flipped.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_transition_time: Timestamp,
}
