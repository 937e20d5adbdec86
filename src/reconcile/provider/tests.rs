use serde_json::json;

use super::*;
use crate::api::ProviderStatus;

mod discovery;

fn object(spec: serde_json::Value) -> ProviderObject {
    ProviderObject::of_namespace(
        serde_json::from_value(spec).unwrap(),
        &ProviderStatus::default(),
    )
    .unwrap()
}

#[test]
fn the_version_is_that_of_the_fields_alone() {
    let version = |spec| object(spec).version;
    let url = "https://login.example.com/token";
    let plain = version(json!({"tokenURL": url}));
    assert_eq!(plain, version(json!({"tokenURL": url, "description": "a"})));
    let scopes = |scopes: [&str; 2]| version(json!({"tokenURL": url, "scopes": scopes}));
    assert_eq!(scopes(["a", "b"]), scopes(["b", "a"]));
    assert_ne!(plain, scopes(["a", "b"]));
    // No two lists of fields are the same text.
    let parameters =
        |name: &str, value: &str| version(json!({"tokenURL": url, "parameters": {name: value}}));
    assert_ne!(parameters("a", "bc"), parameters("ab", "c"));
}

#[test]
fn a_method_that_a_credential_sets_itself_is_no_default() {
    let spec = json!({"tokenURL": "https://login.example.com/token", "clientAuthentication": "ServiceAccountToken"});
    let refused = ProviderObject::of_namespace(
        serde_json::from_value(spec).unwrap(),
        &ProviderStatus::default(),
    );
    assert_eq!(refused, Err(Unusable::ServiceAccountToken));
}
