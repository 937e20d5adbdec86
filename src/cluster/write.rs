//! Writes and deletes Secrets of ours, each in exactly the version that was read, so that a foreign Secret is never touched.

use std::collections::BTreeMap;

use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Api, Resource,
    api::{DeleteParams, ObjectMeta, Patch, Preconditions},
};
use secrecy::ExposeSecret;

use super::{
    arrival::{Metadata, Watched},
    context::Context,
    convert,
};
use crate::{
    api::label,
    kubernetes::{
        MUST_NOT_EXIST, applied,
        error::{ApiError, call},
    },
    lock::lock,
    object::ObjectKey,
    reconcile::{
        Content, DesiredRecord, DesiredSecret, DesiredState, NotStored, Observed, Outcome,
        RecordSecret, SecretVersion, StateSecret, TargetReading, WriteError,
    },
    scrub::Scrubber,
};

impl Context {
    pub(super) async fn publish(
        &self,
        target: DesiredSecret,
        object: &Watched,
        observed: &Observed,
    ) -> Result<Outcome, ApiError> {
        let (namespace, name) = (observed.credential.namespace.clone(), target.name.clone());
        let fingerprint = target.fingerprint();
        let is_new = target.replaces.is_none();
        let key = ObjectKey::new(&namespace, &name);
        let (labels, annotations) = (target.labels.clone(), target.annotations.clone());
        let written = match self.apply(&namespace, target, object).await {
            Ok(written) => written,
            Err(error) => {
                // The cached version may be outdated, so the target is read before the next decision.
                lock(&self.targets).forget(&key);
                if is_new && error.is_conflict() {
                    return Ok(Outcome::TargetExists);
                }
                return refused(error, namespace, name);
            }
        };
        let mut published = convert::target(&written.metadata);
        let mark = altered(&labels, &published.labels);
        if let Some(mark) = mark.or_else(|| altered(&annotations, &published.annotations)) {
            lock(&self.targets).forget(&key);
            return Ok(Outcome::NotWritable(WriteError::Altered {
                mark: mark.clone(),
                namespace,
                name,
            }));
        }
        published.content = Content::Confirmed(fingerprint);
        published.owner_lives = true;
        self.keep_target(key, &published);
        Ok(Outcome::Published(published))
    }

    /// Writes the record of a token, in exactly the version that is known.
    pub(super) async fn record(
        &self,
        record: DesiredRecord,
        object: &Watched,
        observed: &Observed,
    ) -> Result<Outcome, ApiError> {
        let namespace = &observed.credential.namespace;
        let name = record.secret.name.clone();
        let written = self.apply(namespace, record.secret.clone(), object).await;
        match written {
            Ok(Metadata { metadata, .. }) => {
                let uid = metadata.uid.unwrap_or_default();
                let version = metadata.resource_version.unwrap_or_default();
                let written = RecordSecret::written(record, uid, version);
                Ok(Outcome::Recorded(written))
            }
            Err(error) if error.is_conflict() || error.is_not_found() => Ok(Outcome::RecordChanged),
            Err(error) => refused(error, namespace.clone(), name),
        }
    }

    /// Writes the state in exactly the version that was read. While a provider's response must be stored, every failure is an
    /// outcome: the response must not be dropped because of it. Otherwise, a state that has changed and a namespace that is gone
    /// end the reconcile, so that the next attempt comes after a growing delay.
    pub(super) async fn store(
        &self,
        state: DesiredState,
        object: &Watched,
        observed: &Observed,
    ) -> Result<Outcome, ApiError> {
        let DesiredState {
            secret,
            stored,
            claims,
        } = state;
        let (owned, name) = (secret.owned, secret.name.clone());
        let (labels, annotations) = (secret.labels.clone(), secret.annotations.clone());
        match self
            .apply(&observed.credential.namespace, secret, object)
            .await
        {
            // Without its marks, another object with the same token does not see the claim, or this one not its own state.
            Ok(written)
                if claims
                    && let Some(mark) = unmarked(&labels, &annotations, &written.metadata) =>
            {
                let namespace = observed.credential.namespace.clone();
                Ok(Outcome::NotStored(NotStored::Refused(
                    WriteError::Altered {
                        mark,
                        namespace,
                        name,
                    },
                )))
            }
            Ok(written) => Ok(Outcome::Stored {
                secret: StateSecret {
                    uid: written.metadata.uid.unwrap_or_default(),
                    version: written.metadata.resource_version.unwrap_or_default(),
                    owner_uid: Some(observed.credential.uid.clone()),
                    owned,
                    given: false,
                    marked: true,
                    stored,
                },
                claims,
            }),
            Err(error) => {
                let passes = error.is_conflict() || error.is_not_found();
                if (passes || error.is_namespace_gone()) && !observed.memory.is_storing() {
                    return Err(error);
                }
                let (namespace, credential) =
                    (&observed.credential.namespace, &observed.credential.name);
                tracing::warn!(namespace, name = credential, %error, "failed to write the refresh token state, retrying");
                Ok(Outcome::NotStored(unstored(error, namespace, name)))
            }
        }
    }

    async fn apply(
        &self,
        namespace: &str,
        desired: DesiredSecret,
        object: &Watched,
    ) -> Result<Metadata<Secret>, ApiError> {
        let name = desired.name.clone();
        let secret = secret(namespace, desired, object);
        // Only the metadata of the response is read.
        let api: Api<Metadata<Secret>> = Api::namespaced(self.parts.client.clone(), namespace);
        let parameters = applied();
        let patch = Patch::Apply(&secret);
        let object = format!("Secret {namespace}/{name}");
        let written = call("write", object, api.patch(&name, &parameters, &patch)).await;
        // An admission policy may quote what it refuses.
        written.map_err(|error| {
            let scrubber = Scrubber::of(convert::texts(secret.data).values());
            error.map_message(|text| scrubber.without_secrets(text))
        })
    }

    pub(super) async fn delete(
        &self,
        version: SecretVersion,
        observed: &Observed,
    ) -> Result<Outcome, ApiError> {
        let namespace = &observed.credential.namespace;
        let name = version.name.clone();
        let deleted = self.delete_version(namespace, version).await;
        lock(&self.targets).forget(&ObjectKey::new(namespace, &name));
        match deleted {
            Ok(Some(held)) => Ok(self.held(held, observed)),
            Ok(None) => Ok(Outcome::Deleted(name)),
            Err(error) if error.is_not_found() => Ok(Outcome::Deleted(name)),
            Err(error) => refused(error, namespace.clone(), name),
        }
    }

    /// Deletes the record of a token. Nothing waits for one that finalizers hold.
    pub(super) async fn delete_record(
        &self,
        version: SecretVersion,
        observed: &Observed,
    ) -> Result<Outcome, ApiError> {
        let namespace = &observed.credential.namespace;
        let refused = match self.delete_version(namespace, version).await {
            Ok(_) => false,
            Err(error) if error.is_not_found() => false,
            Err(error) if error.is_conflict() => return Ok(Outcome::RecordChanged),
            Err(error) if error.is_refusal() => {
                tracing::warn!(namespace, %error, "failed to delete the record of a token, which nothing needs any more");
                true
            }
            Err(error) => return Err(error),
        };
        Ok(Outcome::RecordDeleted { refused })
    }

    /// Deletes this version of a Secret. Finalizers may hold it: then it still exists, and is returned.
    async fn delete_version(
        &self,
        namespace: &str,
        version: SecretVersion,
    ) -> Result<Option<Secret>, ApiError> {
        let api: Api<Secret> = Api::namespaced(self.parts.client.clone(), namespace);
        let parameters = DeleteParams {
            preconditions: Some(Preconditions {
                uid: Some(version.uid),
                resource_version: Some(version.version),
            }),
            ..DeleteParams::default()
        };
        let object = format!("Secret {namespace}/{}", version.name);
        let deleted = call("delete", object, api.delete(&version.name, &parameters)).await?;
        let found = deleted.left();
        Ok(found.filter(|secret| secret.metadata.deletion_timestamp.is_some()))
    }

    /// The Secret as it is now, which is as good as a read of it.
    fn held(&self, secret: Secret, observed: &Observed) -> Outcome {
        let namespace = &observed.credential.namespace;
        let found = self.with_owner(convert::target(&secret.metadata), namespace);
        let name = found.name.clone();
        let is_previous = observed
            .previous
            .iter()
            .any(|previous| previous.name == name);
        let reading = Some(TargetReading {
            secret: found,
            data: convert::texts(secret.data),
        });
        if is_previous {
            Outcome::Previous { name, reading }
        } else {
            Outcome::Target(reading)
        }
    }
}

/// People see a refusal in the status, whose change is logged. Everything else is retried.
fn refused(error: ApiError, namespace: String, name: String) -> Result<Outcome, ApiError> {
    if error.is_refusal() {
        return Ok(Outcome::NotWritable(refusal(error, namespace, name)));
    }
    Err(error)
}

/// A refused write. The API server's own words about an immutable Secret do not say what to do.
fn refusal(error: ApiError, namespace: String, name: String) -> WriteError {
    if error.is_immutable() {
        WriteError::Immutable { namespace, name }
    } else {
        error.into()
    }
}

/// A label or annotation of ours that differs from what was written. Without it, the token would be requested again and again.
fn altered<'a>(
    written: &'a BTreeMap<String, String>,
    found: &BTreeMap<String, String>,
) -> Option<&'a String> {
    let ours = written.iter().filter(|(name, _)| label::is_ours(name));
    let mut altered = ours.filter(|(name, value)| found.get(*name) != Some(value));
    altered.next().map(|(name, _)| name)
}

/// A label or annotation of ours that was written and is not there.
fn unmarked(
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
    found: &ObjectMeta,
) -> Option<String> {
    let none = BTreeMap::new();
    let label = altered(labels, found.labels.as_ref().unwrap_or(&none));
    let annotation = || altered(annotations, found.annotations.as_ref().unwrap_or(&none));
    label.or_else(annotation).cloned()
}

fn unstored(error: ApiError, namespace: &str, name: String) -> NotStored {
    if error.is_namespace_gone() {
        return NotStored::Gone;
    }
    if error.is_conflict() || error.is_not_found() {
        return NotStored::Conflict;
    }
    if error.is_refusal() {
        return NotStored::Refused(refusal(error, namespace.to_owned(), name));
    }
    NotStored::Unknown(error.into())
}

fn secret(namespace: &str, target: DesiredSecret, object: &Watched) -> Secret {
    let data: BTreeMap<_, _> = target
        .data
        .into_iter()
        .map(|(key, value)| (key, ByteString(value.expose_secret().as_bytes().to_vec())))
        .collect();
    let owner = object.controller_owner_ref(&()).filter(|_| target.owned);
    let (uid, version) = match target.replaces {
        Some(replaced) => (Some(replaced.uid), replaced.version),
        None => (None, MUST_NOT_EXIST.to_owned()),
    };
    Secret {
        metadata: ObjectMeta {
            name: Some(target.name),
            namespace: Some(namespace.to_owned()),
            labels: Some(target.labels),
            annotations: Some(target.annotations),
            owner_references: owner.map(|owner| vec![owner]),
            uid,
            resource_version: Some(version),
            ..ObjectMeta::default()
        },
        type_: Some(target.r#type),
        data: Some(data),
        ..Secret::default()
    }
}
