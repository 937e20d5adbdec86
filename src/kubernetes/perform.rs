//! Changing the world: one effect at a time. Nothing else calls a token endpoint, or writes to the API server but leader election
//! (`lease`).

use std::{collections::BTreeMap, time::Instant};

use k8s_openapi::{ByteString, api::core::v1::Secret};
use kube::{
    Api, Resource,
    api::{DeleteParams, ObjectMeta, PartialObjectMeta, Patch, PatchParams, Preconditions},
};
use secrecy::ExposeSecret;
use serde_json::json;

use super::{
    MUST_NOT_EXIST, convert,
    error::{ApiError, call},
    events,
    world::{Watched, World},
};
use crate::{
    api::{CubeCredential, CubeCredentialStatus, FIELD_MANAGER, Reason, label},
    lock::lock,
    oauth::{error::TokenError, response},
    reconcile::{
        Action, Content, DesiredSecret, DesiredState, Exchange, Exchanged, NotStored, Observed,
        Outcome, Permit, SecretVersion, StateSecret,
    },
    scrub::Scrubber,
};

impl World {
    /// Performs one action.
    ///
    /// # Errors
    /// If the API server does not take it. A failed exchange is an outcome, not an error.
    pub async fn perform(
        &self,
        action: Action,
        object: &Watched,
        observed: &Observed,
    ) -> Result<Outcome, ApiError> {
        let namespace = &observed.credential.namespace;
        match action {
            Action::TakePermit(request) => {
                let turn = lock(&self.budget).take(&request, convert::now());
                if matches!(turn, Permit::Later { .. }) && !observed.memory.is_queued() {
                    self.metrics.budget_waited();
                }
                Ok(Outcome::Permit(request, turn))
            }
            Action::Exchange(exchange) => Ok(self.exchange(exchange).await),
            Action::Store(state) => Ok(self.store(*state, object, observed).await),
            Action::Publish(target) => self.publish(target, object, observed).await,
            Action::Delete(version) => self.delete(namespace, version).await,
            Action::Report {
                status,
                events: changes,
            } => {
                let version = self
                    .report(namespace, &observed.credential.name, &status)
                    .await?;
                for event in changes {
                    events::publish(&self.recorder, object, &event, None).await;
                }
                Ok(Outcome::Reported { status, version })
            }
        }
    }

    async fn exchange(&self, exchange: Exchange) -> Outcome {
        let Exchange { request, attempt } = exchange;
        let sent_at = convert::now();
        #[expect(
            clippy::disallowed_methods,
            reason = "it measures how long the exchange takes"
        )]
        let start = Instant::now();
        let answer = self.tokens.send(&request).await;
        let took = start.elapsed();
        let (result, refresh_token, date) = match answer {
            Ok(answer) => {
                let parsed = response::read(&answer, request.context(), request.scrubber());
                let result = parsed.outcome.map_err(TokenError::from);
                (result, parsed.refresh_token, parsed.date)
            }
            Err(error) => (Err(error.into()), None, None),
        };
        let reason = result
            .as_ref()
            .map_or_else(TokenError::reason, |_| Reason::TokenIssued);
        self.metrics.exchanged(reason, took);
        Outcome::Exchanged(Box::new(Exchanged {
            attempt,
            sent_at,
            result,
            refresh_token,
            date,
        }))
    }

    async fn publish(
        &self,
        target: DesiredSecret,
        object: &Watched,
        observed: &Observed,
    ) -> Result<Outcome, ApiError> {
        let (namespace, name) = (observed.credential.namespace.clone(), target.name.clone());
        let fingerprint = target.fingerprint();
        let key = (namespace.clone(), name.clone());
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
            let why = format!(
                "an admission webhook or policy takes {mark} off Secret {namespace}/{name}"
            );
            return Ok(Outcome::NotWritable(why));
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
            Err(error) => Outcome::NotStored(unstored(&error)),
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
        let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        let patch = Patch::Apply(&secret);
        let object = format!("Secret {namespace}/{name}");
        let written = call("write", object, api.patch(&name, &parameters, &patch)).await;
        written.map_err(|error| error.scrubbed(&scrubber))
    }

    async fn delete(&self, namespace: &str, version: SecretVersion) -> Result<Outcome, ApiError> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let parameters = DeleteParams {
            preconditions: Some(Preconditions {
                uid: Some(version.uid),
                resource_version: Some(version.version),
            }),
            ..DeleteParams::default()
        };
        let object = format!("Secret {namespace}/{}", version.name);
        let deleted = call("delete", object, api.delete(&version.name, &parameters)).await;
        lock(&self.targets).forget(&(namespace.to_owned(), version.name.clone()));
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
            Api::namespaced(self.client.clone(), namespace);
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
        return Ok(Outcome::NotWritable(error.to_string()));
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

fn unstored(error: &ApiError) -> NotStored {
    tracing::warn!(%error, "refresh token state not written");
    if error.is_namespace_gone() {
        return NotStored::Gone;
    }
    if error.is_conflict() || error.is_not_found() {
        return NotStored::Conflict;
    }
    if error.is_refusal() {
        return NotStored::Refused(error.to_string());
    }
    NotStored::Unknown(error.to_string())
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
