//! The requests that each `CubeCredential` has left for itself, whatever clients it names.
//!
//! Its author can name another client or token URL with each edit, and each of them has a budget of its own. With one client, this
//! limit is never reached first: it is as wide as a client's, and pays for no other credential.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::bucket::{CAPACITY, OVERDRAFT};
use crate::{object::Uid, reconcile::time::later};

/// The least number of entries at which those that say nothing any more are looked for.
const KEPT: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Own {
    /// When a credential has its whole burst again, by its uid. Without an entry it has it now.
    full_at: HashMap<Uid, Timestamp>,
    /// The latest of these times.
    last: Timestamp,
    /// The number of entries at which those that say nothing any more are looked for.
    clean_at: usize,
}

impl Own {
    /// Returns whether the credential may send a request; otherwise when it may.
    pub(super) fn ask(
        &mut self,
        uid: Uid,
        priority: bool,
        interval: SignedDuration,
        now: Timestamp,
    ) -> Result<(), Timestamp> {
        let Some(full_at) = self.full_at.get_mut(&uid) else {
            return Ok(());
        };
        // A clock that was set back must not stop it for that long.
        *full_at = (*full_at).min(later(now, interval * (CAPACITY + OVERDRAFT)));
        let burst = if priority {
            CAPACITY + OVERDRAFT
        } else {
            CAPACITY
        };
        let turn = later(*full_at, interval * (1 - burst));
        if turn <= now { Ok(()) } else { Err(turn) }
    }

    pub(super) fn pay(&mut self, uid: Uid, interval: SignedDuration, now: Timestamp) {
        self.forget_what_is_over(now);
        let full_at = self.full_at.entry(uid).or_insert(now);
        *full_at = later((*full_at).max(now), interval);
        self.last = self.last.max(*full_at);
    }

    pub(super) fn give_back(&mut self, uid: Uid, interval: SignedDuration) {
        if let Some(full_at) = self.full_at.get_mut(&uid) {
            *full_at -= interval;
        }
    }

    pub(super) fn forget(&mut self, uid: Uid) {
        self.full_at.remove(&uid);
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.full_at.len()
    }

    /// A walk over all entries is so rare that each request pays for a few of them.
    fn forget_what_is_over(&mut self, now: Timestamp) {
        if self.last <= now {
            self.full_at = HashMap::new();
            self.clean_at = KEPT;
        }
        if self.clean_at <= self.full_at.len() {
            self.full_at.retain(|_, full_at| now < *full_at);
            self.clean_at = KEPT.max(self.full_at.len() * 2);
        }
    }
}
