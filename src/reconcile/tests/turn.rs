//! The loop of `controller::reconciler` over a [`World`], which counts what each thing costs.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Debug, Write},
};

use super::{
    cluster::{Fault, Trouble},
    world::World,
};
use crate::{
    api::{CubeCredentialStatus, annotation},
    api_error::{ApiError, ApiStatus, Cause, StatusClass},
    reconcile::{
        Action, CaBundle, ClientValues, Content, Credential, Memory, Observed, Outcome,
        PermitRequest, Read, SecretVersion, Session, Settings, Source, SourceSecret, State, Target,
        TargetReading, Turn, fingerprint,
    },
};

impl World {
    pub(super) fn written(&self) -> (u64, CubeCredentialStatus) {
        (self.cluster.version, self.status.clone())
    }

    /// `controller::reconciler::Reconciler::run`.
    pub(super) fn reconcile(&mut self) -> Result<(), Trouble> {
        let mut session = Session::begin(self.observe());
        let result = self.steps(&mut session);
        shows_no_secret(&session);
        let ended = session.end(result.is_ok(), &mut self.budget.borrow_mut(), self.now);
        self.memory.as_mut().unwrap().end(ended.memory);
        result
    }

    fn steps(&mut self, session: &mut Session) -> Result<(), Trouble> {
        for _ in 0..20 {
            let turn = session.next(|| true, self.now);
            shows_no_secret(&turn);
            let outcome = match turn {
                Turn::Done { wake_at } => {
                    self.wake_at = wake_at;
                    return Ok(());
                }
                Turn::Held | Turn::Stuck => unreachable!("it may begin, and 20 steps suffice"),
                Turn::Wait(_) => unreachable!("there is no refresh token"),
                Turn::Read(what) => self.read(what, session.observed()),
                Turn::Act(action) => self.act(*action, session.observed())?,
            };
            shows_no_secret(&outcome);
            let effects = session.absorb(outcome, self.now);
            if let Some(secret) = effects.known_target {
                self.cache.insert(secret.name.clone(), secret);
            }
            if let Some((client, until)) = effects.pause {
                self.budget.borrow_mut().pause(&client, until, self.now);
            }
        }
        panic!("20 steps and no rest: {session:#?}");
    }

    /// `cluster::Context::observe`, after the watches have told everything.
    pub(super) fn observe(&mut self) -> Observed {
        self.listen();
        let name = Settings::target_name("cubewire", &self.spec);
        let version = self.source.as_ref().filter(|source| source.labelled);
        let previous = self.cache.values().find(|secret| {
            secret.name != name && secret.annotations.get(annotation::OWNER_UID) == Some(&self.uid)
        });
        Observed {
            credential: Credential {
                namespace: "treasury".into(),
                name: "cubewire".into(),
                uid: self.uid.clone(),
                generation: self.generation,
                deleting: self.deleting,
                refresh_request: self.request.clone(),
                status: self.status.clone(),
            },
            settings: Settings::read("treasury", "cubewire", &self.spec),
            older_rival: self.rival.clone(),
            target: self
                .cache
                .get(&name)
                .cloned()
                .map_or(Target::Unknown, Target::Present),
            previous: previous.cloned(),
            source: Source::Unread(version.map(|source| source.version.to_string())),
            seed: Source::Unread(None),
            state: State::Unread,
            identity: "pod".into(),
            ca_bundle: CaBundle::Unread,
            permit: None,
            allowed_hosts: self.allowed_hosts.clone(),
            memory: self
                .memory
                .get_or_insert_with(|| Memory::recall(&self.status, self.now))
                .begin(),
        }
    }

    /// What `controller::reconciler::Reconciler::recall_pauses` does when a process starts.
    pub(super) fn recall_pause(&self) {
        if let Some((client, until)) = Memory::recall(&self.status, self.now).pause() {
            self.budget.borrow_mut().pause(&client, until, self.now);
        }
    }

    pub(super) fn listen(&mut self) {
        if self.watches_lag {
            return;
        }
        let watched: BTreeSet<_> = self.cluster.watched().into_iter().collect();
        self.cache.retain(|name, _| watched.contains(name));
        for name in watched {
            let secret = self.cluster.target(&name).unwrap();
            let known = self.cache.get(&name);
            if known.is_none_or(|known| known.version != secret.version) {
                self.cache.insert(name, secret);
            }
        }
    }

    pub(super) fn read(&mut self, what: Read, observed: &Observed) -> Outcome {
        match what {
            Read::Target { name, .. } => {
                self.costs.target_reads += 1;
                Outcome::Target(self.read_target(&name, observed))
            }
            Read::Previous { name } => {
                self.costs.previous_reads += 1;
                Outcome::Previous(self.read_target(&name, observed))
            }
            Read::Source { .. } => {
                self.costs.source_reads += 1;
                Outcome::Source(match self.source.clone() {
                    None => Source::Absent,
                    Some(source) if !source.labelled => Source::NotLabelled,
                    Some(source) => Source::Read(SourceSecret {
                        version: source.version.to_string(),
                        token_hosts: source.token_hosts,
                        values: ClientValues {
                            id: source.client_id,
                            secret: source.client_secret,
                        },
                    }),
                })
            }
            Read::Seed { .. } | Read::State { .. } => unreachable!("there is no refresh token"),
            Read::CaBundle(_) => {
                self.costs.ca_reads += 1;
                Outcome::CaBundle(self.ca_bundle.clone())
            }
        }
    }

    fn read_target(&self, name: &str, observed: &Observed) -> Option<TargetReading> {
        let secret = self.cluster.target(name)?;
        let data = if secret.is_foreign_to(&observed.credential) {
            BTreeMap::new()
        } else {
            self.cluster.data(name)
        };
        Some(TargetReading { secret, data })
    }

    fn act(&mut self, action: Action, observed: &Observed) -> Result<Outcome, Trouble> {
        match action {
            Action::TakePermit(request) => {
                let request = PermitRequest {
                    uid: self.uid.clone(),
                    ..request
                };
                let turn = self.budget.borrow_mut().take(&request, self.now);
                Ok(Outcome::Permit(request, turn))
            }
            Action::Exchange(request) => {
                self.costs.exchanges += 1;
                self.assert_permitted(observed);
                Ok(self.provider.exchange(request, &mut self.now))
            }
            Action::Store(_) => unreachable!("there is no refresh token"),
            Action::Publish(target) => {
                self.costs.publishes += 1;
                self.assert_ours(&target.name, target.replaces.as_ref(), observed);
                let before = self.cluster.version;
                let published = self.cluster.publish(&target, &self.uid);
                if self.cluster.version > before {
                    self.assert_not_older(&target.name);
                }
                if let Err(trouble) = published {
                    self.cache.remove(&target.name);
                    return match trouble {
                        Trouble::Refused => {
                            Ok(Outcome::NotWritable(exceeded_quota(&target.name).into()))
                        }
                        Trouble::Interrupted => Err(trouble),
                    };
                }
                let mut known = self.cluster.target(&target.name).unwrap();
                known.content = Content::Confirmed(fingerprint(&target.data["access-token"]));
                self.cache.insert(target.name, known.clone());
                Ok(Outcome::Published(known))
            }
            Action::Delete(version) => {
                self.costs.deletes += 1;
                self.assert_ours(&version.name, Some(&version), observed);
                self.cache.remove(&version.name);
                self.cluster.delete(&version)?;
                Ok(Outcome::Deleted(version.name))
            }
            Action::Report { status, events } => {
                self.costs.reports += 1;
                assert_ne!(status, self.status, "the same status is written twice");
                let fault = self.cluster.fault();
                if matches!(fault, None | Some(Fault::Unanswered)) {
                    self.status = status.clone();
                }
                if fault.is_some() {
                    return Err(Trouble::Interrupted);
                }
                self.news.extend(events);
                let version = self.cluster.next_version().to_string();
                Ok(Outcome::Reported { status, version })
            }
        }
    }

    fn assert_permitted(&self, observed: &Observed) {
        assert!(!self.deleting && !self.spec.suspend && self.rival.is_none());
        let name = Settings::target_name("cubewire", &self.spec);
        let foreign = self.cluster.target(&name);
        assert!(foreign.is_none_or(|secret| !secret.is_foreign_to(&observed.credential)));
    }

    /// Tokens are numbered in the order in which they were issued.
    fn assert_not_older(&mut self, name: &str) {
        let token = &self.cluster.secrets[name].data["access-token"];
        let number = token.rsplit('-').next().unwrap().parse().unwrap();
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
            // A string is written at once, or up to a character that is escaped.
            assert!(!text.contains("S3CRET"), "{text}");
            Ok(())
        }
    }
    write!(Search, "{value:?}").unwrap();
}

/// The API server's refusal to write a Secret.
fn exceeded_quota(name: &str) -> ApiError {
    ApiError {
        verb: "write",
        object: format!("Secret treasury/{name}"),
        cause: Cause::Status(ApiStatus {
            message: "exceeded quota".into(),
            code: 403,
            reason: "Forbidden".into(),
            class: StatusClass::Refused,
            namespace_is_gone: false,
        }),
    }
}
