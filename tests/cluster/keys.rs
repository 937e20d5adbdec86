//! A client that signs with a private key, from its Secret to the token endpoint.

use std::{collections::BTreeMap, sync::Mutex};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use cube_operator::{
    api::ConditionType::{Ready, Refreshed},
    oauth::private_key::PrivateKey,
};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::{
    check::LOOPBACK,
    place::{Place, is, told},
    scripted::{Authority, LOCAL, Provider, Reply, Request},
};

pub(crate) const FIRST: &str = include_str!("../fuzz/corpus/private_key/p256-pkcs8");
const SECOND: &str = include_str!("../fuzz/corpus/private_key/p256-jwk");

pub(crate) fn form(request: &Request) -> BTreeMap<String, String> {
    form_urlencoded::parse(request.body.as_bytes())
        .into_owned()
        .collect()
}

/// The claims of an assertion that was signed with this key.
pub(crate) fn claims(assertion: &str, key: &str) -> Option<Value> {
    let (message, signature) = assertion.rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let key = PrivateKey::read(key).unwrap();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public());
    public.verify(message.as_bytes(), &signature).ok()?;
    let claims = URL_SAFE_NO_PAD.decode(message.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&claims).ok()
}

/// A provider that knows these keys of its clients, and accepts each assertion once.
fn provider(authority: &Authority, keys: &'static [&'static str]) -> Provider {
    let seen = Mutex::new(Vec::new());
    Provider::start(&authority.certificate(&LOCAL), move |request| {
        let form = form(request);
        let refused = || Reply::json(401, r#"{"error":"invalid_client"}"#);
        let Some(assertion) = form.get("client_assertion") else {
            return refused();
        };
        let mut claims = keys.iter().filter_map(|key| claims(assertion, key));
        let Some(claims) = claims.next() else {
            return refused();
        };
        let mut seen = seen.lock().unwrap();
        let unique = claims["jti"].clone();
        if seen.contains(&unique) || claims["sub"] != form["client_id"].as_str() {
            return refused();
        }
        seen.push(unique);
        let number = seen.len();
        let successor = match form["grant_type"].as_str() {
            "refresh_token" => format!(r#","refresh_token":"next-{number}""#),
            _ => String::new(),
        };
        Reply::json(
            200,
            format!(r#"{{"access_token":"token-{number}","expires_in":3600{successor}}}"#),
        )
    })
}

/// A labelled Secret with this private key and nothing else.
fn source(key: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "client", "labels": {"cube-operator.dev/credential": "true"}},
        "stringData": {"private-key": key, "refresh-token": "first"},
    })
}

fn credential(place: &Place, name: &str, provider: &Provider) -> Value {
    let mut credential = place.credential_at(name, &provider.url("/token"), "scripted");
    let spec = credential["spec"].as_object_mut().unwrap();
    spec.insert("clientID".into(), json!("a client"));
    spec.insert("clientAuthentication".into(), json!("PrivateKeyJWT"));
    credential
}

#[test]
fn a_client_signs_each_request_and_a_new_key_leaves_the_live_token() {
    let place = Place::new();
    let authority = Authority::new("scripted");
    let provider = provider(&authority, &[FIRST, SECOND]);
    place.trust("scripted", &authority);
    place.apply(&source(FIRST));
    let operator = place.operator();
    place.apply(&credential(&place, "main", &provider));
    let first = place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    assert_eq!(place.token("main-token"), "token-1");

    place.after_reconcile(&operator, || place.apply(&source(SECOND)));
    assert_eq!(
        provider.requests().len(),
        1,
        "the token is as good as before"
    );
    place.request("now");
    place.wait_for("main", "refreshed", |status| {
        status.token_fingerprint != first.token_fingerprint
    });
    assert_eq!(place.token("main-token"), "token-2");
    let requests = provider.requests();
    let assertion = |number: usize| form(&requests[number])["client_assertion"].clone();
    let signed = claims(&assertion(0), FIRST).expect("the first key signed");
    assert_eq!(signed["aud"], provider.url("/token"));
    assert_eq!(signed["iss"], "a client");
    assert!(
        claims(&assertion(1), SECOND).is_some(),
        "the new key signed"
    );
    let fields: Vec<_> = form(&requests[1]).into_keys().collect();
    let expected = [
        "client_assertion",
        "client_assertion_type",
        "client_id",
        "grant_type",
    ];
    assert_eq!(fields, expected);
}

#[test]
fn a_login_is_refreshed_with_a_signed_request() {
    let place = Place::new();
    let authority = Authority::new("scripted");
    let provider = provider(&authority, &[FIRST]);
    place.trust("scripted", &authority);
    place.apply(&source(FIRST));
    let _operator = place.operator();
    let mut login = credential(&place, "main", &provider);
    login["spec"]["grant"] = json!("RefreshToken");
    login["spec"]["refreshTokenRef"] = json!({"name": "client"});
    place.apply(&login);
    let first = place.wait_for("main", "Ready", |status| {
        is(status, Ready, "True", "Synced")
    });
    place.request("now");
    place.wait_for("main", "refreshed", |status| {
        status.token_fingerprint != first.token_fingerprint
    });
    let sent: Vec<_> = provider
        .requests()
        .iter()
        .map(|request| form(request)["refresh_token"].clone())
        .collect();
    assert_eq!(sent, ["first", "next-1"]);
    assert_eq!(place.value("main-cube-state", "refresh-token"), "next-2");
}

#[test]
fn a_key_that_the_provider_does_not_know_is_refused_and_the_right_one_is_tried_within_seconds() {
    let place = Place::new();
    let authority = Authority::new("scripted");
    let provider = provider(&authority, &[FIRST]);
    place.trust("scripted", &authority);
    place.apply(&source(SECOND));
    let _operator = place.operator();
    place.apply(&credential(&place, "main", &provider));
    let status = place.wait_for("main", "InvalidClient", |status| {
        is(status, Refreshed, "False", "InvalidClient")
    });
    let message = told(&status)[1].clone();
    assert!(
        message.starts_with(
            "Refreshed=False InvalidClient: token endpoint responded 401 invalid_client: register the public key of Secret \"client\" at the \
             provider, and check client id and spec.clientAssertion; retrying at "
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
fn a_check_names_the_kind_of_the_key() {
    let place = Place::new();
    let authority = Authority::new("scripted");
    let provider = provider(&authority, &[FIRST]);
    place.trust("scripted", &authority);
    let mut secret = source(include_str!("../fuzz/corpus/private_key/rsa-jwk"));
    place.apply(&secret);
    place.apply(&credential(&place, "main", &provider));
    let report = || {
        place
            .check_as(&place.kubeconfig, "main", &[LOOPBACK], &[])
            .1
    };
    let found = "✓ Secret \"client\" has the label, and well-formed \"private-key\" (RSA 2048, signs with PS256, key ID \"rsa-key\")";
    let shown = report();
    assert!(shown.contains(found), "{shown}");
    secret["stringData"]["private-key"] = json!("{}");
    place.apply(&secret);
    let shown = report();
    let found = "✗ key \"private-key\" of Secret \"client\" is a JWK without \"kty\": write the private key that is registered at the \
                 provider, as PEM or JWK";
    assert!(shown.contains(found), "{shown}");
}
