//! What the operator does in this world, and what it must not do.

use std::collections::BTreeMap;

use cube_operator::{
    api::{CubeCredentialStatus, annotation},
    oauth::{
        hosts::HostList,
        response::{self, Body, Response},
    },
    reconcile::{
        Action, DesiredSecret, DesiredState, Event, Exchange, Exchanged, Observed, Outcome,
        Probing, Read, State, StateReading,
    },
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::{World, model::process::Process};
use crate::targets::secrets::{is_token, shows};

impl World {
    pub(super) fn act(
        &mut self,
        action: Action,
        process: &mut Process,
        observed: &Observed,
    ) -> Outcome {
        let stores = matches!(action, Action::Store(_));
        assert!(
            self.received.is_none() || stores,
            "what was received is stored first"
        );
        match &action {
            Action::TakePermit(_)
            | Action::RequestAccountToken(..)
            | Action::Exchange(_)
            | Action::RefreshPods(_)
            | Action::Restart(_)
            | Action::Probe(_)
            | Action::Announce(_) => {}
            Action::Store(state) => self.check_state(state, observed),
            Action::Publish(target) => self.check_target(target),
            Action::Record(record) => {
                self.written += 1;
                let token = &record.secret.data["access-token"];
                assert!(is_token(token.expose_secret()));
            }
            Action::Delete(_) | Action::DeleteRecord(_) => self.written += 1,
            Action::Report { status, events } => self.check_report(status, events),
        }
        let action = match action {
            Action::Exchange(exchange) => return self.exchange(exchange),
            Action::Probe(probing) => return self.probe(*probing),
            action => action,
        };
        let outcome = self.objects.act(action, process, observed, self.now);
        let outcome = outcome.expect("exactly the version that was read");
        assert!(
            !matches!(outcome, Outcome::NotStored(_)),
            "exactly the version that was read"
        );
        outcome
    }

    fn check_report(&self, status: &CubeCredentialStatus, events: &[Event]) {
        let conditions = status.conditions.iter().map(|condition| &condition.message);
        for text in conditions.chain(events.iter().map(|event| &event.note)) {
            self.shows_no_secret(text);
        }
        for condition in &status.conditions {
            assert!(
                condition.message.chars().count() <= 2048,
                "the schema's bound"
            );
        }
    }

    fn exchange(&mut self, exchange: Exchange) -> Outcome {
        let Exchange { request, attempt } = exchange;
        self.sent += 1;
        let secret = request.authentication.client_secret();
        let refresh_token = request.grant.refresh_token();
        let secrets = secret.into_iter().chain(refresh_token);
        let secrets = secrets.map(|secret| secret.expose_secret().to_owned());
        self.in_play = secrets.chain(tokens(&self.input.rest)).collect();
        assert!(is_clean(request.authentication.client_id()));
        assert!(secret.is_none_or(|secret| is_clean(secret.expose_secret())));
        let settings = self.settings.as_ref().expect("a spec");
        assert_eq!(request.grant.name(), settings.grant.name());
        if let Some(hosts) = self.input.get("client-hosts") {
            assert!(HostList::parse(hosts).is_ok_and(|hosts| hosts.allows(&request.endpoint)));
        }
        if let Some(token) = refresh_token {
            let claimed = self.claimed.take().expect("claimed, then sent");
            assert_eq!(token.expose_secret(), claimed.expose_secret());
            assert!(is_token(token.expose_secret()));
        }
        let response = Response {
            status: self
                .input
                .get("answer")
                .and_then(|status| status.parse().ok())
                .unwrap_or(200),
            body: Body::Complete(self.input.rest.clone()),
            ..Response::default()
        };
        let parsed = response::read(&response, request.context(), request.scrubber());
        self.received.clone_from(&parsed.refresh_token);
        Outcome::Exchanged(Box::new(Exchanged {
            attempt,
            sent_at: self.now,
            result: parsed.outcome.map_err(Into::into),
            refresh_token: parsed.refresh_token,
            date: parsed.date,
        }))
    }

    fn probe(&self, probing: Probing) -> Outcome {
        if let Some(hosts) = self.input.get("client-hosts") {
            let endpoint = &probing.request.probe.endpoint;
            assert!(HostList::parse(hosts).is_ok_and(|hosts| hosts.allows(endpoint)));
        }
        let status = self.input.get("api").and_then(|status| status.parse().ok());
        probing.outcome(Ok(status.unwrap_or(200)))
    }

    fn check_state(&mut self, state: &DesiredState, observed: &Observed) {
        self.written += 1;
        let name = state.secret.name.clone();
        let Outcome::State(before) = self.objects.read(&Read::State { name }, observed) else {
            unreachable!("a state is read");
        };
        assert_eq!(
            state.secret.replaces.is_some(),
            before.is_some(),
            "exactly the version that was read"
        );
        let before = State::of(before, &observed.credential);
        assert!(!matches!(before, State::Damaged { .. }), "nothing is known");
        let data = &state.secret.data;
        let tokens = ["refresh-token", "access-token", "replaced-refresh-token"];
        let mut tokens = tokens.iter().filter_map(|key| data.get(*key));
        assert!(tokens.all(|token| is_token(token.expose_secret())));
        let reading = StateReading {
            name: state.secret.name.clone(),
            uid: "state".into(),
            version: "1".into(),
            labels: state.secret.labels.clone(),
            annotations: state.secret.annotations.clone(),
            owners: vec![],
            data: Some(data.clone()),
        };
        let State::Present(read) = State::of(Some(reading), &observed.credential) else {
            panic!("what is stored cannot be read again");
        };
        assert_eq!(texts(&read.stored.data()), texts(data));
        if let Some(received) = self.received.take() {
            let stored = &data["refresh-token"];
            assert_eq!(stored.expose_secret(), received.expose_secret());
        }
        self.claimed = state.claims.then(|| data["refresh-token"].clone());
    }

    fn check_target(&mut self, target: &DesiredSecret) {
        self.written += 1;
        let keys: Vec<_> = target.data.keys().map(String::as_str).collect();
        if let Some(rendered) = target.annotations.get(annotation::KEYS) {
            assert_eq!(keys.join(","), *rendered);
            return;
        }
        assert_eq!(keys, ["access-token", "expires-at", "token-type"]);
        let token = &target.data["access-token"];
        assert!(is_token(token.expose_secret()));
        assert_eq!(
            target.data["expires-at"].expose_secret(),
            target.annotations[annotation::EXPIRES_AT]
        );
    }

    /// No text shows a secret of the last request or its response, unless the secret stands where everybody may read it. Only secrets
    /// with a tilde count, which no word of ours has.
    fn shows_no_secret(&self, text: &str) {
        let public = ["spec", "status", "state.record", "target.", "client-hosts"];
        let public = public.iter().chain(&["seed-hosts", "client-id", "request"]);
        let public = public.flat_map(|prefix| self.input.under(prefix));
        let public: String = public.map(|(_, value)| value).collect();
        for secret in self.in_play.iter().filter(|secret| secret.contains('~')) {
            assert!(
                shows(&public, secret) || !shows(text, secret),
                "{text:?} shows {secret:?}"
            );
        }
    }
}

/// The tokens of a response.
fn tokens(body: &[u8]) -> Vec<String> {
    let fields: Value = serde_json::from_slice(body).unwrap_or_default();
    let names = ["access_token", "refresh_token", "id_token"];
    let tokens = names.iter().filter_map(|name| fields.get(name)?.as_str());
    tokens.map(Into::into).collect()
}

fn texts(data: &BTreeMap<String, SecretString>) -> BTreeMap<&str, &str> {
    data.iter()
        .map(|(key, value)| (key.as_str(), value.expose_secret()))
        .collect()
}

fn is_clean(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}
