//! How many token requests a client may send: three at once, then one each interval, whoever of its `CubeCredentials` sends
//! them. Cubewire allows a client ten a minute; with an interval of 12 s there are at most eight in any minute, and three more
//! of refresh tokens that may have been used up, which Cubewire does not have.
//!
//! A bucket is kept as the time at which it is full again (the generic cell rate algorithm), so that it needs no timer and
//! nothing is updated while time passes. Who has to wait is put in a queue and told when its turn is; it holds nothing.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::{attempt::later, inputs::hex, schedule};
use crate::oauth::endpoint::Endpoint;

/// What may be sent at once.
const CAPACITY: i32 = 3;
/// What a bucket has when the process starts: the one before may just have sent three.
const AT_START: i32 = 1;
/// By so many may a refresh overdraw that may have arrived already: a provider's grace for it is short.
const OVERDRAFT: i32 = 3;
/// Who does not come so long after its turn was gives it up.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// Who has not sent its request so long after its turn came has to ask for another one: an API server that hangs would hold
/// many back, and then let all of them go at once. A claim may be as old.
const USE: SignedDuration = SignedDuration::from_secs(5);

/// A client at a token endpoint, as a hash: short, and of one length.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientKey(String);

/// Asks for a turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermitRequest {
    /// Whose budget pays.
    pub client: ClientKey,
    /// The uid of the `CubeCredential`.
    pub uid: String,
    /// Whether it may overdraw the budget.
    pub priority: bool,
    /// It only asks whether its turn has come: what it needs is still to be read, which may take a while.
    pub peek: bool,
}

/// Whether a token request may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// It may be sent now, and is paid for unless that was only asked.
    Now {
        /// The end of this turn.
        until: Timestamp,
    },
    /// It has to wait.
    Later {
        /// When to ask again.
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
    /// The client for which a `CubeCredential` waits.
    queues: HashMap<String, ClientKey>,
}

#[derive(Debug)]
struct Bucket {
    full_at: Timestamp,
    paused_until: Timestamp,
    /// In the order in which they came.
    queue: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    uid: String,
    at: Timestamp,
}

impl ClientKey {
    /// The query of an endpoint does not make it another one: it is the provider's server that counts.
    pub(super) fn new(endpoint: &Endpoint, client_id: &str) -> Self {
        let url = endpoint.url();
        let hash = Sha256::new()
            .chain_update(endpoint.authority())
            .chain_update(url.path())
            .chain_update([0])
            .chain_update(client_id)
            .finalize();
        Self(hex(&hash[..8]))
    }

    pub(super) fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(super) fn text(&self) -> String {
        self.0.clone()
    }
}

impl Budget {
    /// One request each interval, for each client, from this time on.
    #[must_use]
    pub fn new(interval: SignedDuration, now: Timestamp) -> Self {
        Self {
            interval,
            started_at: now,
            clients: HashMap::new(),
            queues: HashMap::new(),
        }
    }

    /// Takes a turn, or a place in the queue.
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
        bucket.trust_no_clock_that_went_back(interval, now);
        bucket
            .queue
            .retain(|waiting| now <= later(waiting.at, PATIENCE));
        let place = bucket.place(uid);
        let mut at = bucket.turn_of(i32::try_from(place).unwrap_or(i32::MAX / 2), interval);
        if *priority {
            at = at.min(bucket.turn_of(-OVERDRAFT, interval));
        }
        if now >= at {
            if !peek {
                bucket.full_at = later(bucket.full_at.max(now), interval);
                self.leave(uid);
            }
            let until = later(now, USE);
            return Permit::Now { until };
        }
        let paused = now < bucket.paused_until;
        bucket.wait(place, uid, at);
        self.queues.insert(uid.clone(), client.clone());
        Permit::Later { at, paused }
    }

    /// A reconcile has ended: a turn that was not used goes to others, and who does not ask for one any more does not stand in
    /// their way. After an error it still wants what it waited for.
    pub fn end(
        &mut self,
        uid: &str,
        turn: Option<&(PermitRequest, Permit)>,
        worked: bool,
        now: Timestamp,
    ) {
        match turn {
            Some((_, Permit::Later { .. })) => return,
            Some((request, Permit::Now { until })) if now <= *until => self.give_back(request),
            _ => {}
        }
        if worked {
            self.leave(uid);
        }
    }

    /// A turn was taken, and nothing was sent.
    pub(super) fn give_back(&mut self, request: &PermitRequest) {
        let bucket = self.clients.get_mut(&request.client);
        if let Some(bucket) = bucket.filter(|_| !request.peek) {
            bucket.full_at -= self.interval;
        }
    }

    /// Whoever waited waits no more.
    pub fn leave(&mut self, uid: &str) {
        if let Some(bucket) = self
            .queues
            .remove(uid)
            .and_then(|client| self.clients.get_mut(&client))
        {
            bucket.queue.retain(|waiting| waiting.uid != uid);
        }
    }

    /// The provider has asked for a pause: nothing is sent for this client until then, and one request at first.
    pub fn pause(&mut self, client: &ClientKey, until: Timestamp, now: Timestamp) {
        let full_at = later(until, self.interval * (CAPACITY - 1));
        let bucket = self.bucket(client, now);
        bucket.paused_until = bucket.paused_until.max(until);
        bucket.full_at = bucket.full_at.max(full_at);
    }

    fn bucket(&mut self, client: &ClientKey, now: Timestamp) -> &mut Bucket {
        // What is full again, and waited for by nobody, is as if it had never been seen.
        self.clients
            .retain(|_, bucket| bucket.full_at > now || !bucket.queue.is_empty());
        let full_at = later(self.started_at, self.interval * (CAPACITY - AT_START));
        self.clients.entry(client.clone()).or_insert(Bucket {
            full_at,
            paused_until: Timestamp::MIN,
            queue: Vec::new(),
        })
    }
}

impl Bucket {
    /// When it has what is needed for this place in the queue and those before it.
    fn turn_of(&self, place: i32, interval: SignedDuration) -> Timestamp {
        let turn = later(self.full_at, interval * (place + 1 - CAPACITY));
        turn.max(self.paused_until)
    }

    fn place(&self, uid: &str) -> usize {
        let waits = self.queue.iter().position(|waiting| waiting.uid == uid);
        waits.unwrap_or(self.queue.len())
    }

    fn wait(&mut self, place: usize, uid: &str, at: Timestamp) {
        match self.queue.get_mut(place) {
            Some(waiting) => waiting.at = at,
            None => self.queue.push(Waiting {
                uid: uid.to_owned(),
                at,
            }),
        }
    }

    /// No bucket is emptier, and no pause longer, than this: else a clock that is set back would stop a client for as long.
    fn trust_no_clock_that_went_back(&mut self, interval: SignedDuration, now: Timestamp) {
        let longest = later(now, schedule::LONGEST_PAUSE);
        self.paused_until = self.paused_until.min(longest);
        let emptiest = self.paused_until.max(now);
        self.full_at = self
            .full_at
            .min(later(emptiest, interval * (CAPACITY + OVERDRAFT)));
    }
}
