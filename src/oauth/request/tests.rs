//! The request as it is sent, and the secrets in it.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use secrecy::ExposeSecret;

use super::*;
use crate::oauth::authentication::Client;

fn client() -> Client {
    Client {
        id: "my client".into(),
        secret: "s3cret:ä&".into(),
    }
}

fn request(authentication: Authentication) -> TokenRequest {
    TokenRequest {
        endpoint: Endpoint::parse("https://example.com/token").unwrap(),
        authentication,
        grant: Grant::ClientCredentials,
        scopes: vec!["read".into(), "write".into()],
        parameters: BTreeMap::from([("audience".into(), "https://api".into())]),
        ca_bundle: None,
    }
}

#[test]
fn body_authentication_sends_id_and_secret_in_the_form_only() {
    let request = request(Authentication::Body(client()));
    assert_eq!(
        request.body().expose_secret(),
        "grant_type=client_credentials&client_id=my+client&client_secret=s3cret%3A%C3%A4%26&scope=read+write\
         &audience=https%3A%2F%2Fapi"
    );
    assert!(request.authorization().is_none());
}

#[test]
fn basic_authentication_form_encodes_id_and_secret_before_base64() {
    let request = request(Authentication::Basic(client()));
    assert_eq!(
        request.body().expose_secret(),
        "grant_type=client_credentials&scope=read+write&audience=https%3A%2F%2Fapi"
    );
    let header = request.authorization().unwrap();
    let pair = STANDARD
        .decode(header.expose_secret().strip_prefix("Basic ").unwrap())
        .unwrap();
    assert_eq!(
        String::from_utf8(pair).unwrap(),
        "my+client:s3cret%3A%C3%A4%26"
    );
}

#[test]
fn the_grant_of_an_account_sends_its_own_grant_type() {
    let request = TokenRequest {
        grant: Grant::AccountCredentials,
        scopes: vec![],
        parameters: BTreeMap::from([("account_id".into(), "a1".into())]),
        ..request(Authentication::Basic(client()))
    };
    assert_eq!(
        request.body().expose_secret(),
        "grant_type=account_credentials&account_id=a1"
    );
}

#[test]
fn a_refresh_sends_the_refresh_token_and_no_scope() {
    let request = TokenRequest {
        grant: Grant::RefreshToken("r/1".into()),
        ..request(Authentication::Body(client()))
    };
    assert_eq!(
        request.body().expose_secret(),
        "grant_type=refresh_token&refresh_token=r%2F1&client_id=my+client&client_secret=s3cret%3A%C3%A4%26\
         &audience=https%3A%2F%2Fapi"
    );
    assert_eq!(request.grant.name(), "refresh_token");
}

#[test]
fn a_public_client_sends_its_id_and_no_secret() {
    let request = TokenRequest {
        grant: Grant::RefreshToken("r".into()),
        parameters: BTreeMap::new(),
        ..request(Authentication::None {
            id: "my client".into(),
        })
    };
    assert_eq!(
        request.body().expose_secret(),
        "grant_type=refresh_token&refresh_token=r&client_id=my+client"
    );
    assert!(request.authorization().is_none());
}

#[test]
fn a_client_with_an_empty_secret_sends_its_id_in_the_header() {
    let request = request(Authentication::BasicEmptySecret {
        id: "my client".into(),
    });
    for field in ["client_id", "client_secret"] {
        assert!(!request.body().expose_secret().contains(field));
    }
    let header = request.authorization().unwrap();
    let encoded = header.expose_secret().strip_prefix("Basic ").unwrap();
    assert_eq!(STANDARD.decode(encoded).unwrap(), b"my+client:");
    assert_eq!(
        request.scrubber().clean(&format!("got [{encoded}]")),
        "got [...]"
    );
}

#[test]
fn an_empty_scope_is_left_out() {
    let request = TokenRequest {
        scopes: vec![],
        ..request(Authentication::Basic(client()))
    };
    assert!(!request.body().expose_secret().contains("scope"));
}

#[test]
fn debug_shows_no_secret() {
    assert!(!format!("{:?}", request(Authentication::Body(client()))).contains("s3cret"));
}

fn scrubber(secret: &str) -> Scrubber {
    let request = TokenRequest {
        grant: Grant::RefreshToken("r3fr3sh&".into()),
        ..request(Authentication::Basic(Client {
            id: "id".into(),
            secret: secret.into(),
        }))
    };
    request.scrubber()
}

#[test]
fn a_secret_is_removed_in_every_form() {
    let scrubber = scrubber("p&ss wörd?");
    for echo in [
        "p&ss wörd?".to_owned(),
        STANDARD.encode("p&ss wörd?"),
        URL_SAFE_NO_PAD.encode("p&ss wörd?"),
        "p%26ss+w%C3%B6rd%3F".to_owned(),
        "p%26ss%20w%C3%B6rd%3F".to_owned(),
        STANDARD.encode("id:p&ss wörd?"),
    ] {
        assert_eq!(
            scrubber.clean(&format!("got [{echo}] from you")),
            "got [...] from you",
            "{echo}"
        );
    }
}

#[test]
fn a_refresh_token_is_removed_like_a_client_secret() {
    assert_eq!(
        scrubber("zzz").clean("r3fr3sh& or r3fr3sh%26"),
        "... or ..."
    );
}
