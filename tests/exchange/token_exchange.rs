//! The exchange of a token for another one (RFC 8693), as providers get it.

use cube_operator::{
    api::Reason,
    oauth::{
        grant::{Grant, TokenExchange},
        request::TokenRequest,
    },
};
use serde_json::json;
use url::form_urlencoded;

use crate::{
    Refused, issued, local, refused,
    scripted::{Authority, LOCAL, Provider, Reply},
    trusting,
};

const SUBJECT: &str = "subject.t0ken/1";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

fn request(authority: &Authority, provider: &Provider) -> TokenRequest {
    TokenRequest {
        grant: Grant::TokenExchange(Box::new(TokenExchange {
            subject_token: SUBJECT.into(),
            subject_token_type: ACCESS_TOKEN.into(),
            audience: vec!["orders".into(), "reports".into()],
            resource: vec!["https://api.example.com/".into()],
            requested_token_type: Some(ACCESS_TOKEN.into()),
        })),
        ..trusting(authority, &provider.url("/token"))
    }
}

fn started(body: &'static str) -> (Authority, Provider) {
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), move |_| {
        Reply::json(200, body)
    });
    (authority, provider)
}

#[test]
fn the_form_has_the_subject_token_its_type_and_each_audience() {
    let (authority, provider) = started(r#"{"access_token":"t"}"#);
    let request = TokenRequest {
        scopes: vec!["read".into(), "write".into()],
        ..request(&authority, &provider)
    };
    assert_eq!(issued(&local(), &request), Ok(("t".into(), None)));
    let sent = provider.requests();
    let form: Vec<_> = form_urlencoded::parse(sent[0].body.as_bytes())
        .filter(|(name, _)| !name.starts_with("client_"))
        .collect();
    let form: Vec<_> = form
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    assert_eq!(
        form,
        [
            (
                "grant_type",
                "urn:ietf:params:oauth:grant-type:token-exchange"
            ),
            ("subject_token", SUBJECT),
            ("subject_token_type", ACCESS_TOKEN),
            ("audience", "orders"),
            ("audience", "reports"),
            ("resource", "https://api.example.com/"),
            ("requested_token_type", ACCESS_TOKEN),
            ("scope", "read write"),
        ]
    );
}

#[test]
fn only_a_token_for_an_api_is_used() {
    let of_type = |issued_token_type: &str, token_type: &str| json!({"access_token": "t", "issued_token_type": issued_token_type, "token_type": token_type, "refresh_token": "r"});
    let good = Ok(("t".to_owned(), None));
    // The provider has issued something.
    let unusable = |what: &str| {
        Err(Refused {
            reason: Reason::UnsupportedTokenType,
            what: format!("token endpoint responded 200 with {what}"),
            pause: None,
            outcome_unknown: true,
        })
    };
    let other = unusable("an issued_token_type other than an access token's");
    let none = unusable("a token_type other than Bearer");
    for (body, expected) in [
        (of_type(ACCESS_TOKEN, "Bearer"), &good),
        (
            of_type("urn:ietf:params:oauth:token-type:jwt", "Bearer"),
            &good,
        ),
        (json!({"access_token": "t", "refresh_token": "r"}), &good),
        (
            of_type("urn:ietf:params:oauth:token-type:refresh_token", "Bearer"),
            &other,
        ),
        (
            of_type("urn:ietf:params:oauth:token-type:saml2", "Bearer"),
            &other,
        ),
        (of_type(ACCESS_TOKEN, "N_A"), &none),
    ] {
        let authority = Authority::new("private");
        let text = body.to_string();
        let provider = Provider::start(&authority.certificate(&LOCAL), move |_| {
            Reply::json(200, text.clone())
        });
        let request = request(&authority, &provider);
        assert_eq!(issued(&local(), &request), *expected, "{body}");
        // Another grant knows no such field.
        let other_grant = trusting(&authority, &provider.url("/token"));
        if body["token_type"] != "N_A" {
            assert_eq!(issued(&local(), &other_grant), good, "{body}");
        }
    }
}

#[test]
fn a_subject_token_that_a_provider_repeats_is_not_shown() {
    for (error, reason) in [
        ("invalid_request", Reason::InvalidRequest),
        ("invalid_grant", Reason::InvalidGrant),
        ("invalid_token", Reason::InvalidGrant),
        ("expired_token", Reason::InvalidGrant),
        ("invalid_target", Reason::InvalidTarget),
    ] {
        let authority = Authority::new("private");
        let body = json!({"error": error, "error_description": format!("no <{SUBJECT}> here")})
            .to_string();
        let provider = Provider::start(&authority.certificate(&LOCAL), move |_| {
            Reply::json(400, body.clone())
        });
        let request = request(&authority, &provider);
        let message =
            format!("token endpoint responded 400 {error} (the provider says: \"no <...> here\")");
        assert_eq!(issued(&local(), &request), refused(reason, &message));
        assert!(!format!("{request:?}").contains(SUBJECT));
    }
}
