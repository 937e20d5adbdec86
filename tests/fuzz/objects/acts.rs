//! What the operator does in this world, and what it must not do.

use std::collections::BTreeMap;

use cube_operator::{
    api::annotation,
    oauth::{
        endpoint::HostList,
        response::{self, Body, RequestContext, Response},
        scrub::Scrubber,
    },
    reconcile::{
        Action, Content, DesiredSecret, DesiredState, Exchange, Exchanged, Observed, Outcome,
        Permit, State, StateSecret, TargetSecret, fingerprint,
    },
};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::{Data, UID, World, reading, secret};
use crate::targets::secrets::{is_token, shows};

impl World {
    pub(super) fn act(&mut self, action: Action, observed: &Observed) -> Outcome {
        let stores = matches!(action, Action::Store(_));
        assert!(
            self.received.is_none() || stores,
            "what was received is stored first"
        );
        match action {
            Action::TakePermit(request) => {
                Outcome::Permit(request, Permit::Now { until: self.now })
            }
            Action::Exchange(exchange) => self.exchange(exchange),
            Action::Store(state) => self.store(*state, observed),
            Action::Publish(target) => self.publish(target),
            Action::Delete(version) => {
                self.written += 1;
                self.target = None;
                Outcome::Deleted(version.name)
            }
            Action::Report { status, events } => {
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
                self.status = status.clone();
                Outcome::Reported {
                    status,
                    version: "1".into(),
                }
            }
        }
    }

    fn exchange(&mut self, exchange: Exchange) -> Outcome {
        let Exchange { request, attempt } = exchange;
        self.sent += 1;
        let secret = request.client.secret.as_ref();
        let secrets = secret.into_iter().chain(&request.refresh_token);
        let secrets = secrets.map(|secret| secret.expose_secret().to_owned());
        self.in_play = secrets.chain(tokens(&self.input.rest)).collect();
        assert!(is_clean(&request.client.id));
        assert!(secret.is_none_or(|secret| is_clean(secret.expose_secret())));
        let settings = self.settings.as_ref().expect("a spec");
        assert_eq!(request.grant(), settings.grant.kind());
        if let Some(hosts) = self.input.get("client-hosts") {
            assert!(HostList::parse(hosts).is_ok_and(|hosts| hosts.permits(&request.endpoint)));
        }
        if let Some(token) = &request.refresh_token {
            let claimed = self.claimed.take().expect("claimed, then sent");
            assert_eq!(token.expose_secret(), claimed.expose_secret());
            assert!(is_token(token.expose_secret()));
        }
        let answer = Response {
            status: self
                .input
                .get("answer")
                .and_then(|status| status.parse().ok())
                .unwrap_or(200),
            body: Body::Complete(self.input.rest.clone()),
            ..Response::default()
        };
        let asked = RequestContext {
            grant: request.grant(),
            scopes: &request.scopes,
        };
        let reading = response::read(&answer, asked, Scrubber::for_request(&request));
        self.received.clone_from(&reading.refresh_token);
        Outcome::Exchanged(Box::new(Exchanged {
            attempt,
            sent_at: self.now,
            result: reading.outcome,
            refresh_token: reading.refresh_token,
            date: reading.date,
        }))
    }

    fn store(&mut self, state: DesiredState, observed: &Observed) -> Outcome {
        self.written += 1;
        let before = State::of(self.state.clone().map(reading), &observed.credential);
        assert!(!matches!(before, State::Damaged { .. }), "nothing is known");
        let data = &state.secret.data;
        let tokens = ["refresh-token", "access-token", "replaced-refresh-token"];
        let mut tokens = tokens.iter().filter_map(|key| data.get(*key));
        assert!(tokens.all(|token| is_token(token.expose_secret())));
        assert_eq!(
            state.secret.replaces.is_some(),
            self.state.is_some(),
            "exactly the version that was read"
        );
        let State::Present(read) = State::of(Some(reading(data.clone())), &observed.credential)
        else {
            panic!("what is stored cannot be read again");
        };
        assert_eq!(texts(&read.stored.data()), texts(data));
        if let Some(received) = self.received.take() {
            let stored = &data["refresh-token"];
            assert_eq!(stored.expose_secret(), received.expose_secret());
        }
        self.claimed = state.claims.then(|| data["refresh-token"].clone());
        self.state = Some(state.secret.data);
        Outcome::Stored {
            secret: StateSecret {
                uid: "state".into(),
                version: "1".into(),
                owned: state.secret.owned,
                stored: state.stored,
            },
            claims: state.claims,
        }
    }

    fn publish(&mut self, target: DesiredSecret) -> Outcome {
        self.written += 1;
        let keys: Vec<_> = target.data.keys().collect();
        assert_eq!(keys, ["access-token", "expires-at", "token-type"]);
        let token = &target.data["access-token"];
        assert!(is_token(token.expose_secret()));
        assert_eq!(
            target.data["expires-at"].expose_secret(),
            target.annotations[annotation::EXPIRES_AT]
        );
        let mut written = secret(target.annotations, Content::Confirmed(fingerprint(token)));
        written.labels = target.labels;
        written.owners = target.owned.then(|| UID.to_owned()).into_iter().collect();
        let unread = TargetSecret {
            content: Content::Unread,
            ..written.clone()
        };
        self.target = Some((unread, target.data));
        Outcome::Published(written)
    }

    /// Of the secrets of the last request and its answer with a tilde, which no word of ours has; and unless it is written where everybody may read it.
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

/// The tokens of an answer.
fn tokens(body: &[u8]) -> Vec<String> {
    let fields: Value = serde_json::from_slice(body).unwrap_or_default();
    let names = ["access_token", "refresh_token", "id_token"];
    let tokens = names.iter().filter_map(|name| fields.get(name)?.as_str());
    tokens.map(Into::into).collect()
}

fn texts(data: &Data) -> BTreeMap<&str, &str> {
    data.iter()
        .map(|(key, value)| (key.as_str(), value.expose_secret()))
        .collect()
}

fn is_clean(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}
