//! A probe over a real connection: what goes over the wire, and that nothing of the response is kept but its status.

use std::{sync::Arc, time::Duration};

use cube_operator::{
    api::{ProbeSpec, Reason},
    oauth::{
        ca_bundle::TrustedCa,
        client::TokenClient,
        error::NetworkError,
        probe::{Probe, ProbeRequest},
    },
};
use rustls::version::TLS12;
use serde_json::{Value, json};

use crate::{
    block_on, client, impatient, local,
    scripted::{Authority, LOCAL, Provider, Reply, Request},
};

fn probe(authority: &Authority, spec: Value) -> ProbeRequest {
    let spec: ProbeSpec = serde_json::from_value(spec).unwrap();
    ProbeRequest {
        probe: Arc::new(Probe::read(&spec).unwrap()),
        token: "t0ken".into(),
        ca_bundle: Some(TrustedCa::besides_system(authority.pem()).unwrap()),
    }
}

fn tried(client: &TokenClient, request: &ProbeRequest) -> Result<u16, NetworkError> {
    block_on(client.try_token(request))
}

/// The result of a probe of a server with this response, and the requests that the server received.
fn result(reply: Reply) -> (Result<u16, Reason>, Vec<Request>) {
    let authority = Authority::new("private");
    let api = Provider::start(&authority.certificate(&LOCAL), move |_| reply.clone());
    let request = probe(&authority, json!({"url": api.url("/me")}));
    let result = tried(&impatient(), &request).map_err(|error| error.reason());
    (result, api.requests())
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let mut headers = request.headers.iter();
    let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

#[test]
fn the_token_is_a_bearer_token_and_the_request_has_no_body() {
    let authority = Authority::new("private");
    let api = Provider::start(&authority.certificate(&LOCAL), |_| Reply::json(204, ""));
    for (method, expected) in [
        (json!(null), "GET"),
        (json!("GET"), "GET"),
        (json!("HEAD"), "HEAD"),
    ] {
        let mut spec = json!({"url": api.url("/me?x=1"), "headers": {"X-Tenant": "a b", "accept": "application/json"}});
        if !method.is_null() {
            spec["method"] = method;
        }
        assert_eq!(tried(&local(), &probe(&authority, spec)), Ok(204));
        let request = api.requests().pop().unwrap();
        assert_eq!(
            (request.method.as_str(), request.target.as_str()),
            (expected, "/me?x=1")
        );
        assert_eq!(request.body, "");
        assert_eq!(header(&request, "authorization"), Some("Bearer t0ken"));
        assert_eq!(header(&request, "x-tenant"), Some("a b"));
        assert_eq!(header(&request, "accept"), Some("application/json"));
        assert!(
            header(&request, "user-agent")
                .unwrap()
                .starts_with("cube-operator/")
        );
        assert_eq!(header(&request, "cookie"), None);
        assert_eq!(header(&request, "content-type"), None);
        let accepts = request
            .headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("accept"));
        assert_eq!(accepts.count(), 1);
    }
    assert_eq!(
        api.connections(),
        3,
        "each probe has a connection of its own"
    );
}

#[test]
fn no_redirect_is_followed_and_its_target_gets_no_token() {
    let authority = Authority::new("private");
    let certificate = authority.certificate(&LOCAL);
    for status in [301, 302, 303, 307, 308] {
        let target = Provider::start(&certificate, |_| Reply::json(200, ""));
        let location = target.url("/me");
        let api = Provider::start(&certificate, move |_| {
            Reply::json(status, "").header("Location", &location)
        });
        let request = probe(&authority, json!({"url": api.url("/me")}));
        assert_eq!(tried(&local(), &request), Ok(status));
        assert_eq!(target.connections(), 0, "{status}");
    }
}

#[test]
fn a_body_is_not_waited_for_however_long_it_is() {
    let endless = "HTTP/1.1 403 Forbidden\r\nContent-Length: 99999999999\r\n\r\nsecret";
    for reply in [
        Reply::raw(endless).left_open(),
        Reply::raw("HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\nffffff\r\nx")
            .left_open(),
        Reply::json(403, "x".repeat(5_000_000)),
        Reply::json(403, "{").cut_after(0),
    ] {
        let (result, requests) = result(reply);
        assert_eq!((result, requests.len()), (Ok(403), 1));
    }
}

#[test]
fn a_head_without_end_is_not_read() {
    let lines =
        |count: usize| "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(count);
    let with = |count| Reply::raw(format!("HTTP/1.1 200 OK\r\n{}\r\n", lines(count)));
    assert_eq!(result(with(100)).0, Ok(200));
    assert_eq!(result(with(4_000)).0, Err(Reason::NoResponse));
}

#[test]
fn a_server_that_does_not_respond_ends_the_probe() {
    for reply in [
        Reply::silence(),
        Reply::json(200, "").one_byte_a_second(),
        Reply::close(),
        Reply::raw("no HTTP"),
    ] {
        assert_eq!(result(reply).0, Err(Reason::NoResponse));
    }
    let answers_continue = Reply::raw("HTTP/1.1 100 Continue\r\n\r\n".repeat(100)).left_open();
    assert_eq!(result(answers_continue).0, Err(Reason::NoResponse));
}

#[test]
fn a_probe_has_a_shorter_limit_than_an_exchange() {
    use cube_operator::oauth::client::{EXCHANGE_TIMEOUT, PROBE_TIMEOUT};
    assert!(PROBE_TIMEOUT <= EXCHANGE_TIMEOUT / 2 && PROBE_TIMEOUT >= Duration::from_secs(10));
}

#[test]
fn the_rules_of_an_exchange_hold_for_networks_names_and_certificates() {
    let authority = Authority::new("private");
    let certificate = authority.certificate(&LOCAL);
    let api = Provider::start(&certificate, |_| Reply::json(200, ""));
    let request = probe(&authority, json!({"url": api.url("/me")}));
    let reason = |client: &TokenClient, request: &ProbeRequest| {
        tried(client, request).map_err(|error| error.reason())
    };
    // Loopback is refused by default, by name and by address.
    assert_eq!(reason(&client(&[]), &request), Err(Reason::HostNotAllowed));
    let url = format!("https://127.0.0.1:{}/me", api.address.port());
    let by_address = probe(&authority, json!({"url": url}));
    assert_eq!(
        reason(&client(&[]), &by_address),
        Err(Reason::HostNotAllowed)
    );
    // Another CA is not trusted.
    let stranger = probe(&Authority::new("another"), json!({"url": api.url("/me")}));
    assert_eq!(reason(&local(), &stranger), Err(Reason::TLSUntrusted));
    assert_eq!(api.requests().len(), 0);
    let older = Provider::start_with_tls(&certificate, &[&TLS12], |_| Reply::json(200, ""));
    assert_eq!(
        tried(
            &local(),
            &probe(&authority, json!({"url": older.url("/me")}))
        ),
        Ok(200)
    );
}

#[test]
fn a_token_that_no_header_can_hold_is_not_sent() {
    let authority = Authority::new("private");
    let api = Provider::start(&authority.certificate(&LOCAL), |_| Reply::json(200, ""));
    let request = ProbeRequest {
        token: "t0ken\r\nX: y".into(),
        ..probe(&authority, json!({"url": api.url("/me")}))
    };
    assert_eq!(
        tried(&local(), &request),
        Err(NetworkError::SecretNotSendable)
    );
    assert_eq!(api.connections(), 0);
}
