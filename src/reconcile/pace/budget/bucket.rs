//! The budget of one client.
//!
//! A bucket is kept as the time at which it is full again (the generic cell rate algorithm), so that it needs no timer and
//! nothing is updated while time passes. A request that has to wait gets a place in the queue and the time of its turn.

use jiff::{SignedDuration, Timestamp};

use crate::reconcile::{pace::delays, time::later};

/// The requests that may be sent at the same moment.
const CAPACITY: i32 = 3;
/// The content of a bucket when the process starts: the previous process may just have sent three.
const AT_START: i32 = 1;
/// The overdraft of a refresh whose outcome is unknown: a provider's grace period for it is short.
const OVERDRAFT: i32 = 3;

#[derive(Debug)]
pub(super) struct Bucket {
    full_at: Timestamp,
    paused_until: Timestamp,
    /// The waiting credentials, in the order of arrival.
    queue: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    uid: String,
    turn: Timestamp,
}

impl Bucket {
    pub(super) fn new(started_at: Timestamp, interval: SignedDuration) -> Self {
        Self {
            full_at: later(started_at, interval * (CAPACITY - AT_START)),
            paused_until: Timestamp::MIN,
            queue: Vec::new(),
        }
    }

    /// Whether it is full, and no credential waits.
    pub(super) fn rests(&self, now: Timestamp) -> bool {
        self.full_at <= now && self.queue.is_empty()
    }

    pub(super) fn is_paused(&self, now: Timestamp) -> bool {
        now < self.paused_until
    }

    /// The turn of this credential, in the place that it has or would get.
    pub(super) fn turn_of(&self, uid: &str, priority: bool, interval: SignedDuration) -> Timestamp {
        let place = i32::try_from(self.place(uid)).unwrap_or(i32::MAX / 2);
        let turn = self.turn(place, interval);
        if priority {
            return turn.min(self.turn(-OVERDRAFT, interval));
        }
        turn
    }

    /// The time at which the bucket holds enough for this place in the queue and those before it.
    fn turn(&self, place: i32, interval: SignedDuration) -> Timestamp {
        let turn = later(self.full_at, interval * (place + 1 - CAPACITY));
        turn.max(self.paused_until)
    }

    fn place(&self, uid: &str) -> usize {
        let waits = self.queue.iter().position(|place| place.uid == uid);
        waits.unwrap_or(self.queue.len())
    }

    pub(super) fn wait(&mut self, uid: &str, turn: Timestamp) {
        let place = self.place(uid);
        match self.queue.get_mut(place) {
            Some(waiting) => waiting.turn = turn,
            None => self.queue.push(Place {
                uid: uid.to_owned(),
                turn,
            }),
        }
    }

    pub(super) fn leave(&mut self, uid: &str) {
        self.queue.retain(|place| place.uid != uid);
    }

    pub(super) fn drop_abandoned_places(&mut self, now: Timestamp) {
        self.queue
            .retain(|place| now <= later(place.turn, delays::PLACE_IN_QUEUE));
    }

    pub(super) fn pay(&mut self, interval: SignedDuration, now: Timestamp) {
        self.full_at = later(self.full_at.max(now), interval);
    }

    pub(super) fn give_back(&mut self, interval: SignedDuration) {
        self.full_at -= interval;
    }

    pub(super) fn pause(&mut self, interval: SignedDuration, until: Timestamp) {
        self.paused_until = self.paused_until.max(until);
        self.full_at = self.full_at.max(later(until, interval * (CAPACITY - 1)));
    }

    /// Limits how empty a bucket and how long a pause can be. Otherwise a clock that is set back would stop a client for that
    /// long.
    pub(super) fn distrust_a_clock_that_went_back(
        &mut self,
        interval: SignedDuration,
        now: Timestamp,
    ) {
        self.paused_until = self.paused_until.min(later(now, delays::LONGEST_PAUSE));
        let emptiest = self.paused_until.max(now);
        self.full_at = self
            .full_at
            .min(later(emptiest, interval * (CAPACITY + OVERDRAFT)));
    }
}
