//! The context of every reconcile in a scope (a namespace, or all): the connection, the caches of the watches, and the parts that
//! all scopes of a process share.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use kube::{Client, Resource, runtime::watcher::Event};

use super::{
    arrival::Watched,
    bundles::CaBundles,
    cache::Cache,
    event_queue::EventQueue,
    index::Index,
    providers::{Providers, board::ProviderBoard, bundles::OperatorBundles, provider_key},
    refresh_queue::PodRefreshes,
    slim::KeptTarget,
    store::Store,
    watched::{entry, key},
};
use crate::{
    api::{FIELD_MANAGER, MOST_PREVIOUS_TARGETS, ProviderKind},
    clock::now,
    consumers::ConsumerAccess,
    kubernetes::{audiences::ApiAudiences, events::Recorder},
    lock::lock,
    metrics::Metrics,
    oauth::{client::TokenClient, hosts::HostList},
    object::{ObjectKey, Uid},
    reconcile::{Budget, Credential, Effects, TargetSecret},
};

/// The parts that all scopes of a process share.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) client: Client,
    /// The only hosts that requests may be sent to.
    pub(crate) allowed_hosts: Option<HostList>,
    /// True if conditions and events leave out how far a request got.
    pub(crate) hides_network_detail: bool,
    /// True if each Secret has to name the hosts that it may be sent to.
    pub(crate) token_hosts_required: bool,
    /// The kinds of provider objects that it uses.
    pub(crate) provider_kinds: &'static [ProviderKind],
    /// The audiences that no token of a ServiceAccount may have; `None`: no such token is requested.
    pub(crate) api_audiences: Option<Arc<ApiAudiences>>,
    /// The rights of this operator on pods and workloads.
    pub(crate) access: ConsumerAccess,
    pub(crate) pod_refreshes: Arc<PodRefreshes>,
    /// The provider objects whose statuses are written.
    pub(crate) provider_board: Arc<ProviderBoard>,
    /// The ConfigMaps with the CA certificates of `ClusterCubeProvider`s.
    pub(crate) operator_bundles: Arc<OperatorBundles>,
    pub(crate) tokens: TokenClient,
    pub(crate) ca_bundles: Arc<CaBundles>,
    /// The request budget of each client.
    pub(crate) budget: Arc<Mutex<Budget>>,
    /// The name of this process in claims: the uid of its pod.
    pub(crate) identity: String,
    pub(crate) recorder: Recorder,
    pub(crate) event_queue: EventQueue,
    pub(crate) metrics: Metrics,
}

impl Parts {
    /// Returns whether it uses provider objects of this kind.
    pub(crate) fn uses(&self, kind: ProviderKind) -> bool {
        self.provider_kinds.contains(&kind)
    }
}

/// The existence of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Present,
    /// It is gone, and another object has its name.
    Replaced,
    Gone,
}

/// The context of every reconcile in a scope.
pub struct Context {
    pub(crate) parts: Parts,
    /// All `CubeCredentials` that are watched.
    pub(super) store: Mutex<Store>,
    /// The same, found by the objects that they depend on.
    pub(super) index: Mutex<Index>,
    /// The targets, by their label.
    pub(super) targets: Mutex<Cache<KeptTarget>>,
    /// The resourceVersions of the Secrets that may be read, by their label.
    pub(super) sources: Mutex<Cache<Box<str>>>,
    /// The versions of the states.
    pub(super) states: Mutex<Cache<Box<str>>>,
    /// The provider objects.
    pub(super) providers: Mutex<Providers>,
    /// The versions of the ServiceAccounts whose tokens may be requested, by their label.
    pub(super) service_accounts: Mutex<Cache<Box<str>>>,
}

impl Context {
    /// The context of a scope. It is empty before the first events of the watches.
    pub(crate) fn new(parts: Parts) -> Self {
        let providers = Providers::new(parts.provider_kinds, Arc::clone(&parts.operator_bundles));
        Self {
            parts,
            store: Mutex::default(),
            index: Mutex::default(),
            targets: Mutex::new(Cache::with_owners(KeptTarget::owner)),
            sources: Mutex::default(),
            states: Mutex::default(),
            providers: Mutex::new(providers),
            service_accounts: Mutex::default(),
        }
    }

    /// The cluster as one list shows it, without watches, for callers that change nothing.
    #[must_use]
    pub fn snapshot(
        client: Client,
        credentials: Vec<Watched>,
        tokens: TokenClient,
        allowed_hosts: Option<HostList>,
        token_hosts_required: bool,
    ) -> Self {
        let parts = Parts {
            recorder: Recorder {
                client: client.clone(),
                controller: FIELD_MANAGER,
                instance: None,
            },
            event_queue: EventQueue::default(),
            client,
            allowed_hosts,
            hides_network_detail: false,
            token_hosts_required,
            provider_kinds: ProviderKind::ALL,
            // The flags of the caller say if such tokens may be requested.
            api_audiences: Some(Arc::default()),
            access: ConsumerAccess::default(),
            pod_refreshes: Arc::default(),
            provider_board: Arc::default(),
            operator_bundles: Arc::default(),
            tokens,
            ca_bundles: Arc::default(),
            budget: Arc::new(Mutex::new(Budget::new(SignedDuration::ZERO, now()))),
            identity: String::new(),
            metrics: Metrics::default(),
        };
        let context = Self::new(parts);
        let listed = credentials.into_iter().map(Event::InitApply);
        let list = [Event::Init].into_iter().chain(listed);
        for event in list.chain([Event::InitDone]) {
            context.learn_credential(&event);
        }
        context
    }

    /// The `CubeCredential` with this key, if it exists.
    pub(crate) fn find(&self, key: &ObjectKey) -> Option<Arc<Watched>> {
        lock(&self.store).get(key)
    }

    /// The key of a `CubeCredential`, with the text that the other tables share.
    pub(crate) fn key(&self, object: &Watched) -> ObjectKey {
        lock(&self.store).shared(key(object))
    }

    /// The uid of the `CubeCredential` with this key, if it exists.
    pub(crate) fn uid(&self, key: &ObjectKey) -> Option<Uid> {
        lock(&self.store).uid(key).copied()
    }

    /// Returns whether this very `CubeCredential` still exists.
    pub(crate) fn presence(&self, object: &Watched) -> Presence {
        let uid = Uid::of(object.meta());
        match lock(&self.store).uid(&key(object)) {
            Some(known) if *known == uid => Presence::Present,
            Some(_) => Presence::Replaced,
            None => Presence::Gone,
        }
    }

    /// The time at which the published token of a `CubeCredential` expires, as its status says.
    pub(crate) fn expires_at(&self, key: &ObjectKey) -> Option<Timestamp> {
        lock(&self.store).expires_at(key)
    }

    /// The `CubeCredentials` whose status has a pause that is not over. Only the first list needs it.
    pub(crate) fn paused(&self, now: Timestamp) -> Vec<ObjectKey> {
        lock(&self.store).paused(now).cloned().collect()
    }

    /// All `CubeCredentials`. It serves the end of a list, rare periodic work and `check`: no event of one object and no
    /// reconcile may need it.
    pub(crate) fn all(&self) -> Vec<ObjectKey> {
        lock(&self.store).keys().cloned().collect()
    }

    /// The Secret with `owner_lives` and `owner_wants_it` looked up in the index.
    pub(super) fn with_owner(&self, secret: TargetSecret, namespace: &str) -> TargetSecret {
        let index = lock(&self.index);
        let mut owners = secret
            .marked_owner()
            .into_iter()
            .flat_map(|uid| index.by_uid(namespace, uid))
            .peekable();
        let owner_lives = owners.peek().is_some();
        let owner_wants_it = owners.any(|owner| owner.target.as_deref() == Some(&*secret.name));
        drop(owners);
        TargetSecret {
            owner_lives,
            owner_wants_it,
            ..secret
        }
    }

    /// The Secrets that were written for this object under other names than its target's.
    pub(super) fn previous_targets(
        &self,
        namespace: &str,
        uid: &str,
        target: &str,
    ) -> Vec<TargetSecret> {
        let targets = lock(&self.targets);
        let owned = targets.owned_by(namespace, uid);
        let previous = owned.filter(|(name, _)| *name != target);
        let previous = previous.take(MOST_PREVIOUS_TARGETS);
        previous.filter_map(|(_, kept)| kept.unpack()).collect()
    }

    /// The name of the `CubeCredential` that owns the target of this one, if that is another and older one.
    pub(super) fn older_rival(&self, object: &Watched) -> Option<String> {
        let index = lock(&self.index);
        let rival = index.older_rival(&entry(key(object), object))?;
        Some(rival.key.name().to_owned())
    }

    /// The name of an older `CubeCredential` that is given the same initial refresh token.
    pub(super) fn older_login(&self, object: &Watched) -> Option<String> {
        let index = lock(&self.index);
        let older = index.older_login(&entry(key(object), object))?;
        Some(older.key.name().to_owned())
    }

    /// Keeps the effects of a step that outlast the reconcile of this credential.
    pub(crate) fn learn(&self, effects: Effects, credential: &Credential) {
        let Credential { namespace, uid, .. } = credential;
        if let Some(secret) = effects.known_target {
            let key = ObjectKey::new(namespace, &secret.name);
            self.keep_target(key, &secret);
        }
        if let Some((client, lesson)) = effects.lesson {
            lock(&self.parts.budget).learn(uid.as_str().into(), &client, lesson, now());
        }
        if let Some(provider) = effects.outdated_provider {
            let id = (provider.kind, provider_key(&provider, namespace));
            self.parts.provider_board.suspect(id);
        }
    }

    /// Keeps a target as it was written or read. One that is too large is read again.
    pub(super) fn keep_target(&self, key: ObjectKey, secret: &TargetSecret) {
        let mut targets = lock(&self.targets);
        match KeptTarget::of(secret) {
            Some(kept) => targets.put(key, &secret.version, kept),
            None => targets.forget(&key),
        }
    }

    /// Forgets a deleted `CubeCredential`.
    pub(crate) fn forget(&self, uid: Uid, key: &ObjectKey) {
        lock(&self.parts.budget).forget(uid);
        self.parts.metrics.forget(key);
    }
}
