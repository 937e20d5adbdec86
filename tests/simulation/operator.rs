//! One operator process: the loop of the controller, one step at a time, so that anything can happen between two steps.

use cube_operator::{
    api_error::ApiError,
    reconcile::{Action, Budget, Exchanged, Observed, Outcome, Session, Slot, Turn},
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    model::process::Process,
    proof::Failures,
    world::{HONEST, Spec, World},
};

/// A process, or the gap between two.
pub(crate) struct Operator {
    /// The pod: the same for a restarted container.
    pub(crate) pod: u64,
    pub(crate) alive: bool,
    pub(crate) stopping: bool,
    /// Seconds that its node's clock is ahead.
    pub(crate) skew: i64,
    /// When its next step is.
    pub(crate) next_at: i64,
    wake_at: Option<i64>,
    /// A watch has shown a change during the present reconcile: the next one follows immediately.
    pub(crate) dirty: bool,
    /// The refresh request that the present reconcile knows.
    pub(crate) request: u64,
    /// The spec that the present reconcile knows.
    pub(crate) spec: Spec,
    pub(crate) process: Process,
    pub(crate) session: Option<Session>,
    pub(crate) flight: Option<Flight>,
    /// When it has sent requests, and until when the provider asked for a pause.
    pub(crate) sent: Vec<i64>,
    pub(crate) paused_until: i64,
    /// The number of the refresh token that was received last, and that only this process has.
    pub(crate) custody: Option<u64>,
    pub(crate) publishes: Publishes,
    /// The failed probes since a token was accepted or published.
    pub(crate) failures: Failures,
}

/// The last write of the target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Publishes {
    #[default]
    Replaces,
    Creates,
    /// It has created the target with an older token than was published before.
    CreatedOlder,
}

/// A request under way.
pub(crate) struct Flight {
    /// The refresh token; `None`: the author gets it.
    pub(crate) token: Option<u64>,
    pub(crate) exchanged: Exchanged,
    pub(crate) received: Option<u64>,
}

impl Operator {
    pub(crate) fn new(pod: u64, now: Timestamp) -> Self {
        let budget = Budget::new(SignedDuration::from_secs(12), now);
        Self {
            pod,
            alive: true,
            stopping: false,
            skew: 0,
            next_at: 0,
            wake_at: Some(0),
            dirty: false,
            request: 0,
            spec: HONEST,
            process: Process::new(pod.to_string(), budget),
            session: None,
            flight: None,
            sent: Vec::new(),
            paused_until: 0,
            custody: None,
            publishes: Publishes::default(),
            failures: Failures::default(),
        }
    }

    /// Whether it is between two reconciles.
    pub(crate) fn is_idle(&self) -> bool {
        self.session.is_none()
    }

    /// The process ends here, with all that it has in memory. Says whether it was the only one to have a refresh token.
    pub(crate) fn end(&mut self) -> bool {
        let flight = self.flight.take();
        let received = flight.and_then(|flight| flight.received);
        self.alive = false;
        self.session = None;
        self.custody.take().or(received).is_some()
    }
}

impl World {
    /// The next step of a process.
    pub(crate) fn step(&mut self, who: usize) {
        let session = self.operators[who].session.take();
        let mut session = session.unwrap_or_else(|| Session::begin(self.observe(who)));
        if let Some(flight) = self.operators[who].flight.take() {
            let outcome = self.responded(who, flight);
            return self.absorb(who, session, outcome);
        }
        let stopping = self.operators[who].stopping;
        let turn = session.next(|| !stopping, self.clock(who));
        self.note(|| format!("operator {who} decides {}", short(&turn)));
        let outcome = match turn {
            Turn::Done { wake_at } => return self.rest(who, session, wake_at, true),
            Turn::Held => return self.rest(who, session, None, true),
            Turn::Stuck => return self.violated("a reconcile does not come to rest".into()),
            Turn::Wait(duration) => {
                self.operators[who].next_at = self.now + seconds(duration);
                Ok(Outcome::Waited {
                    object_is_gone: false,
                })
            }
            Turn::TakeSlot { .. } => Ok(Outcome::Slot(Slot::Taken)),
            Turn::Read(what) => self.read(who, &what, session.observed()),
            Turn::Act(action) => match *action {
                Action::Exchange(exchange) => {
                    self.send(who, exchange);
                    self.operators[who].session = Some(session);
                    return;
                }
                Action::Probe(probing) => Ok(self.probe(who, *probing)),
                action => self.act(who, action, session.observed()),
            },
        };
        match outcome {
            Ok(outcome) => self.absorb(who, session, outcome),
            Err(error) => self.interrupted(who, session, error),
        }
    }

    fn absorb(&mut self, who: usize, mut session: Session, outcome: Outcome) {
        let now = self.clock(who);
        let operator = &mut self.operators[who];
        operator.process.absorb(&mut session, outcome, now);
        operator.session = Some(session);
        self.check_custody(who);
    }

    fn interrupted(&mut self, who: usize, mut session: Session, error: ApiError) {
        if session.survive(error, self.clock(who)).is_ok() {
            self.operators[who].session = Some(session);
            return self.check_custody(who);
        }
        // As after `on_error`: look again a second later.
        let again = self.now + 1 + self.random.i64(0..3);
        self.rest(who, session, None, false);
        self.operators[who].wake_at = Some(again);
        self.operators[who].next_at = again;
    }

    fn rest(&mut self, who: usize, session: Session, wake_at: Option<Timestamp>, worked: bool) {
        let now = self.clock(who);
        let operator = &mut self.operators[who];
        operator.process.end(session, worked, now);
        let wake_at = wake_at.map(|at| at.as_second() - operator.skew);
        operator.wake_at = wake_at.map(|at| at.max(self.now + 1));
        operator.next_at = if operator.dirty {
            self.now
        } else {
            operator.wake_at.unwrap_or(i64::MAX)
        };
        operator.dirty = false;
        if worked {
            self.check_the_target(who);
        }
        self.check_custody(who);
    }

    fn observe(&mut self, who: usize) -> Observed {
        let now = self.clock(who);
        let process = &mut self.operators[who].process;
        // The watch may lag behind: the caches are brought up to date only now and then.
        if process.memory.is_none() || !self.random.bool() || !self.faulty {
            process.watch(&self.objects);
        }
        let observed = process.observe(
            &self.objects,
            Ok(self
                .spec
                .settings(self.proof.probes, self.provider.accepts.is_some())),
            now,
        );
        self.operators[who].request = self.requests;
        self.operators[who].spec = self.spec;
        observed
    }
}

/// Whole seconds, at least one: the clock of this world ticks in seconds.
fn seconds(duration: SignedDuration) -> i64 {
    duration.as_secs().max(1)
}

/// A step in a few words.
fn short(turn: &Turn) -> String {
    match turn {
        Turn::Act(action) => match action.as_ref() {
            Action::Store(state) if state.claims => "to claim".into(),
            Action::Store(_) => "to store".into(),
            Action::TakePermit(_) => "to ask for a permit".into(),
            Action::RequestAccountToken(..) => "to request a token of a ServiceAccount".into(),
            Action::Exchange(_) => "to exchange".into(),
            Action::Record(_) => "to record".into(),
            Action::Probe(_) => "to probe".into(),
            Action::Publish(_) => "to publish".into(),
            Action::Delete(_) | Action::DeleteRecord(_) => "to delete".into(),
            Action::Report { .. } => "to report".into(),
            Action::RefreshPods(_) => "to tell pods of a refresh".into(),
            Action::Restart(_) => "to restart a workload".into(),
            Action::Announce(_) => "to announce something".into(),
        },
        other => format!("{other:?}"),
    }
}
