//! Reading the world. What the watches told costs nothing; what they cannot know is looked at when a decision needs it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{
    Api, Client,
    core::PartialObjectMeta,
    runtime::{
        events::Recorder,
        reflector::{ObjectRef, Store},
    },
};

use super::{
    cache::{Cache, Key},
    convert,
    error::{ApiError, call},
};
use crate::{
    api::{CaBundleKind, CubeCredential, annotation, label},
    metrics::Metrics,
    oauth::{client::TokenClient, endpoint::HostList},
    reconcile::{
        CaBundle, Credential, Look, Memory, Observed, Outcome, Settings, Source, Target,
        TargetReading, TargetSecret,
    },
};

/// What a Secret that may be read lacks.
const NO_CONSENT: &str =
    "lacks the label cube-operator.dev/credential: \"true\", by which its owner permits its use";

/// The cluster as one process sees it.
pub struct World {
    /// The connection.
    pub client: Client,
    /// All `CubeCredentials` that are watched.
    pub credentials: Store<CubeCredential>,
    /// The targets, by their label.
    pub targets: Mutex<Cache<TargetSecret>>,
    /// The resourceVersions of the Secrets that may be read, by their label.
    pub sources: Mutex<Cache<String>>,
    /// The only hosts that may be sent to.
    pub allowed_hosts: Option<HostList>,
    /// Sends token requests.
    pub tokens: TokenClient,
    /// Publishes events.
    pub recorder: Recorder,
    /// What is counted.
    pub metrics: Metrics,
}

impl World {
    /// What is known without asking anybody.
    #[must_use]
    pub fn observe(&self, object: &CubeCredential, memory: Memory) -> Observed {
        let credential = convert::credential(object);
        let settings = Settings::read(&credential.name, &object.spec);
        let target_name = Settings::target_name(&credential.name, &object.spec);
        let source_key = (
            credential.namespace.clone(),
            object.spec.client_secret_ref.name.clone(),
        );
        Observed {
            older_rival: self.older_rival(object, &target_name),
            target: self.known_target(&credential, &target_name),
            previous: self.previous_target(&credential, &target_name),
            source: Source::Unread(lock(&self.sources).get(&source_key).cloned()),
            ca_bundle: CaBundle::Unread,
            allowed_hosts: self.allowed_hosts.clone(),
            credential,
            settings,
            memory,
        }
    }

    fn known_target(&self, credential: &Credential, name: &str) -> Target {
        let key = (credential.namespace.clone(), name.to_owned());
        let known = lock(&self.targets).get(&key).cloned();
        known.map_or(Target::Unknown, |secret| {
            Target::Present(self.with_owner(secret, &credential.namespace))
        })
    }

    fn previous_target(&self, credential: &Credential, target_name: &str) -> Option<TargetSecret> {
        let marked = |secret: &&TargetSecret| {
            secret.name != target_name
                && secret.annotations.get(annotation::OWNER_UID) == Some(&credential.uid)
        };
        lock(&self.targets)
            .in_namespace(&credential.namespace)
            .find(marked)
            .cloned()
    }

    fn with_owner(&self, secret: TargetSecret, namespace: &str) -> TargetSecret {
        let marked = secret.annotations.get(annotation::OWNER_UID);
        let owner_lives = self.credentials.state().iter().any(|object| {
            object.metadata.namespace.as_deref() == Some(namespace)
                && object.metadata.uid.as_ref() == marked
        });
        TargetSecret {
            owner_lives,
            ..secret
        }
    }

    /// Of two `CubeCredentials` with one target the older, then the first by name, owns it.
    fn older_rival(&self, object: &CubeCredential, target_name: &str) -> Option<String> {
        let age = |object: &CubeCredential| {
            (
                object.metadata.creation_timestamp.clone(),
                object.metadata.name.clone(),
            )
        };
        let rivals = self.credentials.state_filter(|other| {
            other.metadata.namespace == object.metadata.namespace
                && other.metadata.name != object.metadata.name
                && other.metadata.deletion_timestamp.is_none()
                && Settings::target_name(
                    other.metadata.name.as_deref().unwrap_or_default(),
                    &other.spec,
                ) == target_name
                && age(other) < age(object)
        });
        rivals
            .iter()
            .min_by_key(|other| age(other))
            .and_then(|other| other.metadata.name.clone())
    }

    /// Reads what a decision needs.
    ///
    /// # Errors
    /// If the API server cannot be asked.
    pub async fn look(&self, what: Look, seen: &Observed) -> Result<Outcome, ApiError> {
        let Ok(settings) = &seen.settings else {
            return Ok(Outcome::Target(None));
        };
        let namespace = &seen.credential.namespace;
        Ok(match what {
            Look::Target => {
                let known = matches!(seen.target, Target::Present(_));
                Outcome::Target(
                    self.read_target(&seen.credential, &settings.target_name, known)
                        .await?,
                )
            }
            Look::Previous => {
                let name = seen
                    .previous
                    .as_ref()
                    .map(|secret| secret.name.clone())
                    .unwrap_or_default();
                Outcome::Previous(self.read_target(&seen.credential, &name, true).await?)
            }
            Look::Source => Outcome::Source(
                self.read_source(namespace, settings, seen.source.version().is_some())
                    .await?,
            ),
            Look::CaBundle => Outcome::CaBundle(self.read_ca_bundle(namespace, settings).await?),
        })
    }

    /// Reads a target. A Secret that is not known to be ours is first looked at without its data.
    async fn read_target(
        &self,
        credential: &Credential,
        name: &str,
        known: bool,
    ) -> Result<Option<TargetReading>, ApiError> {
        let namespace = &credential.namespace;
        if !known {
            let Some(meta) = self.secret_metadata(namespace, name).await? else {
                return Ok(None);
            };
            let secret = self.with_owner(convert::target(&meta.metadata), namespace);
            if secret.is_foreign_to(credential) {
                return Ok(Some(TargetReading {
                    secret,
                    data: BTreeMap::default(),
                }));
            }
        }
        let Some(found) = self.secret(namespace, name).await? else {
            return Ok(None);
        };
        let secret = self.with_owner(convert::target(&found.metadata), namespace);
        Ok(Some(TargetReading {
            secret,
            data: convert::texts(found.data),
        }))
    }

    async fn read_source(
        &self,
        namespace: &str,
        settings: &Settings,
        labelled: bool,
    ) -> Result<Source, ApiError> {
        let name = &settings.source.name;
        if !labelled {
            match self.secret_metadata(namespace, name).await? {
                None => return Ok(Source::Absent),
                Some(found) if !convert::has_consent(&found.metadata) => {
                    return Ok(Source::NotLabelled);
                }
                Some(_) => {}
            }
        }
        Ok(match self.secret(namespace, name).await? {
            None => Source::Absent,
            Some(found) if !convert::has_consent(&found.metadata) => Source::NotLabelled,
            Some(found) => Source::Read(convert::source(found, &settings.source)),
        })
    }

    async fn read_ca_bundle(
        &self,
        namespace: &str,
        settings: &Settings,
    ) -> Result<CaBundle, ApiError> {
        let Some(reference) = &settings.ca_bundle else {
            return Ok(CaBundle::Unread);
        };
        let unusable = |why: String| Ok(CaBundle::Unusable(why));
        let found = match reference.kind {
            CaBundleKind::ConfigMap => {
                let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), namespace);
                let object = format!("ConfigMap {namespace}/{}", reference.name);
                let found = call("get", object, api.get_opt(&reference.name)).await?;
                found.map(|map| map.data.unwrap_or_default().get(&reference.key).cloned())
            }
            CaBundleKind::Secret => match self.secret_metadata(namespace, &reference.name).await? {
                Some(found) if !convert::has_consent(&found.metadata) => {
                    return unusable(NO_CONSENT.into());
                }
                Some(_) => self
                    .secret(namespace, &reference.name)
                    .await?
                    .map(|secret| {
                        let value = secret.data.unwrap_or_default().remove(&reference.key);
                        value.and_then(|bytes| String::from_utf8(bytes.0).ok())
                    }),
                None => None,
            },
        };
        match found {
            None => unusable("does not exist: create it, or name another one".into()),
            Some(None) => unusable(format!(
                "has no key {:?} with text: add it, or name the right key",
                reference.key
            )),
            Some(Some(pem)) => Ok(CaBundle::Pem(pem)),
        }
    }

    async fn secret(&self, namespace: &str, name: &str) -> Result<Option<Secret>, ApiError> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        call(
            "get",
            format!("Secret {namespace}/{name}"),
            api.get_opt(name),
        )
        .await
    }

    async fn secret_metadata(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<PartialObjectMeta<Secret>>, ApiError> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        call(
            "get the metadata of",
            format!("Secret {namespace}/{name}"),
            api.get_metadata_opt(name),
        )
        .await
    }

    /// Keeps what a look at the target told, so that the same version is not read again. Only what is watched is kept.
    pub fn remember(&self, seen: &Observed) {
        if let Target::Present(secret) = &seen.target
            && secret
                .labels
                .get(label::MANAGED)
                .is_some_and(|value| value == label::TRUE)
        {
            let key = (seen.credential.namespace.clone(), secret.name.clone());
            lock(&self.targets).put(key, &secret.version, secret.clone());
        }
    }

    /// The `CubeCredentials` that a change of this Secret matters to.
    #[must_use]
    pub fn concerned_by(&self, key: &Key) -> Vec<ObjectRef<CubeCredential>> {
        let (namespace, name) = key;
        let concerned = self.credentials.state_filter(|object| {
            let owner = object.metadata.name.as_deref().unwrap_or_default();
            let bundle = object.spec.ca_bundle_ref.as_ref();
            object.metadata.namespace.as_ref() == Some(namespace)
                && (object.spec.client_secret_ref.name == *name
                    || Settings::target_name(owner, &object.spec) == *name
                    || bundle.is_some_and(|bundle| {
                        bundle.kind == CaBundleKind::Secret && bundle.name == *name
                    }))
        });
        concerned
            .iter()
            .map(|object| ObjectRef::from_obj(object.as_ref()))
            .collect()
    }

    /// The `CubeCredentials` whose CA bundle is in this ConfigMap or Secret.
    #[must_use]
    pub fn trusting(&self, kind: CaBundleKind, key: &Key) -> Vec<Arc<CubeCredential>> {
        let (namespace, name) = key;
        self.credentials.state_filter(|object| {
            let bundle = object.spec.ca_bundle_ref.as_ref();
            object.metadata.namespace.as_ref() == Some(namespace)
                && bundle.is_some_and(|bundle| bundle.kind == kind && bundle.name == *name)
        })
    }
}

/// Locks a mutex. A holder never panics, and if it did the data would still be whole: every change is one insertion.
pub fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
