//! A `CubeCredential` in each state that the alerts and the dashboard are about.

use std::sync::Once;

use cube_operator::api::ConditionType::{self, Ready, Refreshed};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    place::{Place, is},
    scripted::{Authority, LOCAL, Provider, Reply, Request},
};

/// The lifetime in seconds of a token whose expiry is queried before it comes: Prometheus uses a sample for five minutes.
pub(super) const LIFETIME: i64 = 240;

/// A `CubeCredential` in a state: its name, the fields of its spec that differ, and the condition that shows the state.
pub(super) type State = (
    &'static str,
    Value,
    (ConditionType, &'static str, &'static str),
);

pub(super) fn states() -> [State; 12] {
    let grant = json!({"grant": "RefreshToken", "refreshTokenRef": {"name": "seed"}});
    let session = json!({"grant": "RefreshToken", "refreshTokenRef": {"name": "session"}});
    let client = |name: &str| json!({"clientSecretRef": {"name": name}});
    let is = |status, reason| (Refreshed, status, reason);
    [
        ("refused", client("wrong"), is("False", "InvalidClient")),
        (
            "missing",
            client("missing"),
            is("False", "ClientSecretNotFound"),
        ),
        (
            "suspended",
            json!({"suspend": true}),
            is("Unknown", "Suspended"),
        ),
        ("foreign", json!({}), (Ready, "False", "TargetConflict")),
        ("busy", json!({}), is("False", "RateLimited")),
        // The provider has asked the client of both to pause.
        ("queued", json!({}), (Ready, "False", "RateBudget")),
        ("page", json!({}), is("False", "UnexpectedResponse")),
        ("down", json!({}), is("False", "Unavailable")),
        ("dead", grant, is("False", "RefreshTokenRejected")),
        // Each refresh states the same end.
        ("leaving", session, is("True", "TokenIssued")),
        ("ending", json!({}), is("True", "TokenIssued")),
        // It has ended before the next one may be requested.
        ("short", json!({}), (Ready, "False", "TokenTooShort")),
    ]
}

/// The states in which the API server refuses to write a Secret.
pub(super) fn limited() -> [State; 2] {
    let grant = json!({"grant": "RefreshToken", "refreshTokenRef": {"name": "another-seed"}});
    let is = |reason| (Refreshed, "False", reason);
    [
        ("target", json!({}), is("TargetNotWritable")),
        ("state", grant, is("StateNotWritable")),
    ]
}

/// A provider whose response depends on the path.
pub(super) fn provider(authority: &Authority) -> Provider {
    let token = |lifetime| {
        let token =
            json!({"access_token": "issued", "token_type": "Bearer", "expires_in": lifetime});
        Reply::json(200, token.to_string())
    };
    let leaving = {
        let end = Timestamp::now() + SignedDuration::from_hours(72);
        let token = json!({
            "access_token": "issued", "token_type": "Bearer", "expires_in": 40, "refresh_token_expires_at": end.to_string(),
        });
        token.to_string()
    };
    let once = Once::new();
    let answer = move |request: &Request| match request.target.as_str() {
        // Longer than the test: when the pause is over, either of the two may ask first.
        "/busy" => Reply::json(429, "{}").header("Retry-After", "3600"),
        "/page" => Reply::json(200, "<html>Sign in</html>"),
        "/dead" => Reply::json(400, r#"{"error": "invalid_grant"}"#),
        "/target" | "/foreign" => token(3600),
        "/leaving" => Reply::json(200, leaving.clone()),
        "/short" => token(6),
        "/ending" if !once.is_completed() => {
            once.call_once(|| ());
            token(LIFETIME)
        }
        _ => Reply::json(503, "{}"),
    };
    Provider::start(&authority.certificate(&LOCAL), answer)
}

/// Applies a `CubeCredential`, and waits until it is in its state. All but `refused` have a path of the scripted provider.
pub(super) fn bring(place: &Place, provider: &Provider, (name, special, condition): State) {
    let mut object = match name {
        "refused" => place.credential(name),
        "queued" => place.credential_at(name, &provider.url("/busy"), "scripted"),
        _ => place.credential_at(name, &provider.url(&format!("/{name}")), "scripted"),
    };
    let spec = object["spec"].as_object_mut().unwrap();
    spec.extend(special.as_object().unwrap().clone());
    place.apply(&object);
    let (r#type, status, reason) = condition;
    place.wait_for(name, reason, |found| is(found, r#type, status, reason));
}

pub(super) fn secret(name: &str, key: &str, value: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": name, "labels": {"cube-operator.dev/credential": "true"}},
        "stringData": {"client-id": "somebody", "client-secret": "wrong", key: value},
    })
}
