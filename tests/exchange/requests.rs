//! What the request looks like.

use std::collections::BTreeMap;

use cube_operator::oauth::{
    authentication::{Authentication, Client},
    request::TokenRequest,
};
use rustls::{
    ProtocolVersion,
    version::{TLS12, TLS13},
};

use crate::{
    exchange, local,
    scripted::{Authority, LOCAL, Provider, Reply, Request},
    trusting,
};

/// The request that a server receives when a changed request is sent to `target`.
fn received(target: &str, change: impl FnOnce(TokenRequest) -> TokenRequest) -> Vec<Request> {
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| Reply::token("t"));
    let request = change(trusting(&authority, &provider.url(target)));
    exchange(&local(), &request).unwrap();
    let mut requests = provider.requests();
    for request in &mut requests {
        request.headers.sort();
        for (name, value) in &mut request.headers {
            if name == "host" {
                *value = value.replace(&provider.address.port().to_string(), "PORT");
            }
        }
    }
    requests
}

fn headers(further: &[(&str, &str)]) -> Vec<(String, String)> {
    let agent = format!("cube-operator/{}", env!("CARGO_PKG_VERSION"));
    let mut headers = vec![
        ("accept", "application/json"),
        ("accept-encoding", "identity"),
        ("content-type", "application/x-www-form-urlencoded"),
        ("host", "localhost:PORT"),
        ("user-agent", agent.as_str()),
    ];
    headers.extend(further);
    headers.sort_unstable();
    headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn changed(
    authentication: fn(Client) -> Authentication,
) -> impl FnOnce(TokenRequest) -> TokenRequest {
    move |request| TokenRequest {
        authentication: authentication(Client {
            id: "my client".into(),
            secret: "s3cret:ä&".into(),
        }),
        scopes: vec!["read".into(), "write".into()],
        parameters: BTreeMap::from([("audience".into(), "https://api".into())]),
        ..request
    }
}

#[test]
fn body_authentication_is_one_form_with_every_parameter_once() {
    let body = "grant_type=client_credentials&client_id=my+client&client_secret=s3cret%3A%C3%A4%26&scope=read+write\
                &audience=https%3A%2F%2Fapi";
    assert_eq!(
        received("/o/token/", changed(Authentication::Body)),
        [Request {
            connection: 1,
            tls: ProtocolVersion::TLSv1_3,
            method: "POST".into(),
            target: "/o/token/".into(),
            headers: headers(&[("content-length", &body.len().to_string())]),
            body: body.into(),
        }]
    );
}

#[test]
fn basic_authentication_is_a_header_and_nothing_in_the_form() {
    let body = "grant_type=client_credentials&scope=read+write&audience=https%3A%2F%2Fapi";
    // my+client:s3cret%3A%C3%A4%26
    let authorization = "Basic bXkrY2xpZW50OnMzY3JldCUzQSVDMyVBNCUyNg==";
    assert_eq!(
        received("/o/token/", changed(Authentication::Basic)),
        [Request {
            connection: 1,
            tls: ProtocolVersion::TLSv1_3,
            method: "POST".into(),
            target: "/o/token/".into(),
            headers: headers(&[
                ("authorization", authorization),
                ("content-length", &body.len().to_string())
            ]),
            body: body.into(),
        }]
    );
}

#[test]
fn path_and_query_are_sent_as_they_are_written() {
    for target in [
        "/o/token",
        "/o/token/",
        "/",
        "/token?tenant=A%20b&x=%2F&empty=&y=a+b",
    ] {
        let targets: Vec<_> = received(target, |request| request)
            .into_iter()
            .map(|request| request.target)
            .collect();
        assert_eq!(targets, [target]);
    }
}

#[test]
fn each_exchange_has_a_connection_of_its_own_and_no_cookie_of_the_last() {
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| {
        Reply::token("t").header("Set-Cookie", "session=1; Path=/")
    });
    let (client, request) = (local(), trusting(&authority, &provider.url("/token")));
    for _ in 0..3 {
        exchange(&client, &request).unwrap();
    }
    let requests = provider.requests();
    let connections: Vec<_> = requests.iter().map(|request| request.connection).collect();
    assert_eq!(connections, [1, 2, 3]);
    for request in &requests {
        assert_eq!(request.headers, requests[0].headers);
        assert!(request.headers.iter().all(|(name, _)| name != "cookie"));
    }
}

#[test]
fn tls_1_2_and_1_3_are_spoken() {
    let authority = Authority::new("private");
    let certificate = authority.certificate(&LOCAL);
    for version in [&TLS12, &TLS13] {
        let provider = Provider::start_with_tls(&certificate, &[version], |_| Reply::token("t"));
        exchange(&local(), &trusting(&authority, &provider.url("/token"))).unwrap();
        let spoken: Vec<_> = provider
            .requests()
            .iter()
            .map(|request| request.tls)
            .collect();
        assert_eq!(spoken, [version.version]);
    }
}
