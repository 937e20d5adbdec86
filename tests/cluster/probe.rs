//! A new token is tried at its API before it is published: through the real process, with a scripted provider and API.

mod hosts;

use std::sync::{
    Arc,
    atomic::{AtomicU16, AtomicUsize, Ordering},
};

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    operator::{Operator, eventually},
    place::{Place, is},
    scripted::{Authority, LOCAL, Provider, Reply, Request},
};

/// A token endpoint that numbers its tokens, and the API that they are for.
struct Service {
    provider: Provider,
    api: Provider,
    /// The status of the API's next responses.
    status: Arc<AtomicU16>,
}

impl Service {
    fn start(place: &Place) -> Self {
        let authority = Authority::new("scripted");
        place.trust("scripted", &authority);
        let certificate = authority.certificate(&LOCAL);
        let count = AtomicUsize::new(0);
        let status = Arc::new(AtomicU16::new(200));
        let answered = Arc::clone(&status);
        Self {
            provider: Provider::start(&certificate, move |_| {
                let number = count.fetch_add(1, Ordering::SeqCst) + 1;
                Reply::token(&format!("planted-{number}"))
            }),
            api: Provider::start(&certificate, move |_| {
                Reply::json(answered.load(Ordering::SeqCst), r#"{"planted":"body"}"#)
                    .header("X-Planted", "header")
            }),
            status,
        }
    }

    fn respond(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    fn credential(&self, place: &Place, name: &str) -> Value {
        let mut object = place.credential_at(name, &self.provider.url("/token"), "scripted");
        object["spec"]["probe"] = json!({"url": self.api.url("/me"), "headers": {"X-Tenant": "a"}});
        object
    }

    fn login(&self, place: &Place, name: &str) -> Value {
        let mut object = self.credential(place, name);
        object["spec"]["grant"] = json!("RefreshToken");
        object["spec"]["refreshTokenRef"] = json!({"name": "login"});
        object
    }

    /// The tokens that the API was asked about.
    fn tried(&self) -> Vec<String> {
        let requests = self.api.requests();
        requests.iter().map(bearer).collect()
    }
}

fn bearer(request: &Request) -> String {
    let mut headers = request.headers.iter();
    let found = headers.find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let value = &found.expect("it has a token").1;
    value
        .strip_prefix("Bearer ")
        .expect("a bearer token")
        .into()
}

impl Place {
    fn waits_for_the_api(&self, name: &str) -> String {
        let status = self.wait_for(name, "ProbeFailed", |status| {
            is(status, Refreshed, "False", "ProbeFailed")
        });
        status.condition(Refreshed).unwrap().message.clone()
    }

    fn is_synced(&self, name: &str) {
        self.wait_for(name, "Synced", |status| {
            is(status, Ready, "True", "Synced") && is(status, Refreshed, "True", "TokenIssued")
        });
    }
}

fn probes(operator: &Operator, result: &str) -> f64 {
    let metric = format!("cube_operator_probes_total{{result=\"{result}\"}}");
    operator.metric(&metric).unwrap_or(0.0)
}

#[test]
fn a_token_that_its_api_refuses_stays_unpublished_while_another_one_lives() {
    let place = Place::new();
    let service = Service::start(&place);
    place.apply(&place.source());
    place.apply(&service.credential(&place, "main"));
    let operator = place.operator();
    place.is_synced("main");
    assert_eq!(place.token("main-token"), "planted-1");
    assert_eq!(service.tried(), ["planted-1"]);

    service.respond(403);
    place.request("one");
    let message = place.waits_for_the_api("main");
    let start = format!(
        "localhost:{} responded 403 to the new token: ask the API's owner to allow this cluster's egress IP address, or to give \
         this client the missing role; retrying at ",
        service.api.address.port()
    );
    assert!(message.starts_with(&start), "{message}");
    let status = place.status("main");
    assert!(is(&status, Ready, "True", "Synced") && !status.unproven);
    assert_eq!(place.token("main-token"), "planted-1");

    // Another change of the spec costs nothing, and a new probe is tried without another token.
    let edit = |fields: Value| place.patch("cubecredential", "main", &json!({"spec": fields}));
    edit(json!({"refreshBefore": "6m"}));
    place.wait_for("main", "the spec is observed", |status| {
        status.observed_generation == Some(2)
    });
    assert!(is(&place.status("main"), Ready, "True", "Synced"));
    service.respond(204);
    edit(json!({"probe": {"method": "HEAD"}}));
    place.is_synced("main");
    assert_eq!(place.token("main-token"), "planted-2");
    assert!(place.status("main").refresh_request.is_some());
    assert_eq!(service.provider.requests().len(), 2, "one for each token");
    assert_eq!(service.api.requests().last().unwrap().method, "HEAD");
    assert!(probes(&operator, "refused") >= 1.0 && probes(&operator, "accepted") >= 2.0);
    for told in [
        "Warning ProbeFailed: the API did not accept the new token; the token is valid until ",
        "Normal Recovered",
    ] {
        eventually(told, || {
            let events = place.events("main");
            let found = events.iter().any(|event| event.starts_with(told));
            found.then_some(())
        });
    }

    // Neither a repair of its labels nor a restart tries a published token again.
    let tried = service.tried().len();
    edit(json!({"target": {"labels": {"team": "a"}}}));
    eventually("the label", || {
        let secret = place.get("secret", "main-token")?;
        (secret["metadata"]["labels"]["team"] == "a").then_some(())
    });
    shows_nothing(&place, &operator);
    drop(operator);
    let operator = place.operator();
    place.after_reconcile(&operator, || {
        edit(json!({"description": "the operator is back"}));
    });
    assert_eq!(service.tried().len(), tried);
    assert_eq!(service.provider.requests().len(), 2);
}

/// Nothing of a response but its status is anywhere.
fn shows_nothing(place: &Place, operator: &Operator) {
    let objects = place.kubectl(&["get", "cubecredentials,events.events.k8s.io", "-o", "yaml"]);
    for (place, text) in [
        ("the objects", objects),
        ("the log", operator.log()),
        ("the metrics", operator.get("/metrics").1),
    ] {
        assert!(!text.to_lowercase().contains("planted"), "{place}: {text}");
    }
}

#[test]
fn a_first_token_is_published_unproven_and_tried_until_it_is_accepted() {
    let place = Place::new();
    let service = Service::start(&place);
    service.respond(403);
    place.apply(&place.source());
    place.apply(&service.credential(&place, "main"));
    let operator = place.operator();
    place.waits_for_the_api("main");
    assert!(is(&place.status("main"), Ready, "False", "ProbeFailed"));
    assert_eq!(place.get("secret", "main-token"), None);
    let status = place.wait_for("main", "unproven", |status| status.unproven);
    assert!(is(&status, Ready, "True", "Synced"));
    let message = &status.condition(Ready).unwrap().message;
    assert!(
        message.contains("but unproven: its API has not accepted it yet"),
        "{message}"
    );
    assert_eq!(place.token("main-token"), "planted-1");
    assert!(service.tried().len() >= 3);
    // The next process continues to try the token.
    drop(operator);
    let tried = service.tried().len();
    let _operator = place.operator();
    eventually("the next probe", || {
        (service.tried().len() > tried).then_some(())
    });
    service.respond(200);
    place.wait_for("main", "proven", |status| !status.unproven);
    place.is_synced("main");
    assert!(service.tried().iter().all(|token| token == "planted-1"));
    assert_eq!(service.provider.requests().len(), 1);
}

#[test]
fn the_access_token_of_a_login_that_is_held_back_survives_a_kill() {
    let place = Place::new();
    let service = Service::start(&place);
    place.apply(&place.source());
    place.apply(&json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "login", "labels": {"cube-operator.dev/credential": "true"}},
        "stringData": {"refresh-token": "planted-refresh"},
    }));
    place.apply(&service.login(&place, "main"));
    let mut operator = place.operator();
    place.is_synced("main");
    service.respond(503);
    place.request("one");
    place.waits_for_the_api("main");
    operator.signal("KILL");
    operator.wait();
    let tried = service.tried().len();
    let _operator = place.operator();
    eventually("the next probe", || {
        (service.tried().len() > tried).then_some(())
    });
    assert_eq!(place.token("main-token"), "planted-1");
    assert_eq!(service.tried().last().unwrap(), "planted-2");
    service.respond(200);
    place.is_synced("main");
    assert_eq!(place.token("main-token"), "planted-2");
    assert_eq!(service.provider.requests().len(), 2, "one for each token");
}
