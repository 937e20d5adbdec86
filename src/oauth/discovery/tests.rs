use serde_json::{Value, json};

use super::*;

const ISSUER: &str = "https://login.example.com/realms/a";

fn issuer() -> Issuer {
    Issuer::parse(ISSUER).unwrap()
}

fn document(changes: &Value) -> Value {
    let mut document = json!({
        "issuer": ISSUER,
        "token_endpoint": "https://login.example.com/realms/a/token",
        "authorization_endpoint": "https://login.example.com/realms/a/authorize?tenant=1",
    });
    for (name, value) in changes.as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}

fn response(status: u16, body: &str) -> Response {
    Response {
        status,
        body: Body::Complete(body.into()),
        ..Response::default()
    }
}

fn read_with(changes: &Value) -> Result<Metadata, DiscoveryError> {
    read(&response(200, &document(changes).to_string()), &issuer())
}

#[test]
fn the_addresses_of_both_standards_are_tried_with_and_without_a_path() {
    let addresses = |issuer: &str| {
        let addresses = Issuer::parse(issuer).unwrap().addresses();
        let addresses = addresses.iter().map(|address| address.url().to_string());
        addresses.collect::<Vec<_>>()
    };
    for issuer in ["https://a.example:8443", "https://a.example:8443/"] {
        assert_eq!(
            addresses(issuer),
            [
                "https://a.example:8443/.well-known/openid-configuration",
                "https://a.example:8443/.well-known/oauth-authorization-server",
            ]
        );
    }
    for issuer in ["https://a.example/b/c", "https://a.example/b/c/"] {
        assert_eq!(
            addresses(issuer),
            [
                "https://a.example/b/c/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server/b/c",
                "https://a.example/.well-known/openid-configuration/b/c",
                "https://a.example/b/c/.well-known/oauth-authorization-server",
            ]
        );
    }
}

#[test]
fn an_issuer_is_an_https_url_without_query_and_fragment() {
    for (text, message) in [
        (
            "http://a.example",
            "the issuer must start with https:// in lower case",
        ),
        (
            "https://me@a.example",
            "the issuer must not contain a user or password",
        ),
        (
            "https://a.example/?x",
            "the issuer must name a host, have neither query nor fragment, and at most 512 characters",
        ),
        (
            "https:///a.example/",
            "the issuer must name a host, have neither query nor fragment, and at most 512 characters",
        ),
        (
            "https://a.example/#x",
            "the issuer must name a host, have neither query nor fragment, and at most 512 characters",
        ),
    ] {
        assert_eq!(Issuer::parse(text).unwrap_err().to_string(), message);
    }
}

#[test]
fn the_endpoints_and_what_the_server_supports_are_read() {
    let metadata = read_with(&json!({
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
        "scopes_supported": ["openid", "offline_access", "a b", "", "read"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "authorization_response_iss_parameter_supported": true,
        "another": {"deep": [1]},
    }))
    .unwrap();
    let url = |endpoint: &Endpoint| endpoint.url().to_string();
    assert_eq!(
        url(&metadata.token_endpoint),
        "https://login.example.com/realms/a/token"
    );
    assert_eq!(
        metadata.authorization_endpoint.as_ref().map(url).as_deref(),
        Some("https://login.example.com/realms/a/authorize?tenant=1")
    );
    assert_eq!(metadata.scopes, ["openid", "offline_access", "read"]);
    assert_eq!(metadata.offline_scopes(), ["offline_access", "openid"]);
    assert!(metadata.redirects_name_issuer && !metadata.lacks_s256());

    let bare = read_with(&json!({"code_challenge_methods_supported": ["plain"]})).unwrap();
    assert!(bare.lacks_s256() && bare.offline_scopes().is_empty());
}

#[test]
fn the_client_authenticates_as_the_server_says_and_basic_is_the_default() {
    use ClientAuthentication::{Basic, Body, None, PrivateKeyJwt};
    for (methods, expected) in [
        (json!(null), Some(Basic)),
        (
            json!(["client_secret_post", "client_secret_basic"]),
            Some(Basic),
        ),
        (json!(["client_secret_post"]), Some(Body)),
        (json!(["none", "private_key_jwt"]), Some(None)),
        (
            json!(["tls_client_auth", "private_key_jwt"]),
            Some(PrivateKeyJwt),
        ),
        (json!(["tls_client_auth"]), Option::None),
    ] {
        let changes = json!({"token_endpoint_auth_methods_supported": methods});
        let metadata = read_with(&changes).unwrap();
        assert_eq!(metadata.client_authentication().ok(), expected, "{methods}");
    }
}

#[test]
fn the_metadata_of_another_issuer_is_not_used() {
    for (other, message) in [
        (
            "https://login.example.com/realms/a/",
            "names another issuer, https://login.example.com/realms/a/",
        ),
        (
            "https://attacker.example",
            "names another issuer, https://attacker.example",
        ),
        (
            "https://attacker.example\u{1b}[2J",
            "names an issuer that is none",
        ),
        (
            "https://login.example.com/\u{202e}realms/a",
            "names an issuer that is none",
        ),
    ] {
        let error = read_with(&json!({"issuer": other})).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn an_endpoint_that_cannot_be_used_is_named() {
    for (changes, message) in [
        (
            json!({"token_endpoint": "http://login.example.com/token"}),
            "has an unusable token_endpoint: it must start with https:// in lower case",
        ),
        (
            json!({"token_endpoint": "https://login.example.com/t\u{f6}ken"}),
            "has a token_endpoint that is longer than 512 characters, or has others than printable ASCII",
        ),
        (
            // As it is written it is shorter.
            json!({"token_endpoint": format!("https://login.example.com/{}", "\"".repeat(300))}),
            "has a token_endpoint that is longer than 512 characters, or has others than printable ASCII",
        ),
        (json!({"token_endpoint": null}), "has no token_endpoint"),
    ] {
        assert_eq!(read_with(&changes).unwrap_err().to_string(), message);
    }
    for unusable in [
        json!(null),
        json!("https://me:password@login.example.com/"),
        json!("https://login.example.com/\u{202e}"),
        json!(format!("https://login.example.com/{}", "a".repeat(512))),
    ] {
        let without = read_with(&json!({"authorization_endpoint": unusable})).unwrap();
        assert_eq!(without.authorization_endpoint, None);
    }
}

#[test]
fn a_response_without_metadata_is_none() {
    for (status, body) in [(404, "{}"), (302, ""), (500, "<html>")] {
        let error = read(&response(status, body), &issuer());
        assert_eq!(error, Err(DiscoveryError::Status { status }));
    }
    for body in ["", "<html>", "[]", "{}", r#"{"issuer": 1}"#] {
        let error = read(&response(200, body), &issuer());
        assert_eq!(error, Err(DiscoveryError::NotMetadata), "{body}");
    }
    let cut = Response {
        status: 200,
        body: Body::TooLarge,
        ..Response::default()
    };
    assert_eq!(read(&cut, &issuer()), Err(DiscoveryError::NotMetadata));
}
