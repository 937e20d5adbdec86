//! Live reads of data that the watches do not have.

mod other_states;

use std::collections::BTreeMap;

use k8s_openapi::{
    ByteString,
    api::core::v1::{ConfigMap, Secret, ServiceAccount},
};
use kube::{
    Api, ResourceExt,
    core::{ObjectMeta, PartialObjectMeta},
};

use super::{bundles::Place, context::Context, convert};
use crate::{
    api::{CaBundleKind, CaBundleRef},
    consumers::{Consumers, Pod},
    kubernetes::{
        error::{ApiError, call},
        pods,
    },
    lock::lock,
    reconcile::{
        AccountRole, CaBundle, ClientValues, Credential, Outcome, PodList, Read, Source,
        SourceValue, StateReading, TargetReading, is_state_of,
    },
};

impl Context {
    /// Makes one read that a decision needs.
    ///
    /// # Errors
    /// If the API server refuses or cannot be reached.
    pub(crate) async fn read(
        &self,
        what: Read,
        credential: &Credential,
    ) -> Result<Outcome, ApiError> {
        let namespace = &credential.namespace;
        Ok(match what {
            Read::Target { name, known } => {
                Outcome::Target(self.read_target(credential, &name, known).await?)
            }
            Read::Previous { name } => Outcome::Previous {
                reading: self.read_target(credential, &name, true).await?,
                name,
            },
            Read::Consumers { secrets } => Outcome::Consumers {
                pods: self.consumers(namespace, &secrets).await,
                secrets,
            },
            Read::Source {
                reference,
                labelled,
            } => {
                let values = |data: &_| convert::client(data, &reference);
                let name = &reference.name;
                Outcome::Source(self.read_source(namespace, name, labelled, values).await?)
            }
            Read::ServiceAccount { name, role } => {
                let meta = self.service_account_metadata(namespace, &name).await?;
                let meta = meta.as_ref();
                let none = SourceValue::Absent;
                match role {
                    AccountRole::Client => {
                        let client = ClientValues::with_secret(none.clone(), none);
                        Outcome::Source(convert::service_account(meta, client))
                    }
                    AccountRole::Subject => Outcome::Seed(convert::service_account(meta, none)),
                }
            }
            Read::Seed {
                reference,
                labelled,
            } => {
                let value = |data: &_| convert::value(data, &reference.key);
                let name = &reference.name;
                Outcome::Seed(self.read_source(namespace, name, labelled, value).await?)
            }
            Read::Record { name } => Outcome::Record(self.read_state(credential, &name).await?),
            Read::State { name } => Outcome::State(self.read_state(credential, &name).await?),
            Read::OtherStates {
                state,
                labels,
                token_hashes,
            } => {
                let others = self.other_states(namespace, &state, &labels, &token_hashes);
                Outcome::OtherStates(others.await?)
            }
            Read::Workloads { mark, workloads } => {
                self.read_workloads(namespace, mark, workloads).await
            }
            Read::CaBundle(reference) => {
                Outcome::CaBundle(self.read_ca_bundle(namespace, &reference).await?)
            }
        })
    }

    /// Reads a target. The metadata of a Secret that may be foreign is read first.
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

    async fn read_source<T>(
        &self,
        namespace: &str,
        name: &str,
        labelled: bool,
        values: impl FnOnce(&BTreeMap<String, ByteString>) -> T,
    ) -> Result<Source<T>, ApiError> {
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
            Some(found) => Source::Read(convert::source(found, values)),
        })
    }

    /// Reads the consent on a ServiceAccount. Its metadata is all that there is to read.
    async fn service_account_metadata(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Option<ObjectMeta>, ApiError> {
        if self.parts.api_audiences.is_none() {
            // The operator has no right to read it, and its flags are reported first.
            return Ok(None);
        }
        let api: Api<ServiceAccount> = Api::namespaced(self.parts.client.clone(), namespace);
        let object = format!("ServiceAccount {namespace}/{name}");
        let found = call("get the metadata of", object, api.get_metadata_opt(name)).await?;
        Ok(found.map(|found| found.metadata))
    }

    /// Reads the state. The data of a Secret by its name that belongs to another object is not read.
    async fn read_state(
        &self,
        credential: &Credential,
        name: &str,
    ) -> Result<Option<StateReading>, ApiError> {
        let namespace = &credential.namespace;
        let Some(found) = self.secret_metadata(namespace, name).await? else {
            return Ok(None);
        };
        let labels = found.metadata.labels.clone().unwrap_or_default();
        let annotations = found.metadata.annotations.clone().unwrap_or_default();
        if !is_state_of(credential, name, &labels, &annotations) {
            return Ok(Some(convert::state(&found.metadata, None)));
        }
        let Some(found) = self.secret(namespace, name).await? else {
            return Ok(None);
        };
        let data = convert::texts(found.data);
        Ok(Some(convert::state(&found.metadata, Some(data))))
    }

    /// The pods that use these Secrets. A failure is no reason to end the reconcile: no refresh waits for a list of pods.
    async fn consumers(&self, namespace: &str, secrets: &[String]) -> PodList {
        let mut consumers = Consumers::of(secrets);
        let take = |found: &[Pod]| consumers.add(found);
        match pods::pages(&self.parts.client, namespace, pods::PAGE, take).await {
            Ok(()) => PodList::Listed(consumers),
            Err(error) if error.is_refusal() => PodList::Forbidden,
            Err(error) => {
                tracing::warn!(namespace, %error, "failed to list pods that use the target under its earlier name");
                PodList::Failed
            }
        }
    }

    /// Reads a CA bundle, unless it was read in the version that a watch shows. Credentials that need it at the same time share one
    /// read.
    async fn read_ca_bundle(
        &self,
        namespace: &str,
        reference: &CaBundleRef,
    ) -> Result<CaBundle, ApiError> {
        let (bundles, place) = (&self.parts.ca_bundles, Place::of(namespace, reference));
        if let Some(known) = self.known_ca_bundle(&place) {
            return Ok(known);
        }
        let reader = bundles.reader(&place);
        let _reads = reader.lock().await;
        if let Some(known) = self.known_ca_bundle(&place) {
            return Ok(known);
        }
        let (version, pem) = match reference.kind {
            CaBundleKind::ConfigMap => {
                let api: Api<ConfigMap> = Api::namespaced(self.parts.client.clone(), namespace);
                let object = format!("ConfigMap {namespace}/{}", reference.name);
                let Some(map) = call("get", object, api.get_opt(&reference.name)).await? else {
                    return Ok(CaBundle::Absent);
                };
                let version = map.resource_version();
                (version, convert::config_value(map, &reference.key))
            }
            CaBundleKind::Secret => {
                let (name, key) = (&reference.name, &reference.key);
                let labelled = lock(&self.sources).get(&place.object).is_some();
                let value = |data: &BTreeMap<_, ByteString>| data.get(key).cloned();
                match self.read_source(namespace, name, labelled, value).await? {
                    Source::Absent | Source::Unread(_) => return Ok(CaBundle::Absent),
                    Source::NotLabelled => return Ok(CaBundle::NotLabelled),
                    Source::Read(secret) => {
                        (Some(secret.version), secret.values.map(|bytes| bytes.0))
                    }
                }
            }
        };
        let Some(pem) = pem else {
            return Ok(CaBundle::NoKey);
        };
        Ok(bundles.read(place, version.unwrap_or_default(), &pem))
    }

    /// A CA bundle that need not be read.
    fn known_ca_bundle(&self, place: &Place) -> Option<CaBundle> {
        let bundles = &self.parts.ca_bundles;
        let version = match place.kind {
            CaBundleKind::ConfigMap => bundles.watched_version(&place.object),
            CaBundleKind::Secret => {
                let sources = lock(&self.sources);
                Some(sources.get(&place.object)?.to_string())
            }
        };
        match version {
            Some(version) => bundles.known(place, &version),
            None => bundles.just_read(place),
        }
    }

    async fn secret(&self, namespace: &str, name: &str) -> Result<Option<Secret>, ApiError> {
        let api: Api<Secret> = Api::namespaced(self.parts.client.clone(), namespace);
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
        let api: Api<Secret> = Api::namespaced(self.parts.client.clone(), namespace);
        call(
            "get the metadata of",
            format!("Secret {namespace}/{name}"),
            api.get_metadata_opt(name),
        )
        .await
    }
}
