//! One limit of a client.
//!
//! A bucket is kept as the time at which it is full again (the generic cell rate algorithm), so that it needs no timer and
//! nothing is updated while time passes. Those who have to wait stand in one of two lines, and ask again when it may be their
//! turn:
//!
//! | line | who | takes |
//! |---|---|---|
//! | working | those whose secret this process has seen working | any permit |
//! | unproven | all others | no permit that leaves none for a secret that works; in a namespace that has just had one, no permit that leaves none for other namespaces either |
//!
//! So a stranger with wrong secrets, however many they are, delays neither the rightful client nor a new one in another
//! namespace. While the working ones use up the budget, every fifth permit goes to the unproven. A published token proves
//! nothing, because whoever may write Secrets can forge one.

use jiff::{SignedDuration, Timestamp};

use super::{
    key::Proof,
    permit::{PermitRequest, Wait},
    queue::{Place, Proved, Queue},
};
use crate::{object::Uid, reconcile::time::later};

/// The requests that may be sent at the same moment.
pub(super) const CAPACITY: i32 = 3;
/// The content of a bucket when the process starts: the previous process may just have sent three.
const AT_START: i32 = 1;
/// The overdraft of a refresh whose outcome is unknown: a provider's grace period for it is short.
pub(super) const OVERDRAFT: i32 = 3;
/// After so many permits for secrets that work, the next one is for an unproven one that waits.
const UNPROVEN_AFTER: u32 = 4;
/// A namespace has just had a permit if it was less than so many intervals ago: a minute by default.
const JUST: i32 = 5;
/// The longest exchange. Until then, the first request with a secret may still turn out to work for all that share it.
pub(super) const EXCHANGE: SignedDuration = SignedDuration::from_secs(30);
/// The time after which one that waits for such a request asks again.
const SOON: SignedDuration = SignedDuration::from_secs(2);

#[derive(Debug)]
pub(super) struct Bucket {
    interval: SignedDuration,
    /// True if a provider object sets the interval.
    of_provider: bool,
    full_at: Timestamp,
    queue: Queue,
    /// The permits for secrets that work while an unproven one waited.
    passed_over: u32,
}

/// The bucket of a client that is not in use all the time. There are thousands: one for which nobody waits is only a time.
#[derive(Debug)]
pub(super) enum General {
    InUse(Box<Bucket>),
    Rests { full_at: Timestamp },
}

/// The knowledge about the secret of a request, and about the others of its client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) proved: Proved,
    /// True if the client has a secret that works.
    pub(super) has_working: bool,
}

impl Bucket {
    pub(super) fn new(started_at: Timestamp, interval: SignedDuration, of_provider: bool) -> Self {
        let full_at = later(started_at, interval * (CAPACITY - AT_START));
        Self::full_at(full_at, interval, of_provider)
    }

    /// A bucket for which nobody waits.
    fn full_at(full_at: Timestamp, interval: SignedDuration, of_provider: bool) -> Self {
        Self {
            interval,
            of_provider,
            full_at,
            queue: Queue::default(),
            passed_over: 0,
        }
    }

    pub(super) fn interval(&self) -> SignedDuration {
        self.interval
    }

    /// The time after which a client that was used may rest.
    pub(super) fn rest(&self) -> SignedDuration {
        self.interval * (JUST + 1)
    }

    /// Returns whether nobody waits, and all permits are there.
    pub(super) fn is_full(&self, now: Timestamp) -> bool {
        self.full_at <= now && self.queue.is_empty()
    }

    /// Returns whether nobody waits, and no permit is so recent that its namespace or its secret would count.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        let recently = (self.interval * JUST).max(EXCHANGE);
        later(self.full_at, recently) <= now && self.queue.is_empty()
    }

    /// Returns whether there is a permit for this request; otherwise the time to ask again, and why.
    pub(super) fn ask(
        &mut self,
        request: &PermitRequest,
        standing: Standing,
        now: Timestamp,
    ) -> Result<(), (Timestamp, Wait)> {
        self.distrust_a_clock_that_went_back(now);
        self.queue.drop_abandoned_places(now);
        self.queue.stand(request, standing.proved, now);
        let Some(place) = self.queue.place(request.uid) else {
            return Ok(());
        };
        let ahead = i32::try_from(self.queue.ahead(place)).unwrap_or(i32::MAX / 2);
        let held_back = self.held_back(place, ahead, standing.has_working, now);
        let mut turn = self.turn(ahead + held_back);
        if request.priority {
            turn = turn.min(self.turn(-OVERDRAFT));
        }
        if turn <= now {
            return Ok(());
        }
        let wait = match standing.proved {
            Proved::Works | Proved::Untried if self.of_provider => Wait::Interval,
            Proved::Works | Proved::Untried => Wait::Turn,
            Proved::Refused => Wait::Refused,
        };
        Err((self.again(place, ahead, turn, now), wait))
    }

    /// Remembers the time at which a waiting credential is to ask again.
    pub(super) fn answer(&mut self, uid: Uid, at: Timestamp) {
        self.queue.answer(uid, at);
    }

    /// The permit is used.
    pub(super) fn pay(&mut self, uid: Uid, now: Timestamp) {
        self.full_at = later(self.full_at.max(now), self.interval);
        let served = self
            .queue
            .serve(uid, now, later(now, -self.interval * JUST));
        let works = served.is_some_and(|place| place.works());
        self.passed_over = if works && self.queue.has_unproven() {
            self.passed_over.saturating_add(1)
        } else {
            0
        };
    }

    pub(super) fn give_back(&mut self) {
        self.full_at -= self.interval;
    }

    #[cfg(test)]
    pub(super) fn stands(&self, uid: Uid) -> bool {
        self.queue.place(uid).is_some()
    }

    pub(super) fn leave(&mut self, uid: Uid) {
        self.queue.leave(uid);
    }

    /// It is known by now whether a secret works. Those who wait with it keep their order.
    pub(super) fn reclassify(&mut self, proof: Proof, proved: Proved) {
        self.queue.reclassify(proof, proved);
    }

    /// A pause has ended: there is one permit.
    pub(super) fn begin_anew(&mut self, ended: Timestamp) {
        let full_at = later(ended, self.interval * (CAPACITY - 1));
        self.full_at = self.full_at.max(full_at);
    }

    /// The time at which the bucket holds one more permit than this number.
    fn turn(&self, permits: i32) -> Timestamp {
        later(self.full_at, self.interval * (permits + 1 - CAPACITY))
    }

    /// The number of permits that are kept for others.
    fn held_back(&self, place: &Place, ahead: i32, has_working: bool, now: Timestamp) -> i32 {
        let owed = self.passed_over >= UNPROVEN_AFTER && self.queue.has_unproven();
        if place.works() {
            return i32::from(owed);
        }
        if owed && ahead == 0 {
            return 0;
        }
        let just = later(now, -self.interval * JUST);
        let last = self.queue.last_served(place);
        let again = last.is_some_and(|last| just < last.at && last.at <= now);
        i32::from(has_working) + i32::from(again)
    }

    /// The time to ask again. It is the earliest possible one, because a secret may turn out to work in the meantime.
    fn again(&self, place: &Place, ahead: i32, turn: Timestamp, now: Timestamp) -> Timestamp {
        let earliest = self.turn(ahead).min(turn);
        let last = self.queue.last_served(place);
        let is_tried =
            last.is_some_and(|last| last.proof == place.proof && now < later(last.at, EXCHANGE));
        let at = if now < earliest {
            earliest
        } else if is_tried && place.proved == Proved::Untried {
            turn.min(later(now, SOON))
        } else {
            turn
        };
        if now < place.answered {
            return at.min(place.answered);
        }
        at
    }

    /// A clock that is set back must not stop a client for long: no bucket is emptier than with all overdrafts.
    fn distrust_a_clock_that_went_back(&mut self, now: Timestamp) {
        if later(now, self.interval * (CAPACITY + OVERDRAFT)) < self.full_at {
            self.full_at = later(now, self.interval * CAPACITY);
        }
    }
}

impl General {
    pub(super) fn wake(&mut self, interval: SignedDuration) {
        if let Self::Rests { full_at } = self {
            *self = Self::InUse(Box::new(Bucket::full_at(*full_at, interval, false)));
        }
    }

    /// Lets it rest if nobody uses it, and returns whether it rests.
    pub(super) fn rest(&mut self, now: Timestamp) -> bool {
        match self {
            Self::InUse(bucket) if !bucket.is_idle(now) => false,
            Self::InUse(bucket) => {
                let full_at = bucket.full_at;
                *self = Self::Rests { full_at };
                true
            }
            Self::Rests { .. } => true,
        }
    }

    pub(super) fn in_use(&self) -> Option<&Bucket> {
        match self {
            Self::InUse(bucket) => Some(bucket),
            Self::Rests { .. } => None,
        }
    }

    pub(super) fn in_use_mut(&mut self) -> Option<&mut Bucket> {
        match self {
            Self::InUse(bucket) => Some(bucket),
            Self::Rests { .. } => None,
        }
    }
}
