//! The request budget of each client: a burst of three, then one each interval, for all of its `CubeCredentials` together.
//! Cubewire allows a client ten a minute. With an interval of 12 s there are at most eight in any minute, and three more for
//! refresh tokens that may have been consumed, which Cubewire does not issue.

mod bucket;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::delays;
use crate::{
    oauth::endpoint::Endpoint,
    reconcile::{digest::hex, time::later},
};
use bucket::Bucket;

/// A client at a token endpoint, as a hash: short, and of one length.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientKey(String);

/// A request for a permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermitRequest {
    /// The client whose budget pays.
    pub client: ClientKey,
    /// The uid of the `CubeCredential`.
    pub uid: String,
    /// Whether it may overdraw the budget.
    pub priority: bool,
    /// Whether it only asks if its turn has come, because the inputs of the exchange must still be read, which may take a while.
    pub peek: bool,
}

/// Whether a token request may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// It may be sent now. It is paid for, unless the request was a peek.
    Now {
        /// The end of this permit.
        until: Timestamp,
    },
    /// It has to wait.
    Later {
        /// The time to ask again.
        at: Timestamp,
        /// Whether the provider has asked this client to pause.
        paused: bool,
    },
}

/// The budget of every client of a process.
#[derive(Debug)]
pub struct Budget {
    interval: SignedDuration,
    started_at: Timestamp,
    clients: HashMap<ClientKey, Bucket>,
    /// The client for which a `CubeCredential` waits, by its uid.
    queues: HashMap<String, ClientKey>,
    /// The number of clients at which those that rest are dropped: the whole map is walked only after it has doubled.
    sweep_at: usize,
}

/// Below this number of clients, sweeping is not worth its time.
const SMALL: usize = 64;

impl ClientKey {
    /// Endpoints that differ only in their query are one: the provider's server counts the requests.
    pub(in crate::reconcile) fn new(endpoint: &Endpoint, client_id: &str) -> Self {
        let url = endpoint.url();
        let hash = Sha256::new()
            .chain_update(endpoint.authority())
            .chain_update(url.path())
            .chain_update([0])
            .chain_update(client_id)
            .finalize();
        Self(hex(&hash[..8]))
    }

    /// The key that a status has recorded.
    pub(in crate::reconcile) fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(in crate::reconcile) fn text(&self) -> String {
        self.0.clone()
    }
}

impl Budget {
    /// A budget of one request each interval, for each client, from this time on.
    #[must_use]
    pub fn new(interval: SignedDuration, now: Timestamp) -> Self {
        Self {
            interval,
            started_at: now,
            clients: HashMap::new(),
            queues: HashMap::new(),
            sweep_at: SMALL,
        }
    }

    /// Takes a permit, or a place in the queue.
    pub fn take(&mut self, request: &PermitRequest, now: Timestamp) -> Permit {
        let PermitRequest {
            client,
            uid,
            priority,
            peek,
        } = request;
        if self.queues.get(uid).is_some_and(|queue| queue != client) {
            self.leave(uid);
        }
        let interval = self.interval;
        let bucket = self.bucket(client, now);
        bucket.distrust_a_clock_that_went_back(interval, now);
        bucket.drop_abandoned_places(now);
        let at = bucket.turn_of(uid, *priority, interval);
        if now < at {
            let paused = bucket.is_paused(now);
            bucket.wait(uid, at);
            self.queues.insert(uid.clone(), client.clone());
            return Permit::Later { at, paused };
        }
        if !peek {
            bucket.pay(interval, now);
            self.leave(uid);
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
        if let Some(bucket) = self.clients.get_mut(&request.client) {
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

    /// The provider has asked for a pause: nothing is sent for this client until then, and one request at first.
    pub fn pause(&mut self, client: &ClientKey, until: Timestamp, now: Timestamp) {
        let interval = self.interval;
        self.bucket(client, now).pause(interval, until);
    }

    fn bucket(&mut self, client: &ClientKey, now: Timestamp) -> &mut Bucket {
        if self.clients.len() >= self.sweep_at {
            // A client with a full bucket and no queue is the same as an unknown one.
            self.clients.retain(|_, bucket| !bucket.rests(now));
            self.sweep_at = (self.clients.len() * 2).max(SMALL);
        }
        let (started_at, interval) = (self.started_at, self.interval);
        self.clients
            .entry(client.clone())
            .or_insert_with(|| Bucket::new(started_at, interval))
    }
}
