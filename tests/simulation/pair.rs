//! Objects that are given one and the same initial refresh token: two from the beginning, and one that replaces the first under
//! another name. Whatever happens in between, only one of them ever sends it.

use std::{collections::BTreeMap, mem};

use cube_operator::{
    api::{ConditionStatus, ConditionType, CubeCredentialSpec},
    api_error::ApiError,
    reconcile::{Action, Budget, Exchanged, Outcome, Session, Settings, Slot, SourceValue, Turn},
};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;

use crate::{
    model::{
        cluster::{Cluster, Fault, number},
        logins::Rules,
        objects::Objects,
        process::Process,
        provider::{Provider, issue, refresh_token},
    },
    world::{BEGIN, time},
};

const NAMES: [&str; 3] = ["books", "diary", "ledger"];

/// What is counted over histories.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    /// Those in which two objects claimed the token at the same time.
    pub(crate) contested: u64,
    pub(crate) crashes: u64,
    /// Those in which one object became ready.
    pub(crate) settled: u64,
}

/// One object, and what each process has of it.
struct Object {
    objects: Objects,
    /// Whether an older object comes first for all processes that know of it.
    order: usize,
    deleted: bool,
    runs: Vec<Run>,
}

/// A process, as far as it serves one object.
struct Run {
    process: Process,
    session: Option<Session>,
    flight: Option<Exchanged>,
    next_at: i64,
}

struct World {
    random: Rng,
    now: i64,
    faulty: bool,
    /// All objects share it: the one that takes a step has it for that time.
    cluster: Cluster,
    objects: Vec<Object>,
    provider: Provider,
    /// The object that sent each refresh token.
    sent: BTreeMap<u64, usize>,
    contested: bool,
    crashes: u64,
    log: Vec<String>,
}

/// Lives a history, and returns its log if a token was sent by two objects.
pub(crate) fn live(seed: u64) -> Result<Figures, String> {
    let mut world = World::new(seed);
    let replaced_after = world.random.i64(0..600);
    while world.now < BEGIN + 900 {
        world.step()?;
        if world.now >= BEGIN + replaced_after && world.objects.len() == 2 {
            world.replace_the_first();
        }
    }
    world.faulty = false;
    while world.now < BEGIN + 2700 {
        world.step()?;
    }
    world.check_the_end()
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let mut world = Self {
            faulty: random.u8(0..4) > 0,
            random,
            now: BEGIN,
            cluster: Cluster::default(),
            objects: Vec::new(),
            provider: Provider::new(Rules::STRICT),
            sent: BTreeMap::new(),
            contested: false,
            crashes: 0,
            log: Vec::new(),
        };
        let token = world.provider.logins.sign_in();
        let processes = 1 + world.random.usize(0..2);
        // The creation times have whole seconds, so the order of two objects need not be that of their events.
        let first = world.random.usize(0..2);
        for order in [first, 1 - first] {
            world.create(order, token, processes);
        }
        world
    }

    fn create(&mut self, order: usize, token: u64, processes: usize) {
        let name = NAMES[self.objects.len()];
        let mut objects = Objects::new(name, &format!("uid-of-{name}"));
        objects.put_client(text("client"), text("secret"));
        objects.put_seed(SourceValue::Text(refresh_token(token)));
        let runs = (0..processes).map(|pod| Run {
            process: process(pod),
            session: None,
            flight: None,
            next_at: self.now,
        });
        self.objects.push(Object {
            objects,
            order,
            deleted: false,
            runs: runs.collect(),
        });
    }

    /// The first object is deleted, which keeps its state, and another one is created for the same sign-in.
    fn replace_the_first(&mut self) {
        self.note("books is deleted and created again as ledger");
        self.objects[0].deleted = true;
        self.cluster.secrets.remove("books-token");
        self.create(2, 1, self.objects[1].runs.len());
    }

    fn note(&mut self, line: &str) {
        self.log.push(format!("{:>5} {line}", self.now - BEGIN));
    }

    /// One step of one process for one object, or time passes.
    fn step(&mut self) -> Result<(), String> {
        let due: Vec<_> = self
            .objects
            .iter()
            .enumerate()
            .flat_map(|(what, object)| {
                let runs = object.runs.iter().enumerate();
                // A deleted object is reconciled no more, but its last reconcile is finished.
                let due = runs.filter(|(_, run)| {
                    run.next_at <= self.now && (!object.deleted || run.session.is_some())
                });
                due.map(move |(who, _)| (what, who)).collect::<Vec<_>>()
            })
            .collect();
        if due.is_empty() || self.random.u8(0..16) == 0 {
            self.now += 1;
            return Ok(());
        }
        let (what, who) = due[self.random.usize(0..due.len())];
        if self.faulty && self.random.u16(0..400) == 0 {
            self.crash(who);
            return Ok(());
        }
        mem::swap(&mut self.cluster, &mut self.objects[what].objects.cluster);
        let result = self.step_of(what, who);
        mem::swap(&mut self.cluster, &mut self.objects[what].objects.cluster);
        let states = self.cluster.secrets.iter().filter(|(name, stored)| {
            let record = stored.data.get("record");
            name.ends_with("-cube-state")
                && record.is_some_and(|record| record.contains(r#""claim":{"#))
                && stored.data["refresh-token"].ends_with("-1")
        });
        self.contested |= states.count() > 1;
        result.map_err(|error| format!("{}\n{error}", self.log.join("\n")))
    }

    /// A process ends, with all that it has in memory.
    fn crash(&mut self, who: usize) {
        self.note(&format!("process {who} ends"));
        self.crashes += 1;
        let now = self.now;
        for object in &mut self.objects {
            object.runs[who] = Run {
                process: process(who),
                session: None,
                flight: None,
                next_at: now + 1,
            };
        }
    }

    fn step_of(&mut self, what: usize, who: usize) -> Result<(), String> {
        let now = time(self.now);
        let mut session = match self.objects[what].runs[who].session.take() {
            Some(session) => session,
            None => self.observe(what, who),
        };
        if let Some(exchanged) = self.objects[what].runs[who].flight.take() {
            let outcome = Outcome::Exchanged(Box::new(exchanged));
            self.absorb(what, who, session, outcome);
            return Ok(());
        }
        let turn = session.next(|| true, now);
        let outcome = match turn {
            Turn::Done { wake_at } => {
                self.rest(what, who, session, true, wake_at);
                return Ok(());
            }
            Turn::Held | Turn::Stuck => return Err("a reconcile does not come to rest".into()),
            Turn::Wait(_) => Ok(Outcome::Waited {
                object_is_gone: false,
            }),
            Turn::TakeSlot { .. } => Ok(Outcome::Slot(Slot::Taken)),
            Turn::Read(read) => Ok(self.objects[what].objects.read(&read, session.observed())),
            Turn::Act(action) => match *action {
                Action::Exchange(exchange) => {
                    let token = exchange.request.grant.refresh_token();
                    let token = token.and_then(|token| number(token.expose_secret()));
                    self.sends(what, who, token.expect("it is one of ours"))?;
                    let response = issue(600);
                    let exchanged =
                        self.provider
                            .respond(&exchange.request, exchange.attempt, response, now);
                    let run = &mut self.objects[what].runs[who];
                    run.flight = Some(exchanged);
                    run.session = Some(session);
                    run.next_at = self.now + self.random.i64(0..5);
                    return Ok(());
                }
                action => self.act(what, who, action, &session),
            },
        };
        match outcome {
            Ok(outcome) => self.absorb(what, who, session, outcome),
            Err(error) => match session.survive(error, now) {
                Ok(()) => self.objects[what].runs[who].session = Some(session),
                Err(_) => self.rest(what, who, session, false, Some(time(self.now + 1))),
            },
        }
        Ok(())
    }

    fn observe(&mut self, what: usize, who: usize) -> Session {
        let now = time(self.now);
        let (order, deleted) = (self.objects[what].order, self.objects[what].deleted);
        // A watch may not have shown the other one yet.
        let knows = !self.faulty || self.random.bool();
        let before = self
            .objects
            .iter()
            .find(|other| knows && !deleted && !other.deleted && other.order < order);
        let before = before.map(|other| other.objects.name.to_owned());
        let object = &mut self.objects[what];
        object.objects.older_login = before;
        let process = &mut object.runs[who].process;
        process.watch(&object.objects);
        let settings = Settings::read("treasury", object.objects.name, &spec());
        Session::begin(process.observe(&object.objects, settings, now))
    }

    fn act(
        &mut self,
        what: usize,
        who: usize,
        action: Action,
        session: &Session,
    ) -> Result<Outcome, ApiError> {
        let fails = self.faulty && self.random.u8(0..20) == 0;
        let fault = [Fault::Lost, Fault::Unanswered][self.random.usize(0..2)];
        let object = &mut self.objects[what];
        let is_write = !matches!(action, Action::TakePermit(_));
        if is_write {
            object.objects.cluster.faults = [fails.then_some(fault)].into();
        }
        let process = &mut object.runs[who].process;
        let now = time(self.now);
        object.objects.act(action, process, session.observed(), now)
    }

    fn absorb(&mut self, what: usize, who: usize, mut session: Session, outcome: Outcome) {
        let run = &mut self.objects[what].runs[who];
        run.process.absorb(&mut session, outcome, time(self.now));
        run.session = Some(session);
    }

    fn rest(
        &mut self,
        what: usize,
        who: usize,
        session: Session,
        worked: bool,
        wake_at: Option<Timestamp>,
    ) {
        let (now, later) = (self.now, self.now + 60);
        let run = &mut self.objects[what].runs[who];
        run.process.end(session, worked, time(now));
        let wake_at = wake_at.map_or(later, |at| at.as_second().max(now + 1));
        run.next_at = wake_at;
    }

    /// The one promise of these histories.
    fn sends(&mut self, what: usize, who: usize, token: u64) -> Result<(), String> {
        let name = NAMES[what];
        self.note(&format!("process {who} sends r{token} for {name}"));
        match self.sent.insert(token, what) {
            Some(other) if other != what => {
                Err(format!("r{token} was sent for {} before", NAMES[other]))
            }
            _ => Ok(()),
        }
    }

    fn check_the_end(mut self) -> Result<Figures, String> {
        let condition = |object: &Object, r#type| {
            let condition = object.objects.status.condition(r#type);
            condition.map(|condition| (condition.status, condition.reason.clone()))
        };
        let owner = self.sent.get(&1).copied();
        let mut settled = 0;
        let mut wrong = Vec::new();
        for (what, object) in self.objects.iter().enumerate() {
            if object.deleted {
                continue;
            }
            let ready = condition(object, ConditionType::Ready);
            let refreshed = condition(object, ConditionType::Refreshed).map(|(_, reason)| reason);
            if owner == Some(what) {
                let is_ready = ready.is_some_and(|(status, _)| status == ConditionStatus::True);
                settled += u64::from(is_ready);
                if !is_ready && self.crashes == 0 && !self.faulty {
                    wrong.push(format!("{} sent it and is not ready", NAMES[what]));
                }
            } else if refreshed.as_deref() != Some("RefreshTokenInUse") {
                wrong.push(format!("{} reports {refreshed:?}", NAMES[what]));
            }
        }
        // Only a crash may leave a claim that nobody can judge.
        if owner.is_none() && self.crashes == 0 {
            wrong.push("nobody has sent it".into());
        }
        if wrong.is_empty() {
            return Ok(Figures {
                contested: u64::from(self.contested),
                crashes: self.crashes,
                settled,
            });
        }
        self.log.extend(wrong);
        Err(self.log.join("\n"))
    }
}

fn process(pod: usize) -> Process {
    let budget = Budget::new(SignedDuration::ZERO, time(BEGIN));
    Process::new(pod.to_string(), budget)
}

fn spec() -> CubeCredentialSpec {
    let spec = serde_json::json!({
        "provider": "CubeSoftware", "clientSecretRef": {"name": "client"},
        "grant": "RefreshToken", "refreshTokenRef": {"name": "login"},
    });
    serde_json::from_value(spec).expect("it is a spec")
}

fn text(value: &str) -> SourceValue {
    SourceValue::Text(value.into())
}
