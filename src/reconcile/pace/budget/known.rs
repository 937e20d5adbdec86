//! The knowledge about the secrets of one client.

use jiff::Timestamp;

use super::{key::Proof, queue::Proved};
use crate::reconcile::{pace::delays, time::later};

/// The secrets that were tried, and the pauses that the provider has asked for. There are thousands of clients, most of which have
/// one secret: a list of one takes less memory than a map.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// In the order of the proofs.
    tried: Vec<Tried>,
    /// The number of those that work.
    working: usize,
    /// The pauses that have not ended. Each needs a request, so there are few.
    pauses: Vec<(Proof, Timestamp)>,
}

#[derive(Debug)]
struct Tried {
    proof: Proof,
    works: bool,
    /// The number of credentials whose last exchange was made with it. Without any, it is forgotten, so that the memory is
    /// bounded by the number of objects.
    holders: u32,
}

impl Known {
    pub(super) fn is_empty(&self) -> bool {
        self.tried.is_empty()
    }

    pub(super) fn is_paused(&self, now: Timestamp) -> bool {
        self.pauses.iter().any(|(_, until)| now < *until)
    }

    pub(super) fn proved(&self, proof: Proof) -> Proved {
        match self.place(proof) {
            Err(_) => Proved::Untried,
            Ok(at) if self.tried[at].works => Proved::Works,
            Ok(_) => Proved::Refused,
        }
    }

    pub(super) fn has_working(&self) -> bool {
        self.working > 0
    }

    /// A further credential has made an exchange with it.
    pub(super) fn hold(&mut self, proof: Proof) {
        let at = self.place(proof).unwrap_or_else(|at| {
            if self.tried.is_empty() {
                self.tried.reserve_exact(1);
            }
            self.tried.insert(at, Tried::new(proof));
            at
        });
        self.tried[at].holders += 1;
    }

    /// A credential has made an exchange with another one, or is gone.
    pub(super) fn release(&mut self, proof: Proof) {
        let Ok(at) = self.place(proof) else {
            return;
        };
        let tried = &mut self.tried[at];
        tried.holders = tried.holders.saturating_sub(1);
        if tried.holders == 0 {
            self.working -= usize::from(tried.works);
            self.tried.remove(at);
        }
    }

    pub(super) fn judge(&mut self, proof: Proof, works: bool) {
        if let Ok(at) = self.place(proof) {
            let tried = &mut self.tried[at];
            self.working -= usize::from(tried.works);
            tried.works = works;
            self.working += usize::from(works);
        }
    }

    pub(super) fn pause(&mut self, proof: Proof, until: Timestamp, now: Timestamp) {
        self.pauses.retain(|(_, until)| now < *until);
        match self.pause_mut(proof) {
            Some(paused) => *paused = until.max(*paused),
            None => self.pauses.push((proof, until)),
        }
    }

    /// The end of the pause of this secret.
    pub(super) fn paused_until(&self, proof: Proof) -> Option<Timestamp> {
        let mut pauses = self.pauses.iter();
        pauses.find_map(|(paused, until)| (*paused == proof).then_some(*until))
    }

    /// Forgets a pause that has ended, and says when. A clock that was set back does not make one longer than any can be.
    pub(super) fn end_pause(&mut self, proof: Proof, now: Timestamp) -> Option<Timestamp> {
        let until = self.pause_mut(proof)?;
        *until = (*until).min(later(now, delays::LONGEST_PAUSE));
        let ended = *until;
        if now < ended {
            return None;
        }
        self.pauses.retain(|(paused, _)| *paused != proof);
        Some(ended)
    }

    fn pause_mut(&mut self, proof: Proof) -> Option<&mut Timestamp> {
        let mut pauses = self.pauses.iter_mut();
        pauses.find_map(|(paused, until)| (*paused == proof).then_some(until))
    }

    fn place(&self, proof: Proof) -> Result<usize, usize> {
        self.tried.binary_search_by_key(&proof, |tried| tried.proof)
    }
}

impl Tried {
    fn new(proof: Proof) -> Self {
        Self {
            proof,
            works: false,
            holders: 0,
        }
    }
}
