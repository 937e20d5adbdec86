//! The request budget of each client: a burst of three, then one each interval, for all of its `CubeCredentials` together.
//! Cubewire allows a client ten a minute. With an interval of 12 s there are at most eight in any minute, and three more for
//! refresh tokens that may have been consumed, which Cubewire does not issue.
//!
//! The provider counts by client id, which anybody may send. The secret decides who goes first: `bucket` says how.

mod bucket;
mod key;
mod known;
mod line;
mod own;
mod permit;
mod queue;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};

use super::delays;
use crate::reconcile::time::later;
use bucket::Bucket;
use key::ClientHash;
use own::Own;

pub use key::ClientKey;
pub use permit::{Lesson, Permit, PermitRequest, Wait};

/// The budget of every client of a process.
#[derive(Debug)]
pub struct Budget {
    interval: SignedDuration,
    started_at: Timestamp,
    clients: HashMap<ClientHash, Box<Bucket>>,
    /// The clients that were used lately, and when to look whether they rest.
    lately: VecDeque<(Timestamp, ClientHash)>,
    /// The client for which a `CubeCredential` waits, by its uid.
    queues: HashMap<String, ClientHash>,
    /// The client of the last exchange of each `CubeCredential`, by its uid.
    tried: HashMap<String, ClientKey>,
    own: Own,
}

impl Budget {
    /// A budget of one request each interval, for each client, from this time on.
    #[must_use]
    pub fn new(interval: SignedDuration, now: Timestamp) -> Self {
        Self {
            interval,
            started_at: now,
            clients: HashMap::new(),
            lately: VecDeque::new(),
            queues: HashMap::new(),
            tried: HashMap::new(),
            own: Own::default(),
        }
    }

    /// Takes a permit, or a place in the queue.
    pub fn take(&mut self, request: &PermitRequest, now: Timestamp) -> Permit {
        let PermitRequest {
            uid,
            peek,
            priority,
            ..
        } = request;
        let client = request.client.client();
        if self.queues.get(uid).is_some_and(|queue| *queue != client) {
            self.leave(uid);
        }
        let interval = self.interval;
        if let Err(at) = self.own.ask(uid, *priority, interval, now) {
            self.leave(uid);
            let wait = Wait::Edits;
            return Permit::Later { at, wait };
        }
        let bucket = self.bucket(client, now);
        if let Err((at, wait)) = bucket.ask(request, interval, now) {
            self.queues.insert(uid.clone(), client);
            return Permit::Later { at, wait };
        }
        if *peek {
            self.queues.insert(uid.clone(), client);
        } else {
            bucket.pay(uid, interval, now);
            self.own.pay(uid, interval, now);
            self.queues.remove(uid);
        }
        Permit::Now {
            until: later(now, delays::PERMIT),
        }
    }

    /// A reconcile has ended. A permit that was not used goes to others, and a credential that does not ask for one any more
    /// leaves the queue. After an error it keeps its place.
    pub(crate) fn end(
        &mut self,
        uid: &str,
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
        self.own.give_back(&request.uid, self.interval);
        if let Some(bucket) = self.clients.get_mut(&request.client.client()) {
            bucket.give_back(self.interval);
        }
    }

    /// A credential gives up its place in the queue.
    pub(crate) fn leave(&mut self, uid: &str) {
        let client = self.queues.remove(uid);
        if let Some(bucket) = client.and_then(|client| self.clients.get_mut(&client)) {
            bucket.leave(uid);
        }
    }

    /// A credential is gone.
    pub(crate) fn forget(&mut self, uid: &str) {
        self.leave(uid);
        self.release(uid);
        self.own.forget(uid);
    }

    /// Learns what an exchange of this credential says about its client.
    pub fn learn(&mut self, uid: &str, client: &ClientKey, lesson: Lesson, now: Timestamp) {
        let works = match lesson {
            Lesson::Works => true,
            Lesson::Refused => false,
            Lesson::Paused { until } => {
                let bucket = self.bucket(client.client(), now);
                return bucket.pause(client.proof(), until, now);
            }
        };
        if self.tried.get(uid) != Some(client) {
            self.release(uid);
            self.tried.insert(uid.to_owned(), client.clone());
            self.bucket(client.client(), now).hold(client.proof());
        }
        self.bucket(client.client(), now)
            .judge(client.proof(), works);
    }

    fn release(&mut self, uid: &str) {
        let client = self.tried.remove(uid);
        if let Some(client) = client
            && let Some(bucket) = self.clients.get_mut(&client.client())
        {
            bucket.release(client.proof());
        }
    }

    fn bucket(&mut self, client: ClientHash, now: Timestamp) -> &mut Bucket {
        let (started_at, interval) = (self.started_at, self.interval);
        self.drop_what_rests(now);
        let bucket = self
            .clients
            .entry(client)
            .or_insert_with(|| Box::new(Bucket::new(started_at, interval)));
        if !bucket.used_lately {
            bucket.used_lately = true;
            let at = later(now, bucket::rest(interval));
            self.lately.push_back((at, client));
        }
        bucket
    }

    /// Drops what is not needed any more of clients that rest: of those whose secrets are not in use all, of the others the lines.
    /// A client is visited one time for each use, and again as long as it does not rest.
    fn drop_what_rests(&mut self, now: Timestamp) {
        while self.lately.front().is_some_and(|(at, _)| *at <= now) {
            let Some((_, client)) = self.lately.pop_front() else {
                return;
            };
            let Some(bucket) = self.clients.get_mut(&client) else {
                continue;
            };
            if bucket.rests(self.interval, now) {
                self.clients.remove(&client);
            } else if bucket.is_idle(self.interval, now) {
                bucket.forget_lines();
            } else {
                let at = later(now, bucket::rest(self.interval));
                self.lately.push_back((at, client));
            }
        }
    }
}
