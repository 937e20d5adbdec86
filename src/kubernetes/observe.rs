//! Reading the world. What the watches told costs nothing; what they cannot know is looked at when a decision needs it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, core::PartialObjectMeta};

use super::{
    convert,
    error::{ApiError, call},
    world::{Watched, World, lock, spec},
};
use crate::{
    api::CaBundleKind,
    reconcile::{
        CaBundle, Credential, Look, Memory, Observed, Outcome, Settings, Source, Target,
        TargetReading,
    },
};

/// What a Secret that may be read lacks.
const NO_CONSENT: &str =
    "lacks the label cube-operator.dev/credential: \"true\", by which its owner permits its use";

impl World {
    /// What is known without asking anybody.
    #[must_use]
    pub fn observe(&self, object: &Watched, memory: Memory) -> Observed {
        let credential = convert::credential(object);
        let settings = match &object.0 {
            Ok(object) => Settings::read(&credential.name, &object.spec),
            Err(invalid) => Err(format!(
                "this version of the operator cannot read the object: {invalid}"
            )),
        };
        let target = super::world::target_name(object).unwrap_or_default();
        let source = spec(object)
            .map(|spec| spec.client_secret_ref.name.clone())
            .unwrap_or_default();
        let source_key = (credential.namespace.clone(), source);
        Observed {
            older_rival: self.older_rival(object, &target),
            target: self.known_target(&credential, &target),
            previous: self.previous_target(&credential.namespace, &credential.uid, &target),
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
}
