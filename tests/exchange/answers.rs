//! Responses that are compressed, too large, too slow, broken or missing.

use std::time::{Duration, Instant};

use cube_operator::{api::Reason, oauth::client::EXCHANGE_TIMEOUT};

use crate::{
    Outcome, exchange, impatient, local, refused,
    scripted::{Authority, LOCAL, Provider, Reply, in_turn},
    trusting,
};

const TOKEN: &str = r#"{"access_token":"t","token_type":"Bearer","expires_in":3600}"#;

/// The outcome of one exchange with a server that sends `reply`, and the endpoint.
fn answered(client: &crate::TokenClient, reply: Reply) -> (Outcome, String) {
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), in_turn([reply]));
    let outcome = exchange(client, &trusting(&authority, &provider.url("/token")));
    assert!(provider.requests().len() <= 1, "never sent again");
    (outcome, format!("localhost:{}", provider.address.port()))
}

#[test]
fn status_and_body_are_passed_on_whatever_they_are() {
    for status in [200, 204, 400, 401, 403, 404, 429, 500, 503] {
        let body = if status == 204 { "" } else { "{}" };
        let (outcome, _) = answered(&local(), Reply::json(status, body));
        assert_eq!(outcome, Ok((status, body.into())));
    }
}

#[test]
fn an_answer_within_the_limit_may_take_its_time() {
    let (outcome, _) = answered(&local(), Reply::token("t").after(Duration::from_secs(1)));
    assert_eq!(outcome, Ok((200, TOKEN.into())));
}

#[test]
fn gzip_is_read_although_nobody_asked_for_it() {
    let (outcome, _) = answered(&local(), Reply::token("t").gzip());
    assert_eq!(outcome, Ok((200, TOKEN.into())));
}

#[test]
fn a_body_of_256_kib_is_read_and_one_byte_more_is_not() {
    for gzip in [false, true] {
        for (length, shown) in [
            (256 * 1024, " ".repeat(256 * 1024)),
            (256 * 1024 + 1, "<too large>".into()),
            (4 * 1024 * 1024, "<too large>".into()),
        ] {
            let reply = Reply::json(200, vec![b' '; length]);
            let (outcome, _) = answered(&local(), if gzip { reply.gzip() } else { reply });
            assert!(outcome == Ok((200, shown)), "{length} bytes, gzip: {gzip}");
        }
    }
}

#[test]
fn a_gzip_bomb_is_too_large_and_not_a_broken_answer() {
    let bomb = Reply::json(200, vec![0; 100 * 1024 * 1024]).gzip();
    let (outcome, _) = answered(&local(), bomb);
    assert_eq!(outcome, Ok((200, "<too large>".into())));
}

#[test]
fn no_head_of_an_answer_within_the_time_limit_is_no_response() {
    let late = Duration::from_secs(60);
    for (case, reply) in [
        ("silent", Reply::silence()),
        ("late", Reply::token("t").after(late)),
        ("one byte a second", Reply::token("t").one_byte_a_second()),
    ] {
        let start = Instant::now();
        let (outcome, host) = answered(&impatient(), reply);
        assert!(start.elapsed() < EXCHANGE_TIMEOUT, "{case}");
        assert_eq!(
            outcome,
            refused(
                Reason::NoResponse,
                format!("token endpoint {host} sent no complete response within 2s")
            ),
            "{case}"
        );
    }
}

#[test]
fn an_answer_without_a_head_is_no_response() {
    for (case, reply) in [
        ("closed", Reply::close()),
        ("not HTTP", Reply::raw("220 mail.example ESMTP\r\n")),
        (
            "an endless line",
            Reply::raw("HTTP/1.1 200 ".repeat(100_000)),
        ),
        ("half a head", Reply::raw("HTTP/1.1 200 OK\r\nContent-")),
        (
            "half a head, reset",
            Reply::raw("HTTP/1.1 200 OK\r\nContent-").reset(),
        ),
    ] {
        let (outcome, host) = answered(&local(), reply);
        assert_eq!(
            outcome,
            refused(
                Reason::NoResponse,
                format!(
                    "token endpoint {host} sent no complete response (connection closed, or not HTTP)"
                )
            ),
            "{case}"
        );
    }
}
