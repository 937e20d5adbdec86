//! The Leases of an API server, and the rounds in which a process reads and writes them: what `Election` does to its candidate.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use cube_operator::leader::{Candidate, Found, Identity, Moment, Step};
use fastrand::Rng;
use k8s_openapi::api::coordination::v1::LeaseSpec;
use tokio::time::Instant;

use crate::world::{BEGIN, time};

/// Seconds between two rounds.
const PERIOD: i64 = 2;
/// Seconds after which a call is given up.
const LIMIT: i64 = 4;

/// The Leases by name.
#[derive(Default)]
pub(super) struct Leases {
    stored: BTreeMap<String, Found>,
    version: u64,
    /// Writes that happen when nobody waits for them any more.
    late: Vec<(i64, String, LeaseSpec, Option<String>)>,
}

impl Leases {
    fn read(&self, name: &str) -> Found {
        self.stored.get(name).cloned().unwrap_or_default()
    }

    /// Writes a Lease in exactly this version; `None`: it has another one.
    fn write(&mut self, name: &str, spec: LeaseSpec, replaces: Option<&str>) -> Option<Found> {
        if self.read(name).version.as_deref() != replaces {
            return None;
        }
        self.version += 1;
        let version = Some(self.version.to_string());
        let found = Found { version, spec };
        self.stored.insert(name.to_owned(), found.clone());
        Some(found)
    }

    pub(super) fn land(&mut self, now: i64) {
        let due: Vec<_> = self.late.extract_if(.., |(at, ..)| *at <= now).collect();
        for (_, name, spec, replaces) in due {
            self.write(&name, spec, replaces.as_deref());
        }
    }
}

/// The clocks of all processes. Only what a process observes counts, so one is enough.
#[derive(Clone, Copy)]
pub(super) struct Clocks(Instant);

impl Clocks {
    #[expect(clippy::disallowed_methods, reason = "every history needs some moment")]
    pub(super) fn new() -> Self {
        Self(Instant::now())
    }

    fn at(self, now: i64) -> Moment {
        let begin = Moment {
            instant: self.0,
            time: SystemTime::UNIX_EPOCH,
        };
        begin.after(Duration::from_secs((now - BEGIN).unsigned_abs()))
    }
}

/// How the API server treats the calls of a process.
pub(super) struct Api<'a> {
    pub(super) leases: &'a mut Leases,
    pub(super) clocks: Clocks,
    /// Whether the process does not reach it.
    pub(super) cut: bool,
    /// Whether calls take time, and get lost.
    pub(super) faulty: bool,
    pub(super) random: &'a mut Rng,
}

impl Api<'_> {
    fn delay(&mut self) -> i64 {
        let slow = self.faulty && self.random.u8(0..4) == 0;
        if slow { self.random.i64(0..LIMIT) } else { 0 }
    }

    fn fails(&mut self) -> bool {
        self.cut || self.faulty && self.random.u8(0..40) == 0
    }
}

/// A process and one of the Leases that it needs.
pub(super) struct Election {
    lease: String,
    candidate: Candidate,
    /// Until when it leads; `None`: it does not have the Lease.
    end: Option<Moment>,
    pub(super) won: bool,
    call: Call,
    pub(super) next_at: i64,
}

enum Call {
    None,
    Read { asked: i64 },
    Write { asked: i64, spec: LeaseSpec },
}

impl Election {
    pub(super) fn new(lease: String, identity: Identity, clocks: Clocks, now: i64) -> Self {
        Self {
            lease,
            candidate: Candidate::new(identity, clocks.at(now)),
            end: None,
            won: false,
            call: Call::None,
            next_at: now,
        }
    }

    pub(super) fn is_current(&self, clocks: Clocks, now: i64) -> bool {
        self.end.is_some_and(|end| !end.is_over(clocks.at(now)))
    }

    /// The next part of a round. Returns whether the Lease, once won, is lost.
    pub(super) fn go_on(&mut self, api: &mut Api<'_>, now: i64) -> bool {
        match std::mem::replace(&mut self.call, Call::None) {
            Call::None if self.candidate.must_read() => {
                self.call = Call::Read { asked: now };
                self.next_at = now + api.delay();
            }
            Call::None => return self.step(api, now, now),
            Call::Read { .. } if api.fails() => self.failed(api, now),
            Call::Read { asked } => {
                let found = api.leases.read(&self.lease);
                let (asked_at, now_at) = (api.clocks.at(asked), api.clocks.at(now));
                self.candidate.read(found, asked_at, now_at);
                return self.step(api, asked, now);
            }
            Call::Write { spec, .. } if api.fails() => {
                // It may still happen, or have happened.
                let version = self.candidate.found().version.clone();
                let at = now + api.random.i64(0..10);
                if api.random.bool() {
                    api.leases
                        .late
                        .push((at, self.lease.clone(), spec, version));
                }
                self.failed(api, now);
            }
            Call::Write { asked, spec } => {
                let version = self.candidate.found().version.clone();
                let written = api.leases.write(&self.lease, spec, version.as_deref());
                if let Some(found) = written {
                    let (asked, now) = (api.clocks.at(asked), api.clocks.at(now));
                    self.end = Some(self.candidate.written(found, asked, now));
                    self.won = true;
                }
                self.next_at = now + PERIOD;
            }
        }
        false
    }

    fn step(&mut self, api: &mut Api<'_>, asked: i64, now: i64) -> bool {
        self.next_at = now + PERIOD;
        match self.candidate.step(api.clocks.at(now), time(now)) {
            Step::Write(spec) => {
                self.call = Call::Write { asked, spec };
                self.next_at = now + api.delay();
            }
            Step::Leads(end) => {
                self.end = Some(end);
                self.won = true;
            }
            Step::StandsBy(_) => {
                self.end = None;
                return self.won;
            }
        }
        false
    }

    fn failed(&mut self, api: &Api<'_>, now: i64) {
        if !self.won {
            self.candidate.failed(api.clocks.at(now));
        }
        self.next_at = now + PERIOD;
    }

    /// The process ends.
    pub(super) fn give_back(&mut self, api: &mut Api<'_>, now: i64) {
        self.end = None;
        let spec = self.candidate.given_back(time(now));
        if let Some(spec) = spec.filter(|_| !api.fails()) {
            let version = self.candidate.found().version.clone();
            api.leases.write(&self.lease, spec, version.as_deref());
        }
    }
}
