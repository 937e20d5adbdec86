//! A process of the operator, with all that it keeps between two reconciles.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use cube_operator::{
    api::{CubeCredentialStatus, ProviderRef, annotation},
    consumers::ConsumerAccess,
    reconcile::{
        AccountTokens, Budget, CaBundle, Memory, NoAccountToken, Observed, Outcome, Record,
        Session, Settings, SettingsError, State, Target, TargetSecret, TokenUse,
    },
};
use jiff::Timestamp;

use super::objects::{Objects, Provided};

pub(crate) struct Process {
    /// The uid of its pod.
    pub(crate) identity: String,
    pub(crate) memory: Option<Memory>,
    /// What the watch on `CubeCredentials` has shown, and its own reports.
    pub(crate) status: CubeCredentialStatus,
    /// What the watch on targets has shown, and its own writes.
    pub(crate) targets: BTreeMap<String, TargetSecret>,
    /// The version of the state that the watch has shown.
    pub(crate) state: Option<String>,
    /// The version of the record that the watch has shown.
    pub(crate) record: Option<String>,
    pub(crate) budget: Rc<RefCell<Budget>>,
    /// The provider objects whose endpoint did not respond as one.
    pub(crate) outdated: Vec<ProviderRef>,
}

impl Process {
    pub(crate) fn new(identity: impl Into<String>, budget: Budget) -> Self {
        Self {
            identity: identity.into(),
            memory: None,
            status: CubeCredentialStatus::default(),
            targets: BTreeMap::new(),
            state: None,
            record: None,
            budget: Rc::new(RefCell::new(budget)),
            outdated: Vec::new(),
        }
    }

    /// The watches catch up.
    pub(crate) fn watch(&mut self, objects: &Objects) {
        self.status.clone_from(&objects.status);
        let cluster = &objects.cluster;
        let version = |suffix| {
            let secret = cluster.secrets.get(&format!("{}-{suffix}", objects.name))?;
            Some(secret.version.to_string())
        };
        self.state = version("cube-state");
        self.record = version("cube-record");
        let mut known = std::mem::take(&mut self.targets);
        for (name, stored) in cluster.watched() {
            let version = stored.version.to_string();
            let same = known.remove(name).filter(|known| known.version == version);
            if let Some(secret) = same.or_else(|| cluster.target(name)) {
                self.targets.insert(name.clone(), secret);
            }
        }
    }

    /// What is known without a read.
    pub(crate) fn observe(
        &mut self,
        objects: &Objects,
        settings: Result<Settings, SettingsError>,
        now: Timestamp,
    ) -> Observed {
        let target_name = settings.as_ref().map_or_else(
            |_| format!("{}-token", objects.name),
            |settings| settings.target_name.clone(),
        );
        let previous = self.targets.values().filter(|secret| {
            let marked = |name, value: &str| {
                let found = secret.annotations.get(name);
                found.is_some_and(|found| found == value)
            };
            secret.name != target_name
                && marked(annotation::OWNER_UID, &objects.uid)
                && marked(annotation::WRITTEN_TO, &format!("treasury/{}", secret.name))
        });
        let target = self.targets.get(&target_name).cloned();
        let seed =
            settings
                .as_ref()
                .ok()
                .and_then(|settings| match settings.grant.refresh_token() {
                    Some(initial) => objects.seed_named(&initial.name),
                    None => settings.grant.token_exchange().and(objects.seed.as_ref()),
                });
        let memory = self
            .memory
            .get_or_insert_with(|| Memory::recall(&self.status, now));
        Observed {
            credential: objects.credential(self.status.clone()),
            settings,
            older_rival: objects.rival.clone(),
            target: target.map_or(Target::Unknown, Target::Present),
            target_key: None,
            record: Record::Unread,
            watched_record: self.record.clone(),
            previous: previous.cloned().collect(),
            access: ConsumerAccess {
                lists_pods: objects.pods.is_some(),
                ..objects.access
            },
            source: Provided::watched(objects.source.as_ref()),
            seed: Provided::watched(seed),
            older_login: objects.older_login.clone(),
            state: State::Unread,
            watched_state: self.state.clone(),
            token_use: TokenUse::Unread,
            identity: self.identity.clone(),
            ca_bundle: CaBundle::Unread,
            account_tokens: AccountTokens::default(),
            account_tokens_enabled: objects.no_account_token != Some(NoAccountToken::NotEnabled),
            permit: None,
            slot: None,
            allowed_hosts: objects.allowed_hosts.clone(),
            hides_network_detail: objects.hides_network_detail,
            token_hosts_required: objects.token_hosts_required,
            memory: memory.begin(),
        }
    }

    /// Takes in an outcome, and keeps what the controller keeps beside the session.
    pub(crate) fn absorb(&mut self, session: &mut Session, outcome: Outcome, now: Timestamp) {
        let effects = session.absorb(outcome, now);
        if let Some(secret) = effects.known_target {
            self.targets.insert(secret.name.clone(), secret);
        }
        self.outdated.extend(effects.outdated_provider);
        if let Some((client, lesson)) = effects.lesson {
            let uid = &session.observed().credential.uid;
            self.budget
                .borrow_mut()
                .learn(uid.as_str().into(), &client, lesson, now);
        }
    }

    /// The reconcile has ended; it `worked` unless an error ended it.
    pub(crate) fn end(&mut self, session: Session, worked: bool, now: Timestamp) {
        let ended = session.end(worked, &mut self.budget.borrow_mut(), now);
        if let Some(remembered) = &mut self.memory {
            remembered.end(ended.memory);
        }
        self.status = ended.credential.status;
    }
}
