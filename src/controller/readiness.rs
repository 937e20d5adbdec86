//! Whether the first lists are there. To decide before would be safe, but every target would be read.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

/// A list that a decision is made from.
#[derive(Clone, Copy, Debug)]
pub(super) enum List {
    Credentials = 1,
    Targets = 2,
    Sources = 4,
}

const ALL: u8 = List::Credentials as u8 | List::Targets as u8 | List::Sources as u8;

/// A namespace that cannot be listed does not keep the others from their tokens.
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

    async fn complete(&self) {
        let mut missing = self.missing.subscribe();
        let all = missing.wait_for(|missing| *missing == 0);
        // After this time it does not matter whether they came.
        drop(tokio::time::timeout_at(self.end, all).await);
    }
}

/// Which first lists are there.
#[derive(Debug)]
pub(super) struct Readiness {
    present: AtomicU8,
    changed: Notify,
    pauses: Arc<KnownPauses>,
}

impl Readiness {
    pub(super) fn new(pauses: Arc<KnownPauses>) -> Self {
        Self {
            present: AtomicU8::default(),
            changed: Notify::default(),
            pauses,
        }
    }

    /// Whether all first lists are there.
    #[must_use]
    pub(super) fn is_complete(&self) -> bool {
        self.present.load(Ordering::Acquire) == ALL
    }

    /// Waits for all first lists, and for those of the `CubeCredentials` of the other scopes.
    pub(super) async fn complete(&self) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.is_complete() {
                return self.pauses.complete().await;
            }
            changed.await;
        }
    }

    /// One list is there.
    pub(super) fn listed(&self, list: List) {
        let before = self.present.fetch_or(list as u8, Ordering::AcqRel);
        if before & List::Credentials as u8 == 0 && matches!(list, List::Credentials) {
            self.pauses.missing.send_modify(|missing| *missing -= 1);
        }
        self.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn nothing_is_decided_before_the_pauses_of_all_scopes_are_known() {
        let pauses = KnownPauses::of(2);
        let scopes = [(); 2].map(|()| Readiness::new(Arc::clone(&pauses)));
        for list in [
            List::Credentials,
            List::Targets,
            List::Sources,
            List::Credentials,
        ] {
            scopes[0].listed(list);
        }
        assert!(scopes[0].is_complete());
        assert!(scopes[0].complete().now_or_never().is_none());
        scopes[1].listed(List::Credentials);
        assert!(scopes[0].complete().now_or_never().is_some());
        assert!(scopes[1].complete().now_or_never().is_none());
    }
}
