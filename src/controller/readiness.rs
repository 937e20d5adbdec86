//! Waits for the first lists of the watches. A decision before that would be safe, but every target would have to be read.
//! It also knows which scopes cannot be watched, and logs each change of that once.

use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use super::{
    health::{Failures, List},
    watch::WatchFailure,
};
use crate::{clock::instant, lock::lock, metrics::Metrics};

const ALL: u8 =
    List::Credentials as u8 | List::Targets as u8 | List::Sources as u8 | List::States as u8;

/// The longest wait for the lists of other scopes: a namespace that cannot be listed must not stop the others.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The pauses that providers asked an earlier process for, and whether all of them are known. A pause that is found in one scope
/// holds in all.
#[derive(Debug)]
pub(super) struct KnownPauses {
    missing: watch::Sender<usize>,
    end: Instant,
}

impl KnownPauses {
    pub(super) fn of(scopes: usize) -> Arc<Self> {
        Arc::new(Self {
            missing: watch::Sender::new(scopes),
            end: instant() + LONGEST_WAIT,
        })
    }

    async fn known(&self) {
        let mut missing = self.missing.subscribe();
        let all = missing.wait_for(|missing| *missing == 0);
        // After this time, reconciles begin even without them.
        drop(tokio::time::timeout_at(self.end, all).await);
    }
}

/// The scope of a watch: one namespace, or all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ScopeName(pub(super) Option<String>);

impl ScopeName {
    pub(super) fn namespace(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl fmt::Display for ScopeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(namespace) => write!(f, "namespace {namespace:?}"),
            None => f.write_str("all namespaces"),
        }
    }
}

/// The first lists of a scope that have arrived, and what fails.
pub(super) struct ScopeReadiness {
    name: ScopeName,
    metrics: Metrics,
    /// The lists that it waits for.
    wanted: u8,
    present: watch::Sender<u8>,
    failures: Mutex<Failures>,
    recalled: AtomicBool,
    pauses: Arc<KnownPauses>,
}

impl ScopeReadiness {
    pub(super) fn new(name: ScopeName, metrics: Metrics, pauses: Arc<KnownPauses>) -> Self {
        let readiness = Self {
            name,
            metrics,
            wanted: ALL,
            present: watch::Sender::default(),
            failures: Mutex::default(),
            recalled: AtomicBool::default(),
            pauses,
        };
        readiness.show(false);
        readiness
    }

    /// Waits for this list too.
    pub(super) fn with(mut self, list: List) -> Self {
        self.wanted |= list as u8;
        self
    }

    /// The scope that is watched.
    pub(super) fn name(&self) -> &ScopeName {
        &self.name
    }

    /// A list or watch has failed.
    #[expect(
        clippy::disallowed_methods,
        reason = "a failure that is repeated soon is logged once"
    )]
    pub(super) fn failed(&self, list: List, failure: WatchFailure) {
        let WatchFailure { error, lasts, .. } = failure.clone();
        let mut failures = lock(&self.failures);
        let is_new = failures.add(list, failure, std::time::Instant::now());
        self.show(!failures.lasts());
        drop(failures);
        let namespace = self.name.namespace();
        match (is_new, lasts) {
            (false, _) => {}
            (true, true) => {
                tracing::warn!(namespace, %error, "failed to watch {}, retrying", self.name);
            }
            (true, false) => {
                tracing::warn!(namespace, %error, "watch interrupted, retrying");
            }
        }
    }

    /// A list is complete, or an event has arrived.
    pub(super) fn works(&self, list: List) {
        let mut failures = lock(&self.failures);
        let is_over = failures.end(list);
        self.show(!failures.lasts());
        drop(failures);
        if is_over {
            let namespace = self.name.namespace();
            tracing::info!(namespace, "watching {}", self.name);
        }
    }

    /// Returns whether something of the scope cannot be listed, or may not be watched.
    pub(super) fn fails(&self) -> bool {
        lock(&self.failures).lasts()
    }

    fn show(&self, works: bool) {
        let namespace = self.name.namespace().unwrap_or_default();
        let watched = works && self.is_complete();
        self.metrics.watches(namespace, watched);
    }

    /// Returns whether all first lists have arrived.
    #[must_use]
    pub(super) fn is_complete(&self) -> bool {
        *self.present.borrow() == self.wanted
    }

    /// Waits for all first lists.
    pub(super) async fn complete(&self) {
        let mut present = self.present.subscribe();
        let all = present.wait_for(|present| *present == self.wanted);
        // It fails only without a sender, and this is one.
        drop(all.await);
    }

    /// A first list has arrived.
    pub(super) fn listed(&self, list: List) {
        self.present.send_modify(|present| *present |= list as u8);
        self.show(!self.fails());
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
        let scopes = [(); 2].map(|()| {
            let (name, metrics) = (ScopeName(None), Metrics::default());
            ScopeReadiness::new(name, metrics, Arc::clone(&pauses))
        });
        for list in [
            List::Credentials,
            List::Targets,
            List::Sources,
            List::States,
        ] {
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
