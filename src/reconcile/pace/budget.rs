//! The request budget of each client: a burst of three, then one each interval, for all of its `CubeCredentials` together.
//! Cubewire allows a client ten a minute. With an interval of 12 s there are at most eight in any minute, and three more for
//! refresh tokens that may have been consumed, which Cubewire does not issue.
//!
//! The provider counts by client id, which anybody may send. The secret decides who goes first: `bucket` says how, and `client` which buckets pay.

mod bucket;
mod client;
mod key;
mod known;
mod line;
mod own;
mod permit;
mod queue;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, btree_map::OccupiedEntry};

use jiff::{SignedDuration, Timestamp};

use super::delays;
use crate::{
    object::Uid,
    reconcile::{provider::RequestInterval, time::later},
};
use client::{Client, Visit};
use key::ClientHash;
use own::Own;

pub use key::ClientKey;
pub use permit::{Lesson, Permit, PermitRequest, Wait};

/// The budget of every client of a process.
#[derive(Debug)]
pub struct Budget {
    interval: SignedDuration,
    started_at: Timestamp,
    clients: HashMap<ClientHash, Box<Client>>,
    /// The clients that were used lately, by the second in which to look whether they rest.
    lately: BTreeMap<Timestamp, Vec<ClientHash>>,
    /// The client for which a `CubeCredential` waits, by its uid.
    queues: HashMap<Uid, ClientKey>,
    /// The client of the last exchange of each `CubeCredential`, by its uid.
    tried: HashMap<Uid, ClientKey>,
    own: Own,
    /// The same, of requests that an administrator's interval pays for: shorter debts than the operator's.
    own_in_place: Own,
}

impl Budget {
    /// A budget of one request each interval, for each client, from this time on.
    #[must_use]
    pub fn new(interval: SignedDuration, now: Timestamp) -> Self {
        Self {
            interval,
            started_at: now,
            clients: HashMap::new(),
            lately: BTreeMap::new(),
            queues: HashMap::new(),
            tried: HashMap::new(),
            own: Own::default(),
            own_in_place: Own::default(),
        }
    }

    /// The time between two requests of a client where no provider object sets one.
    pub(crate) fn interval(&self) -> SignedDuration {
        self.interval
    }

    /// Takes a permit, or a place in the queue.
    pub fn take(&mut self, request: &PermitRequest, now: Timestamp) -> Permit {
        let (uid, client) = (request.uid, &request.client);
        let queue = self.queues.get(&uid);
        if queue.is_some_and(|queue| !queue.is_paid_like(client)) {
            self.leave(uid);
        }
        let (own, interval) = self.own_of(client);
        if let Err(at) = own.ask(uid, request.priority, interval, now) {
            self.leave(uid);
            let wait = Wait::Edits;
            return Permit::Later { at, wait };
        }
        let buckets = self.client(client, now);
        let asked = buckets.ask(request, now);
        if asked.is_err() || request.peek {
            self.queues.insert(uid, client.clone());
        } else {
            buckets.pay(client.limit(), uid, now);
            let (own, interval) = self.own_of(client);
            own.pay(uid, interval, now);
            self.queues.remove(&uid);
        }
        match asked {
            Err((at, wait)) => Permit::Later { at, wait },
            Ok(()) => Permit::Now {
                until: later(now, delays::PERMIT),
            },
        }
    }

    /// A credential's own budget, and its interval: it is never reached before a client's.
    fn own_of(&mut self, client: &ClientKey) -> (&mut Own, SignedDuration) {
        match client.interval() {
            Some(RequestInterval::InPlace(interval)) => {
                (&mut self.own_in_place, interval.min(self.interval))
            }
            Some(RequestInterval::Besides(_)) | None => (&mut self.own, self.interval),
        }
    }

    /// A reconcile has ended. A permit that was not used goes to others, and a credential that does not ask for one any more
    /// leaves the queue. After an error it keeps its place.
    pub(crate) fn end(
        &mut self,
        uid: Uid,
        permit: Option<&(PermitRequest, Permit)>,
        worked: bool,
        now: Timestamp,
    ) {
        match permit {
            Some((_, Permit::Later { .. })) => return,
            Some((request, Permit::Now { until })) if now <= *until => self.give_back(request),
            Some((_, Permit::Now { .. })) | None => {}
        }
        if worked {
            self.leave(uid);
        }
    }

    /// A permit was taken, and nothing was sent.
    pub(in crate::reconcile) fn give_back(&mut self, request: &PermitRequest) {
        if request.peek {
            return;
        }
        let client = &request.client;
        let (own, interval) = self.own_of(client);
        own.give_back(request.uid, interval);
        if let Some(buckets) = self.clients.get_mut(&client.client()) {
            buckets.give_back(client.limit());
        }
    }

    /// A credential gives up its place in the queue.
    pub(crate) fn leave(&mut self, uid: Uid) {
        let Some(client) = self.queues.remove(&uid) else {
            return;
        };
        if let Some(buckets) = self.clients.get_mut(&client.client()) {
            buckets.leave(client.limit(), uid);
        }
    }

    /// A credential is gone.
    pub(crate) fn forget(&mut self, uid: Uid) {
        self.leave(uid);
        self.release(uid);
        self.own.forget(uid);
        self.own_in_place.forget(uid);
    }

    /// Learns what an exchange of this credential says about its client.
    pub fn learn(&mut self, uid: Uid, client: &ClientKey, lesson: Lesson, now: Timestamp) {
        let proof = client.proof();
        let works = match lesson {
            Lesson::Works => true,
            Lesson::Refused => false,
            Lesson::Paused { until } => {
                return self.client(client, now).pause(proof, until, true, now);
            }
            Lesson::Unavailable { until } => {
                return self.client(client, now).pause(proof, until, false, now);
            }
        };
        let is_new = self.tried.get(&uid) != Some(client);
        if is_new {
            self.release(uid);
            self.tried.insert(uid, client.clone());
        }
        let known = self.client(client, now);
        if is_new {
            known.hold(proof);
        }
        known.judge(proof, works);
    }

    fn release(&mut self, uid: Uid) {
        let Some(key) = self.tried.remove(&uid) else {
            return;
        };
        let Some(client) = self.clients.get_mut(&key.client()) else {
            return;
        };
        client.release(key.proof());
        if !client.used_lately {
            // Perhaps nothing of it has to be remembered any more.
            client.used_lately = true;
            let due = self.lately.entry(Timestamp::MIN).or_default();
            due.push(key.client());
        }
    }

    fn client(&mut self, key: &ClientKey, now: Timestamp) -> &mut Client {
        self.drop_what_rests(now);
        let (hash, interval) = (key.client(), self.interval);
        // A clock that is set back must not make a new client wait for the start.
        let started_at = self.started_at.min(now);
        let new = || Box::new(Client::new(started_at, interval));
        let client = self.clients.entry(hash).or_insert_with(new);
        client.wake(interval);
        if !client.used_lately {
            client.used_lately = true;
            let then = later(now, client.rest());
            self.lately.entry(then).or_default().push(hash);
        }
        client
    }

    /// Drops what is not needed any more of clients that rest. A client is visited one time for each use, and again as long as it
    /// does not rest.
    fn drop_what_rests(&mut self, now: Timestamp) {
        let is_due = |due: &OccupiedEntry<'_, Timestamp, _>| *due.key() <= now;
        while let Some(due) = self.lately.first_entry().filter(is_due) {
            for hash in due.remove() {
                self.visit(hash, now);
            }
        }
    }

    fn visit(&mut self, hash: ClientHash, now: Timestamp) {
        let Some(client) = self.clients.get_mut(&hash) else {
            return;
        };
        match client.visit(now) {
            Visit::Forget => drop(self.clients.remove(&hash)),
            Visit::Rests => client.used_lately = false,
            Visit::Again => {
                let then = later(now, client.rest());
                self.lately.entry(then).or_default().push(hash);
            }
        }
    }
}
