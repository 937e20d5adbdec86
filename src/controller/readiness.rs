//! Waits for the first lists of the watches. A decision before that would be safe, but every target would have to be read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// A list that decisions depend on.
#[derive(Clone, Copy, Debug)]
pub(super) enum List {
    Credentials = 1,
    Targets = 2,
    Sources = 4,
}

const ALL: u8 = List::Credentials as u8 | List::Targets as u8 | List::Sources as u8;

/// The longest wait for the lists of other scopes: a namespace that cannot be listed must not stop the others.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Whether the pauses that providers asked an earlier process for are known. A pause that is found in one scope holds in all.
#[derive(Debug)]
pub(super) struct KnownPauses {
    missing: watch::Sender<usize>,
    end: Instant,
}

impl KnownPauses {
    #[expect(
        clippy::disallowed_methods,
        reason = "the process waits for its caches no longer than this"
    )]
    pub(super) fn of(scopes: usize) -> Arc<Self> {
        Arc::new(Self {
            missing: watch::Sender::new(scopes),
            end: Instant::now() + LONGEST_WAIT,
        })
    }

    async fn known(&self) {
        let mut missing = self.missing.subscribe();
        let all = missing.wait_for(|missing| *missing == 0);
        // After this time, reconciles begin even without them.
        drop(tokio::time::timeout_at(self.end, all).await);
    }
}

/// The first lists that have arrived.
#[derive(Debug)]
pub(super) struct Readiness {
    present: AtomicU8,
    changed: Notify,
    recalled: AtomicBool,
    pauses: Arc<KnownPauses>,
}

impl Readiness {
    pub(super) fn new(pauses: Arc<KnownPauses>) -> Self {
        Self {
            present: AtomicU8::default(),
            changed: Notify::default(),
            recalled: AtomicBool::default(),
            pauses,
        }
    }

    /// Whether all first lists have arrived.
    #[must_use]
    pub(super) fn is_complete(&self) -> bool {
        self.present.load(Ordering::Acquire) == ALL
    }

    /// Waits for all first lists.
    pub(super) async fn complete(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.is_complete() {
                return;
            }
            changed.await;
        }
    }

    /// A first list has arrived.
    pub(super) fn listed(&self, list: List) {
        self.present.fetch_or(list as u8, Ordering::AcqRel);
        self.changed.notify_waiters();
    }

    /// Waits for the pauses of all scopes.
    pub(super) async fn pauses_are_known(&self) {
        self.pauses.known().await;
    }

    /// The pauses of this scope are known.
    pub(super) fn recalled(&self) {
        if !self.recalled.swap(true, Ordering::AcqRel) {
            self.pauses.missing.send_modify(|missing| *missing -= 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn nothing_is_decided_before_the_lists_of_its_scope_and_the_pauses_of_all_are_known() {
        let pauses = KnownPauses::of(2);
        let scopes = [(); 2].map(|()| Readiness::new(Arc::clone(&pauses)));
        for list in [List::Credentials, List::Targets, List::Sources] {
            assert!(scopes[0].complete().now_or_never().is_none());
            scopes[0].listed(list);
        }
        assert!(scopes[0].complete().now_or_never().is_some());
        assert!(scopes[1].complete().now_or_never().is_none());
        for _ in 0..2 {
            scopes[0].recalled();
            assert!(scopes[0].pauses_are_known().now_or_never().is_none());
        }
        scopes[1].recalled();
        assert!(scopes[0].pauses_are_known().now_or_never().is_some());
    }
}
