//! Decides from a workload whether it has to be restarted for a token. What an earlier process did is on its pod template, so nothing
//! is restarted twice. What this process did it remembers too: another program may reset the template.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer};

use crate::api::{WorkloadKind, WorkloadRef, annotation, label};

/// Pods that are not available are waited for this long after a restart. After that they may be unavailable because of their
/// token, which only another restart cures. Other rollouts are waited for as long: one without an end must not keep the old token in
/// use.
const ROLLOUT: SignedDuration = SignedDuration::from_mins(10);
/// The clocks of two nodes may differ by this much. A later time on a workload is a mistake, and does not count.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(1);

/// A workload as the API server shows it: the fields that a restart depends on.
#[derive(Clone, Debug, Deserialize)]
pub struct Rollout {
    metadata: Metadata,
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    uid: String,
    resource_version: String,
    #[serde(default)]
    generation: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    replicas: Option<i64>,
    #[serde(default)]
    paused: bool,
    #[serde(default)]
    update_strategy: UpdateStrategy,
    template: Template,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpdateStrategy {
    #[serde(default)]
    r#type: String,
    rolling_update: Option<RollingUpdate>,
}

#[derive(Clone, Debug, Deserialize)]
struct RollingUpdate {
    #[serde(default)]
    partition: i64,
}

#[derive(Clone, Debug, Deserialize)]
struct Template {
    #[serde(default)]
    metadata: TemplateMetadata,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct TemplateMetadata {
    /// Our own only.
    #[serde(default, deserialize_with = "ours")]
    annotations: BTreeMap<String, String>,
}

fn ours<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    let mut annotations = Option::<BTreeMap<String, String>>::deserialize(from)?;
    let annotations = annotations.get_or_insert_default();
    annotations.retain(|name, _| label::is_ours(name));
    Ok(std::mem::take(annotations))
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    observed_generation: i64,
    replicas: i64,
    updated_replicas: i64,
    available_replicas: i64,
    current_revision: String,
    update_revision: String,
    desired_number_scheduled: i64,
    updated_number_scheduled: i64,
    number_available: i64,
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, Deserialize)]
struct Condition {
    r#type: String,
    status: String,
    #[serde(default)]
    reason: String,
}

/// One version of one workload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct WorkloadVersion {
    pub workload: WorkloadRef,
    pub uid: String,
    pub version: String,
}

/// The restart that is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Restart<'a> {
    /// The token, as the mark on a template names it.
    pub mark: &'a str,
    /// The uid of the `CubeCredential`.
    pub owner_uid: &'a str,
    /// The minimum time between two restarts.
    pub min_interval: SignedDuration,
}

/// The last restart and the present rollout of a workload, as far as this process remembers them.
#[derive(Clone, Debug, Default)]
pub struct Past {
    restarted: Option<PastRestart>,
    rollout: Option<PastRollout>,
}

#[derive(Clone, Debug)]
struct PastRestart {
    uid: String,
    mark: String,
    at: Timestamp,
}

/// A rollout in progress.
#[derive(Clone, Debug)]
struct PastRollout {
    uid: String,
    generation: i64,
    since: Timestamp,
}

impl Past {
    /// This version of the workload was restarted for this token.
    pub fn restarted(&mut self, of: &WorkloadVersion, mark: &str, now: Timestamp) {
        self.restarted = Some(PastRestart {
            uid: of.uid.clone(),
            mark: mark.to_owned(),
            at: now,
        });
    }

    /// The workload was read.
    pub fn read(&mut self, kind: WorkloadKind, found: &Rollout, now: Timestamp) {
        let Metadata {
            uid, generation, ..
        } = &found.metadata;
        if !found.is_in_progress(kind, now) {
            self.rollout = None;
        } else if found.in_progress_since(self).is_none() {
            self.rollout = Some(PastRollout {
                uid: uid.clone(),
                generation: *generation,
                since: now,
            });
        }
    }
}

/// The restart of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// It was restarted for this token.
    Done,
    /// Our restart of it is in progress.
    InProgress,
    /// It was restarted for this token, and another program has reset its pod template since.
    TakenBack,
    /// It has to be restarted.
    Now,
    /// It was restarted too recently.
    At(Timestamp),
    /// Another rollout of it is in progress, and not for too long.
    Busy,
    /// A restart would not reach its pods.
    Never(Obstacle),
}

/// Why a restart would not reach the pods of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// `spec.paused` of a Deployment.
    Paused,
    /// Its pods are replaced only after they are deleted by hand.
    OnDelete,
    /// Only some pods of a `StatefulSet` are updated.
    Partition,
}

impl Restart<'_> {
    /// The annotation that says for which token of this `CubeCredential` a workload was restarted.
    #[must_use]
    pub fn annotation(&self) -> String {
        format!("{}{}", annotation::RESTARTED_FOR, self.owner_uid)
    }
}

impl Rollout {
    /// This version of this workload.
    #[must_use]
    pub fn version_of(&self, workload: &WorkloadRef) -> WorkloadVersion {
        WorkloadVersion {
            workload: workload.clone(),
            uid: self.metadata.uid.clone(),
            version: self.metadata.resource_version.clone(),
        }
    }

    /// Returns whether this restart is due.
    #[must_use]
    pub fn due(
        &self,
        kind: WorkloadKind,
        restart: &Restart<'_>,
        past: &Past,
        now: Timestamp,
    ) -> Due {
        let annotations = &self.spec.template.metadata.annotations;
        let in_progress = self.is_in_progress(kind, now);
        let restarted_for = annotations.get(&restart.annotation());
        if restarted_for.is_some_and(|mark| mark == restart.mark) {
            // One that does not end must not hold up the others.
            return if in_progress && self.is_recent(now) {
                Due::InProgress
            } else {
                Due::Done
            };
        }
        let of_this = |past: &&PastRestart| past.uid == self.metadata.uid;
        let restarted = past.restarted.as_ref().filter(of_this);
        if restarted.is_some_and(|past| past.mark == restart.mark) {
            return Due::TakenBack;
        }
        if let Some(obstacle) = self.obstacle() {
            return Due::Never(obstacle);
        }
        if in_progress && restarted_for.is_some() && self.is_recent(now) {
            return Due::InProgress;
        }
        let since = self.in_progress_since(past).unwrap_or(now);
        if in_progress && now.duration_since(since) < ROLLOUT {
            return Due::Busy;
        }
        let last = self.restarted_at(now).max(restarted.map(|past| past.at));
        let next = last.and_then(|at| at.checked_add(restart.min_interval).ok());
        match next {
            Some(next) if now < next => Due::At(next),
            _ => Due::Now,
        }
    }

    fn in_progress_since(&self, past: &Past) -> Option<Timestamp> {
        let Metadata {
            uid, generation, ..
        } = &self.metadata;
        let same = |past: &&PastRollout| past.uid == *uid && past.generation == *generation;
        Some(past.rollout.as_ref().filter(same)?.since)
    }

    fn obstacle(&self) -> Option<Obstacle> {
        let strategy = &self.spec.update_strategy;
        let partition = strategy.rolling_update.as_ref();
        if self.spec.paused {
            Some(Obstacle::Paused)
        } else if strategy.r#type == "OnDelete" {
            Some(Obstacle::OnDelete)
        } else if partition.is_some_and(|update| update.partition > 0) {
            Some(Obstacle::Partition)
        } else {
            None
        }
    }

    /// When the operator last restarted it.
    fn restarted_at(&self, now: Timestamp) -> Option<Timestamp> {
        let annotations = &self.spec.template.metadata.annotations;
        let at: Timestamp = annotations.get(annotation::RESTARTED_AT)?.parse().ok()?;
        (at.duration_since(now) <= CLOCKS_DIFFER).then_some(at)
    }

    fn is_recent(&self, now: Timestamp) -> bool {
        self.restarted_at(now)
            .is_some_and(|at| now.duration_since(at) < ROLLOUT)
    }

    /// Returns whether its pods are being replaced. Pods that became unavailable after a complete rollout are none: their token may
    /// be the cause.
    fn is_in_progress(&self, kind: WorkloadKind, now: Timestamp) -> bool {
        let Status {
            observed_generation,
            replicas,
            updated_replicas,
            available_replicas,
            current_revision,
            update_revision,
            desired_number_scheduled,
            updated_number_scheduled,
            number_available,
            ..
        } = &self.status;
        if *observed_generation < self.metadata.generation {
            return true;
        }
        let wanted = self.spec.replicas.unwrap_or(1);
        let is_recent = self.is_recent(now);
        match kind {
            WorkloadKind::Deployment => {
                // It may lack pods after a complete rollout, because a quota does not allow more.
                let lacks_pods = *updated_replicas < wanted && !self.was_complete();
                let is_split = lacks_pods || replicas > updated_replicas;
                is_split && !self.has_failed()
                    || self.is_progressing(available_replicas < updated_replicas)
            }
            WorkloadKind::StatefulSet => {
                current_revision != update_revision
                    || *updated_replicas < wanted
                    || is_recent && *available_replicas < wanted
            }
            WorkloadKind::DaemonSet => {
                updated_number_scheduled < desired_number_scheduled
                    || is_recent && number_available < desired_number_scheduled
            }
        }
    }

    fn progressing(&self) -> Option<&Condition> {
        let mut conditions = self.status.conditions.iter();
        conditions.find(|condition| condition.r#type == "Progressing")
    }

    /// Returns whether the rollout of a Deployment has exceeded its deadline.
    fn has_failed(&self) -> bool {
        self.progressing()
            .is_some_and(|condition| condition.status == "False")
    }

    /// Returns whether the last rollout of a Deployment was complete.
    fn was_complete(&self) -> bool {
        self.progressing()
            .is_some_and(|condition| condition.reason == "NewReplicaSetAvailable")
    }

    /// A Deployment says whether its last rollout was complete, unless its deadline is infinite.
    fn is_progressing(&self, lacks_pods: bool) -> bool {
        match self.progressing() {
            Some(condition) => condition.status != "False" && !self.was_complete(),
            None => lacks_pods,
        }
    }
}

#[cfg(test)]
mod tests;
