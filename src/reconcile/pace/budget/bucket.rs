//! The budget of one client.
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
    known::Known,
    permit::{PermitRequest, Wait},
    queue::{Place, Proved, Queue},
};
use crate::reconcile::{pace::delays, time::later};

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
const EXCHANGE: SignedDuration = SignedDuration::from_secs(30);
/// The time after which one that waits for such a request asks again.
const SOON: SignedDuration = SignedDuration::from_secs(2);

#[derive(Debug)]
pub(super) struct Bucket {
    interval: SignedDuration,
    full_at: Timestamp,
    known: Known,
    /// A secret that works was asked to pause. The provider counts the requests of the client id, so nothing that may be refused
    /// is sent in the meantime.
    unproven_paused_until: Timestamp,
    queue: Queue,
    /// The permits for secrets that work while an unproven one waited.
    passed_over: u32,
    /// True if `Budget::lately` has it.
    pub(super) used_lately: bool,
}

impl Bucket {
    pub(super) fn new(started_at: Timestamp, interval: SignedDuration) -> Self {
        Self {
            interval,
            full_at: later(started_at, interval * (CAPACITY - AT_START)),
            known: Known::default(),
            unproven_paused_until: Timestamp::MIN,
            queue: Queue::default(),
            passed_over: 0,
            used_lately: false,
        }
    }

    /// The time after which a client that was used may rest.
    pub(super) fn rest(&self) -> SignedDuration {
        (self.interval * (JUST + 1)).max(EXCHANGE * 2)
    }

    /// Returns whether it is as good as a new one: nobody waits, and nothing has to be remembered.
    pub(super) fn rests(&self, now: Timestamp) -> bool {
        self.is_idle(now) && self.unproven_paused_until <= now && self.known.is_empty(now)
    }

    /// Returns whether nobody waits, and no permit is so recent that its namespace or its secret would count.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        let recently = (self.interval * JUST).max(EXCHANGE);
        later(self.full_at, recently) <= now && self.queue.is_empty()
    }

    /// Nobody waits, and the last permits do not count any more.
    pub(super) fn forget_lines(&mut self) {
        self.queue = Queue::default();
        self.used_lately = false;
    }

    /// Returns whether there is a permit for this request; otherwise the time to ask again, and why.
    pub(super) fn ask(
        &mut self,
        request: &PermitRequest,
        now: Timestamp,
    ) -> Result<(), (Timestamp, Wait)> {
        let proof = request.client.proof();
        let proved = self.known.proved(proof);
        let pause = self.pause_until(proof, now);
        self.queue.drop_abandoned_places(now);
        if now < pause {
            // Nobody else waits for it.
            self.queue.leave(&request.uid);
            return Err((pause, Wait::Pause));
        }
        self.queue.stand(request, proved, now);
        let Some(place) = self.queue.place(&request.uid) else {
            return Ok(());
        };
        let ahead = i32::try_from(self.queue.ahead(place)).unwrap_or(i32::MAX / 2);
        let held_back = self.held_back(place, ahead, now);
        let mut turn = self.turn(ahead + held_back);
        if request.priority {
            turn = turn.min(self.turn(-OVERDRAFT));
        }
        if turn <= now {
            return Ok(());
        }
        let wait = match proved {
            Proved::Works | Proved::Untried => Wait::Turn,
            Proved::Refused => Wait::Refused,
        };
        let at = self.again(place, ahead, turn, now);
        self.queue.answer(&request.uid, at);
        Err((at, wait))
    }

    /// The permit is used.
    pub(super) fn pay(&mut self, uid: &str, now: Timestamp) {
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

    pub(super) fn leave(&mut self, uid: &str) {
        self.queue.leave(uid);
    }

    /// A further credential has made an exchange with this secret, or is the first.
    pub(super) fn hold(&mut self, proof: Proof) {
        self.known.hold(proof);
    }

    /// A credential has made an exchange with another secret, or is gone.
    pub(super) fn release(&mut self, proof: Proof) {
        self.known.release(proof);
    }

    /// An exchange has shown whether a secret works. Those who wait with it keep their order.
    pub(super) fn judge(&mut self, proof: Proof, works: bool) {
        let before = self.known.proved(proof);
        self.known.judge(proof, works);
        let proved = self.known.proved(proof);
        if proved != before {
            self.queue.reclassify(proof, proved);
        }
    }

    /// The provider has asked for a pause. It holds for the secret that was sent: another one, which anybody can make up, must not
    /// be able to stop the client.
    pub(super) fn pause(&mut self, proof: Proof, until: Timestamp, now: Timestamp) {
        self.known.pause(proof, until, now);
        if self.known.proved(proof) == Proved::Works {
            self.unproven_paused_until = self.unproven_paused_until.max(until);
        }
    }

    /// The time at which the bucket holds one more permit than this number.
    fn turn(&self, permits: i32) -> Timestamp {
        later(self.full_at, self.interval * (permits + 1 - CAPACITY))
    }

    /// The number of permits that are kept for others.
    fn held_back(&self, place: &Place, ahead: i32, now: Timestamp) -> i32 {
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
        i32::from(self.known.has_working()) + i32::from(again)
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

    /// The end of the pause of this secret; now, if it has none.
    pub(super) fn pause_until(&mut self, proof: Proof, now: Timestamp) -> Timestamp {
        self.distrust_a_clock_that_went_back(now);
        self.end_pause(proof, now);
        let own = self.known.paused_until(proof).unwrap_or(now);
        match self.known.proved(proof) {
            Proved::Works => own,
            Proved::Untried | Proved::Refused => own.max(self.unproven_paused_until),
        }
    }

    /// After a pause, one request shows whether the provider takes more.
    fn end_pause(&mut self, proof: Proof, now: Timestamp) {
        if let Some(ended) = self.known.end_pause(proof, now)
            && self.known.proved(proof) == Proved::Works
        {
            let full_at = later(ended, self.interval * (CAPACITY - 1));
            self.full_at = self.full_at.max(full_at);
        }
    }

    /// Limits how empty a bucket and how long a pause can be. Otherwise a clock that is set back would stop a client for that
    /// long.
    fn distrust_a_clock_that_went_back(&mut self, now: Timestamp) {
        let longest = later(now, delays::LONGEST_PAUSE);
        self.unproven_paused_until = self.unproven_paused_until.min(longest);
        let emptiest = later(now, self.interval * (CAPACITY + OVERDRAFT));
        self.full_at = self.full_at.min(emptiest);
    }
}
