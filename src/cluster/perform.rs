//! Changing the world: one effect at a time. Nothing else calls a token endpoint, or writes to the API server but leader election
//! (`lease`).

use std::{collections::BTreeMap, time::Instant};

use k8s_openapi::{
    ByteString,
    api::core::v1::{ObjectReference, Secret},
};
use kube::{
    Api, Resource,
    api::{DeleteParams, ObjectMeta, PartialObjectMeta, Patch, PatchParams, Preconditions},
};
use secrecy::ExposeSecret;
use serde_json::json;

use super::{context::Context, convert, key::ObjectKey, watched::Watched};
use crate::{
    api::{CubeCredential, CubeCredentialStatus, FIELD_MANAGER, Reason, label},
    clock::now,
    kubernetes::{
        MUST_NOT_EXIST,
        error::{ApiError, call},
        events::{self, Announcement},
    },
    lock::lock,
    oauth::{
        request::TokenRequest,
        response::{self, RequestContext},
        scrub::Scrubber,
    },
    reconcile::{
        Action, Content, DesiredSecret, DesiredState, Event, Observed, Outcome, Permit,
        SecretVersion, StateSecret, Unstored, WriteError,
    },
};

impl Context {
    /// Performs one action.
    ///
    /// # Errors
    /// If the API server does not take it. A failed exchange is an outcome, not an error.
    pub(crate) async fn perform(
        &self,
        action: Action,
        object: &Watched,
        observed: &Observed,
    ) -> Result<Outcome, ApiError> {
        let namespace = &observed.credential.namespace;
        match action {
            Action::TakePermit(request) => {
                let turn = lock(&self.parts.budget).take(&request, now());
                if matches!(turn, Permit::Later { .. }) && !observed.memory.is_queued() {
                    self.parts.metrics.budget_waited();
                }
                Ok(Outcome::Permit(request, turn))
            }
            Action::Exchange(request) => Ok(self.exchange(&request).await),
            Action::Store(state) => Ok(self.store(*state, object, observed).await),
            Action::Publish(target) => self.publish(target, object, observed).await,
            Action::Delete(version) => self.delete(namespace, version).await,
            Action::Report { status, news } => {
                let version = self
                    .report(namespace, &observed.credential.name, &status)
                    .await?;
                for event in news {
                    self.announce(object, &event, None).await;
                }
                Ok(Outcome::Reported { status, version })
            }
        }
    }

    /// Publishes an event about a `CubeCredential`, and perhaps about another object.
    pub(crate) async fn announce(
        &self,
        object: &Watched,
        event: &Event,
        related: Option<ObjectReference>,
    ) {
        let announcement = Announcement {
            is_warning: event.kind.is_warning(),
            reason: event.kind.reason(),
            note: &event.note,
            related,
        };
        events::publish(&self.parts.recorder, &object.object_ref(&()), announcement).await;
    }

    async fn exchange(&self, request: &TokenRequest) -> Outcome {
        let sent_at = now();
        let asked = RequestContext {
            grant: request.grant(),
            scopes: &request.scopes,
        };
        let start = Instant::now();
        let answer = self.parts.tokens.send(request).await;
        let took = start.elapsed();
        let (result, refresh_token, date) = match answer {
            Ok(answer) => {
                let reading = response::read(&answer, asked, Scrubber::for_request(request));
                (reading.outcome, reading.refresh_token, reading.date)
            }
            Err(refusal) => (Err(refusal), None, None),
        };
        let reason = result
            .as_ref()
            .map_or_else(|refusal| refusal.reason, |_| Reason::TokenIssued);
        self.parts.metrics.exchanged(reason, took);
        Outcome::Exchanged {
            sent_at,
            result,
            refresh_token,
            date,
        }
    }

    async fn publish(
        &self,
        target: DesiredSecret,
        object: &Watched,
        observed: &Observed,
    ) -> Result<Outcome, ApiError> {
        let (namespace, name) = (observed.credential.namespace.clone(), target.name.clone());
        let fingerprint = target.fingerprint();
        let key = ObjectKey::new(&namespace, &name);
        let (labels, annotations) = (target.labels.clone(), target.annotations.clone());
        let written = match self.apply(&namespace, target, object).await {
            Ok(written) => written,
            Err(error) => {
                // Whatever was known of it is in doubt: look before the next decision.
                lock(&self.targets).forget(&key);
                return refused(error);
            }
        };
        let mut known = convert::target(&written.metadata);
        let mark = altered(&labels, &known.labels);
        if let Some(mark) = mark.or_else(|| altered(&annotations, &known.annotations)) {
            lock(&self.targets).forget(&key);
            return Ok(Outcome::NotWritable(WriteError::Altered {
                mark: mark.clone(),
                namespace,
                name,
            }));
        }
        known.content = Content::Confirmed(fingerprint);
        known.owner_lives = true;
        lock(&self.targets).put(key, &known.version, known.clone());
        Ok(Outcome::Published(known))
    }

    /// Writes the state in exactly the version that was read. Whatever goes wrong is an outcome, not an error: what a provider
    /// has answered must not be dropped because of it.
    async fn store(&self, state: DesiredState, object: &Watched, observed: &Observed) -> Outcome {
        let DesiredState {
            secret,
            stored,
            claims,
        } = state;
        let owned = secret.owned;
        match self
            .apply(&observed.credential.namespace, secret, object)
            .await
        {
            Ok(written) => Outcome::Stored {
                secret: StateSecret {
                    uid: written.metadata.uid.unwrap_or_default(),
                    version: written.metadata.resource_version.unwrap_or_default(),
                    owned,
                    stored,
                },
                claims,
            },
            Err(error) => Outcome::NotStored(unstored(error)),
        }
    }

    async fn apply(
        &self,
        namespace: &str,
        desired: DesiredSecret,
        object: &Watched,
    ) -> Result<Secret, ApiError> {
        let name = desired.name.clone();
        let scrubber = Scrubber::of(desired.data.values());
        let secret = secret(namespace, desired, object);
        let api: Api<Secret> = Api::namespaced(self.parts.client.clone(), namespace);
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        let patch = Patch::Apply(&secret);
        let object = format!("Secret {namespace}/{name}");
        let written = call("write", object, api.patch(&name, &parameters, &patch)).await;
        // An admission policy may quote what it refuses.
        written.map_err(|error| error.map_message(|text| scrubber.without_secrets(text)))
    }

    async fn delete(&self, namespace: &str, version: SecretVersion) -> Result<Outcome, ApiError> {
        let api: Api<Secret> = Api::namespaced(self.parts.client.clone(), namespace);
        let parameters = DeleteParams {
            preconditions: Some(Preconditions {
                uid: Some(version.uid),
                resource_version: Some(version.version),
            }),
            ..DeleteParams::default()
        };
        let object = format!("Secret {namespace}/{}", version.name);
        let deleted = call("delete", object, api.delete(&version.name, &parameters)).await;
        lock(&self.targets).forget(&ObjectKey::new(namespace, &version.name));
        match deleted {
            Ok(_) => Ok(Outcome::Deleted(version.name)),
            Err(error) if error.is_not_found() => Ok(Outcome::Deleted(version.name)),
            Err(error) => refused(error),
        }
    }

    async fn report(
        &self,
        namespace: &str,
        name: &str,
        status: &CubeCredentialStatus,
    ) -> Result<String, ApiError> {
        // Metadata is all that is read of the answer: the object may be one that this version cannot read.
        let api: Api<PartialObjectMeta<CubeCredential>> =
            Api::namespaced(self.parts.client.clone(), namespace);
        let body = json!({
            "apiVersion": CubeCredential::api_version(&()),
            "kind": CubeCredential::kind(&()),
            "status": status,
        });
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        let patch = Patch::Apply(&body);
        let object = format!("the status of CubeCredential {namespace}/{name}");
        let written = call("write", object, api.patch_status(name, &parameters, &patch)).await?;
        Ok(written.metadata.resource_version.unwrap_or_default())
    }
}

/// A refusal is for people to see; everything else is tried again.
fn refused(error: ApiError) -> Result<Outcome, ApiError> {
    if error.is_refusal() {
        tracing::warn!(%error, "target not written");
        return Ok(Outcome::NotWritable(error.into()));
    }
    Err(error)
}

/// A mark of ours that is not there as it was written: without it the token would be asked for again and again.
fn altered<'a>(
    written: &'a BTreeMap<String, String>,
    found: &BTreeMap<String, String>,
) -> Option<&'a String> {
    let ours = written.iter().filter(|(name, _)| label::is_ours(name));
    let mut altered = ours.filter(|(name, value)| found.get(*name) != Some(value));
    altered.next().map(|(name, _)| name)
}

fn unstored(error: ApiError) -> Unstored {
    tracing::warn!(%error, "refresh token state not written");
    if error.is_namespace_gone() {
        return Unstored::Gone;
    }
    if error.is_conflict() || error.is_not_found() {
        return Unstored::Conflict;
    }
    if error.is_refusal() {
        return Unstored::Refused(error.into());
    }
    Unstored::Unknown(error.into())
}

fn secret(namespace: &str, target: DesiredSecret, object: &Watched) -> Secret {
    let data: BTreeMap<_, _> = target
        .data
        .into_iter()
        .map(|(key, value)| (key, ByteString(value.expose_secret().as_bytes().to_vec())))
        .collect();
    let owner = target
        .owned
        .then(|| object.controller_owner_ref(&()))
        .flatten();
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
