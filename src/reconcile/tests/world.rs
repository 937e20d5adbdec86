//! The world of one `CubeCredential`: its spec and status, the objects around it, a provider and a clock.

use std::{
    collections::VecDeque,
    ops::{Deref, DerefMut},
};

use jiff::{SignedDuration, Timestamp};

use super::model::{
    logins::Rules,
    objects::{Objects, Provided},
    process::Process,
    provider::{Provider, refresh_token},
};
use crate::{
    api::{ConditionStatus, ConditionType, CubeCredentialSpec},
    oauth::{authentication::Authentication, error::NetworkError},
    reconcile::{
        Action, Budget, CaBundle, ClientValues, EventKind, FoundProvider, PermitRequest, Settings,
        Slot, SourceValue,
    },
};

pub(super) const UID: &str = "0b5c7a80-uid";
pub(super) const TARGET: &str = "cubewire-token";
pub(super) const RECORD: &str = "cubewire-cube-record";
pub(super) const STATE: &str = "cubewire-cube-state";

/// The reads and actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Costs {
    pub(super) target_reads: usize,
    pub(super) previous_reads: usize,
    pub(super) source_reads: usize,
    pub(super) seed_reads: usize,
    pub(super) state_reads: usize,
    pub(super) record_reads: usize,
    pub(super) looks_at_others: usize,
    pub(super) pod_lists: usize,
    pub(super) ca_reads: usize,
    pub(super) account_tokens: usize,
    pub(super) exchanges: usize,
    pub(super) probes: usize,
    pub(super) stores: usize,
    pub(super) records: usize,
    pub(super) publishes: usize,
    pub(super) deletes: usize,
    pub(super) reports: usize,
    pub(super) pod_refreshes: usize,
    pub(super) workload_reads: usize,
    pub(super) restarts: usize,
}

pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) spec: CubeCredentialSpec,
    /// The provider object that the spec names, if it names one.
    pub(super) provider_object: FoundProvider,
    pub(super) objects: Objects,
    /// Its budget never makes anybody wait, but in the tests that are about it.
    pub(super) process: Process,
    pub(super) provider: Provider,
    /// The responses of the API to the next probes, and to all others.
    pub(super) api: VecDeque<Result<u16, NetworkError>>,
    pub(super) api_otherwise: Result<u16, NetworkError>,
    /// The tokens that the API was asked about, and when.
    pub(super) probed: Vec<(Timestamp, String)>,
    pub(super) wake_at: Option<Timestamp>,
    pub(super) costs: Costs,
    pub(super) permits: Vec<PermitRequest>,
    /// The response to those that take a slot, and the deadlines that they named.
    pub(super) slot: Slot,
    pub(super) slot_deadlines: Vec<Timestamp>,
    /// The watches show nothing new.
    pub(super) watches_lag: bool,
    /// The reconcile ends before the first such action, as if the process ended there.
    pub(super) ends_before: Option<fn(&Action) -> bool>,
    /// The number of the newest token that was published.
    pub(super) newest_published: u64,
}

/// A world is first of all the objects in it.
impl Deref for World {
    type Target = Objects;

    fn deref(&self) -> &Objects {
        &self.objects
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Objects {
        &mut self.objects
    }
}

pub(super) fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

impl World {
    /// The client of the last request.
    pub(super) fn sent_authentication(&self) -> &Authentication {
        let last = self.provider.exchanges.last().unwrap();
        &last.request.authentication
    }

    /// A new credential of Cubewire; its source Secret is there and the provider works.
    pub(super) fn new() -> Self {
        Self::with(serde_json::json!({
            "provider": "Cubewire", "clientSecretRef": {"name": "cubewire-client"},
        }))
    }

    /// A new credential of Cube Software, with the refresh token of a person who has just signed in.
    pub(super) fn signed_in() -> Self {
        let mut world = Self::with(serde_json::json!({
            "provider": "CubeSoftware", "clientSecretRef": {"name": "client"},
            "grant": "RefreshToken", "refreshTokenRef": {"name": "seed"},
        }));
        world.sign_in();
        world
    }

    pub(super) fn with(spec: serde_json::Value) -> Self {
        let mut world = Self {
            now: "2026-11-21T10:00:00Z".parse().unwrap(),
            spec: serde_json::from_value(spec).unwrap(),
            provider_object: FoundProvider::Absent,
            objects: Objects::new("cubewire", UID),
            process: Process::new("pod", Budget::new(seconds(0), Timestamp::MIN)),
            provider: Provider::new(Rules::STRICT),
            api: VecDeque::new(),
            api_otherwise: Ok(200),
            probed: Vec::new(),
            wake_at: None,
            costs: Costs::default(),
            permits: Vec::new(),
            slot: Slot::Taken,
            slot_deadlines: Vec::new(),
            watches_lag: false,
            ends_before: None,
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
        world.events.clear();
        world.costs = Costs::default();
        world
    }

    /// Creates or changes the source Secret.
    pub(super) fn put_source(&mut self, secret: &str) {
        let id = SourceValue::Text("client".into());
        self.put_client(id, SourceValue::Text(secret.into()));
        self.objects.source.as_mut().unwrap().limit();
    }

    pub(super) fn edit_source(&mut self, edit: impl FnOnce(&mut Provided<ClientValues>)) {
        let version = self.cluster.next_version();
        let source = self.source.as_mut().unwrap();
        source.version = version;
        edit(source);
    }

    /// A person signs in, and puts the initial refresh token into its Secret.
    pub(super) fn sign_in(&mut self) {
        let token = self.provider.logins.sign_in();
        self.put_seed(SourceValue::Text(refresh_token(token)));
        self.objects.seed.as_mut().unwrap().limit();
    }

    pub(super) fn edit_spec(&mut self, edit: impl FnOnce(&mut CubeCredentialSpec)) {
        edit(&mut self.spec);
        self.generation += 1;
    }

    pub(super) fn put_ca_bundle(&mut self, bundle: CaBundle) {
        self.ca_bundle = bundle;
        if let Some(memory) = &mut self.process.memory {
            memory.touch_ca_bundle();
        }
    }

    /// A new process, which knows what the watches list and what the status says.
    pub(super) fn restart(&mut self) {
        self.process.memory = None;
        self.process.targets.clear();
        self.wake_at = None;
    }

    /// The cost of the actions.
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

impl<T> Provided<T> {
    /// As owners should, this one names the hosts and the CA bundle of these tests.
    fn limit(&mut self) {
        self.token_hosts = Some(
            "api.cubewire.com, api.cubesoftware.com, login.example.com, elsewhere.example, \
                                 elsewhere.example.com"
                .into(),
        );
        self.token_ca = Some("ConfigMap/roots, Secret/roots".into());
    }
}

/// The questions of tests to a world.
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

    /// The refresh token in the state.
    pub(super) fn stored_token(&self) -> Option<&str> {
        let data = &self.cluster.secrets.get(STATE)?.data;
        data.get("refresh-token").map(String::as_str)
    }

    /// The kinds of the events since the last call.
    pub(super) fn take_events(&mut self) -> Vec<EventKind> {
        std::mem::take(&mut self.events)
            .iter()
            .map(|event| event.kind)
            .collect()
    }
}
