//! `spec.consumers`: the pods that use the token.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{duration_rule, name_rule};

/// The pods that use the token, and what is done so that they see a refresh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConsumersSpec {
    /// After a refresh, annotate the pods that mount the target as a volume, so that they see the new token within a second
    /// instead of 90 s. It needs an operator with `refreshPods`.
    #[serde(default = "default_refresh_mounted_pods")]
    pub refresh_mounted_pods: bool,
    /// Restart these workloads after each refresh, one after the other: for programs that read the token only when they start. It
    /// needs an operator with `restartWorkloads`. A workload that is added here is restarted at the next refresh.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["kind".into(), "name".into()]))]
    pub restart: Vec<WorkloadRef>,
    /// The minimum time between two restarts of a workload, 1m to 24h.
    #[serde(default = "default_min_interval")]
    #[schemars(length(max = 32))]
    #[x_kube(validation = duration_rule("1m", "24h")
        .message("consumers.minInterval must be a duration from 1m to 24h, for example 10m or 1h30m"))]
    pub min_interval: String,
}

impl Default for ConsumersSpec {
    fn default() -> Self {
        Self {
            refresh_mounted_pods: true,
            restart: Vec::new(),
            min_interval: default_min_interval(),
        }
    }
}

impl ConsumersSpec {
    /// Most objects have only defaults here, which need not be kept.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A workload of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
pub struct WorkloadRef {
    /// The kind of the workload.
    pub kind: WorkloadKind,
    /// The name of the workload.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = name_rule())]
    pub name: String,
}

/// The kind of a workload that can be restarted.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[expect(missing_docs, reason = "the kinds of Kubernetes")]
pub enum WorkloadKind {
    Deployment,
    StatefulSet,
    DaemonSet,
}

fn default_refresh_mounted_pods() -> bool {
    true
}
fn default_min_interval() -> String {
    "10m".into()
}
