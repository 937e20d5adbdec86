//! A process that serves a shard: its elections, and one reconcile after the other in each of its namespaces.

use cube_operator::{
    api_error::ApiError,
    leader::Shard,
    reconcile::{Action, Budget, Exchange, Exchanged, Outcome, Session, Settings, Slot, Turn},
};
use jiff::SignedDuration;
use secrecy::ExposeSecret;

use super::{
    LIFETIME, NAMESPACES, World,
    election::{Clocks, Election},
};
use crate::{
    model::{
        cluster::{Fault, no_response, number},
        process::Process as Reconciler,
        provider::{self, issue},
    },
    world::time,
};

/// What a process does next.
#[derive(Clone, Copy)]
pub(super) enum Due {
    Election(usize),
    Namespace(usize),
    /// It gives its Leases back.
    End,
}

pub(super) struct Process {
    pub(super) shard: Shard,
    elections: Vec<Election>,
    /// The namespaces that it serves, since it has won all elections.
    pub(super) runs: Vec<Option<Run>>,
    pub(super) stopping: bool,
    has_given_back: bool,
    pub(super) asleep_until: i64,
    pub(super) cut_until: i64,
}

/// A process, as far as it serves one namespace.
pub(super) struct Run {
    reconciler: Reconciler,
    pub(super) session: Option<Session>,
    pub(super) flight: Option<Flight>,
    next_at: i64,
}

/// An exchange in progress.
pub(super) struct Flight {
    exchanged: Exchanged,
    /// Its process was cut off from the API server, or asleep: it may have lost its Lease.
    pub(super) is_cut_off: bool,
}

impl Process {
    pub(super) fn new(
        pod: usize,
        shard: Shard,
        namespaces: usize,
        clocks: Clocks,
        now: i64,
    ) -> Self {
        let needed = shard.leases("leader", &format!("pod-{pod}"));
        let elections = needed
            .into_iter()
            .map(|(lease, identity)| Election::new(lease, identity, clocks, now));
        Self {
            shard,
            elections: elections.collect(),
            runs: (0..namespaces).map(|_| None).collect(),
            stopping: false,
            has_given_back: false,
            asleep_until: 0,
            cut_until: 0,
        }
    }

    pub(super) fn leads(&self, clocks: Clocks, now: i64) -> bool {
        let mut elections = self.elections.iter();
        !self.has_given_back && elections.all(|election| election.is_current(clocks, now))
    }

    /// Whether nothing is left to do in a process that is to end.
    pub(super) fn is_over(&self) -> bool {
        let mut runs = self.runs.iter().flatten();
        self.has_given_back && runs.all(|run| run.session.is_none())
    }

    /// What it could do now: the next election that it has not won, those that it has, and each namespace.
    pub(super) fn due(&self, now: i64) -> impl Iterator<Item = Due> {
        let won = self
            .elections
            .iter()
            .take_while(|election| election.won)
            .count();
        let active = if self.stopping { won } else { won + 1 };
        let elections = self.elections.iter().take(active).enumerate();
        let elections = elections.filter(move |(_, election)| election.next_at <= now);
        let elections = elections.map(|(index, _)| Due::Election(index));
        let runs = self.runs.iter().enumerate();
        let runs = runs.filter(move |(_, run)| {
            run.as_ref()
                .is_some_and(|run| run.next_at <= now && (run.session.is_some() || !self.stopping))
        });
        let runs = runs.map(|(index, _)| Due::Namespace(index));
        let (awake, holds) = (self.asleep_until <= now, !self.has_given_back);
        let due = elections.filter(move |_| holds).chain(runs);
        // Until the responses are there, it keeps its Leases.
        let ends = self.stopping && holds && !self.exchanges();
        let ends = ends.then_some(Due::End);
        due.chain(ends).filter(move |_| awake)
    }

    fn exchanges(&self) -> bool {
        self.runs.iter().flatten().any(|run| run.flight.is_some())
    }
}

impl World {
    pub(super) fn step_of(&mut self, who: usize, what: Due) -> Result<(), String> {
        match what {
            Due::Election(index) => self.elect(who, Some(index)),
            Due::End => self.elect(who, None),
            Due::Namespace(what) => return self.reconcile(who, what),
        }
        Ok(())
    }

    fn process(&mut self, who: usize) -> &mut Process {
        self.pods[who]
            .process
            .as_mut()
            .expect("it has something to do")
    }

    /// A part of a round, or the end of all rounds.
    fn elect(&mut self, who: usize, index: Option<usize>) {
        let (now, clocks) = (self.now, self.clocks);
        let Self {
            leases,
            random,
            pods,
            faulty,
            ..
        } = self;
        let process = pods[who].process.as_mut().expect("it has something to do");
        let mut api = Self::api((leases, random), (clocks, *faulty), process, now);
        let Some(index) = index else {
            for election in &mut process.elections {
                election.give_back(&mut api, now);
            }
            process.has_given_back = true;
            return;
        };
        let lost = process.elections[index].go_on(&mut api, now);
        process.stopping |= lost;
        if !process.stopping && process.elections.iter().all(|election| election.won) {
            for (what, run) in process.runs.iter_mut().enumerate() {
                let serves = process.shard.has(NAMESPACES[what]);
                if serves && run.is_none() {
                    *run = Some(Run::new(who, now));
                }
            }
        }
    }

    fn reconcile(&mut self, who: usize, what: usize) -> Result<(), String> {
        let (now, clocks) = (self.now, self.clocks);
        let process = self.pods[who]
            .process
            .as_mut()
            .expect("it has something to do");
        let leads = !process.stopping && process.leads(clocks, now);
        let cut = now < process.cut_until;
        let run = process.runs[what].as_mut().expect("it serves it");
        let namespace = &mut self.namespaces[what];
        let mut session = match run.session.take() {
            Some(session) => session,
            None if !leads || cut => {
                run.next_at = now + 2;
                return Ok(());
            }
            None => {
                run.reconciler.watch(&namespace.objects);
                let settings = Settings::read("treasury", "main", &namespace.spec());
                Session::begin(
                    run.reconciler
                        .observe(&namespace.objects, settings, time(now)),
                )
            }
        };
        if let Some(flight) = run.flight.take() {
            namespace.issued = flight.exchanged.result.is_ok().then_some((now, who));
            let outcome = Outcome::Exchanged(Box::new(flight.exchanged));
            run.absorb(session, outcome, now);
            return Ok(());
        }
        let outcome = match session.next(|| leads, time(now)) {
            Turn::Done { wake_at } => {
                let wake_at = wake_at.map_or(now + 60, |at| at.as_second().max(now + 1));
                run.rest(session, true, wake_at, now);
                return Ok(());
            }
            Turn::Held => {
                run.rest(session, true, now + 2, now);
                return Ok(());
            }
            Turn::Stuck => return Err("a reconcile does not come to rest".into()),
            Turn::Wait(duration) => {
                run.next_at = now + duration.as_secs();
                Ok(Outcome::Waited {
                    object_is_gone: false,
                })
            }
            Turn::TakeSlot { .. } => Ok(Outcome::Slot(Slot::Taken)),
            Turn::Read(_) if cut => Err(no_response("read")),
            Turn::Read(read) => Ok(namespace.objects.read(&read, session.observed())),
            Turn::Act(action) => match *action {
                Action::Exchange(exchange) => {
                    run.session = Some(session);
                    return self.exchange(who, what, exchange);
                }
                action => self.act(who, what, action, &session),
            },
        };
        let run = self.process(who).runs[what].as_mut().expect("it serves it");
        match outcome {
            Ok(outcome) => run.absorb(session, outcome, now),
            Err(error) => match session.survive(error, time(now)) {
                Ok(()) => run.session = Some(session),
                Err(_) => run.rest(session, false, now + 1, now),
            },
        }
        Ok(())
    }

    fn exchange(&mut self, who: usize, what: usize, exchange: Exchange) -> Result<(), String> {
        let Exchange { request, attempt } = exchange;
        let token = request.grant.refresh_token();
        let token = token.and_then(|token| number(token.expose_secret()));
        self.may_begin(who, what, token)?;
        let now = time(self.now);
        let provider = &mut self.namespaces[what].provider;
        let exchanged = provider.respond(&request, attempt, issue(LIFETIME), now);
        provider.exchanges.push(provider::Exchange {
            at: now,
            known_at: now,
            request,
            issued: exchanged.result.is_ok(),
        });
        let slow = self.random.u8(0..8) == 0;
        let next_at = self.now + self.random.i64(if slow { 0..30 } else { 0..4 });
        let process = self.process(who);
        let is_cut_off = now.as_second() < process.cut_until;
        let run = process.runs[what].as_mut().expect("it serves it");
        run.next_at = next_at;
        run.flight = Some(Flight {
            exchanged,
            is_cut_off,
        });
        Ok(())
    }

    fn act(
        &mut self,
        who: usize,
        what: usize,
        action: Action,
        session: &Session,
    ) -> Result<Outcome, ApiError> {
        let now = self.now;
        let process = self.pods[who]
            .process
            .as_mut()
            .expect("it has something to do");
        let cut = now < process.cut_until;
        let fails = cut || self.faulty && self.random.u8(0..40) == 0;
        let fault = if cut || self.random.bool() {
            Fault::Lost
        } else {
            Fault::Unanswered
        };
        let namespace = &mut self.namespaces[what];
        let is_write = !matches!(action, Action::TakePermit(_));
        if is_write {
            namespace.objects.cluster.faults = [fails.then_some(fault)].into();
        }
        let run = process.runs[what].as_mut().expect("it serves it");
        let reconciler = &mut run.reconciler;
        let before = namespace.token();
        let outcome = namespace
            .objects
            .act(action, reconciler, session.observed(), time(now));
        if namespace.token() != before {
            namespace.published = Some(now);
            // Consumers have it: whatever went wrong before cost one token at most.
            namespace.excused &= namespace.has_login;
        }
        outcome
    }
}

impl Run {
    fn new(pod: usize, now: i64) -> Self {
        let budget = Budget::new(SignedDuration::ZERO, time(now));
        Self {
            reconciler: Reconciler::new(format!("pod-{pod}"), budget),
            session: None,
            flight: None,
            // Its lists take a moment.
            next_at: now + 1,
        }
    }

    fn absorb(&mut self, mut session: Session, outcome: Outcome, now: i64) {
        self.reconciler.absorb(&mut session, outcome, time(now));
        self.session = Some(session);
    }

    fn rest(&mut self, session: Session, worked: bool, next_at: i64, now: i64) {
        self.reconciler.end(session, worked, time(now));
        self.next_at = next_at;
    }
}
