//! The facts of the consumers: which pods and workloads do not have the published token yet.

use jiff::Timestamp;

use super::Case;
use crate::{
    consumers::Restart,
    reconcile::{
        memory::{NextRestart, TooLate},
        pace::{delays, schedule},
        plan::PodsRefresh,
        target::Content,
        token::TokenMetadata,
    },
};

/// The token that consumers should have.
struct Published<'a> {
    fingerprint: &'a str,
    /// It names the token on pods and workloads: the time orders tokens for people, the fingerprint distinguishes two of one second.
    mark: String,
}

impl<'a> Case<'a> {
    fn published(&self) -> Option<Published<'a>> {
        let target = self.target()?;
        let token = self.token_on_target()?;
        let Content::Confirmed(fingerprint) = &target.content else {
            return None;
        };
        (token.expires_at > self.now).then(|| Published {
            fingerprint,
            mark: format!("{} {fingerprint}", token.issued_at),
        })
    }

    /// The refresh of pods that is due: the status still names the older token, whichever process has published the new one.
    pub(in crate::reconcile) fn pods_refresh(&self) -> Option<PodsRefresh> {
        let observed = self.observed;
        if !observed.access.refreshes_pods || !self.settings.refresh_mounted_pods {
            return None;
        }
        let Published { fingerprint, mark } = self.published()?;
        let status = &observed.credential.status;
        let older = status.token_fingerprint.as_deref()?;
        let target = status.target.as_ref()?;
        let is_due = older != fingerprint
            && target.name == self.settings.target_name
            && !observed.memory.target.has_refreshed_pods(fingerprint);
        is_due.then(|| PodsRefresh {
            secret: self.settings.target_name.clone(),
            fingerprint: fingerprint.to_owned(),
            mark,
        })
    }

    fn restarts(&self) -> bool {
        self.observed.access.restarts_workloads && !self.settings.restart.is_empty()
    }

    /// The token that the workloads have, as the status records it. Where it says nothing, the pods may be newer than the token:
    /// the restarts begin with the next one.
    pub(in crate::reconcile) fn restarted_for(&self) -> Option<String> {
        if !self.restarts() {
            return None;
        }
        let before = &self.observed.credential.status.restarted_for;
        let Some(Published { fingerprint, mark }) = self.published() else {
            return before.clone();
        };
        match before {
            Some(before) if !self.has_restarted(&mark) => Some(before.clone()),
            Some(_) | None => Some(fingerprint.to_owned()),
        }
    }

    fn has_restarted(&self, mark: &str) -> bool {
        matches!(self.next_restart(mark), NextRestart::Finished)
    }

    pub(in crate::reconcile) fn next_restart(&self, mark: &str) -> &'a NextRestart {
        let memory = self.observed.memory.restart.as_deref();
        memory.map_or(&NextRestart::Read, |memory| memory.next(mark))
    }

    /// The token that workloads have to be restarted for, as marks name it.
    pub(in crate::reconcile) fn restart_due(&self) -> Option<String> {
        if !self.restarts() {
            return None;
        }
        let before = self.observed.credential.status.restarted_for.as_ref()?;
        let Published { fingerprint, mark } = self.published()?;
        (before != fingerprint && !self.has_restarted(&mark)).then_some(mark)
    }

    /// When the workloads are looked at again.
    pub(in crate::reconcile) fn restart_wakes_at(&self) -> Option<Timestamp> {
        match self.next_restart(&self.restart_due()?) {
            NextRestart::At(at) => Some(*at),
            NextRestart::Read | NextRestart::Restart(_) | NextRestart::Finished => None,
        }
    }

    pub(in crate::reconcile) fn restart<'m>(&self, mark: &'m str) -> Restart<'m>
    where
        'a: 'm,
    {
        Restart {
            mark,
            owner_uid: &self.observed.credential.uid,
            min_interval: self.settings.restart_interval,
        }
    }

    /// Why the old token ends before the workloads are restarted, if it does.
    pub(in crate::reconcile) fn restarts_too_late(&self, token: &TokenMetadata) -> Option<TooLate> {
        if self.settings.grant.refresh_token().is_some() {
            return Some(TooLate::Rotation);
        }
        let margin = schedule::margin(token, self.settings);
        let lifetime = token.expires_at.duration_since(token.issued_at);
        if lifetime - margin < self.settings.restart_interval {
            return Some(TooLate::Interval);
        }
        // One after the other.
        let workloads = i32::try_from(self.settings.restart.len()).unwrap_or(i32::MAX);
        (margin < delays::ROLLOUT * workloads).then_some(TooLate::Rollout { margin })
    }
}
