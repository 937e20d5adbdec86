//! No secret is in any Debug output or any log, not even in those of the libraries below at the level TRACE.

use base64::{Engine, engine::general_purpose::STANDARD};
use cube_operator::{
    api::ClientAuthentication,
    oauth::{
        answer::{Asked, read},
        request::{Grant, TokenRequest},
        scrub::Scrubber,
    },
};

use crate::{
    answer, local,
    process::Lone,
    scripted::{Authority, LOCAL, Provider, Reply},
    trusting,
};

/// One for each place where a secret is: of the client, of the URL, and of the answer.
const CLIENT: &str = "planted-client";
const QUERY: &str = "planted-query";
const ACCESS: &str = "planted-access";
const REFRESH: &str = "planted-refresh";
const LOCATION: &str = "planted-location";

fn assert_silent(text: &str) {
    let basic = STANDARD.encode(format!("billing:{CLIENT}"));
    for secret in [
        CLIENT,
        &STANDARD.encode(CLIENT),
        &basic,
        QUERY,
        ACCESS,
        REFRESH,
        LOCATION,
    ] {
        let line = text.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is shown");
    }
}

fn start(authority: &Authority) -> Provider {
    Provider::start(&authority.certificate(&LOCAL), |_| {
        let body = format!(r#"{{"access_token":"{ACCESS}","refresh_token":"{REFRESH}"}}"#);
        Reply::json(200, body)
            .header("Location", &format!("https://example.com/?code={LOCATION}"))
            .header("Set-Cookie", &format!("session={LOCATION}"))
    })
}

#[test]
fn debug_output_shows_no_secret() {
    let authority = Authority::new("private");
    let provider = start(&authority);
    for authentication in [ClientAuthentication::Body, ClientAuthentication::Basic] {
        let mut request = trusting(&authority, &provider.url(&format!("/token?key={QUERY}")));
        request.client.secret = CLIENT.into();
        let request = TokenRequest {
            authentication,
            grant: Grant::RefreshToken,
            ..request
        };
        let client = local();
        let answer = answer(&client, &request).unwrap();
        let asked = Asked {
            grant: request.grant,
            scopes: &request.scopes,
        };
        let reading = read(&answer, asked, Scrubber::for_client(&request.client));
        let (body, authorization) = (request.body(), request.authorization());
        let shown = format!("{client:?}{request:?}{body:?}{authorization:?}{answer:?}{reading:?}");
        assert!(
            shown.contains("billing") && shown.contains("example.com"),
            "{shown}"
        );
        assert!(reading.outcome.is_ok() && reading.refresh_token.is_some());
        assert_silent(&shown);
    }
}

#[test]
fn logs_show_no_secret_even_without_a_filter() {
    let authority = Authority::new("private");
    let provider = start(&authority);
    for authentication in [ClientAuthentication::Body, ClientAuthentication::Basic] {
        let made = Lone::to(&provider.url(&format!("/token?key={QUERY}")))
            .bundle(Some(authority.pem()))
            .allow("127.0.0.0/8")
            .secret(CLIENT, authentication)
            .exchange(&[]);
        assert!(made.outcome.contains(ACCESS), "{}", made.outcome);
        for library in ["reqwest", "hyper_util", "rustls"] {
            assert!(
                made.log.contains(&format!(" {library}::")),
                "{library} logs nothing"
            );
        }
        assert_silent(&made.log);
    }
    assert_eq!(provider.requests().len(), 2);
}
