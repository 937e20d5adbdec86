//! One operator process: the loop of the controller, one step at a time, so that anything can happen between two steps.

use cube_operator::{
    api::{CubeCredentialStatus, Reason, label},
    api_error::{ApiError, Cause},
    oauth::error::TokenError,
    reconcile::{
        Action, Budget, CaBundle, ClientValues, Content, Credential, Exchange, Exchanged, Memory,
        NotStored, Observed, Outcome, Session, Settings, Source, SourceSecret, SourceValue, State,
        StateReading, Target, TargetReading, TargetSecret, Turn, fingerprint, is_state_of,
    },
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    cluster::{Secret, number},
    world::{NAME, PAUSE, SEED, STATE, TARGET, UID, World},
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
    pub(crate) wake_at: Option<i64>,
    /// A watch has told of a change during the present reconcile: the next one follows at once.
    pub(crate) dirty: bool,
    /// The refresh request that the present reconcile knows.
    pub(crate) request: u64,
    memory: Option<Memory>,
    run: Option<Session>,
    flight: Option<Flight>,
    status: CubeCredentialStatus,
    target: Option<TargetSecret>,
    budget: Option<Budget>,
    /// When it has sent requests, and until when the provider asked for a pause.
    sent: Vec<i64>,
    paused_until: i64,
    /// The number of the refresh token that was received last, and is in nobody's hands but this process's.
    custody: Option<u64>,
}

/// A request under way.
struct Flight {
    token: u64,
    exchanged: Exchanged,
    received: Option<u64>,
}

impl Operator {
    pub(crate) fn new(pod: u64) -> Self {
        Self {
            pod,
            alive: true,
            stopping: false,
            skew: 0,
            next_at: 0,
            wake_at: Some(0),
            dirty: false,
            request: 0,
            memory: None,
            run: None,
            flight: None,
            status: CubeCredentialStatus::default(),
            target: None,
            budget: None,
            sent: Vec::new(),
            paused_until: 0,
            custody: None,
        }
    }

    fn budget(&mut self, now: Timestamp) -> &mut Budget {
        self.budget
            .get_or_insert_with(|| Budget::new(SignedDuration::from_secs(12), now))
    }

    /// Whether it is between two reconciles.
    pub(crate) fn rests(&self) -> bool {
        self.run.is_none()
    }

    /// The process ends here, with all that it has in memory. Says whether it was the only one to have a refresh token.
    pub(crate) fn crash(&mut self) -> bool {
        let lost = self.custody.is_some()
            || self
                .flight
                .as_ref()
                .is_some_and(|flight| flight.received.is_some());
        *self = Self {
            alive: false,
            skew: self.skew,
            ..Self::new(self.pod)
        };
        lost
    }
}

fn metadata(name: &str, secret: &Secret) -> TargetSecret {
    TargetSecret {
        name: name.into(),
        uid: secret.uid.clone(),
        version: secret.version.to_string(),
        labels: secret.labels.clone(),
        annotations: secret.annotations.clone(),
        owners: secret.owned.then(|| UID.to_owned()).into_iter().collect(),
        owner_lives: true,
        owner_wants_it: true,
        content: Content::Unread,
    }
}

impl World {
    /// The next step of a process.
    pub(crate) fn step(&mut self, who: usize) {
        if self.operators[who].run.is_none() {
            let observed = self.observe(who);
            self.operators[who].run = Some(Session::begin(observed));
        }
        let mut session = self.operators[who].run.take().expect("just set");
        if let Some(flight) = self.operators[who].flight.take() {
            let outcome = self.answered(who, flight);
            self.absorb(who, session, outcome);
            return;
        }
        let now = self.clock(who);
        let stopping = self.operators[who].stopping;
        let turn = session.next(|| !stopping, now);
        self.note(|| format!("operator {who} decides {}", short(&turn)));
        let outcome = match turn {
            Turn::Done { wake_at } => return self.rest(who, session, wake_at, true),
            Turn::Held => return self.rest(who, session, None, true),
            Turn::Stuck => return self.violated("a reconcile does not come to rest".into()),
            Turn::Wait(duration) => {
                self.operators[who].next_at = self.now + seconds(duration);
                Ok(Outcome::Waited)
            }
            Turn::Read(what) => self.read(who, &what, session.observed()),
            Turn::Act(action) => match *action {
                Action::TakePermit(request) => {
                    let permit = self.operators[who].budget(now).take(&request, now);
                    Ok(Outcome::Permit(request, permit))
                }
                Action::Exchange(exchange) => {
                    self.send(who, exchange);
                    self.operators[who].run = Some(session);
                    return;
                }
                action => self.act(who, action),
            },
        };
        let survived = match outcome {
            Ok(outcome) => return self.absorb(who, session, outcome),
            Err(()) => session.survive(api_error("cut"), self.clock(who)),
        };
        if survived.is_ok() {
            self.operators[who].run = Some(session);
            return self.check_custody(who);
        }
        // As after `on_error`: look again a second later.
        let again = self.now + 1 + self.random.i64(0..3);
        self.rest(who, session, None, false);
        self.operators[who].wake_at = Some(again);
        self.operators[who].next_at = again;
    }

    fn absorb(&mut self, who: usize, mut session: Session, outcome: Outcome) {
        let now = self.clock(who);
        let effects = session.absorb(outcome, now);
        if let Some((client, until)) = effects.pause {
            self.operators[who].budget(now).pause(&client, until, now);
        }
        if let Some(target) = effects.known_target {
            self.operators[who].target = Some(target);
        }
        self.operators[who].run = Some(session);
        self.check_custody(who);
    }

    fn rest(&mut self, who: usize, session: Session, wake_at: Option<Timestamp>, worked: bool) {
        let now = self.clock(who);
        let operator = &mut self.operators[who];
        // The later of the two statuses, as the controller keeps what it wrote.
        operator.status = session.observed().credential.status.clone();
        // A process that has not asked yet has nothing to give back.
        let mut unasked = Budget::new(SignedDuration::ZERO, now);
        let budget = operator.budget.as_mut().unwrap_or(&mut unasked);
        let memory = session.end(worked, budget, now).memory;
        if let Some(remembered) = &mut operator.memory {
            remembered.end(memory);
        }
        let wake_at = wake_at.map(|at| at.as_second() - operator.skew);
        operator.wake_at = wake_at.map(|at| at.max(self.now + 1));
        operator.next_at = if operator.dirty {
            self.now
        } else {
            operator.wake_at.unwrap_or(i64::MAX)
        };
        operator.dirty = false;
        self.check_custody(who);
    }

    fn observe(&mut self, who: usize) -> Observed {
        let now = self.clock(who);
        let status = self.status.clone();
        let seed = self.seed.as_ref().map(|(version, _)| version.to_string());
        let operator = &mut self.operators[who];
        operator.request = self.requests;
        // The watch may lag behind: the caches are brought up to date only now and then.
        if operator.memory.is_none() || !self.random.bool() || !self.faulty {
            operator.status = status;
            operator.target = self
                .cluster
                .secrets
                .get(TARGET)
                .map(|secret| metadata(TARGET, secret))
                .map(|fresh| match &operator.target {
                    Some(known) if known.version == fresh.version => known.clone(),
                    _ => fresh,
                });
        }
        let status = operator.status.clone();
        let memory = operator
            .memory
            .get_or_insert_with(|| Memory::recall(&status, now))
            .begin();
        Observed {
            credential: Credential {
                namespace: "ns".into(),
                name: NAME.into(),
                uid: UID.into(),
                generation: 1,
                deleting: false,
                refresh_request: (self.requests > 0).then(|| self.requests.to_string()),
                status,
            },
            settings: Ok(self.settings.clone()),
            older_rival: None,
            target: operator
                .target
                .clone()
                .map_or(Target::Unknown, Target::Present),
            previous: None,
            source: Source::Unread(Some("1".into())),
            seed: Source::Unread(seed),
            state: State::Unread,
            identity: operator.pod.to_string(),
            ca_bundle: CaBundle::Unread,
            permit: None,
            allowed_hosts: None,
            memory,
        }
    }

    fn read(
        &mut self,
        who: usize,
        what: &cube_operator::reconcile::Read,
        observed: &Observed,
    ) -> Result<Outcome, ()> {
        use cube_operator::reconcile::Read;
        self.pass(who);
        if self.api_is_down() || self.strikes(40) {
            return Err(());
        }
        Ok(match what {
            Read::Target { .. } => Outcome::Target(self.cluster.secrets.get(TARGET).map(
                |secret| TargetReading {
                    secret: metadata(TARGET, secret),
                    data: secret.data.clone(),
                },
            )),
            Read::Previous { .. } => Outcome::Previous(None),
            Read::Source { .. } => Outcome::Source(Source::Read(SourceSecret {
                version: "1".into(),
                token_hosts: None,
                values: ClientValues {
                    id: SourceValue::Text("client".into()),
                    secret: SourceValue::Text("secret".into()),
                },
            })),
            Read::Seed { .. } => Outcome::Seed(match &self.seed {
                None => Source::Absent,
                Some((version, token)) => Source::Read(SourceSecret {
                    version: version.to_string(),
                    token_hosts: None,
                    values: SourceValue::Text(format!("r{token}").into()),
                }),
            }),
            Read::State { .. } => Outcome::State(self.cluster.secrets.get(STATE).map(|secret| {
                let ours = is_state_of(&observed.credential, &secret.labels, &secret.annotations);
                StateReading {
                    uid: secret.uid.clone(),
                    version: secret.version.to_string(),
                    owners: secret.owned.then(|| UID.to_owned()).into_iter().collect(),
                    data: ours.then(|| secret.data.clone()),
                }
            })),
            Read::CaBundle(_) => Outcome::CaBundle(CaBundle::Unread),
        })
    }

    fn act(&mut self, who: usize, action: Action) -> Result<Outcome, ()> {
        self.pass(who);
        match action {
            Action::Store(state) => {
                let claims = state.claims;
                let stored = state.stored.clone();
                if let Err(why) = self.write(&state.secret) {
                    return Ok(Outcome::NotStored(why));
                }
                let secret = &self.cluster.secrets[STATE];
                Ok(Outcome::Stored {
                    secret: cube_operator::reconcile::StateSecret {
                        uid: secret.uid.clone(),
                        version: secret.version.to_string(),
                        owned: state.secret.owned,
                        stored,
                    },
                    claims,
                })
            }
            Action::Publish(target) => {
                let token = &target.data["access-token"];
                let (print, token) = (fingerprint(token), number(token));
                if self.write(&target).is_err() {
                    self.operators[who].target = None;
                    return Err(());
                }
                self.published(token);
                let mut known = metadata(TARGET, &self.cluster.secrets[TARGET]);
                known.content = Content::Confirmed(print);
                assert!(label::is_set(&known.labels, label::MANAGED));
                self.touch();
                Ok(Outcome::Published(known))
            }
            Action::Report { status, .. } => {
                if self.api_is_down() || self.strikes(40) {
                    return Err(());
                }
                self.status = status.clone();
                self.cluster.version += 1;
                self.note(|| format!("operator {who} reports {:?}", reasons(&status)));
                let version = self.cluster.version.to_string();
                Ok(Outcome::Reported { status, version })
            }
            Action::Delete(_) | Action::Exchange(_) | Action::TakePermit(_) => {
                unreachable!("not in this world")
            }
        }
    }

    /// One write, which may be lost, unanswered, or land when nobody expects it any more.
    fn write(
        &mut self,
        desired: &cube_operator::reconcile::DesiredSecret,
    ) -> Result<(), NotStored> {
        if self.api_is_down() {
            return Err(NotStored::Unknown(api_error("down").into()));
        }
        if self.strikes(20) {
            let kind = self.random.u8(0..4);
            self.note(|| format!("a write of {} goes wrong ({kind})", desired.name));
            return Err(match kind {
                0 => NotStored::Unknown(api_error("lost").into()),
                1 => NotStored::Refused(api_error("not now").into()),
                2 => {
                    self.cluster.apply(desired);
                    NotStored::Unknown(api_error("unanswered").into())
                }
                _ => {
                    let at = self.now + self.random.i64(1..20);
                    self.cluster.late.push((at, desired.clone()));
                    NotStored::Unknown(api_error("late").into())
                }
            });
        }
        if self.cluster.apply(desired) {
            Ok(())
        } else {
            Err(NotStored::Conflict)
        }
    }

    fn send(&mut self, who: usize, exchange: Exchange) {
        let Exchange { request, attempt } = exchange;
        let token = request
            .grant
            .refresh_token()
            .and_then(number)
            .expect("it is one of ours");
        self.may_be_asked(who);
        let (exchanged, received, seconds) = self.exchange(who, token, attempt);
        let operator = &mut self.operators[who];
        operator.next_at = self.now + seconds;
        operator.flight = Some(Flight {
            token,
            exchanged,
            received,
        });
    }

    fn answered(&mut self, who: usize, flight: Flight) -> Outcome {
        let refused = flight.exchanged.result.as_ref().err();
        let refused = refused.map(TokenError::reason);
        self.arrived(flight.token, flight.received, refused);
        self.operators[who].custody = flight.received;
        if refused == Some(Reason::RateLimited) {
            self.operators[who].paused_until = self.now + PAUSE;
        }
        Outcome::Exchanged(Box::new(flight.exchanged))
    }

    /// A process never hammers the provider, whatever happens: eight requests in a minute, and three that are in doubt.
    fn may_be_asked(&mut self, who: usize) {
        let now = self.now;
        let operator = &mut self.operators[who];
        operator.sent.retain(|at| now - at <= 60);
        operator.sent.push(now);
        let (sent, paused) = (operator.sent.len(), now < operator.paused_until);
        if sent > 11 {
            self.violated(format!("operator {who} sends {sent} requests in a minute"));
        }
        if paused {
            self.violated(format!("operator {who} sends a request in a pause"));
        }
    }

    /// A refresh token that a living process received is in the state, or still being written.
    fn check_custody(&mut self, who: usize) {
        let Some(received) = self.operators[who].custody else {
            return;
        };
        let stored = self.cluster.number(STATE, "refresh-token");
        let superseded = self.logins_since(received);
        let operator = &self.operators[who];
        let storing = operator
            .run
            .as_ref()
            .is_some_and(|session| session.observed().memory.is_storing());
        if stored.is_some_and(|stored| stored >= received) && !storing {
            self.operators[who].custody = None;
        } else if !storing && !superseded {
            self.violated(format!(
                "operator {who} received r{received}, and neither stores nor has stored it (the state has {stored:?})"
            ));
        }
    }
}

/// Whole seconds, at least one: the clock of this world ticks in seconds.
fn seconds(duration: SignedDuration) -> i64 {
    duration.as_secs().max(1)
}

pub(crate) fn reasons(status: &CubeCredentialStatus) -> Vec<String> {
    let conditions = status.conditions.iter();
    conditions
        .map(|condition| {
            format!(
                "{:?}={:?} {}",
                condition.r#type, condition.status, condition.reason
            )
        })
        .collect()
}

pub(crate) fn settings() -> Settings {
    let spec = serde_json::json!({
        "provider": "CubeSoftware", "grant": "RefreshToken",
        "clientSecretRef": {"name": "client"}, "refreshTokenRef": {"name": SEED},
    });
    let spec = serde_json::from_value(spec).expect("a spec");
    Settings::read("treasury", NAME, &spec).expect("a good spec")
}

/// A step in a few words.
fn short(turn: &Turn) -> String {
    match turn {
        Turn::Act(action) => match action.as_ref() {
            Action::Store(state) if state.claims => "to claim".into(),
            Action::Store(_) => "to store".into(),
            Action::TakePermit(_) => "to take a turn".into(),
            Action::Exchange(_) => "to exchange".into(),
            Action::Publish(_) => "to publish".into(),
            Action::Delete(_) => "to delete".into(),
            Action::Report { .. } => "to report".into(),
        },
        other => format!("{other:?}"),
    }
}

/// A write that did not work.
fn api_error(why: &str) -> ApiError {
    ApiError {
        verb: "write",
        object: format!("Secret {STATE}"),
        cause: Cause::Connection(why.into()),
    }
}
