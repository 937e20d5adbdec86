//! The cluster as one process sees it: the connection, what the watches told, and who matters to whom.

use std::sync::{Arc, Mutex};

use jiff::SignedDuration;
use kube::{
    Client, Resource, ResourceExt,
    core::DeserializeGuard,
    runtime::{
        events::Recorder,
        reflector::{self, ObjectRef, Store},
        watcher::Event,
    },
};

use super::{
    cache::{Cache, Key},
    convert,
};
use crate::{
    api::{CaBundleKind, CubeCredential, CubeCredentialSpec, FIELD_MANAGER, annotation, label},
    lock::lock,
    metrics::Metrics,
    oauth::{client::TokenClient, hosts::HostList},
    reconcile::{Budget, Memory, Observed, Settings, Target, TargetSecret},
};

/// A `CubeCredential` as it is watched: one that this version cannot read must not stop the watch on all others.
pub type Watched = DeserializeGuard<CubeCredential>;

/// The cluster as one process sees it.
pub struct World {
    /// The connection.
    pub client: Client,
    /// All `CubeCredentials` that are watched.
    pub credentials: Store<Watched>,
    /// The targets, by their label.
    pub targets: Mutex<Cache<TargetSecret>>,
    /// The resourceVersions of the Secrets that may be read, by their label.
    pub sources: Mutex<Cache<String>>,
    /// The only hosts that may be sent to.
    pub allowed_hosts: Option<HostList>,
    /// Sends token requests.
    pub tokens: TokenClient,
    /// How many of them each client may send; one for all scopes.
    pub budget: Arc<Mutex<Budget>>,
    /// Who this process is in claims: the uid of its pod.
    pub identity: String,
    /// Publishes events.
    pub recorder: Recorder,
    /// What is counted.
    pub metrics: Metrics,
}

impl World {
    /// The cluster as one list shows it, without watches: to look at some of it and change nothing.
    #[must_use]
    pub fn snapshot(
        client: Client,
        credentials: Vec<Watched>,
        tokens: TokenClient,
        allowed_hosts: Option<HostList>,
    ) -> Self {
        let (store, mut writer) = reflector::store();
        writer.apply_watcher_event(&Event::Init);
        for credential in credentials {
            writer.apply_watcher_event(&Event::InitApply(credential));
        }
        writer.apply_watcher_event(&Event::InitDone);
        Self {
            recorder: Recorder::new(client.clone(), FIELD_MANAGER.into()),
            client,
            credentials: store,
            targets: Mutex::default(),
            sources: Mutex::default(),
            allowed_hosts,
            tokens,
            budget: Arc::new(Mutex::new(Budget::new(
                SignedDuration::ZERO,
                convert::now(),
            ))),
            identity: String::new(),
            metrics: Metrics::default(),
        }
    }

    /// A Secret with the knowledge whether the `CubeCredential` that it is marked with exists.
    pub(super) fn with_owner(&self, secret: TargetSecret, namespace: &str) -> TargetSecret {
        let marked = secret.annotations.get(annotation::OWNER_UID).cloned();
        let owners = self.in_namespace(namespace, |object| object.uid() == marked);
        TargetSecret {
            owner_lives: marked.is_some() && !owners.is_empty(),
            owner_wants_it: marked.is_some()
                && owners
                    .iter()
                    .any(|owner| target_name(owner).as_ref() == Some(&secret.name)),
            ..secret
        }
    }

    /// A Secret that is marked as this object's and has another name than its target.
    pub(super) fn previous_target(
        &self,
        namespace: &str,
        uid: &str,
        target: &str,
    ) -> Option<TargetSecret> {
        let targets = lock(&self.targets);
        let marked = |secret: &&TargetSecret| {
            secret.name != target
                && secret
                    .annotations
                    .get(annotation::OWNER_UID)
                    .is_some_and(|found| found == uid)
        };
        targets.in_namespace(namespace).find(marked).cloned()
    }

    /// Of two `CubeCredentials` with one target the older, then the first by name, owns it.
    pub(super) fn older_rival(&self, object: &Watched, target: &str) -> Option<String> {
        let age = |object: &Watched| (object.creation_timestamp(), object.name_any());
        let rivals = self.in_namespace(&object.namespace().unwrap_or_default(), |other| {
            other.name_any() != object.name_any()
                && other.meta().deletion_timestamp.is_none()
                && target_name(other).as_deref() == Some(target)
                && age(other) < age(object)
        });
        rivals
            .iter()
            .min_by_key(|other| age(other))
            .map(|other| other.name_any())
    }

    /// Keeps what a look at the target told, so that the same version is not read again. Only what is watched is kept.
    pub fn remember(&self, observed: &Observed) {
        if let Target::Present(secret) = &observed.target
            && label::is_set(&secret.labels, label::MANAGED)
        {
            let key = (observed.credential.namespace.clone(), secret.name.clone());
            lock(&self.targets).put(key, &secret.version, secret.clone());
        }
    }

    /// Nothing is kept of a deleted `CubeCredential`.
    pub fn forget(&self, uid: &str, (namespace, name): &Key) {
        lock(&self.budget).leave(uid);
        self.metrics.forget(namespace, name);
    }

    /// A provider that asks one `CubeCredential` to pause means all of its client.
    pub fn learn_pause(&self, memory: &Memory) {
        if let Some((client, until)) = memory.pause() {
            lock(&self.budget).pause(&client, until, convert::now());
        }
    }

    /// The `CubeCredentials` that a change of this Secret matters to.
    #[must_use]
    pub fn concerned_by(&self, (namespace, name): &Key) -> Vec<ObjectRef<Watched>> {
        let concerned = self.in_namespace(namespace, |object| {
            spec(object).is_some_and(|spec| {
                let seed = spec.refresh_token_ref.as_ref();
                spec.client_secret_ref.name == *name || seed.is_some_and(|seed| seed.name == *name)
            }) || target_name(object).as_ref() == Some(name)
                || trusts(object, CaBundleKind::Secret, name)
        });
        concerned
            .iter()
            .map(|object| ObjectRef::from_obj(object.as_ref()))
            .collect()
    }

    /// The `CubeCredentials` whose CA bundle is in this ConfigMap or Secret.
    #[must_use]
    pub fn trusting(&self, kind: CaBundleKind, (namespace, name): &Key) -> Vec<Arc<Watched>> {
        self.in_namespace(namespace, |object| trusts(object, kind, name))
    }

    fn in_namespace(
        &self,
        namespace: &str,
        wanted: impl Fn(&Watched) -> bool,
    ) -> Vec<Arc<Watched>> {
        self.credentials.state_filter(|object| {
            object.meta().namespace.as_deref() == Some(namespace) && wanted(object)
        })
    }
}

/// The name of an object's target, if its spec can be read.
#[must_use]
pub fn target_name(object: &Watched) -> Option<String> {
    Some(Settings::target_name(&object.name_any(), spec(object)?))
}

/// An object's spec, if it can be read.
pub(super) fn spec(object: &Watched) -> Option<&CubeCredentialSpec> {
    object.0.as_ref().ok().map(|object| &object.spec)
}

fn trusts(object: &Watched, kind: CaBundleKind, name: &str) -> bool {
    let bundle = spec(object).and_then(|spec| spec.ca_bundle_ref.as_ref());
    bundle.is_some_and(|bundle| bundle.kind == kind && bundle.name == name)
}
