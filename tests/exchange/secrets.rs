//! No secret is in any Debug output or any log, including those of the libraries at the level TRACE.

use base64::{Engine, engine::general_purpose::STANDARD};
use cube_operator::oauth::{
    authentication::{Authentication, Client},
    grant::Grant,
    request::TokenRequest,
    response::read,
};

use crate::{
    answer, billing, local,
    process::Lone,
    scripted::{Authority, LOCAL, Provider, Reply, in_turn},
    trusting,
    tunnel::{OPEN, Proxy},
};

/// One secret for each place that has one: the client, the refresh, the URL, the response, and a proxy.
const CLIENT: &str = "planted-client";
const QUERY: &str = "planted-query";
const ACCESS: &str = "planted-access";
const REFRESH: &str = "planted-refresh";
const SENT: &str = "planted-sent";
const LOCATION: &str = "planted-location";
const PROXY: &str = "planted-proxy";

fn assert_silent(text: &str) {
    let basic = STANDARD.encode(format!("billing:{CLIENT}"));
    let proxy = STANDARD.encode(format!("user:{PROXY}"));
    for secret in [
        CLIENT, &basic, QUERY, ACCESS, REFRESH, SENT, LOCATION, PROXY, &proxy,
    ] {
        let line = text.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is shown");
    }
}

fn body() -> String {
    format!(r#"{{"access_token":"{ACCESS}","refresh_token":"{REFRESH}"}}"#)
}

fn reply() -> Reply {
    with_headers(Reply::json(200, body()))
}

fn with_headers(reply: Reply) -> Reply {
    reply
        .header("Location", &format!("https://example.com/?code={LOCATION}"))
        .header("Set-Cookie", &format!("session={LOCATION}"))
}

#[test]
fn debug_output_shows_no_secret() {
    let authority = Authority::new("private");
    // The connection ends before the last byte, which is a line feed.
    let body = format!("{}\n", body());
    let script =
        move |_: &_| with_headers(Reply::json(200, body.clone()).cut_after(body.len() - 1));
    let provider = Provider::start(&authority.certificate(&LOCAL), script);
    let ways: [fn(Client) -> Authentication; 2] = [Authentication::Body, Authentication::Basic];
    for authentication in ways {
        let request = TokenRequest {
            authentication: authentication(billing(CLIENT)),
            grant: Grant::RefreshToken(SENT.into()),
            ..trusting(&authority, &provider.url(&format!("/token?key={QUERY}")))
        };
        let client = local();
        let answer = answer(&client, &request).unwrap();
        let reading = read(&answer, request.context(), request.scrubber());
        let (body, authorization) = (request.body(), request.authorization());
        let shown = format!("{client:?}{request:?}{body:?}{authorization:?}{answer:?}{reading:?}");
        assert!(
            shown.contains("billing") && shown.contains("status: 200"),
            "{shown}"
        );
        assert!(reading.outcome.is_ok() && reading.refresh_token.is_some());
        assert_silent(&shown);
    }
}

#[test]
fn logs_show_no_secret_even_without_a_filter() {
    let authority = Authority::new("private");
    let certificate = authority.certificate(&LOCAL);
    for (reply, outcome) in [
        (reply(), ACCESS),
        (reply().gzip(), ACCESS),
        (reply().cut_after(40), "<cut: connection closed early>"),
        (
            reply().gzip().cut_after(40),
            "<cut: connection closed early>",
        ),
        (reply().header("Content-Encoding", "gzip"), ACCESS),
        (
            Reply::raw(format!("HTTP/1.1 {ACCESS}\r\n\r\n")),
            "NoResponse",
        ),
        (
            Reply::raw(format!("HTTP/1.1 200 OK\r\n{ACCESS}\r\n\r\n")),
            r#"(200, "")"#,
        ),
        (
            Reply::raw(format!("HTTP/1.1 200 OK\r\nA: {ACCESS}\0\r\n\r\n")),
            "NoResponse",
        ),
    ] {
        let provider = Provider::start(&certificate, in_turn([reply]));
        let proxy = Proxy::start(OPEN, provider.address);
        for authentication in ["Body", "Basic"] {
            let made = Lone::to(&format!("https://localhost:1/token?key={QUERY}"))
                .bundle(Some(authority.pem()))
                .allow("127.0.0.0/8")
                .secret(CLIENT, authentication)
                .exchange(&[(
                    "HTTPS_PROXY",
                    format!("http://user:{PROXY}@{}", proxy.address),
                )]);
            assert!(made.outcome.contains(outcome), "{}", made.outcome);
            assert!(made.log.contains(" rustls::"), "the libraries log nothing");
            assert_silent(&made.log);
        }
        let password = STANDARD.encode(format!("user:{PROXY}"));
        assert!(proxy.heads().iter().all(|head| head.contains(&password)));
        assert_eq!(provider.requests().len(), 2);
    }
}
