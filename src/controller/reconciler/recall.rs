//! The pauses that providers asked an earlier process for.

use std::{pin::pin, time::Duration};

use futures::{StreamExt, stream};

use super::Reconciler;
use crate::{
    clock::now,
    cluster::convert,
    reconcile::{Memory, Read, Session},
};

/// The number of pauses of an earlier process that are recalled at the same time, and the longest time for all of them. Without
/// them, no client sends more than a request or two.
const RECALLS: usize = 8;
const LONGEST_RECALL: Duration = Duration::from_secs(10);

impl Reconciler {
    /// Learns the pauses that providers asked an earlier process for, before anything is sent. The status does not say of which
    /// client they are, because a hash of its secret would confirm a guess, so its Secret is read. Where that fails, the
    /// credential itself keeps its pause.
    pub(in crate::controller) async fn recall_pauses(&self) {
        let recall = || async {
            let reads = self.recall_all();
            drop(tokio::time::timeout(LONGEST_RECALL, reads).await);
            self.readiness.recalled();
        };
        self.recalled.get_or_init(recall).await;
        self.readiness.pauses_are_known().await;
    }

    /// Provider objects say where a pause was asked for, so their lists are waited for where a credential names one.
    async fn recall_all(&self) {
        let mut left = self.context.paused(now());
        while !left.is_empty() {
            let mut listed = pin!(self.providers_listed.notified());
            listed.as_mut().enable();
            let sessions = left.iter().filter_map(|key| {
                let object = self.context.find(key)?;
                let memory = Memory::recall(&convert::status(&object), now());
                let session = Session::begin(self.context.observe(&object, memory));
                Some((key.clone(), session))
            });
            let (waiting, known): (Vec<_>, Vec<_>) =
                sessions.partition(|(_, session)| session.waits_for_its_provider());
            let reads = known.into_iter().filter_map(|(_, session)| {
                let read = session.needs_for_its_pause(now())?;
                Some((session, read))
            });
            stream::iter(reads)
                .for_each_concurrent(RECALLS, |(session, read)| self.recall_pause(session, read))
                .await;
            left = waiting.into_iter().map(|(key, _)| key).collect();
            if !left.is_empty() {
                listed.await;
            }
        }
    }

    async fn recall_pause(&self, mut session: Session, read: Read) {
        let credential = session.observed().credential.clone();
        if let Ok(outcome) = self.context.read(read, &credential).await {
            let effects = session.absorb(outcome, now());
            self.context.learn(effects, &credential);
        }
    }

    /// Returns whether an earlier process may have been asked to pause.
    pub(in crate::controller) fn has_pauses(&self) -> bool {
        !self.context.paused(now()).is_empty()
    }
}
