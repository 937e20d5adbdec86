//! The loop of `controller::reconciler` over a [`World`], which counts what each thing costs.

use std::fmt::{self, Debug, Write};

use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::{
    model::{
        cluster::{no_response, number},
        process::Process,
    },
    world::{World, seconds},
};
use crate::{
    api::CubeCredentialStatus,
    api_error::ApiError,
    reconcile::{
        AccountRole, Action, Budget, Observed, Outcome, Probing, Read, SecretVersion, Session,
        Settings, Slot, Turn,
    },
};

impl World {
    fn written(&self) -> (u64, CubeCredentialStatus) {
        (self.cluster.version, self.status.clone())
    }

    /// Reconciles until the watch events of our own writes bring nothing new.
    pub(super) fn settle(&mut self) {
        self.try_settle().expect("no write was to fail");
    }

    pub(super) fn try_settle(&mut self) -> Result<(), ApiError> {
        for _ in 0..5 {
            let before = self.written();
            self.reconcile()?;
            if self.written() == before {
                return Ok(());
            }
        }
        panic!("the world does not come to rest: {:?}", self.status);
    }

    /// `controller::reconciler::Reconciler::run`.
    pub(super) fn reconcile(&mut self) -> Result<(), ApiError> {
        let mut session = Session::begin(self.observe());
        let result = self.steps(&mut session);
        shows_no_secret(&session);
        self.process.end(session, result.is_ok(), self.now);
        result
    }

    fn steps(&mut self, session: &mut Session) -> Result<(), ApiError> {
        let mut has_slot = false;
        for _ in 0..50 {
            let turn = session.next(|| true, self.now);
            shows_no_secret(&turn);
            let outcome = match turn {
                Turn::Done { wake_at } => {
                    self.wake_at = wake_at;
                    return Ok(());
                }
                Turn::Held | Turn::Stuck => unreachable!("it may begin, and 50 steps suffice"),
                Turn::Wait(duration) => {
                    has_slot = false;
                    self.now += seconds(duration.as_secs().max(1));
                    Ok(Outcome::Waited {
                        object_is_gone: false,
                    })
                }
                Turn::TakeSlot { deadline } => {
                    has_slot = self.slot == Slot::Taken;
                    self.slot_deadlines.push(deadline);
                    Ok(Outcome::Slot(self.slot))
                }
                Turn::Read(what) => Ok(self.read(&what, session.observed())),
                Turn::Act(action) if self.ends_before.take_if(|ends| ends(&action)).is_some() => {
                    return Err(no_response("cubewire-token"));
                }
                Turn::Act(action) => {
                    let leaves = action.leaves_the_cluster();
                    assert!(
                        has_slot || !leaves,
                        "a request to another server has no slot"
                    );
                    self.act(*action, session.observed())
                }
            };
            match outcome {
                Ok(outcome) => {
                    shows_no_secret(&outcome);
                    self.process.absorb(session, outcome, self.now);
                }
                Err(error) => session.survive(error, self.now)?,
            }
        }
        panic!("50 steps and no rest: {session:#?}");
    }

    /// A reconcile, with this in between: another process acts before the first such action.
    pub(super) fn reconcile_around(
        &mut self,
        is_such: fn(&Action) -> bool,
        in_between: impl FnOnce(&mut Self),
    ) {
        let mut session = Session::begin(self.observe());
        let action = loop {
            let outcome = match session.next(|| true, self.now) {
                Turn::Read(what) => self.read(&what, session.observed()),
                Turn::Act(action) if is_such(&action) => break action,
                Turn::Act(action) => {
                    let done = self.act(*action, session.observed());
                    done.expect("nothing fails")
                }
                Turn::TakeSlot { .. } => Outcome::Slot(Slot::Taken),
                turn => panic!("not in this test: {turn:?}"),
            };
            self.process.absorb(&mut session, outcome, self.now);
        };
        let another = Process::new("another", Budget::new(seconds(0), Timestamp::MIN));
        let process = std::mem::replace(&mut self.process, another);
        in_between(self);
        self.process = process;
        let observed = session.observed();
        let done = if action.leaves_the_cluster() {
            self.act(*action, observed)
        } else {
            self.objects
                .act(*action, &mut self.process, observed, self.now)
        };
        let outcome = done.expect("nothing fails");
        self.process.absorb(&mut session, outcome, self.now);
        self.steps(&mut session).expect("nothing fails");
        self.process.end(session, true, self.now);
    }

    /// `cluster::Context::observe`, after the watches have caught up.
    pub(super) fn observe(&mut self) -> Observed {
        self.watch();
        let settings = Settings::with_provider(
            "treasury",
            "cubewire",
            &self.spec,
            self.provider_object.clone(),
        );
        self.process.observe(&self.objects, settings, self.now)
    }

    /// Does the same as `controller::reconciler::Reconciler::recall_pauses` when a process starts.
    pub(super) fn recall_pause(&mut self) {
        let mut session = Session::begin(self.observe());
        if let Some(read) = session.needs_for_its_pause(self.now) {
            let outcome = self.objects.read(&read, session.observed());
            self.process.absorb(&mut session, outcome, self.now);
        }
        self.process.memory = None;
    }

    pub(super) fn watch(&mut self) {
        if !self.watches_lag {
            self.process.watch(&self.objects);
        }
    }

    pub(super) fn read(&mut self, what: &Read, observed: &Observed) -> Outcome {
        let costs = &mut self.costs;
        *match what {
            Read::Target { .. } => &mut costs.target_reads,
            Read::Previous { .. } => &mut costs.previous_reads,
            Read::Source { .. }
            | Read::ServiceAccount {
                role: AccountRole::Client,
                ..
            } => &mut costs.source_reads,
            Read::Seed { .. }
            | Read::ServiceAccount {
                role: AccountRole::Subject,
                ..
            } => &mut costs.seed_reads,
            Read::State { .. } => &mut costs.state_reads,
            Read::Record { .. } => &mut costs.record_reads,
            Read::OtherStates { .. } => &mut costs.looks_at_others,
            Read::Consumers { .. } => &mut costs.pod_lists,
            Read::CaBundle(_) => &mut costs.ca_reads,
            Read::Workloads { .. } => &mut costs.workload_reads,
        } += 1;
        self.objects.read(what, observed)
    }

    fn act(&mut self, action: Action, observed: &Observed) -> Result<Outcome, ApiError> {
        self.check(&action, observed);
        let published = match &action {
            Action::Publish(target) => Some(target.name.clone()),
            _ => None,
        };
        let before = self.cluster.version;
        let outcome = match action {
            Action::Exchange(exchange) => {
                let exchanged = self.provider.exchange(exchange, &mut self.now);
                Ok(Outcome::Exchanged(Box::new(exchanged)))
            }
            Action::Probe(probing) => Ok(self.probe(*probing)),
            action => self
                .objects
                .act(action, &mut self.process, observed, self.now),
        };
        if let Some(name) = published.filter(|_| self.cluster.version > before) {
            self.assert_not_older(&name);
        }
        outcome
    }

    fn probe(&mut self, probing: Probing) -> Outcome {
        let token = probing.request.token.expose_secret().to_owned();
        self.probed.push((self.now, token));
        let next = self.api.pop_front();
        probing.outcome(next.unwrap_or_else(|| self.api_otherwise.clone()))
    }

    /// Counts an action, and checks that it may happen now.
    fn check(&mut self, action: &Action, observed: &Observed) {
        let costs = &mut self.costs;
        match action {
            Action::TakePermit(request) => self.permits.push(request.clone()),
            Action::Exchange(_) => {
                costs.exchanges += 1;
                self.assert_permitted(observed);
            }
            Action::RequestAccountToken(..) => costs.account_tokens += 1,
            Action::Probe(_) => costs.probes += 1,
            Action::Store(_) => costs.stores += 1,
            Action::Record(record) => {
                costs.records += 1;
                let secret = &record.secret;
                self.assert_ours(&secret.name, secret.replaces.as_ref(), observed);
            }
            Action::Publish(target) => {
                costs.publishes += 1;
                self.assert_ours(&target.name, target.replaces.as_ref(), observed);
                let current = self.cluster.secrets.get(&target.name);
                let same = current.zip(target.replaces.as_ref());
                if let Some((current, _)) = same.filter(|(stored, old)| stored.uid == old.uid) {
                    assert_eq!(current.r#type, target.r#type, "a type is immutable");
                }
            }
            Action::Delete(version) | Action::DeleteRecord(version) => {
                costs.deletes += 1;
                self.assert_ours(&version.name, Some(version), observed);
            }
            Action::RefreshPods(_) => costs.pod_refreshes += 1,
            Action::Restart(_) => costs.restarts += 1,
            Action::Announce(events) => assert!(!events.is_empty()),
            Action::Report { status, .. } => {
                costs.reports += 1;
                assert_ne!(*status, self.status, "the same status is written twice");
            }
        }
    }

    fn assert_permitted(&self, observed: &Observed) {
        assert!(!self.deleting && !self.spec.suspend && self.rival.is_none());
        let name = Settings::target_name("cubewire", &self.spec);
        let foreign = self.cluster.target(&name);
        let is_ours = foreign.is_none_or(|secret| !secret.is_foreign_to(&observed.credential));
        // A first target is created without a check whether it can be: an access token is wasted at worst.
        let first = self.status.target.is_none() && self.spec.refresh_token_ref.is_none();
        assert!(is_ours || first);
    }

    /// Tokens are numbered in the order in which they were issued.
    fn assert_not_older(&mut self, name: &str) {
        let values = &mut self.cluster.secrets[name].data.values();
        let number = values.find_map(|value| number(value.trim())).unwrap();
        assert!(
            number >= self.newest_published,
            "an older token is published"
        );
        self.newest_published = number;
    }

    /// A foreign Secret is never written or deleted. One that has changed since it was read is protected by its version.
    fn assert_ours(&self, name: &str, version: Option<&SecretVersion>, observed: &Observed) {
        let current = self.cluster.target(name);
        if let Some(secret) = current
            .filter(|secret| version.is_some_and(|version| version.version == secret.version))
        {
            assert!(
                !secret.is_foreign_to(&observed.credential),
                "{name} is foreign"
            );
        }
    }
}

/// Prints a value as a log line would, and looks for what every secret here starts with.
fn shows_no_secret(value: &impl Debug) {
    struct Search;
    impl Write for Search {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            // A string is written in one piece, or up to a character that is escaped.
            assert!(!text.contains("S3CRET"), "{text}");
            Ok(())
        }
    }
    write!(Search, "{value:?}").unwrap();
}
