//! The remedies that depend on more than a reason.

use serde_json::{Value, json};

use super::*;
use crate::{
    oauth::{
        grant::Grant,
        response::{Body, RequestContext, Response, read},
    },
    scrub::Scrubber,
};

fn settings(spec: Value) -> Settings {
    let spec = serde_json::from_value(spec).unwrap();
    Settings::read("treasury", "main", &spec).unwrap()
}

fn of_client() -> Settings {
    settings(json!({"provider": "Cubewire", "clientSecretRef": {"name": "client"}}))
}

fn of_login() -> Settings {
    settings(json!({
        "provider": "CubeSoftware", "clientSecretRef": {"name": "client"},
        "grant": "RefreshToken", "refreshTokenRef": {"name": "login"},
    }))
}

fn of_assertion() -> Settings {
    settings(json!({
        "provider": "Custom", "tokenURL": "https://login.example.com/token", "clientSecretRef": {"name": "robot"},
        "grant": "JWTBearer", "jwtBearer": {"issuer": "robot"},
    }))
}

/// The remedy for this response.
fn shown(status: u16, body: &str, settings: &Settings) -> String {
    let response = Response {
        status,
        body: Body::Complete(body.into()),
        ..Response::default()
    };
    let request = RequestContext {
        grant: &Grant::ClientCredentials,
        scopes: &[],
    };
    let error = read(&response, request, Scrubber::default()).outcome;
    remedy(&error.unwrap_err().into(), settings, false)
}

#[test]
fn a_client_that_is_unauthorized_may_have_a_wrong_secret_or_lack_a_right() {
    let body = r#"{"error":"unauthorized_client"}"#;
    let allow_client = "ask the provider to allow this client to use grant client_credentials";
    let allow_subject =
        "ask the provider to allow this client to use JWTBearer for this subject and these scopes";
    for (status, settings, expected) in [
        (
            401,
            of_client(),
            "check client-secret in Secret \"client\"; else ask the provider to allow grant client_credentials",
        ),
        (
            401,
            of_login(),
            "check client-secret in Secret \"client\"; else ask the provider to allow grant refresh_token",
        ),
        (400, of_client(), allow_client),
        (401, of_assertion(), allow_subject),
        (400, of_assertion(), allow_subject),
    ] {
        assert_eq!(shown(status, body, &settings), expected, "{status}");
    }
    let public = settings(json!({
        "provider": "CubeSoftware", "clientSecretRef": {"name": "client"}, "clientAuthentication": "None",
        "grant": "RefreshToken", "refreshTokenRef": {"name": "login"},
    }));
    assert_eq!(
        shown(401, body, &public),
        "check client-id in Secret \"client\", and that the provider has it as a public client; else ask the provider to allow grant \
         refresh_token"
    );
    // Another code for a wrong secret leaves no such doubt.
    let invalid = shown(401, r#"{"error":"invalid_client"}"#, &of_client());
    assert!(!invalid.contains("grant"), "{invalid}");
}

#[test]
fn a_provider_that_wants_a_person_gets_one() {
    let sign_in = "sign in again with `kubectl cube login main -n treasury`";
    let consent = "have the user or an administrator consent to this client once";
    for code in [
        "interaction_required",
        "consent_required",
        "login_required",
        "mfa_required",
        "ConsentRequired",
    ] {
        let body = format!(r#"{{"error":"{code}"}}"#);
        for status in [200, 400, 401, 403] {
            assert_eq!(
                shown(status, &body, &of_login()),
                sign_in,
                "{status} {code}"
            );
            let shown = shown(status, &body, &of_assertion());
            assert_eq!(shown, consent, "{status} {code}");
        }
        // No person stands behind a client.
        assert_eq!(
            shown(400, &body, &of_client()),
            "check spec.parameters and spec.clientAuthentication, or ask the provider what it means"
        );
        for status in [429, 500] {
            let shown = shown(status, &body, &of_login());
            assert!(shown.starts_with("no action needed"), "{status} {shown}");
        }
    }
    let other = shown(400, r#"{"error":"something_required"}"#, &of_login());
    assert!(!other.contains("sign in"), "{other}");
}

#[test]
fn a_success_that_names_an_error_comes_from_a_token_endpoint() {
    let unknown =
        "check spec.parameters and spec.clientAuthentication, or ask the provider what it means";
    let no_endpoint = "check that spec.tokenURL is a token endpoint";
    for (body, expected) in [
        (r#"{"ok":false,"error":"team_access_not_granted"}"#, unknown),
        (r#"{"error_description":"not today"}"#, unknown),
        // Nothing of it can be shown, so nobody could ask what it means.
        (r#"{"error":{"message":"planted"}}"#, no_endpoint),
        (r#"{"ok":true}"#, no_endpoint),
        ("<html>", no_endpoint),
    ] {
        assert_eq!(shown(200, body, &of_client()), expected, "{body}");
    }
}
