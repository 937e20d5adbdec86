//! The world of a history: one credential, one or two operators, an API server, a provider, and all that can go wrong.

use std::collections::BTreeMap;

use cube_operator::{
    api::{ConditionStatus, ConditionType, CubeCredentialStatus, Reason},
    oauth::response::{Issued, TokenError},
    reconcile::{Attempt, Exchanged, Settings},
};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;

use crate::{
    cluster::Cluster,
    operator::{Operator, reasons, settings},
    provider::{Provider, Rules},
};

pub(crate) const NAME: &str = "books";
pub(crate) const UID: &str = "uid-of-books";
pub(crate) const SEED: &str = "login";
pub(crate) const TARGET: &str = "books-token";
pub(crate) const STATE: &str = "books-cube-state";

/// When the world begins, in Unix seconds.
const BEGIN: i64 = 1_800_000_000;
/// The pause that the provider asks for.
pub(crate) const PAUSE: i64 = 10;
/// The limit of an exchange.
const EXCHANGE: i64 = 30;

/// Two processes, and an API server that comes back after a claim has ended.
const OUTLIVED: &str = "the API server did not take the successor for longer than a claim";

/// What is counted over histories.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) exchanges: u64,
    pub(crate) crashes: u64,
    pub(crate) lost_answers: u64,
    pub(crate) lost_logins: u64,
    pub(crate) retries: u64,
}

/// A refresh token that was sent.
struct Sent {
    at: i64,
    by: u64,
    /// Until when nobody else may send it; `None`: its sender knows what came of it.
    open_until: Option<i64>,
    /// Whether the sender knows that it was served.
    served: bool,
    rejected_at: Option<i64>,
    /// The refresh request that its sender knew, and the one that it knew when it was rejected.
    request: u64,
    rejected_request: u64,
}

pub(crate) struct World {
    pub(crate) random: Rng,
    pub(crate) now: i64,
    pub(crate) faulty: bool,
    /// How often things go wrong, in thousandths.
    severity: u32,
    pub(crate) settings: Settings,
    pub(crate) cluster: Cluster,
    pub(crate) status: CubeCredentialStatus,
    pub(crate) operators: Vec<Operator>,
    pub(crate) provider: Provider,
    /// The version of the seed Secret and the number of the token in it.
    pub(crate) seed: Option<(u64, u64)>,
    old_seeds: Vec<u64>,
    pub(crate) requests: u64,
    api_down_until: i64,
    provider_down_until: i64,
    newest_published: u64,
    /// Steps since the time moved.
    steps: u32,
    sent: BTreeMap<u64, Sent>,
    /// Why the login may be lost.
    excuse: Option<&'static str>,
    /// An old seed was applied since the last sign-in: what was in doubt about the new one is then forgotten.
    old_seed_applied: bool,
    logins: Vec<u64>,
    pub(crate) figures: Figures,
    pub(crate) violation: Option<String>,
    log: Option<Vec<String>>,
}

impl World {
    pub(crate) fn new(seed: u64, log: bool) -> Self {
        let mut random = Rng::with_seed(seed);
        let rules = Rules {
            rotates: random.u8(0..8) > 0,
            grace: [0, 0, 120][random.usize(0..3)],
            reuse_protection: random.bool(),
            lifetime: [120, 600, 1800][random.usize(0..3)],
        };
        let operators = (0..=u64::from(random.bool())).map(Operator::new).collect();
        let severity = [0, 20, 60, 150][random.usize(0..4)];
        let mut world = Self {
            random,
            now: BEGIN,
            faulty: true,
            severity,
            settings: settings(),
            cluster: Cluster::default(),
            status: CubeCredentialStatus::default(),
            operators,
            provider: Provider::new(rules),
            seed: None,
            old_seeds: Vec::new(),
            requests: 0,
            api_down_until: 0,
            provider_down_until: 0,
            newest_published: 0,
            steps: 0,
            sent: BTreeMap::new(),
            excuse: None,
            old_seed_applied: false,
            logins: Vec::new(),
            figures: Figures::default(),
            violation: None,
            log: log.then(Vec::new),
        };
        world.note(|| format!("{rules:?}, severity {severity}"));
        world.sign_in();
        world
    }

    /// Lives through a history and says what was wrong with it.
    pub(crate) fn live(mut self) -> (Figures, Result<(), String>) {
        let span = self.provider.rules.lifetime * 2;
        self.run_until(BEGIN + span);
        self.faulty = false;
        self.api_down_until = 0;
        self.provider_down_until = 0;
        self.note(|| "the faults stop".into());
        for operator in &mut self.operators {
            // What was told to stop is followed by another, once it has finished what it had begun.
            if !operator.alive || operator.stopping && operator.rests() {
                *operator = Operator::new(operator.pod);
            }
            operator.stopping = false;
            operator.next_at = self.now;
            // The watches catch up.
            operator.dirty = true;
        }
        // It outlives the present token; and the longest wait is a slow failure's.
        let end = self.now + 4400;
        self.run_until(self.now + self.provider.rules.lifetime);
        while self.now < end && self.violation.is_none() && !self.is_ready() {
            self.run_until(self.now + 300);
        }
        self.check_the_end();
        if self.violation.is_none() && !self.is_ready() {
            self.note(|| "a person signs in again".into());
            self.sign_in();
            self.run_until(self.now + 60);
            if !self.is_ready() {
                self.violated("a new seed does not recover it".into());
            }
        }
        let result = match self.violation {
            None => Ok(()),
            Some(violation) => {
                let mut lines = self.log.unwrap_or_default();
                lines.push(violation);
                Err(lines.join("\n"))
            }
        };
        (self.figures, result)
    }

    fn run_until(&mut self, end: i64) {
        while self.violation.is_none() {
            let next = (0..self.operators.len())
                .filter(|who| self.operators[*who].alive)
                .min_by_key(|who| (self.operators[*who].next_at, self.random.u8(..)));
            let at = next.map_or(i64::MAX, |who| self.operators[who].next_at);
            if at > end && (!self.faulty || self.now >= end) {
                self.now = end;
                return;
            }
            // While things go wrong, they also do in quiet times.
            if self.faulty && at > self.now + 30 {
                self.now = (self.now + 30).min(end);
                self.something_happens(true);
                continue;
            }
            let Some(who) = next else { return };
            if at > self.now {
                self.steps = 0;
            }
            self.steps += 1;
            if self.steps > 300 {
                return self.violated("a reconcile does not come to rest".into());
            }
            self.now = self.now.max(at);
            self.cluster.land(self.now);
            self.something_happens(false);
            if self.operators[who].alive && self.operators[who].next_at <= self.now {
                self.step(who);
            }
        }
    }

    /// What goes wrong between two steps.
    fn something_happens(&mut self, quiet: bool) {
        if !self.faulty {
            return;
        }
        for who in 0..self.operators.len() {
            let operator = &self.operators[who];
            if operator.alive && operator.stopping && operator.rests() {
                self.note(|| format!("operator {who} has stopped"));
                if self.end(who) {
                    self.violated(format!(
                        "operator {who} has stopped with a refresh token in hand"
                    ));
                }
            }
        }
        for who in 0..self.operators.len() {
            if !self.operators[who].alive && (quiet || self.random.u8(0..4) == 0) {
                self.start(who);
            } else if self.operators[who].alive && self.strikes(6) {
                self.crash(who);
            }
        }
        if !self.strikes(4) {
            return;
        }
        match self.random.u8(0..10) {
            0 => {
                self.api_down_until = self.now + self.random.i64(1..90);
                self.note(|| "the API server goes down".into());
            }
            1 => {
                self.provider_down_until = self.now + self.random.i64(1..400);
                self.note(|| "the provider goes down".into());
            }
            2 => {
                self.note(|| "the target is deleted".into());
                self.cluster.delete(TARGET);
                self.touch();
            }
            3 => {
                self.note(|| "the status is wiped".into());
                self.status = CubeCredentialStatus::default();
                self.touch();
            }
            4 => {
                self.requests += 1;
                self.note(|| "a refresh is asked for".into());
                self.touch();
            }
            5 => {
                // GitOps applies what it always applied.
                let old = self.old_seeds[self.random.usize(..self.old_seeds.len())];
                self.old_seed_applied = true;
                self.put_seed(old);
            }
            6 => {
                let who = self.random.usize(..self.operators.len());
                // The two clocks stay within what the claim allows for.
                self.operators[who].skew = self.random.i64(-2..=2);
            }
            7 => {
                let who = self.random.usize(..self.operators.len());
                self.note(|| format!("operator {who} is told to stop"));
                self.operators[who].stopping = true;
            }
            8 if self.random.u8(0..4) == 0 => {
                self.note(|| "the login is revoked".into());
                self.provider.revoke();
            }
            9 if self.random.bool() => {
                self.note(|| "a person signs in again".into());
                self.sign_in();
            }
            _ => {}
        }
    }

    fn start(&mut self, who: usize) {
        let pod = if self.random.bool() {
            self.operators[who].pod
        } else {
            self.random.u64(10..)
        };
        self.note(|| format!("operator {who} starts as pod {pod}"));
        let skew = self.operators[who].skew;
        self.operators[who] = Operator::new(pod);
        self.operators[who].skew = skew;
        self.operators[who].next_at = self.now;
    }

    fn crash(&mut self, who: usize) {
        self.note(|| format!("operator {who} crashes"));
        self.figures.crashes += 1;
        if self.end(who) {
            self.excused("the process ended between the answer and the write");
        }
    }

    /// A process ends. Says whether it was the only one to have a refresh token.
    fn end(&mut self, who: usize) -> bool {
        let pod = self.operators[who].pod;
        let had = self.operators[who].crash();
        let restarted = self.now;
        let state = self.cluster.secrets.get(STATE);
        let noted = state.is_some_and(|state| {
            let record = state.data["record"].expose_secret();
            let record: serde_json::Value = serde_json::from_str(record).expect("JSON");
            !record["rejection"].is_null() && record["claim"].is_null()
        });
        for sent in self.sent.values_mut() {
            // The same pod may go on at once.
            if sent.by == pod && sent.open_until.is_some_and(|until| until > restarted) {
                sent.open_until = Some(sent.at + EXCHANGE);
            }
            // What it was told, and had not stored yet, nobody knows.
            if sent.by == pod && !noted {
                sent.rejected_at = None;
            }
        }
        had
    }

    fn sign_in(&mut self) {
        let token = self.provider.sign_in();
        self.excuse = None;
        self.old_seed_applied = false;
        self.logins.push(token);
        self.old_seeds.push(token);
        self.put_seed(token);
    }

    fn put_seed(&mut self, token: u64) {
        self.note(|| format!("the seed is r{token}"));
        self.cluster.version += 1;
        self.seed = Some((self.cluster.version, token));
        self.touch();
    }

    /// The watches tell every process that something has changed.
    pub(crate) fn touch(&mut self) {
        for operator in &mut self.operators {
            if operator.rests() {
                operator.next_at = operator.next_at.min(self.now);
            } else {
                operator.dirty = true;
            }
        }
    }

    pub(crate) fn clock(&self, who: usize) -> Timestamp {
        Timestamp::from_second(self.now + self.operators[who].skew).expect("a time")
    }

    /// A call takes up to a second.
    pub(crate) fn pass(&mut self, who: usize) {
        if self.faulty && self.random.u8(0..4) == 0 {
            self.operators[who].next_at = self.now + 1;
        }
    }

    pub(crate) fn api_is_down(&self) -> bool {
        self.now < self.api_down_until
    }

    /// Whether something of this weight goes wrong now.
    pub(crate) fn strikes(&mut self, weight: u32) -> bool {
        self.faulty && self.random.u32(0..40_000) < weight * self.severity
    }

    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        let at = self.now - BEGIN;
        if let Some(log) = &mut self.log {
            log.push(format!("{at:>6} {}", line()));
        }
    }

    pub(crate) fn violated(&mut self, what: String) {
        self.note(|| "VIOLATED".into());
        self.violation.get_or_insert(what);
    }

    fn excused(&mut self, why: &'static str) {
        self.note(|| format!("unavoidable: {why}"));
        self.excuse = Some(why);
    }

    /// Whether somebody signed in after this token was issued: what is of an older login need not be kept.
    pub(crate) fn logins_since(&self, token: u64) -> bool {
        self.logins.iter().any(|login| *login > token)
    }
}

/// Exchanges, and what must hold of them.
impl World {
    /// Makes one: what comes of it, the refresh token that was received, and the seconds that it takes.
    pub(crate) fn exchange(
        &mut self,
        who: usize,
        token: u64,
        attempt: Attempt,
    ) -> (Exchanged, Option<u64>, i64) {
        self.figures.exchanges += 1;
        self.may_be_sent(who, token);
        let at = self.now;
        let by = self.operators[who].pod;
        let request = self.operators[who].request;
        let sent = self.sent.entry(token).or_insert(Sent {
            at,
            by,
            open_until: None,
            served: false,
            rejected_at: None,
            request,
            rejected_request: 0,
        });
        (sent.at, sent.by, sent.request) = (at, by, request);
        sent.open_until = Some(at + EXCHANGE);
        let outcome_unknown = |reason| {
            Err(TokenError {
                outcome_unknown: true,
                ..TokenError::new(reason, "no answer")
            })
        };
        let down = self.now < self.provider_down_until;
        let kind = if down {
            self.random.u8(0..5)
        } else if self.strikes(60) {
            self.random.u8(0..8)
        } else {
            8
        };
        let takes = if self.faulty {
            self.random.i64(0..8)
        } else {
            0
        };
        let (result, refresh_token, seconds) = match kind {
            0 | 1 => (
                Err(TokenError::new(Reason::Unreachable, "refused")),
                None,
                1,
            ),
            2 => (outcome_unknown(Reason::Unavailable), None, takes),
            3 => (outcome_unknown(Reason::NoResponse), None, EXCHANGE),
            4 => {
                let mut refusal = TokenError::new(Reason::RateLimited, "slow down");
                refusal.pause = Some(SignedDuration::from_secs(PAUSE));
                (Err(refusal), None, takes)
            }
            _ => {
                let pair = self.provider.refresh(token, self.now);
                self.note(|| format!("operator {who} sends r{token}: {pair:?} (answer {kind})"));
                match pair {
                    None => {
                        let refusal =
                            TokenError::new(Reason::RefreshTokenRejected, "invalid_grant");
                        (Err(refusal), None, takes)
                    }
                    Some(_) if kind == 5 || kind == 6 => {
                        self.figures.lost_answers += 1;
                        if self.provider.rules.rotates {
                            self.excused("the answer was lost");
                        }
                        let reason =
                            [Reason::NoResponse, Reason::Unavailable][usize::from(kind == 6)];
                        (outcome_unknown(reason), None, EXCHANGE)
                    }
                    Some(pair) => {
                        let issued = Issued {
                            access_token: format!("a{}", pair.access).into(),
                            lifetime: Some(SignedDuration::from_secs(self.provider.rules.lifetime)),
                            scopes: Vec::new(),
                            narrowed: false,
                        };
                        let refresh = pair.refresh != token || self.random.bool();
                        let refresh = refresh.then_some(pair.refresh);
                        // A useless answer with a useful refresh token.
                        let result = if kind == 7 {
                            Err(TokenError::new(
                                Reason::UnexpectedResponse,
                                "no access token",
                            ))
                        } else {
                            Ok(issued)
                        };
                        (result, refresh, takes)
                    }
                }
            }
        };
        let received = refresh_token.filter(|received| *received != token);
        let outcome = Exchanged {
            attempt,
            sent_at: self.clock(who),
            result,
            refresh_token: refresh_token.map(|number| format!("r{number}").into()),
            date: None,
        };
        self.note(|| {
            format!(
                "operator {who} sent r{token}, answer {kind} in {seconds} s, received {received:?}"
            )
        });
        (outcome, received, seconds)
    }

    /// The answer is there, and its receiver alive.
    pub(crate) fn arrived(&mut self, token: u64, received: Option<u64>, refused: Option<Reason>) {
        let now = self.now;
        let Some(sent) = self.sent.get_mut(&token) else {
            return;
        };
        let doubt = matches!(refused, Some(Reason::NoResponse | Reason::Unavailable));
        sent.open_until = doubt.then_some(now);
        sent.served |= received.is_some();
        if refused == Some(Reason::RefreshTokenRejected) {
            sent.rejected_at = Some(now);
            sent.rejected_request = sent.request;
        }
    }

    fn may_be_sent(&mut self, who: usize, token: u64) {
        let Operator {
            pod: by, request, ..
        } = self.operators[who];
        let now = self.now;
        let Some(sent) = self.sent.get(&token) else {
            return;
        };
        self.figures.retries += 1;
        // Another pod waits for the claim; clocks differ by up to four seconds, and times are whole seconds.
        // A token that is not rotated may be sent by many.
        let claimed = self.provider.rules.rotates
            && sent.by != by
            && sent.open_until.is_some()
            && now < sent.at + EXCHANGE;
        if claimed {
            return self.violated(format!(
                "operator {who} sends r{token} within the claim of another"
            ));
        }
        let dead =
            sent.rejected_at.is_some_and(|at| now < at + 290) && request == sent.rejected_request;
        let taken_over = sent.by != by;
        if dead && !taken_over {
            return self.violated(format!(
                "operator {who} sends r{token} again, which was rejected"
            ));
        }
        let api_trouble = self.api_down_until > sent.at;
        let stored = self.cluster.number(STATE, "refresh-token");
        if sent.served && !self.logins_since(token) && self.excuse.is_none() {
            if api_trouble || taken_over {
                return self.excused(OUTLIVED);
            }
            self.violated(format!(
                "operator {who} sends r{token} again, whose successor was received (the state has {stored:?})"
            ));
        }
    }

    /// A target never goes back to an older token.
    pub(crate) fn published(&mut self, token: Option<u64>) {
        let Some(token) = token else { return };
        self.note(|| format!("a{token} is published"));
        if token < self.newest_published {
            let newest = self.newest_published;
            self.violated(format!("a{token} is published after a{newest}"));
        }
        self.newest_published = self.newest_published.max(token);
    }

    fn is_ready(&self) -> bool {
        let ready = self.status.condition(ConditionType::Ready);
        ready.is_some_and(|ready| ready.status == ConditionStatus::True)
            && self.cluster.number(TARGET, "access-token") == Some(self.newest_published)
    }

    /// Faults have stopped: it is ready, or the login is dead for a good reason, and says which.
    fn check_the_end(&mut self) {
        if self.violation.is_some() || self.is_ready() {
            return;
        }
        let stored = self.cluster.number(STATE, "refresh-token");
        if stored.is_some_and(|token| self.provider.takes(token, self.now)) {
            let told = reasons(&self.status);
            return self.violated(format!(
                "r{stored:?} is good, and yet it is not ready: {told:?}"
            ));
        }
        self.figures.lost_logins += 1;
        let reason = self
            .status
            .condition(ConditionType::Refreshed)
            .map(|condition| condition.reason.clone())
            .unwrap_or_default();
        // A newer login whose seed was overwritten before anybody saw it ends the one before.
        let ended = self.provider.revoked || stored.is_some_and(|token| self.logins_since(token));
        let expected: &[&str] = match self.excuse {
            None if !ended => &[],
            // Also a login that was ended may have been in doubt. Where another process sent the replay, the one with the
            // successor finds that revoked; and an old seed that was applied makes what was in doubt forgotten.
            Some(why) if !ended && why != OUTLIVED && !self.old_seed_applied => {
                &["RefreshTokenLost"]
            }
            _ => &["RefreshTokenRejected", "RefreshTokenLost"],
        };
        if !expected.contains(&reason.as_str()) {
            let excuse = self.excuse;
            self.violated(format!(
                "the login is dead ({excuse:?}) and the reason is {reason:?}, not one of {expected:?}"
            ));
        }
    }
}
