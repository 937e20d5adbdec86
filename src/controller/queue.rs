//! The queue of one scope: which object is reconciled next. It replaces the scheduler of `kube`'s controller, which is not fair
//! and whose workers an exchange holds.
//!
//! ```text
//!   event ─▶ Ready ─ next ─▶ Running ─ end ─▶ (an event meanwhile) Ready
//!              ▲                          └─▶ (a delay)            Asleep ─┐
//!              └──────────────── the delay is over, or an event ───────────┘
//! ```
//!
//! A reconcile holds one of a few workers until it ends or leaves it, which it does before anything that may take long. After an
//! exchange it takes one again, even if none is free: its token must be written, and new reconciles wait until that is done.
//! Otherwise they would use up the slots for exchanges while the API server is slow. Reconciles of one object exclude each other
//! in any case.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use tokio::time::Instant;

use super::fair::Fair;
use crate::{cluster::ObjectKey, object::Uid};

/// The number of reconciles that use the API server at the same time.
const WORKERS: usize = 16;
/// A namespace begins another reconcile while it has fewer than so many times the free workers: it gets 12 in this way. The others are
/// for everybody else, as a reconcile may take long although it keeps its worker: it may list thousands of pods.
const FOR_EACH_FREE: usize = 3;

/// The objects that wait for a reconcile or for a time, or are being reconciled. Every operation takes logarithmic time.
#[derive(Debug, Default)]
pub(super) struct Queue {
    objects: HashMap<ObjectKey, State>,
    ready: Fair<ObjectKey>,
    asleep: BTreeSet<(Instant, ObjectKey)>,
    runs: u64,
    /// The reconciles that hold a worker.
    working: HashSet<u64>,
}

#[derive(Debug)]
enum State {
    Ready,
    /// In a box, because only few objects are in this state at the same time.
    Running(Box<Running>),
    Asleep(Instant),
}

#[derive(Debug)]
struct Running {
    uid: Uid,
    run: u64,
    /// True if an event arrived since it began.
    again: bool,
}

/// A reconcile in progress.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) key: ObjectKey,
    /// The uid of the object. Reconciles of one object exclude each other.
    pub(super) uid: Uid,
    number: u64,
}

impl Queue {
    /// Something happened to an object: it is reconciled once more. An object that is ready already keeps its place.
    pub(super) fn add(&mut self, key: ObjectKey, uid: Uid, deadline: Timestamp) {
        match self.objects.get_mut(&key) {
            Some(State::Ready) => return,
            Some(State::Running(running)) if running.uid == uid => {
                running.again = true;
                return;
            }
            Some(State::Asleep(until)) => {
                let until = *until;
                self.asleep.remove(&(until, key.clone()));
            }
            // A new object does not wait for the reconcile of a deleted one that had its name.
            Some(State::Running(_)) | None => {}
        }
        self.ready.wait(key.namespace(), deadline, key.clone());
        self.objects.insert(key, State::Ready);
    }

    /// An object whose delay is over. It must be added again.
    pub(super) fn awake(&mut self, now: Instant) -> Option<ObjectKey> {
        let (until, _) = self.asleep.first()?;
        if now < *until {
            return None;
        }
        let (_, key) = self.asleep.pop_first()?;
        self.objects.remove(&key);
        Some(key)
    }

    /// The end of the next delay.
    pub(super) fn next_awake(&self) -> Option<Instant> {
        self.asleep.first().map(|(until, _)| *until)
    }

    /// Begins the next reconcile, if a worker is free. An object without a uid does not exist any more.
    pub(super) fn next(&mut self, uid_of: impl Fn(&ObjectKey) -> Option<Uid>) -> Option<Run> {
        loop {
            let free = WORKERS.saturating_sub(self.ready.in_progress());
            let key = self.ready.begin_next(|held| held < free * FOR_EACH_FREE)?;
            let Some(uid) = uid_of(&key) else {
                self.ready.end(key.namespace());
                self.objects.remove(&key);
                continue;
            };
            self.runs += 1;
            let number = self.runs;
            let running = Box::new(Running {
                uid,
                run: number,
                again: false,
            });
            self.objects.insert(key.clone(), State::Running(running));
            self.working.insert(number);
            return Some(Run { key, uid, number });
        }
    }

    /// Returns whether a reconcile holds a worker.
    pub(super) fn is_working(&self) -> bool {
        self.ready.in_progress() > 0
    }

    /// A reconcile continues without a worker.
    pub(super) fn leave_worker(&mut self, run: &Run) {
        if self.working.remove(&run.number) {
            self.ready.end(run.key.namespace());
        }
    }

    /// A reconcile that left its worker uses the API server again, so that fewer others begin.
    pub(super) fn take_worker(&mut self, run: &Run) {
        if self.working.insert(run.number) {
            self.ready.begin(run.key.namespace());
        }
    }

    /// A reconcile has ended. The next one of its object is at `wake_at`, unless an event comes first. Returns the object if one
    /// came already: it must be added again.
    pub(super) fn end(&mut self, run: Run, wake_at: Option<Instant>) -> Option<ObjectKey> {
        self.leave_worker(&run);
        let Run { key, number, .. } = run;
        let Some(State::Running(running)) = self.objects.get(&key) else {
            return None;
        };
        if running.run != number {
            return None;
        }
        if running.again {
            self.objects.remove(&key);
            return Some(key);
        }
        match wake_at {
            Some(until) => {
                self.asleep.insert((until, key.clone()));
                self.objects.insert(key, State::Asleep(until));
            }
            None => drop(self.objects.remove(&key)),
        }
        None
    }
}

#[cfg(test)]
mod tests;
