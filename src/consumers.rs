//! Which pods use a published token, and whether they see a refresh. Pure: from pods as the API server lists them to findings.
//!
//! A kubelet brings a changed Secret into a volume. Environment variables and `subPath` mounts keep what they began with: such a
//! container works until the token that it was started with expires.

mod pod;
mod restart;
mod warned;

use std::collections::BTreeMap;

use pod::Use;
pub use pod::{Pod, Way, Workload};
pub use restart::{Due, Obstacle, Past, Restart, Rollout, WorkloadVersion};
pub use warned::Warned;

use crate::api::WorkloadRef;

/// The rights of the operator on pods and workloads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsumerAccess {
    /// It may list pods.
    pub lists_pods: bool,
    /// It may annotate the pods that mount a target.
    pub refreshes_pods: bool,
    /// It may restart workloads.
    pub restarts_workloads: bool,
}

/// The consumers of some Secrets of one namespace. It takes in pods page by page, and keeps none of them.
#[derive(Debug, Default)]
pub struct Consumers {
    /// The consumers of each Secret, by its name.
    found: BTreeMap<String, BTreeMap<Group, Consumer>>,
}

/// Pods that are one consumer: the pods of a workload are made from one template.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    workload: Workload,
    /// True if they see each refresh.
    is_fresh: bool,
}

/// A workload that uses a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// The name of the Secret.
    pub secret: String,
    /// The object that a person edits to change it.
    pub workload: Workload,
    /// The name of one of its pods.
    pub pod: String,
    /// How many more of its pods do the same.
    pub more: usize,
    /// The name of a container of that pod.
    pub container: String,
    /// Where that container finds what the Secret holds.
    pub way: Way,
}

impl Consumers {
    /// Finds the consumers of these Secrets.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a String>) -> Self {
        let none_yet = |secret: &String| (secret.clone(), BTreeMap::new());
        Self {
            found: secrets.into_iter().map(none_yet).collect(),
        }
    }

    /// Takes in some pods of the namespace.
    pub fn add(&mut self, pods: &[Pod]) {
        for pod in pods.iter().filter(|pod| pod.runs_on()) {
            let mut uses = pod.uses(|secret| self.found.contains_key(secret));
            // One of each kind is enough for a Secret.
            uses.sort_by_key(Use::kind);
            uses.dedup_by_key(|usage| usage.kind());
            for usage in uses {
                self.count(pod, usage);
            }
        }
    }

    fn count(&mut self, pod: &Pod, usage: Use<'_>) {
        let Some(found) = self.found.get_mut(usage.secret) else {
            return;
        };
        let group = Group {
            workload: pod.workload(),
            is_fresh: usage.way.is_fresh(),
        };
        found
            .entry(group)
            .and_modify(|consumer| consumer.more += 1)
            .or_insert_with(|| Consumer {
                secret: usage.secret.to_owned(),
                workload: pod.workload(),
                pod: pod.name().to_owned(),
                more: 0,
                container: usage.container.to_owned(),
                way: usage.way,
            });
    }

    /// The consumers of one Secret.
    pub fn using(&self, secret: &str) -> impl Iterator<Item = &Consumer> {
        self.found
            .get(secret)
            .into_iter()
            .flat_map(BTreeMap::values)
    }
}

impl Consumer {
    /// Returns whether it is one of these workloads, which are restarted after each refresh.
    #[must_use]
    pub fn is_one_of(&self, restarted: &[WorkloadRef]) -> bool {
        let Workload { kind, name } = &self.workload;
        restarted
            .iter()
            .any(|workload| workload.name == *name && format!("{:?}", workload.kind) == *kind)
    }

    /// Returns whether its container sees each refresh.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.way.is_fresh()
    }
}

#[cfg(test)]
mod tests;
