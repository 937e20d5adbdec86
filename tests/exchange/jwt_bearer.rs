//! The assertion that is a grant (RFC 7523, section 2.1), as providers get it.

use std::sync::Arc;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use cube_operator::{
    api::{Reason, SigningAlgorithm},
    oauth::{
        authentication::{Authentication, Client},
        client::sign,
        grant::{Grant, JwtBearer},
        private_key::PrivateKey,
        request::TokenRequest,
    },
};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    assertion::{form, text, verified},
    issued, local, refused,
    scripted::{Authority, LOCAL, Provider, Reply},
    trusting,
};

const ROBOT: &str = "robot@example.iam.gserviceaccount.com";
const AUDIENCE: &str = "https://oauth2.example/token";
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

fn bearer(key: &str) -> JwtBearer {
    let key = PrivateKey::read(&text(key)).unwrap();
    JwtBearer {
        issuer: ROBOT.into(),
        subject: None,
        audience: AUDIENCE.into(),
        algorithm: key.algorithm(None).unwrap(),
        key: Arc::new(key),
        key_id: None,
        assertion: "".into(),
    }
}

/// The request before it is signed.
fn unsigned(authority: &Authority, provider: &Provider, bearer: JwtBearer) -> TokenRequest {
    TokenRequest {
        authentication: Authentication::ByGrant { id: ROBOT.into() },
        grant: Grant::JwtBearer(bearer),
        ..trusting(authority, &provider.url("/token"))
    }
}

fn signed(mut request: TokenRequest) -> TokenRequest {
    sign(&mut request, Timestamp::now()).unwrap();
    request
}

fn started(reply: fn() -> Reply) -> (Authority, Provider) {
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), move |_| reply());
    (authority, provider)
}

#[test]
fn the_form_has_the_assertion_alone_and_the_claims_have_the_scopes() {
    let (authority, provider) = started(|| Reply::token("t"));
    let cases: [(_, _, &'static dyn VerificationAlgorithm); 3] = [
        (
            "rsa-pkcs8",
            SigningAlgorithm::RS256,
            &RSA_PKCS1_2048_8192_SHA256,
        ),
        (
            "p256-jwk",
            SigningAlgorithm::ES256,
            &ECDSA_P256_SHA256_FIXED,
        ),
        ("ed25519", SigningAlgorithm::EdDSA, &ED25519),
    ];
    for (key, algorithm, verification) in cases {
        let bearer = JwtBearer {
            subject: Some("ada@example.com".into()),
            key_id: Some("k1".into()),
            ..bearer(key)
        };
        let public = bearer.key.public().to_vec();
        let request = TokenRequest {
            scopes: vec!["read".into(), "write".into()],
            ..unsigned(&authority, &provider, bearer)
        };
        let before = Timestamp::now().as_second();
        issued(&local(), &signed(request)).unwrap();
        let mut form = form(provider.requests().last().unwrap());
        let assertion = form.remove("assertion").unwrap();
        assert_eq!(form.remove("grant_type").as_deref(), Some(GRANT_TYPE));
        assert!(form.is_empty(), "{form:?}");
        let (header, mut claims) = verified(&assertion, verification, &public);
        assert_eq!(
            header,
            json!({"typ": "JWT", "alg": format!("{algorithm:?}"), "kid": "k1"})
        );
        let unique = URL_SAFE_NO_PAD.decode(claims["jti"].take().as_str().unwrap());
        assert_eq!(unique.unwrap().len(), 16, "128 bits");
        let issued_at = claims["iat"].as_i64().unwrap();
        assert!(issued_at >= before - 5 && issued_at < before + 60);
        assert_eq!(
            claims,
            json!({
                "iss": ROBOT, "sub": "ada@example.com", "aud": AUDIENCE, "scope": "read write", "jti": null,
                "iat": issued_at, "exp": issued_at + 65,
            })
        );
    }
    let requests = provider.requests();
    let mut headers = requests.iter().flat_map(|request| &request.headers);
    assert!(headers.all(|(name, _)| !name.eq_ignore_ascii_case("authorization")));
}

#[test]
fn a_subject_and_scopes_that_the_spec_does_not_have_are_no_claims() {
    let (authority, provider) = started(|| Reply::token("t"));
    let bearer = bearer("ed25519");
    let public = bearer.key.public().to_vec();
    let request = signed(unsigned(&authority, &provider, bearer));
    issued(&local(), &request).unwrap();
    let assertion = form(&provider.requests()[0]).remove("assertion").unwrap();
    let (header, claims) = verified(&assertion, &ED25519, &public);
    assert_eq!(header, json!({"typ": "JWT", "alg": "EdDSA"}));
    let names: Vec<_> = claims.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["aud", "exp", "iat", "iss", "jti"]);
}

#[test]
fn each_request_has_an_assertion_of_its_own() {
    let (authority, provider) = started(|| Reply::token("t"));
    for _ in 0..2 {
        let request = unsigned(&authority, &provider, bearer("ed25519"));
        issued(&local(), &signed(request)).unwrap();
    }
    let sent = provider.requests();
    assert_ne!(sent[0].body, sent[1].body);
}

#[test]
fn a_client_secret_goes_along_where_the_provider_wants_one() {
    let (authority, provider) = started(|| Reply::token("t"));
    let request = TokenRequest {
        authentication: Authentication::Body(Client {
            id: "client".into(),
            secret: "s3cret".into(),
        }),
        ..unsigned(&authority, &provider, bearer("ed25519"))
    };
    issued(&local(), &signed(request)).unwrap();
    let form = form(&provider.requests()[0]);
    let names: Vec<_> = form.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["assertion", "client_id", "client_secret", "grant_type"]
    );
}

#[test]
fn a_refresh_token_in_the_response_is_ignored() {
    let (authority, provider) =
        started(|| Reply::json(200, r#"{"access_token":"t","refresh_token":"r"}"#));
    let request = signed(unsigned(&authority, &provider, bearer("ed25519")));
    assert_eq!(issued(&local(), &request), Ok(("t".into(), None)));
}

#[test]
fn an_assertion_that_a_provider_repeats_is_not_shown() {
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |request| {
        let assertion = form(request).remove("assertion").unwrap();
        let body = json!({"error": "invalid_grant", "error_description": format!("bad <{assertion}> here")});
        Reply::json(400, body.to_string())
    });
    let request = signed(unsigned(&authority, &provider, bearer("rsa-pkcs1")));
    assert_eq!(
        issued(&local(), &request),
        refused(
            Reason::InvalidGrant,
            "token endpoint responded 400 invalid_grant (the provider says: \"bad <...> here\")"
        )
    );
    let shown = format!("{request:?}");
    let assertion = form(&provider.requests()[0]).remove("assertion").unwrap();
    assert!(!shown.contains(&assertion));
    let key = text("rsa-pkcs1");
    let mut lines = key.lines().filter(|line| !line.starts_with("-----"));
    assert!(lines.all(|line| !shown.contains(line)));
}
