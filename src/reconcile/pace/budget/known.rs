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
    pauses: Vec<Pause>,
}

/// A pause of one secret, which may have one of each kind.
#[derive(Debug)]
struct Pause {
    proof: Proof,
    /// True if it holds for refreshes too whose outcome is unknown.
    for_all: bool,
    until: Timestamp,
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
        self.pauses.iter().any(|pause| now < pause.until)
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

    pub(super) fn pause(&mut self, proof: Proof, until: Timestamp, for_all: bool, now: Timestamp) {
        self.pauses.retain(|pause| now < pause.until);
        let same = |pause: &&mut Pause| pause.proof == proof && pause.for_all == for_all;
        match self.pauses.iter_mut().find(same) {
            Some(pause) => pause.until = pause.until.max(until),
            None => self.pauses.push(Pause {
                proof,
                for_all,
                until,
            }),
        }
    }

    /// The end of the pauses of this secret. With `priority`, only those for all requests count.
    pub(super) fn paused_until(&self, proof: Proof, priority: bool) -> Option<Timestamp> {
        let counts = |pause: &&Pause| pause.proof == proof && (pause.for_all || !priority);
        let pauses = self.pauses.iter().filter(counts);
        pauses.map(|pause| pause.until).max()
    }

    /// Forgets the pauses of a secret once all have ended, and says when. A clock that was set back does not make one longer than any
    /// can be.
    pub(super) fn end_pause(&mut self, proof: Proof, now: Timestamp) -> Option<Timestamp> {
        let longest = later(now, delays::LONGEST_PAUSE);
        for pause in &mut self.pauses {
            pause.until = pause.until.min(longest);
        }
        let ended = self.paused_until(proof, false)?;
        if now < ended {
            return None;
        }
        self.pauses.retain(|pause| pause.proof != proof);
        Some(ended)
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
