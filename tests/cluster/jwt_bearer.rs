//! A service account of a provider: the assertion that its key signs is exchanged for a token.

use std::sync::Mutex;

use cube_operator::api::ConditionType::{Ready, Refreshed};
use serde_json::{Value, json};

use crate::{
    check::LOOPBACK,
    keys::{FIRST, claims, form},
    place::{Place, is, told},
    scripted::{Authority, LOCAL, Provider, Reply},
};

const ROBOT: &str = "robot@example.iam.gserviceaccount.com";
const OTHER: &str = include_str!("../fuzz/corpus/private_key/p256-jwk");

/// A provider that knows the key of one service account, and accepts each assertion once.
fn provider(place: &Place) -> Provider {
    let authority = Authority::new("scripted");
    place.trust("scripted", &authority);
    let seen = Mutex::new(Vec::new());
    Provider::start(&authority.certificate(&LOCAL), move |request| {
        let form = form(request);
        let refused = || {
            Reply::json(
                400,
                r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#,
            )
        };
        let claims = form
            .get("assertion")
            .and_then(|assertion| claims(assertion, FIRST));
        let Some(claims) = claims.filter(|claims| claims["iss"] == ROBOT) else {
            return refused();
        };
        let mut seen = seen.lock().unwrap();
        if seen.contains(&claims["jti"]) {
            return refused();
        }
        seen.push(claims["jti"].clone());
        let number = seen.len();
        Reply::json(
            200,
            format!(
                r#"{{"access_token":"token-{number}","expires_in":3599,"token_type":"Bearer"}}"#
            ),
        )
    })
}

/// A labelled Secret with this private key and nothing else.
fn source(key: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "robot", "labels": {"cube-operator.dev/credential": "true"}},
        "stringData": {"private-key": key},
    })
}

fn credential(place: &Place, provider: &Provider) -> Value {
    let mut object = place.credential_at("main", &provider.url("/token"), "scripted");
    let spec = object["spec"].as_object_mut().unwrap();
    spec.insert("clientSecretRef".into(), json!({"name": "robot"}));
    spec.insert("grant".into(), json!("JWTBearer"));
    spec.insert(
        "jwtBearer".into(),
        json!({"issuer": ROBOT, "subject": "ada@example.com", "keyID": "k1"}),
    );
    spec.insert("scopes".into(), json!(["write", "read"]));
    object
}

#[test]
fn an_assertion_with_the_scopes_is_exchanged_and_a_new_key_leaves_the_live_token() {
    let place = Place::new();
    let provider = provider(&place);
    place.apply(&source(FIRST));
    let operator = place.operator();
    place.apply(&credential(&place, &provider));
    let first = place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    assert_eq!(place.token("main-token"), "token-1");
    let requests = provider.requests();
    let form = form(&requests[0]);
    let fields: Vec<_> = form.keys().map(String::as_str).collect();
    assert_eq!(fields, ["assertion", "grant_type"]);
    assert_eq!(
        form["grant_type"],
        "urn:ietf:params:oauth:grant-type:jwt-bearer"
    );
    let claims = claims(&form["assertion"], FIRST).unwrap();
    assert_eq!(claims["sub"], "ada@example.com");
    assert_eq!(claims["aud"], provider.url("/token"));
    assert_eq!(claims["scope"], "read write");
    assert!(!operator.log().contains(&form["assertion"]));

    place.after_reconcile(&operator, || place.apply(&source(OTHER)));
    assert_eq!(
        provider.requests().len(),
        1,
        "the token is as good as before"
    );
    place.apply(&source(FIRST));
    place.request("now");
    place.wait_for("main", "refreshed", |status| {
        status.token_fingerprint != first.token_fingerprint
    });
    assert_eq!(place.token("main-token"), "token-2");
}

#[test]
fn an_assertion_that_the_provider_refuses_is_named_and_the_right_key_is_tried_within_seconds() {
    let place = Place::new();
    let provider = provider(&place);
    place.apply(&source(OTHER));
    let _operator = place.operator();
    place.apply(&credential(&place, &provider));
    let status = place.wait_for("main", "InvalidGrant", |status| {
        is(status, Refreshed, "False", "InvalidGrant")
    });
    let message = told(&status)[1].clone();
    assert!(
        message.starts_with(
            "Refreshed=False InvalidGrant: token endpoint responded 400 invalid_grant (the provider says: \"Invalid JWT \
             Signature.\"): register the public key of Secret \"robot\" at the provider, or correct spec.jwtBearer; retrying at "
        ),
        "{message}"
    );
    place.apply(&source(FIRST));
    place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    assert_eq!(provider.requests().len(), 2);
}

#[test]
fn a_check_looks_at_the_key_and_sends_nothing() {
    let place = Place::new();
    let provider = provider(&place);
    place.apply(&source(FIRST));
    place.apply(&credential(&place, &provider));
    let (_, shown, _) = place.check_as(&place.kubeconfig, "main", &[LOOPBACK], &[]);
    let found = "✓ Secret \"robot\" has the label, and well-formed \"private-key\" (P-256, signs with ES256, key ID \"k1\")";
    assert!(shown.contains(found), "{shown}");
    let requests = provider.requests();
    assert!(
        requests
            .iter()
            .all(|request| !request.body.contains("assertion"))
    );
}
