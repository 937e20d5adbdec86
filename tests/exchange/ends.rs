//! Connections that do not end as HTTP and TLS demand. What has arrived counts, if it is whole.

use std::time::Duration;

use cube_operator::{
    api::Reason,
    oauth::{grant::Grant, request::TokenRequest},
};

use crate::{
    Refused, TokenClient, Tokens, impatient, issued, local,
    scripted::{Authority, LOCAL, Provider, Reply, in_turn},
    trusting,
};

const BODY: &str = r#"{"access_token":"t","expires_in":3600,"refresh_token":"next"}"#;

/// The meaning of this response to a refresh.
pub(crate) fn refreshed(client: &TokenClient, reply: Reply) -> Result<Tokens, Refused> {
    let authority = Authority::new("private");
    let provider = Provider::start(&authority.certificate(&LOCAL), in_turn([reply]));
    let request = TokenRequest {
        grant: Grant::RefreshToken("sent".into()),
        ..trusting(&authority, &provider.url("/token"))
    };
    let outcome = issued(client, &request);
    assert!(provider.requests().len() <= 1, "never sent again");
    outcome
}

/// A response with these header lines and this body.
fn raw(lines: &str, body: &str) -> Reply {
    Reply::raw(format!("HTTP/1.1 200 OK\r\n{lines}\r\n{body}"))
}

/// A response whose one chunk is this body, and whose last chunk is missing.
fn without_last_chunk(body: &str) -> Reply {
    let chunk = format!("{:x}\r\n{body}\r\n", body.len());
    raw("Transfer-Encoding: chunked\r\n", &chunk)
}

/// Every way in which a response with this body may end rudely.
fn rude_ends(body: &str) -> Vec<(&'static str, Reply)> {
    let until_the_end = raw("Connection: close\r\n", body);
    let longer = format!("Content-Length: {}\r\n", body.len() + 1);
    vec![
        ("no close_notify", until_the_end.clone().abruptly()),
        ("left open", until_the_end.left_open()),
        (
            "HTTP/1.0",
            Reply::raw(format!("HTTP/1.0 200 OK\r\n\r\n{body}")).abruptly(),
        ),
        ("no last chunk", without_last_chunk(body)),
        (
            "no last chunk, abruptly",
            without_last_chunk(body).abruptly(),
        ),
        (
            "no last chunk, left open",
            without_last_chunk(body).left_open(),
        ),
        (
            "half a chunk",
            raw(
                "Transfer-Encoding: chunked\r\n",
                &format!("{:x}\r\n{body}", body.len() + 9),
            ),
        ),
        (
            "a broken chunk",
            raw(
                "Transfer-Encoding: chunked\r\n",
                &format!("{:x}\r\n{body}\r\nno number\r\n", body.len()),
            ),
        ),
        ("a Content-Length that is too large", raw(&longer, body)),
        ("the same, left open", raw(&longer, body).left_open()),
    ]
}

#[test]
fn a_whole_object_counts_whatever_ends_its_connection() {
    for (case, reply) in rude_ends(BODY) {
        let outcome = refreshed(&impatient(), reply);
        assert_eq!(outcome, Ok(("t".into(), Some("next".into()))), "{case}");
    }
}

#[test]
fn an_object_that_was_cut_short_is_no_response_and_the_refresh_token_may_be_consumed() {
    for (case, reply) in rude_ends(&BODY[..BODY.len() - 1]) {
        let error = refreshed(&impatient(), reply).unwrap_err();
        assert_eq!(
            (error.reason, error.outcome_unknown),
            (Reason::NoResponse, true),
            "{case}"
        );
        let cause = if case.ends_with("left open") {
            "its end did not arrive within 2s"
        } else {
            "connection closed early"
        };
        let what = format!("token endpoint responded 200 with an incomplete body ({cause})");
        assert_eq!(error.what, what, "{case}");
    }
}

#[test]
fn a_form_without_its_end_is_no_response() {
    let form = "access_token=t&token_type=bearer";
    let lines = "Content-Type: application/x-www-form-urlencoded\r\n";
    let whole = refreshed(&local(), raw(lines, form));
    assert_eq!(whole, Ok(("t".into(), None)));
    let cut = refreshed(&local(), raw(lines, form).abruptly()).unwrap_err();
    assert_eq!(
        (cut.reason, cut.outcome_unknown),
        (Reason::NoResponse, true)
    );
}

#[test]
fn a_status_counts_even_if_its_page_was_cut_short() {
    for (status, reason, outcome_unknown) in [
        (400, Reason::InvalidRequest, false),
        (401, Reason::InvalidClient, false),
        (403, Reason::Forbidden, false),
        (404, Reason::EndpointNotFound, false),
        (429, Reason::RateLimited, false),
        (302, Reason::Redirected, false),
        (502, Reason::Unavailable, true),
    ] {
        let reply = Reply::json(status, r#"{"error":"invalid_gra"#);
        let error = refreshed(&local(), reply.cut_after(20)).unwrap_err();
        assert_eq!(
            (error.reason, error.outcome_unknown),
            (reason, outcome_unknown),
            "{status}"
        );
    }
    let refusal = Reply::raw(
        r#"HTTP/1.1 400 Bad\r\n\r\n{"error":"invalid_grant"}"#.replace("\\r\\n", "\r\n"),
    );
    let error = refreshed(&local(), refusal.abruptly()).unwrap_err();
    assert_eq!(
        (error.reason, error.outcome_unknown),
        (Reason::RefreshTokenRejected, false)
    );
}

#[test]
fn a_body_that_never_ends_is_too_large() {
    let endless = raw("", &" ".repeat(300 * 1024)).left_open();
    let error = refreshed(&local(), endless).unwrap_err();
    assert_eq!(
        (error.reason, error.outcome_unknown),
        (Reason::ResponseTooLarge, true)
    );
}

#[test]
fn compressed_bodies_count_as_far_as_they_came() {
    let gzip = Reply::json(200, BODY).gzip();
    let length = gzip.body_length();
    for (case, reply, whole) in [
        (
            "without its checksum",
            gzip.clone().cut_after(length - 8),
            true,
        ),
        (
            "without a part of it",
            gzip.clone().cut_after(length - 1),
            true,
        ),
        ("cut", gzip.cut_after(20), false),
        (
            "plain, although it says otherwise",
            Reply::json(200, BODY).header("Content-Encoding", "gzip"),
            true,
        ),
    ] {
        let outcome = refreshed(&local().with_timeout(Duration::from_secs(20)), reply);
        assert_eq!(outcome.is_ok(), whole, "{case}: {outcome:?}");
        if let Err(error) = outcome {
            assert_eq!(
                (error.reason, error.outcome_unknown),
                (Reason::NoResponse, true),
                "{case}"
            );
        }
    }
}

/// A reset may overtake what was sent before it: whether that arrived is up to the system.
#[test]
fn a_reset_loses_the_whole_answer_or_nothing() {
    let length = format!("Content-Length: {}\r\n", BODY.len() + 1);
    for lines in ["Connection: close\r\n", &length] {
        match refreshed(&impatient(), raw(lines, BODY).reset()) {
            Ok(tokens) => assert_eq!(tokens, ("t".into(), Some("next".into()))),
            Err(error) => assert_eq!(
                (error.reason, error.outcome_unknown),
                (Reason::NoResponse, true)
            ),
        }
    }
}
