use std::collections::HashMap;

use super::*;
use crate::oauth::{authentication::Client, response::Body};

fn secret(text: &str) -> SecretString {
    text.into()
}

fn endpoint(text: &str) -> Endpoint {
    Endpoint::parse(text).unwrap()
}

fn provider() -> ExpectedIssuer {
    ExpectedIssuer::OnHostOf(vec![
        endpoint("https://portal.example.com/o/authorize/"),
        endpoint("https://api.example.com/o/token/"),
    ])
}

fn read(query: &str) -> Result<String, RedirectError> {
    code(&secret(query), &secret("s1"), &provider()).map(|code| code.expose_secret().to_owned())
}

#[test]
fn the_authorization_url_has_the_challenge_and_never_the_verifier() {
    // The example of RFC 7636, appendix B.
    let verifier = secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let request = AuthorizationRequest {
        endpoint: &endpoint("https://portal.example.com/o/authorize/?access_type=offline"),
        client_id: "planning & more",
        redirect_uri: "http://127.0.0.1:5000/callback",
        scopes: &["read".into(), "write".into()],
        parameters: &BTreeMap::from([("audience".into(), "https://api.example.com".into())]),
        state: &secret("s1"),
        verifier: &verifier,
    };
    let url = request.url();
    let pairs: HashMap<_, _> = url.query_pairs().into_owned().collect();
    for (name, value) in [
        ("access_type", "offline"),
        ("response_type", "code"),
        ("client_id", "planning & more"),
        ("redirect_uri", "http://127.0.0.1:5000/callback"),
        ("scope", "read write"),
        ("audience", "https://api.example.com"),
        ("state", "s1"),
        (
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(pairs[name], value, "{name}");
    }
    assert_eq!(pairs.len(), 9);
    assert!(!url.as_str().contains(verifier.expose_secret()));
}

#[test]
fn a_request_without_scopes_has_no_scope() {
    let request = AuthorizationRequest {
        endpoint: &endpoint("https://portal.example.com/authorize"),
        client_id: "planning",
        redirect_uri: "http://127.0.0.1:5000/callback",
        scopes: &[],
        parameters: &BTreeMap::new(),
        state: &secret("s1"),
        verifier: &secret("v"),
    };
    assert!(!request.url().as_str().contains("scope"));
}

#[test]
fn random_values_are_long_enough_for_a_verifier() {
    let value = unguessable(&[0xff; 32]);
    assert_eq!(value.expose_secret().len(), 43);
    assert!(!value.expose_secret().contains(['=', '+', '/']));
}

#[test]
fn a_code_counts_with_the_state_that_was_sent() {
    assert_eq!(read("code=c%2B1&state=s1"), Ok("c+1".into()));
    for query in [
        "code=c",
        "code=c&state=",
        "code=c&state=s2",
        "state=s10&code=c",
        "code=c&state=s1&state=s1",
        // A state in the fragment or in another parameter is none.
        "code=c&State=s1",
        // An error of another sign-in is not ours either.
        "error=access_denied",
    ] {
        assert_eq!(read(query), Err(RedirectError::WrongState), "{query}");
    }
}

#[test]
fn a_parameter_that_counts_may_stand_there_once() {
    for (query, name) in [
        ("code=c&code=d&state=s1", "code"),
        ("error=a&error=b&state=s1", "error"),
        ("code=c&state=s1&iss=a&iss=b", "iss"),
    ] {
        assert_eq!(read(query), Err(RedirectError::Repeated(name)), "{query}");
    }
}

#[test]
fn an_issuer_that_is_sent_must_be_the_providers() {
    assert!(read("code=c&state=s1&iss=https%3A%2F%2Fportal.example.com").is_ok());
    assert!(read("code=c&state=s1&iss=https%3A%2F%2Fapi.example.com%2Ftenant").is_ok());
    for iss in [
        "https%3A%2F%2Fother.example.com",
        "http%3A%2F%2Fportal.example.com",
        "https%3A%2F%2Fportal.example.com%3A444",
        "portal.example.com",
    ] {
        let query = format!("code=c&state=s1&iss={iss}");
        assert_eq!(read(&query), Err(RedirectError::WrongIssuer), "{iss}");
    }
    let known = |always| ExpectedIssuer::Known {
        issuer: "https://portal.example.com/tenant".into(),
        always,
    };
    let of = |query: &str| code(&secret(query), &secret("s1"), &known(false)).is_ok();
    assert!(of(
        "code=c&state=s1&iss=https%3A%2F%2Fportal.example.com%2Ftenant"
    ));
    assert!(!of("code=c&state=s1&iss=https%3A%2F%2Fportal.example.com"));
    // Not every provider sends it. Where the metadata says that this one does, an attacker has removed it.
    assert!(of("code=c&state=s1"));
    let without = code(&secret("code=c&state=s1"), &secret("s1"), &known(true));
    assert_eq!(without.unwrap_err(), RedirectError::WrongIssuer);
}

#[test]
fn a_refusal_is_told_in_the_providers_scrubbed_words() {
    assert_eq!(
        read("error=access_denied&state=s1"),
        Err(RedirectError::Denied)
    );
    let said = |query: &str| read(query).unwrap_err().to_string();
    assert_eq!(
        said("error=invalid_scope&error_description=Unknown+scope&state=s1"),
        "the provider responded invalid_scope (the provider says: \"Unknown scope\")"
    );
    assert_eq!(
        said("error=%1b%5b31m&error_description=%1b%5b31mred%22&state=s1"),
        "the provider responded an error without a readable code (the provider says: \"[31mred\")"
    );
    assert_eq!(read("state=s1"), Err(RedirectError::NoCode));
    assert_eq!(read("code=&state=s1"), Err(RedirectError::NoCode));
    assert_eq!(read("code=a%0Ab&state=s1"), Err(RedirectError::NoCode));
}

fn request(authentication: Authentication) -> CodeRequest {
    CodeRequest {
        endpoint: endpoint("https://api.example.com/o/token/"),
        authentication,
        code: secret("the-code"),
        redirect_uri: "http://127.0.0.1:5000/callback".into(),
        verifier: secret("the-verifier"),
        parameters: BTreeMap::from([("resource".into(), "r".into())]),
        ca_bundle: None,
    }
}

#[test]
fn a_code_is_exchanged_with_the_clients_own_authentication() {
    let client = || Client {
        id: "planning".into(),
        secret: secret("s"),
    };
    let common = "grant_type=authorization_code&code=the-code&redirect_uri=http%3A%2F%2F127.0.0.1%3A5000%2Fcallback\
                  &code_verifier=the-verifier";
    for (authentication, fields, header) in [
        (
            Authentication::Body(client()),
            "&client_id=planning&client_secret=s",
            false,
        ),
        (Authentication::Basic(client()), "", true),
        (
            Authentication::None {
                id: "planning".into(),
            },
            "&client_id=planning",
            false,
        ),
    ] {
        let request = request(authentication);
        assert_eq!(
            request.body().expose_secret(),
            format!("{common}{fields}&resource=r")
        );
        assert_eq!(request.authorization().is_some(), header);
    }
}

#[test]
fn the_response_to_a_code_brings_a_refresh_token_and_repeats_no_secret() {
    let request = request(Authentication::None {
        id: "planning".into(),
    });
    let respond = |status, body: &str| {
        request.read(&Response {
            status,
            body: Body::Complete(body.into()),
            ..Response::default()
        })
    };
    let parsed = respond(200, r#"{"access_token":"a","refresh_token":"r"}"#);
    assert!(parsed.outcome.is_ok());
    assert_eq!(parsed.refresh_token.unwrap().expose_secret(), "r");
    let parsed = respond(200, r#"{"access_token":"a"}"#);
    assert!(parsed.outcome.is_ok() && parsed.refresh_token.is_none());
    let body =
        r#"{"error":"invalid_grant","error_description":"code the-code, verifier the-verifier"}"#;
    let error = respond(400, body).outcome.unwrap_err();
    assert_eq!(
        error.to_string(),
        "token endpoint responded 400 invalid_grant (the provider says: \"code ..., verifier ...\")"
    );
}
