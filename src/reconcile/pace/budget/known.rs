//! The knowledge about the secrets of one client.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{key::Proof, queue::Proved};
use crate::reconcile::{pace::delays, time::later};

/// The secrets that were tried, and the pauses that the provider has asked for.
#[derive(Debug, Default)]
pub(super) struct Known {
    tried: HashMap<Proof, Tried>,
    /// The number of those that work.
    working: usize,
    paused_until: HashMap<Proof, Timestamp>,
}

#[derive(Debug, Default)]
struct Tried {
    works: bool,
    /// The number of credentials whose last exchange was made with it. Without any, it is forgotten, so that the memory is
    /// bounded by the number of objects.
    holders: usize,
}

impl Known {
    pub(super) fn is_empty(&self) -> bool {
        self.tried.is_empty()
    }

    pub(super) fn is_paused(&self, now: Timestamp) -> bool {
        self.paused_until.values().any(|until| now < *until)
    }

    pub(super) fn proved(&self, proof: Proof) -> Proved {
        match self.tried.get(&proof) {
            None => Proved::Untried,
            Some(tried) if tried.works => Proved::Works,
            Some(_) => Proved::Refused,
        }
    }

    pub(super) fn has_working(&self) -> bool {
        self.working > 0
    }

    /// A further credential has made an exchange with it.
    pub(super) fn hold(&mut self, proof: Proof) {
        self.tried.entry(proof).or_default().holders += 1;
    }

    /// A credential has made an exchange with another one, or is gone.
    pub(super) fn release(&mut self, proof: Proof) {
        let Some(tried) = self.tried.get_mut(&proof) else {
            return;
        };
        tried.holders = tried.holders.saturating_sub(1);
        if tried.holders == 0 {
            self.working -= usize::from(tried.works);
            self.tried.remove(&proof);
        }
    }

    pub(super) fn judge(&mut self, proof: Proof, works: bool) {
        if let Some(tried) = self.tried.get_mut(&proof) {
            self.working -= usize::from(tried.works);
            tried.works = works;
            self.working += usize::from(works);
        }
    }

    pub(super) fn pause(&mut self, proof: Proof, until: Timestamp, now: Timestamp) {
        self.paused_until.retain(|_, until| now < *until);
        let paused = self.paused_until.entry(proof).or_insert(until);
        *paused = until.max(*paused);
    }

    /// The end of the pause of this secret.
    pub(super) fn paused_until(&self, proof: Proof) -> Option<Timestamp> {
        self.paused_until.get(&proof).copied()
    }

    /// Forgets a pause that has ended, and says when. A clock that was set back does not make one longer than any can be.
    pub(super) fn end_pause(&mut self, proof: Proof, now: Timestamp) -> Option<Timestamp> {
        let until = self.paused_until.get_mut(&proof)?;
        *until = (*until).min(later(now, delays::LONGEST_PAUSE));
        if now < *until {
            return None;
        }
        self.paused_until.remove(&proof)
    }
}
