//! Whether the first lists are there. Deciding before would be safe, but cost a look at every target.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;

/// A list that a decision is made from.
#[derive(Clone, Copy, Debug)]
pub(super) enum List {
    Credentials = 1,
    Targets = 2,
    Sources = 4,
}

const ALL: u8 = List::Credentials as u8 | List::Targets as u8 | List::Sources as u8;

/// Which first lists are there.
#[derive(Debug, Default)]
pub(super) struct Readiness {
    present: AtomicU8,
    changed: Notify,
}

impl Readiness {
    /// Whether all first lists are there.
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

    /// One list is there.
    pub(super) fn listed(&self, list: List) {
        self.present.fetch_or(list as u8, Ordering::AcqRel);
        self.changed.notify_waiters();
    }
}
