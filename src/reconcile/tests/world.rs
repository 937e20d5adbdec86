//! The world of one `CubeCredential`: its spec and status, the objects around it, a provider and a clock.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use jiff::{SignedDuration, Timestamp};

use super::{
    cluster::{Cluster, Trouble},
    provider::Provider,
};
use crate::{
    api::{ConditionStatus, ConditionType, CubeCredentialSpec, CubeCredentialStatus},
    oauth::hosts::HostList,
    reconcile::{Budget, CaBundle, Event, EventKind, Memory, Settings, SourceValue, TargetSecret},
};

pub(super) const UID: &str = "0b5c7a80-uid";
pub(super) const TARGET: &str = "cubewire-token";

/// The source Secret.
#[derive(Clone)]
pub(super) struct SourceState {
    pub(super) version: u64,
    pub(super) labelled: bool,
    pub(super) token_hosts: Option<String>,
    pub(super) client_id: SourceValue,
    pub(super) client_secret: SourceValue,
}

/// What was read and done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Costs {
    pub(super) target_reads: usize,
    pub(super) previous_reads: usize,
    pub(super) source_reads: usize,
    pub(super) ca_reads: usize,
    pub(super) exchanges: usize,
    pub(super) publishes: usize,
    pub(super) deletes: usize,
    pub(super) reports: usize,
}

pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) spec: CubeCredentialSpec,
    pub(super) generation: i64,
    pub(super) request: Option<String>,
    pub(super) deleting: bool,
    pub(super) rival: Option<String>,
    pub(super) allowed_hosts: Option<HostList>,
    pub(super) status: CubeCredentialStatus,
    pub(super) source: Option<SourceState>,
    pub(super) ca_bundle: CaBundle,
    pub(super) cluster: Cluster,
    pub(super) provider: Provider,
    /// It never makes anybody wait, but in the tests that are about it.
    pub(super) budget: Rc<RefCell<Budget>>,
    /// Who this is to the budget.
    pub(super) uid: String,
    pub(super) wake_at: Option<Timestamp>,
    pub(super) news: Vec<Event>,
    pub(super) costs: Costs,
    /// What the process remembers between reconciles.
    pub(super) memory: Option<Memory>,
    /// What the watch on targets told, and our own writes.
    pub(super) cache: BTreeMap<String, TargetSecret>,
    /// The watches tell nothing new.
    pub(super) watches_lag: bool,
    /// The number of the newest token that was published.
    pub(super) newest_published: usize,
}

pub(super) fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

impl World {
    /// A new credential of Cubewire; its source Secret is there and the provider works.
    pub(super) fn new() -> Self {
        let spec = serde_json::json!({
            "provider": "Cubewire", "clientSecretRef": {"name": "cubewire-client"},
        });
        let mut world = Self {
            now: "2026-11-21T10:00:00Z".parse().unwrap(),
            spec: serde_json::from_value(spec).unwrap(),
            generation: 1,
            request: None,
            deleting: false,
            rival: None,
            allowed_hosts: None,
            status: CubeCredentialStatus::default(),
            source: None,
            ca_bundle: CaBundle::Absent,
            cluster: Cluster::default(),
            provider: Provider::new(),
            budget: Rc::new(RefCell::new(Budget::new(seconds(0), Timestamp::MIN))),
            uid: UID.into(),
            wake_at: None,
            news: Vec::new(),
            costs: Costs::default(),
            memory: None,
            cache: BTreeMap::new(),
            watches_lag: false,
            newest_published: 0,
        };
        world.put_source("S3CRET-1");
        world
    }

    /// A credential with a published token of an hour, just issued.
    pub(super) fn ready() -> Self {
        let mut world = Self::new();
        world.settle();
        assert_eq!(
            world.ready_is(),
            (ConditionStatus::True, "Synced".to_owned())
        );
        world.news.clear();
        world.costs = Costs::default();
        world
    }

    /// Creates or changes the source Secret.
    pub(super) fn put_source(&mut self, secret: &str) {
        let version = self.cluster.next_version();
        self.source = Some(SourceState {
            version,
            labelled: true,
            token_hosts: None,
            client_id: SourceValue::Text("client".into()),
            client_secret: SourceValue::Text(secret.into()),
        });
    }

    pub(super) fn edit_source(&mut self, edit: impl FnOnce(&mut SourceState)) {
        let version = self.cluster.next_version();
        let source = self.source.as_mut().unwrap();
        source.version = version;
        edit(source);
    }

    pub(super) fn edit_spec(&mut self, edit: impl FnOnce(&mut CubeCredentialSpec)) {
        edit(&mut self.spec);
        self.generation += 1;
    }

    pub(super) fn put_ca_bundle(&mut self, bundle: CaBundle) {
        self.ca_bundle = bundle;
        if let Some(memory) = &mut self.memory {
            memory.touch_ca_bundle();
        }
    }

    /// A new process, which knows what the watches list and what the status says.
    pub(super) fn restart(&mut self) {
        self.memory = None;
        self.cache.clear();
        self.wake_at = None;
    }

    /// Reconciles until the watch events of our own writes bring nothing new.
    pub(super) fn settle(&mut self) {
        self.try_settle().expect("no write was to fail");
    }

    pub(super) fn try_settle(&mut self) -> Result<(), Trouble> {
        for _ in 0..5 {
            let before = self.written();
            self.reconcile()?;
            if self.written() == before {
                return Ok(());
            }
        }
        panic!("the world does not come to rest: {:?}", self.status);
    }

    /// What happens costs this much.
    pub(super) fn cost_of(&mut self, what: impl FnOnce(&mut Self)) -> Costs {
        self.costs = Costs::default();
        what(self);
        self.costs
    }

    /// Lets time pass, and reconciles whenever a wake-up was asked for.
    pub(super) fn pass(&mut self, span: SignedDuration) {
        let end = self.now + span;
        while let Some(wake_at) = self.wake_at.filter(|wake_at| *wake_at <= end) {
            self.now = wake_at.max(self.now + seconds(1));
            if self.try_settle().is_err() {
                self.wake_at = Some(self.now + seconds(1));
            }
        }
        self.now = self.now.max(end);
    }

    /// Lets time pass to the next wake-up, and reconciles.
    pub(super) fn wake(&mut self) {
        let wake_at = self.wake_at.expect("a wake-up was asked for");
        assert!(wake_at > self.now, "the wake-up is over");
        self.now = wake_at;
        self.settle();
    }
}

/// What tests ask of a world.
impl World {
    pub(super) fn condition(&self, r#type: ConditionType) -> (ConditionStatus, String) {
        let condition = self.status.condition(r#type).expect("it is reported");
        (condition.status, condition.reason.clone())
    }

    pub(super) fn ready_is(&self) -> (ConditionStatus, String) {
        self.condition(ConditionType::Ready)
    }

    pub(super) fn refreshed_is(&self) -> (ConditionStatus, String) {
        self.condition(ConditionType::Refreshed)
    }

    pub(super) fn message(&self, r#type: ConditionType) -> &str {
        &self
            .status
            .condition(r#type)
            .expect("it is reported")
            .message
    }

    /// The published token.
    pub(super) fn token(&self) -> Option<&str> {
        let name = Settings::target_name("cubewire", &self.spec);
        let data = &self.cluster.secrets.get(&name)?.data;
        data.get("access-token").map(String::as_str)
    }

    /// The kinds of the news since the last time it was asked.
    pub(super) fn take_news(&mut self) -> Vec<EventKind> {
        std::mem::take(&mut self.news)
            .iter()
            .map(|news| news.kind)
            .collect()
    }
}
