//! Conditions, as the Kubernetes API conventions define them.

use jiff::Timestamp;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// The conditions of a `CubeCredential`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum ConditionType {
    /// True: the target holds an unexpired token that was issued for the current inputs. False: it does not, so consumers have no
    /// token, or one that was issued before the last change; the reason is the first obstacle. It is also False after `RefreshTokenLost`, because the provider has normally revoked
    /// the published token by then.
    Ready,
    /// True: the last exchange worked. False: it failed, or a local check rejected it. Unknown: no exchange was due yet, exchanges are
    /// suspended, or another process has claimed the refresh token.
    Refreshed,
    /// Present only while Ready is not True: the operator is working on it, or retries soon (kstatus).
    Reconciling,
    /// Present only while Ready is not True: a person has to act (kstatus).
    Stalled,
}

/// The status of a condition.
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
    /// The type of the condition.
    pub r#type: ConditionType,
    /// The status of the condition.
    pub status: ConditionStatus,
    /// Why, in one word; docs/reference/conditions.md has a row for each.
    #[schemars(length(min = 1, max = 64))]
    pub reason: String,
    /// Ready: until when consumers have a token, or why not. Refreshed: the last attempt, what to do, and the next attempt.
    #[schemars(length(max = 2048))]
    pub message: String,
    /// The generation of the object that the condition is about.
    pub observed_generation: i64,
    /// The time at which the status of the condition last changed.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub last_transition_time: Timestamp,
}
