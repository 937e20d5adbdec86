//! The knowledge of one process about one Lease, and its next step. Nothing here reads or writes the Lease, or the clock.
//!
//! ```text
//!                      free, or unchanged for 15 s                  not renewed for 10 s
//!   ┌─▶ stands by ─────────────────────────────────▶ leads ◀────────────────────────────▶ begins nothing
//!   │                                                  │            renewed in time            │
//!   └── the process ends ◀─────────────────────────────┴───────────────────────────────────────┘
//!                                  another one has, or had, the Lease
//! ```
//!
//! The processes of a group hold a Lease together, under one name. To each of them, a renewal by any of them is as good as its
//! own; so in each period one of them writes, and the others see that by reading.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::LeaseSpec;
use tokio::time::Instant;

use super::term;
use crate::kubernetes::lease::Found;

/// The term of a process that does not renew the lease. Others wait longer (`term::LEASE_SECONDS`), counted from a later moment.
pub(super) const TERM: Duration = Duration::from_secs(10);

/// A moment by two clocks: one stops while a machine is suspended, and the other may be set back.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The clock that is never set.
    pub instant: Instant,
    /// The clock that does not stop.
    pub time: SystemTime,
}

impl Moment {
    /// The same moment, that much later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self {
            instant: self.instant + duration,
            time: self.time + duration,
        }
    }

    /// Returns whether one of the clocks has reached it.
    #[must_use]
    pub fn is_over(self, now: Self) -> bool {
        now.instant >= self.instant || now.time >= self.time
    }
}

/// The holder that a process writes into a Lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// No other process has this name.
    Process(String),
    /// Other processes hold the Lease under the same name and at the same time.
    Group(String),
}

impl Identity {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Process(name) | Self::Group(name) => name,
        }
    }

    pub(super) fn is_group(&self) -> bool {
        matches!(self, Self::Group(_))
    }
}

/// The next step of a process.
#[derive(Debug)]
pub enum Step {
    /// It writes this into the Lease, in exactly the version that it found.
    Write(LeaseSpec),
    /// It leads until this moment, without a write.
    Leads(Moment),
    /// The holder of this name has the Lease.
    StandsBy(String),
}

/// One process and one Lease.
#[derive(Debug)]
pub struct Candidate {
    identity: Identity,
    /// The Lease as it was last read or written.
    found: Found,
    /// This version has existed since this moment at the latest.
    since: Instant,
    /// A moment before the last look at this version.
    looked: Option<Moment>,
    /// A moment before another process of the group changed the Lease.
    renewed: Option<Moment>,
    /// True if this version is our own write, and nothing failed since.
    certain: bool,
    /// The Lease's count of transitions when it got the Lease.
    tenure: Option<i32>,
}

impl Candidate {
    /// A process that has not seen the Lease yet.
    #[must_use]
    pub fn new(identity: Identity, now: Moment) -> Self {
        Self {
            identity,
            found: Found::default(),
            since: now.instant,
            looked: None,
            renewed: None,
            certain: false,
            tenure: None,
        }
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The Lease as it was last read or written.
    #[must_use]
    pub fn found(&self) -> &Found {
        &self.found
    }

    /// Returns whether the Lease has to be read before the next step. Only a process that has it alone knows what is in it.
    #[must_use]
    pub fn must_read(&self) -> bool {
        !self.certain || self.identity.is_group()
    }

    /// The Lease was read; the request began at the moment `asked`.
    pub fn read(&mut self, found: Found, asked: Moment, now: Moment) {
        let exists = found.version.is_some();
        if found.version != self.found.version {
            self.since = now.instant;
            // Whatever changed it, others wait for their time from then on.
            self.renewed = self.looked.filter(|_| exists && self.identity.is_group());
        }
        self.looked = Some(asked);
        self.found = if exists {
            found
        } else {
            // The holder may not know yet that the lease was deleted, and still leads.
            Found {
                spec: self.found.spec.clone(),
                ..found
            }
        };
    }

    /// The next step for the Lease as it was found.
    pub fn step(&mut self, now: Moment, timestamp: Timestamp) -> Step {
        let spec = &self.found.spec;
        let holder = term::holder(spec);
        let is_ours = holder == Some(self.identity.name());
        let transitions = term::transitions(spec);
        let renewed = self.renewed.take().filter(|_| is_ours);
        // The lease is lost even if the other one has given it back since: the budgets and pauses known here are out of date.
        let lost = self
            .tenure
            .is_some_and(|tenure| !is_ours || tenure != transitions);
        let unchanged_for = now.instant.saturating_duration_since(self.since);
        let claim = term::claim(spec, unchanged_for, self.identity.name(), timestamp);
        match (claim, renewed) {
            (Some(_), Some(renewed)) if !lost => {
                self.tenure = Some(transitions);
                Step::Leads(renewed.after(TERM))
            }
            (Some(spec), None) if !lost => {
                self.certain = false;
                Step::Write(spec)
            }
            _ => Step::StandsBy(holder.unwrap_or("another process").to_owned()),
        }
    }

    /// The Lease was written in a round that began at the moment `asked`. Returns the end of the term, which counts from before the
    /// write: others cannot have observed the write earlier.
    pub fn written(&mut self, found: Found, asked: Moment, now: Moment) -> Moment {
        self.tenure = Some(term::transitions(&found.spec));
        self.found = found;
        self.since = now.instant;
        self.looked = Some(asked);
        self.certain = true;
        asked.after(TERM)
    }

    /// The Lease could not be read or written; its holder may not have been able to renew it either.
    pub fn failed(&mut self, now: Moment) {
        self.since = now.instant;
    }

    /// The Lease without its holder, if this process may give it back. It never gives back what others hold too.
    #[must_use]
    pub fn given_back(&self, timestamp: Timestamp) -> Option<LeaseSpec> {
        let certain = self.certain && !self.identity.is_group();
        certain.then(|| term::given_back(&self.found.spec, timestamp))
    }
}
