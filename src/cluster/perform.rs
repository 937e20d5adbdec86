//! Performs effects, one at a time. Nothing else sends token requests, and only leader election and the queue of events also write
//! to the API server.

use std::time::Instant;

use k8s_openapi::api::core::v1::ObjectReference;
use kube::{Api, Resource, api::Patch};
use secrecy::ExposeSecret;
use serde_json::json;

use super::{
    arrival::{Metadata, Watched},
    context::{Context, Parts},
    event_queue::announcement,
};
use crate::{
    api::{CubeCredential, CubeCredentialStatus, Reason},
    clock::{now, precisely},
    kubernetes::{
        applied,
        error::{ApiError, call},
    },
    lock::lock,
    oauth::{client::sign, error::TokenError, response},
    reconcile::{Action, Event, Exchange, Exchanged, Observed, Outcome, Permit, Probing},
};

impl Context {
    /// Performs one action.
    ///
    /// # Errors
    /// If the API server does not accept it. A failed exchange is an outcome, not an error.
    pub(crate) async fn perform(
        &self,
        action: Action,
        object: &Watched,
        observed: &Observed,
    ) -> Result<Outcome, ApiError> {
        let namespace = &observed.credential.namespace;
        match action {
            Action::TakePermit(request) => {
                let permit = lock(&self.parts.budget).take(&request, now());
                if matches!(permit, Permit::Later { .. }) && !observed.memory.is_queued() {
                    self.parts.metrics.budget_waited();
                }
                Ok(Outcome::Permit(request, permit))
            }
            Action::RequestAccountToken(role, account) => {
                let token = self.request_account_token(namespace, &account).await;
                Ok(Outcome::AccountToken(role, token))
            }
            Action::Exchange(exchange) => Ok(self.exchange(exchange).await),
            Action::Probe(probing) => Ok(self.probe(*probing).await),
            Action::Store(state) => self.store(*state, object, observed).await,
            Action::Record(record) => self.record(*record, object, observed).await,
            Action::Publish(target) => self.publish(target, object, observed).await,
            Action::RefreshPods(refresh) => {
                let fingerprint = refresh.fingerprint.clone();
                let error = self.refresh_pods(namespace, refresh).await;
                Ok(Outcome::PodsRefreshed { fingerprint, error })
            }
            Action::DeleteRecord(version) => self.delete_record(version, observed).await,
            Action::Delete(version) => self.delete(version, observed).await,
            Action::Restart(restart) => Ok(self.restart(namespace, restart, object).await),
            Action::Announce(events) => {
                for event in events {
                    self.announce(object, &event, None).await;
                }
                Ok(Outcome::Announced)
            }
            Action::Report { status, events } => {
                let version = self
                    .report(namespace, &observed.credential.name, &status)
                    .await?;
                for event in events {
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
        let Parts {
            event_queue,
            recorder,
            ..
        } = &self.parts;
        let uid = object.meta().uid.as_deref();
        if related.is_none() && event_queue.take(self.key(object), uid, event) {
            return;
        }
        let announcement = announcement(event, related, precisely());
        recorder
            .publish(&object.object_ref(&()), announcement)
            .await;
    }

    async fn exchange(&self, exchange: Exchange) -> Outcome {
        let Exchange {
            mut request,
            attempt,
        } = exchange;
        let sent_at = now();
        #[expect(
            clippy::disallowed_methods,
            reason = "it measures how long the exchange takes"
        )]
        let start = Instant::now();
        let response = match sign(&mut request, sent_at) {
            Ok(()) => self.parts.tokens.send(&request).await,
            Err(error) => Err(error),
        };
        let took = start.elapsed();
        let (result, refresh_token, date) = match response {
            Ok(response) => {
                let mut scrubber = request.scrubber();
                if let Some(other) = attempt.other_secret() {
                    scrubber.add(other.expose_secret());
                }
                let parsed = response::read(&response, request.context(), scrubber);
                let result = parsed.outcome.map_err(TokenError::from);
                (result, parsed.refresh_token, parsed.date)
            }
            Err(error) => (Err(error.into()), None, None),
        };
        let reason = result
            .as_ref()
            .map_or_else(TokenError::reason, |_| Reason::TokenIssued);
        self.parts.metrics.exchanged(reason, took);
        Outcome::Exchanged(Box::new(Exchanged {
            attempt,
            sent_at,
            result,
            refresh_token,
            date,
        }))
    }

    async fn probe(&self, probing: Probing) -> Outcome {
        let result = self.parts.tokens.try_token(&probing.request).await;
        self.parts.metrics.probed(match &result {
            Ok(status) if probing.request.probe.accepts(*status) => "accepted",
            Ok(_) => "refused",
            Err(_) => "unreachable",
        });
        probing.outcome(result)
    }

    async fn report(
        &self,
        namespace: &str,
        name: &str,
        status: &CubeCredentialStatus,
    ) -> Result<String, ApiError> {
        // Only the metadata of the response is read, because this version may not be able to read the object.
        let api: Api<Metadata<CubeCredential>> =
            Api::namespaced(self.parts.client.clone(), namespace);
        let body = json!({
            "apiVersion": CubeCredential::api_version(&()),
            "kind": CubeCredential::kind(&()),
            "status": status,
        });
        let parameters = applied();
        let patch = Patch::Apply(&body);
        let object = format!("the status of CubeCredential {namespace}/{name}");
        let written = call("write", object, api.patch_status(name, &parameters, &patch)).await?;
        Ok(written.metadata.resource_version.unwrap_or_default())
    }
}
