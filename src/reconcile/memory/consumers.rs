//! The memory of the restarts of workloads. What was done is on the workloads; this is what need not be looked up again.

use jiff::Timestamp;

use crate::{
    api::WorkloadRef,
    api_error::ApiError,
    consumers::{Obstacle, Past, WorkloadVersion},
    reconcile::pace::schedule::is_early,
};

/// The restarts for one token.
#[derive(Clone, Debug, Default)]
pub(in crate::reconcile) struct RestartMemory {
    /// The token, as marks name it.
    mark: String,
    next: NextRestart,
    /// The workloads that could not be restarted, and when that is retried.
    failed: Vec<(WorkloadRef, Timestamp)>,
    /// Restarts and rollouts that this process saw, which another token does not change.
    past: Vec<(WorkloadRef, Past)>,
    /// The end of the token that the workloads have.
    old_token_ends: Option<Timestamp>,
    /// The generation for which people know that the old token ends too early.
    told_late_for: Option<i64>,
    /// True until that is announced.
    is_late: bool,
    /// The generation whose time for restarts was judged.
    judged_for: Option<i64>,
    announced: Vec<NotRestarted>,
    unannounced: Vec<NotRestarted>,
}

/// The next step of the restarts for a token.
#[derive(Clone, Debug, Default)]
pub(in crate::reconcile) enum NextRestart {
    /// The workloads are read.
    #[default]
    Read,
    /// They are read later.
    At(Timestamp),
    /// One of them is restarted, in exactly this version.
    Restart(WorkloadVersion),
    /// All of them have the token, or will not get it.
    Finished,
}

/// A workload that was not restarted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reconcile) struct NotRestarted {
    pub(in crate::reconcile) workload: WorkloadRef,
    pub(in crate::reconcile) why: Hindrance,
}

/// Why a workload was not restarted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reconcile) enum Hindrance {
    /// There is none by this name.
    Absent,
    /// A restart would not reach its pods.
    Obstacle(Obstacle),
    /// Another rollout is in progress.
    Busy,
    /// It was restarted, and another program resets its pod template.
    TakenBack,
    /// The API server refuses, or does not respond.
    Failed(ApiError),
}

impl RestartMemory {
    /// The time that this generation leaves for restarts is judged. Returns whether that is the first time.
    #[must_use]
    pub(in crate::reconcile) fn judge_once(&mut self, generation: i64) -> bool {
        self.judged_for.replace(generation) != Some(generation)
    }

    /// People know that this generation leaves too little time for restarts.
    pub(in crate::reconcile) fn told_late(&mut self, generation: i64) {
        self.told_late_for = Some(generation);
    }

    /// The old token ends before the restarts: news once for each generation.
    pub(in crate::reconcile) fn late(&mut self, generation: i64) {
        self.is_late |= self.told_late_for.replace(generation) != Some(generation);
    }

    /// Returns whether it must be announced that the old token ends before the restarts.
    pub(in crate::reconcile) fn is_late(&self) -> bool {
        self.is_late
    }

    /// Workloads that have this token get another one.
    pub(in crate::reconcile) fn replaces(&mut self, ends: Option<Timestamp>) {
        self.old_token_ends = ends;
    }

    pub(in crate::reconcile) fn old_token_ends(&self) -> Option<Timestamp> {
        self.old_token_ends
    }

    /// The last restart and the present rollout of a workload.
    pub(in crate::reconcile) fn past(&mut self, workload: &WorkloadRef) -> &mut Past {
        let known = self.past.iter().position(|(known, _)| known == workload);
        let index = known.unwrap_or_else(|| {
            self.past.push((workload.clone(), Past::default()));
            self.past.len() - 1
        });
        &mut self.past[index].1
    }

    /// Forgets the workloads that the spec does not name any more.
    pub(in crate::reconcile) fn retain_past(&mut self, named: &[WorkloadRef]) {
        self.past.retain(|(known, _)| named.contains(known));
    }

    /// The next step for this token.
    pub(in crate::reconcile) fn next(&self, mark: &str) -> &NextRestart {
        if self.mark == mark {
            &self.next
        } else {
            &NextRestart::Read
        }
    }

    /// This step follows from a read or a restart.
    pub(in crate::reconcile) fn set_next(&mut self, mark: &str, next: NextRestart) {
        mark.clone_into(&mut self.mark);
        self.next = next;
    }

    /// The workload is not restarted before this time. The others come first.
    pub(in crate::reconcile) fn failed(&mut self, workload: WorkloadRef, until: Timestamp) {
        self.failed.retain(|(failed, _)| *failed != workload);
        self.failed.push((workload, until));
    }

    /// When the restart of a workload is retried, if it has failed.
    pub(in crate::reconcile) fn failed_until(
        &self,
        workload: &WorkloadRef,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let mut failed = self.failed.iter();
        let (_, until) = failed.find(|(failed, _)| failed == workload)?;
        is_early(*until, now).then_some(*until)
    }

    /// The workload could not be restarted. Another token does not make that news.
    pub(in crate::reconcile) fn hindered(&mut self, found: NotRestarted) {
        let mut known = self.announced.iter().chain(&self.unannounced);
        if !known.any(|known| known.workload == found.workload && known.why.is_like(&found.why)) {
            self.unannounced.push(found);
        }
    }

    /// Nothing keeps the workload from a restart.
    pub(in crate::reconcile) fn unhindered(&mut self, workload: &WorkloadRef) {
        self.announced.retain(|known| known.workload != *workload);
    }

    /// The restart of the workload has begun. Whether another program takes it back will be seen.
    pub(in crate::reconcile) fn begun(&mut self, workload: &WorkloadRef) {
        let stays = |why: &Hindrance| *why == Hindrance::TakenBack;
        self.announced
            .retain(|known| known.workload != *workload || stays(&known.why));
    }

    /// The workloads whose hindrance was not announced yet.
    pub(in crate::reconcile) fn unannounced(&self) -> &[NotRestarted] {
        &self.unannounced
    }

    pub(in crate::reconcile) fn announced(&mut self) {
        self.is_late = false;
        for found in std::mem::take(&mut self.unannounced) {
            self.begun(&found.workload);
            self.announced.push(found);
        }
    }
}

impl Hindrance {
    /// Returns whether people know of it by the other one.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            // The text of an error may name a version.
            (Self::Failed(_), Self::Failed(_)) => true,
            _ => self == other,
        }
    }
}
