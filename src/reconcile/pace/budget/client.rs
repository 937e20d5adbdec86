//! One client: the secrets that were tried with it, the pauses that its provider has asked for, and the buckets that pay.
//!
//! The general bucket has the operator's interval. A provider object that sets an interval has a further one for its requests, in
//! place of the general one or besides it. Secrets and pauses are the client's, whichever buckets pay.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{
    bucket::{Bucket, EXCHANGE, General, Standing},
    key::{Limit, Proof},
    known::Known,
    permit::{PermitRequest, Wait},
    queue::Proved,
};
use crate::{
    object::Uid,
    reconcile::{pace::delays, time::later},
};

/// The longest time between two visits of a client that is in use.
const LONGEST_REST: SignedDuration = SignedDuration::from_mins(5);

#[derive(Debug)]
pub(super) struct Client {
    known: Known,
    /// A secret that works was asked to pause. The provider counts the requests of the client id, so nothing that may be refused
    /// is sent in the meantime.
    unproven_paused_until: Timestamp,
    general: General,
    /// Few clients have some.
    further: Option<Box<Further>>,
    /// The start of the process, or the end of the last pause: a bucket has one permit then.
    started_at: Timestamp,
    /// True if `Budget::lately` has it.
    pub(super) used_lately: bool,
}

/// The buckets of provider objects that set an interval.
#[derive(Debug, Default)]
struct Further {
    buckets: BTreeMap<Limit, Bucket>,
    /// The last request that was paid for in place of the general bucket.
    sent_in_place_at: Option<Timestamp>,
}

/// The result of a visit, which drops what is not needed any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Visit {
    /// Nothing of it has to be remembered.
    Forget,
    /// It rests. Only what is known of its secrets is left.
    Rests,
    /// It is in use.
    Again,
}

impl Client {
    pub(super) fn new(started_at: Timestamp, interval: SignedDuration) -> Self {
        Self {
            known: Known::default(),
            unproven_paused_until: Timestamp::MIN,
            general: General::InUse(Box::new(Bucket::new(started_at, interval, false))),
            further: None,
            started_at,
            used_lately: false,
        }
    }

    /// It is in use, perhaps after a rest.
    pub(super) fn wake(&mut self, interval: SignedDuration) {
        self.general.wake(interval);
    }

    /// Returns whether there is a permit for this request; otherwise the time to ask again, and why. It keeps its place in each
    /// queue up to the one that makes it wait.
    pub(super) fn ask(
        &mut self,
        request: &PermitRequest,
        now: Timestamp,
    ) -> Result<(), (Timestamp, Wait)> {
        let (uid, limit) = (request.uid, request.client.limit());
        let proof = request.client.proof();
        self.open(limit, now);
        let pause = self.pause_until(proof, request.priority, now);
        if now < pause {
            // A pause holds up only those with this secret, so there is no queue for its end.
            self.leave(limit, uid);
            return Err((pause, Wait::Pause));
        }
        let standing = Standing {
            proved: self.known.proved(proof),
            has_working: self.known.has_working(),
        };
        let mut asked = Ok(());
        for bucket in self.paying(limit) {
            if asked.is_ok() {
                asked = bucket.ask(request, standing, now);
            } else {
                bucket.leave(uid);
            }
        }
        if let Err((at, _)) = asked {
            for bucket in self.paying(limit) {
                bucket.answer(uid, at);
            }
        }
        asked
    }

    /// The permit that was just asked for is used.
    pub(super) fn pay(&mut self, limit: Option<&Limit>, uid: Uid, now: Timestamp) {
        for bucket in self.paying(limit) {
            bucket.pay(uid, now);
        }
        if let Some(further) = &mut self.further
            && limit.is_some_and(Limit::is_in_place)
        {
            further.sent_in_place_at = Some(now);
        }
    }

    pub(super) fn give_back(&mut self, limit: Option<&Limit>) {
        for bucket in self.paying(limit) {
            bucket.give_back();
        }
    }

    pub(super) fn leave(&mut self, limit: Option<&Limit>, uid: Uid) {
        for bucket in self.paying(limit) {
            bucket.leave(uid);
        }
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
            for bucket in self.buckets() {
                bucket.reclassify(proof, proved);
            }
        }
    }

    /// The provider has asked for a pause. It holds for the secret that was sent: another one, which anybody can make up, must not
    /// be able to stop the client. `for_all`: it holds for refreshes too whose outcome is unknown.
    pub(super) fn pause(&mut self, proof: Proof, until: Timestamp, for_all: bool, now: Timestamp) {
        self.known.pause(proof, until, for_all, now);
        if self.known.proved(proof) == Proved::Works {
            self.unproven_paused_until = self.unproven_paused_until.max(until);
        }
    }

    /// The time until the next visit.
    pub(super) fn rest(&self) -> SignedDuration {
        let rest = self.general.in_use().map(Bucket::rest);
        rest.unwrap_or_default().clamp(EXCHANGE * 2, LONGEST_REST)
    }

    /// Drops the further buckets that are as new, and the general one if the client rests.
    pub(super) fn visit(&mut self, now: Timestamp) -> Visit {
        if let Some(further) = &mut self.further {
            further.buckets.retain(|_, bucket| !bucket.is_full(now));
            if further.buckets.is_empty() {
                self.further = None;
            }
        }
        let is_paused = now < self.unproven_paused_until || self.known.is_paused(now);
        if is_paused || self.further.is_some() || !self.general.rest(now) {
            return Visit::Again;
        }
        if self.known.is_empty() {
            return Visit::Forget;
        }
        Visit::Rests
    }

    fn buckets(&mut self) -> impl Iterator<Item = &mut Bucket> {
        let further = self.further.iter_mut();
        let further = further.flat_map(|further| further.buckets.values_mut());
        further.chain(self.general.in_use_mut())
    }

    /// The buckets that pay for a request at this provider object.
    fn paying(&mut self, limit: Option<&Limit>) -> impl Iterator<Item = &mut Bucket> {
        let general = self.general.in_use_mut();
        let operator = general.as_deref().map(Bucket::interval);
        let limit = limit.filter(|limit| operator.is_some_and(|own| limit.has_effect(own)));
        let is_in_place = limit.is_some_and(Limit::is_in_place);
        let further = self.further.as_mut().zip(limit);
        let further = further.and_then(|(further, limit)| further.buckets.get_mut(limit));
        further.into_iter().chain(general.filter(|_| !is_in_place))
    }

    /// Another interval of an administrator's is no reason for another burst, and a clock that was set back none for a longer wait.
    fn open(&mut self, limit: Option<&Limit>, now: Timestamp) {
        let operator = self.general.in_use().map(Bucket::interval);
        let has_effect = |limit: &&Limit| operator.is_some_and(|own| limit.has_effect(own));
        let Some(limit) = limit.filter(has_effect) else {
            return;
        };
        let further = self.further.get_or_insert_default();
        if further.buckets.contains_key(limit) {
            return;
        }
        let sent_at = further.sent_in_place_at.filter(|_| limit.is_in_place());
        let since = sent_at.map_or(self.started_at, |at| at.max(self.started_at));
        let bucket = Bucket::new(since.min(now), limit.interval.duration(), true);
        further.buckets.insert(limit.clone(), bucket);
    }

    /// The end of the pause of this secret; now, if it has none. With `priority`, only those for all requests count. A clock that is
    /// set back must not stop a client for longer than any pause is.
    fn pause_until(&mut self, proof: Proof, priority: bool, now: Timestamp) -> Timestamp {
        let longest = later(now, delays::LONGEST_PAUSE);
        self.unproven_paused_until = self.unproven_paused_until.min(longest);
        self.end_pause(proof, now);
        let own = self.known.paused_until(proof, priority).unwrap_or(now);
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
            for bucket in self.buckets() {
                bucket.begin_anew(ended);
            }
            // A bucket that is opened later begins with one permit too.
            self.started_at = self.started_at.max(ended);
        }
    }
}

#[cfg(test)]
impl Client {
    pub(super) fn further(&self) -> usize {
        let further = self.further.as_ref();
        further.map_or(0, |further| further.buckets.len())
    }

    /// The number of queues in which a credential stands.
    pub(super) fn standing(&self, uid: Uid) -> usize {
        let further = self.further.iter();
        let further = further.flat_map(|further| further.buckets.values());
        let buckets = further.chain(self.general.in_use());
        buckets.filter(|bucket| bucket.stands(uid)).count()
    }
}
