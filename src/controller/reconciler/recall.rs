//! The pauses that providers asked an earlier process for.

use std::{future::ready, pin::pin, time::Duration};

use futures::{StreamExt, stream};

use super::Reconciler;
use crate::{
    clock::now,
    cluster::{ObjectKey, convert},
    reconcile::{Memory, Session},
};

/// The number of pauses of an earlier process that are recalled at the same time, and the longest time for all of them. Without
/// them, no client sends more than a request or two.
const RECALLS: usize = 8;
const LONGEST_RECALL: Duration = Duration::from_secs(10);

/// How the recall of one pause has ended.
enum Recall {
    Over,
    WaitsForProviders,
}

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
    pub(in crate::controller) async fn recall_all(&self) {
        let mut left = self.context.paused(now());
        while !left.is_empty() {
            let mut listed = pin!(self.providers_listed.notified());
            listed.as_mut().enable();
            let recalls = stream::iter(left).map(async |key| match self.recall_pause(&key).await {
                Recall::Over => None,
                Recall::WaitsForProviders => Some(key),
            });
            let waiting = recalls.buffer_unordered(RECALLS).filter_map(ready);
            left = waiting.collect().await;
            if !left.is_empty() {
                listed.await;
            }
        }
    }

    /// Thousands may be paused, and a session takes kilobytes, so it is made here and not for all of them.
    async fn recall_pause(&self, key: &ObjectKey) -> Recall {
        let Some(object) = self.context.find(key) else {
            return Recall::Over;
        };
        let memory = Memory::recall(&convert::status(&object), now());
        let mut session = Session::begin(self.context.observe(&object, memory));
        if session.waits_for_its_provider() {
            return Recall::WaitsForProviders;
        }
        if let Some(read) = session.needs_for_its_pause(now()) {
            let credential = session.observed().credential.clone();
            if let Ok(outcome) = self.context.read(read, &credential).await {
                let effects = session.absorb(outcome, now());
                self.context.learn(effects, &credential);
            }
        }
        Recall::Over
    }

    /// Returns whether an earlier process may have been asked to pause.
    pub(in crate::controller) fn has_pauses(&self) -> bool {
        !self.context.paused(now()).is_empty()
    }
}
