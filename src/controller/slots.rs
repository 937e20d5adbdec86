//! The slots for exchanges: how many token requests are in progress at the same time, in all scopes of the process.
//!
//! The number limits memory. A token endpoint that does not respond holds its slot for 30 s, so a namespace gets only a part of
//! the slots that are free, and leaves most of them to the others: the dynamic thresholds of packet switches. A slot that becomes
//! free goes to the namespace with the fewest, and in it to the token that expires first.
//!
//! ```text
//!   take ─▶ Waits ─ (its turn) ─▶ Granted, and the object is woken ─ take ─▶ Taken ─ end ─▶ free
//!                                                                             └─ set aside ─ end ─▶ free
//! ```
//!
//! A response that cannot be stored yet is set aside: its exchange has ended, so others get the slot. It still takes memory, so it
//! counts for its own namespace, which gets no more slots when it has too many of them.

use std::{collections::HashMap, pin::pin, sync::Mutex};

use jiff::Timestamp;
use tokio::sync::{Notify, mpsc::UnboundedSender};

use super::fair::{Fair, Place};
use crate::{clock::now, cluster::ObjectKey, lock::lock, object::Uid, reconcile::Slot};

/// The number of slots. An exchange takes up to 0.2 MB, and the chart's limit is 128 MiB.
const ALL: usize = 256;
/// At least this many times the slots of a namespace are free when it gets another one: one namespace gets 52 at most, and some
/// are free until two dozen namespaces want as many as they can get.
const FREE_FOR_EACH: usize = 4;

/// The slots, by the uid of the object that has or wants one: thousands after a start, and few soon after.
#[derive(Debug, Default)]
struct Slots {
    fair: Fair<Uid>,
    uses: HashMap<Uid, Box<Use>>,
}

#[derive(Debug)]
struct Use {
    key: ObjectKey,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Waits { place: Place, since: Timestamp },
    Granted,
    Taken,
    Aside,
}

/// How a reconcile has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It needs no slot any more.
    Done,
    /// It waits for a slot.
    Waits,
    /// An error interrupted it: it keeps its place, but not its slot.
    Interrupted,
}

impl Slots {
    fn take(&mut self, key: &ObjectKey, uid: Uid, deadline: Timestamp, now: Timestamp) -> Slot {
        let namespace = key.namespace();
        if let Some(r#use) = self.uses.get_mut(&uid) {
            match r#use.phase {
                Phase::Waits { since, .. } => return Slot::Later { since },
                Phase::Granted | Phase::Taken => {
                    r#use.phase = Phase::Taken;
                    return Slot::Taken;
                }
                // Its response is stored, and another exchange is due.
                Phase::Aside => self.fair.end_aside(namespace),
            }
        }
        // Every free slot was offered to those that wait, so this overtakes nobody.
        let (slot, phase) = if admits(self.free(), self.fair.in_progress_of(namespace)) {
            self.fair.begin(namespace);
            (Slot::Taken, Phase::Taken)
        } else {
            let place = self.fair.wait(namespace, deadline, uid);
            let since = now;
            (Slot::Later { since }, Phase::Waits { place, since })
        };
        let key = key.clone();
        let r#use = Box::new(Use { key, phase });
        self.uses.insert(uid, r#use);
        slot
    }

    /// Returns whether an exchange is in progress.
    fn any_taken(&self) -> bool {
        let mut uses = self.uses.values();
        uses.any(|r#use| matches!(r#use.phase, Phase::Taken))
    }

    /// Returns whether a response could not be stored yet.
    fn any_aside(&self) -> bool {
        let mut uses = self.uses.values();
        uses.any(|r#use| matches!(r#use.phase, Phase::Aside))
    }

    fn free(&self) -> usize {
        ALL - self.fair.in_progress()
    }

    /// The exchange has ended, but not the reconcile. Returns the objects that have a slot now.
    fn set_aside(&mut self, uid: Uid) -> Vec<ObjectKey> {
        match self.uses.get_mut(&uid) {
            Some(r#use) if matches!(r#use.phase, Phase::Taken) => {
                r#use.phase = Phase::Aside;
                self.fair.set_aside();
                self.grant_all()
            }
            _ => Vec::new(),
        }
    }

    /// A reconcile has ended. Returns the objects that have a slot now.
    fn end(&mut self, uid: Uid, ending: Ending) -> Vec<ObjectKey> {
        let Some(r#use) = self.uses.get(&uid) else {
            return Vec::new();
        };
        match (&r#use.phase, ending) {
            (Phase::Waits { .. }, Ending::Waits | Ending::Interrupted)
            | (Phase::Granted, Ending::Waits) => Vec::new(),
            _ => self.give_up(uid),
        }
    }

    /// The object is gone. A reconcile of it may still be in progress, and gives its slot back itself.
    fn forget(&mut self, uid: Uid) -> Vec<ObjectKey> {
        let in_use = |phase: &Phase| matches!(phase, Phase::Taken | Phase::Aside);
        let r#use = self.uses.get(&uid);
        if r#use.is_none_or(|r#use| in_use(&r#use.phase)) {
            return Vec::new();
        }
        self.give_up(uid)
    }

    fn give_up(&mut self, uid: Uid) -> Vec<ObjectKey> {
        let Some(r#use) = self.uses.remove(&uid) else {
            return Vec::new();
        };
        if self.uses.is_empty() {
            // An empty map keeps its memory.
            self.uses = HashMap::new();
        }
        let Use { key, phase } = *r#use;
        match phase {
            Phase::Waits { place, .. } => self.fair.leave(key.namespace(), place),
            Phase::Granted | Phase::Taken => self.fair.end(key.namespace()),
            Phase::Aside => self.fair.end_aside(key.namespace()),
        }
        self.grant_all()
    }

    fn grant_all(&mut self) -> Vec<ObjectKey> {
        let mut granted = Vec::new();
        while let Some(key) = self.grant() {
            granted.push(key);
        }
        granted
    }

    fn grant(&mut self) -> Option<ObjectKey> {
        let free = self.free();
        let uid = self.fair.begin_next(|held| admits(free, held))?;
        let r#use = self.uses.get_mut(&uid)?;
        r#use.phase = Phase::Granted;
        Some(r#use.key.clone())
    }
}

/// Returns whether a namespace that holds this many slots gets another one.
fn admits(free: usize, held: usize) -> bool {
    held * FREE_FOR_EACH < free
}

/// The slots of a process, and the queues to notify when an object is granted one.
#[derive(Debug)]
pub(super) struct Exchanges {
    slots: Mutex<Slots>,
    /// The queues by the namespace of a scope; `None` is the scope of all namespaces.
    queues: HashMap<Option<String>, UnboundedSender<ObjectKey>>,
    /// Notified when a slot may have become free.
    freed: Notify,
}

impl Exchanges {
    pub(super) fn new(queues: HashMap<Option<String>, UnboundedSender<ObjectKey>>) -> Self {
        Self {
            slots: Mutex::default(),
            queues,
            freed: Notify::new(),
        }
    }

    /// Waits until no exchange is in progress. One whose response cannot be stored yet has ended.
    pub(super) async fn finished(&self) {
        self.until_none(Slots::any_taken).await;
    }

    /// Waits until every response is stored.
    pub(super) async fn stored(&self) {
        self.until_none(Slots::any_aside).await;
    }

    async fn until_none(&self, is_left: impl Fn(&Slots) -> bool) {
        loop {
            let mut freed = pin!(self.freed.notified());
            freed.as_mut().enable();
            if !is_left(&lock(&self.slots)) {
                return;
            }
            freed.await;
        }
    }

    /// Takes a slot, or a place among those that wait for one.
    pub(super) fn take(&self, key: &ObjectKey, uid: Uid, deadline: Timestamp) -> Slot {
        lock(&self.slots).take(key, uid, deadline, now())
    }

    /// An exchange has ended whose response cannot be stored yet.
    pub(super) fn set_aside(&self, uid: Uid) {
        let granted = lock(&self.slots).set_aside(uid);
        self.freed.notify_waiters();
        self.wake(granted);
    }

    /// A reconcile has ended.
    pub(super) fn end(&self, uid: Uid, ending: Ending) {
        let granted = lock(&self.slots).end(uid, ending);
        self.freed.notify_waiters();
        self.wake(granted);
    }

    /// An object was deleted.
    pub(super) fn forget(&self, uid: Uid) {
        let granted = lock(&self.slots).forget(uid);
        self.wake(granted);
    }

    fn wake(&self, granted: Vec<ObjectKey>) {
        for key in granted {
            let namespace = Some(key.namespace().to_owned());
            let queue = self
                .queues
                .get(&namespace)
                .or_else(|| self.queues.get(&None));
            if let Some(queue) = queue {
                // A queue that is gone has been stopped: it begins nothing any more.
                drop(queue.send(key));
            }
        }
    }
}

#[cfg(test)]
mod tests;
