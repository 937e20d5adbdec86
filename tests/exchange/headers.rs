//! Header lines that strict parsers refuse. Nobody needs them, so they cost no response.

use cube_operator::api::Reason;

use crate::{
    ends::refreshed,
    issued, local,
    scripted::{Authority, LOCAL, Provider, Reply, in_turn},
    trusting,
};

const BODY: &str = r#"{"access_token":"t","refresh_token":"next"}"#;

/// A response with these lines before its Content-Length.
fn with(lines: &str) -> Reply {
    let length = BODY.len();
    Reply::raw(format!(
        "HTTP/1.1 200 OK\r\n{lines}Content-Length: {length}\r\n\r\n{BODY}"
    ))
}

fn assert_read(case: &str, reply: Reply) {
    let outcome = refreshed(&local(), reply);
    assert_eq!(outcome, Ok(("t".into(), Some("next".into()))), "{case}");
}

#[test]
fn a_header_line_that_strict_parsers_refuse_is_ignored() {
    for (case, lines) in [
        ("a control character", "Set-Cookie: a=\u{1}b; Path=/\r\n"),
        ("a control character in a name", "X-\u{2}: a\r\n"),
        ("an escape sequence", "Server: \u{1b}[31mred\r\n"),
        ("a deleted character", "Set-Cookie: a=\u{7f}\r\n"),
        ("a blank before the colon", "X-Powered-By : a\r\n"),
        ("a tab before the colon", "X-Powered-By\t: a\r\n"),
        (
            "a folded line",
            "Set-Cookie: a=b;\r\n Path=/;\r\n\tSecure\r\n",
        ),
        ("a folded first line", " continued\r\n"),
        ("a line without a colon", "Apache\r\n"),
        ("a line without a name", ": a\r\n"),
        ("a name with a bracket", "X[0]: a\r\n"),
        ("a name of another script", "\u{e4}: a\r\n"),
        ("a value of another script", "Set-Cookie: a=\u{e4}\r\n"),
        ("bare line feeds", "Server: a\nX-Powered-By: b\n"),
    ] {
        assert_read(case, with(lines));
    }
}

#[test]
fn many_and_long_header_lines_are_read() {
    let many = |count: usize| {
        (0..count)
            .map(|n| format!("X-Header-{n}: a\r\n"))
            .collect::<Vec<_>>()
            .concat()
    };
    for (case, lines) in [
        ("150", many(150)),
        ("4999, and the length", many(4999)),
        (
            "the same name 2000 times",
            "Set-Cookie: a=b\r\n".repeat(2000),
        ),
        (
            "64 KiB in one",
            format!("Set-Cookie: {}\r\n", "a".repeat(64 * 1024)),
        ),
        (
            "256 KiB in 64",
            format!("Set-Cookie: {}\r\n", "a".repeat(4 * 1024)).repeat(64),
        ),
    ] {
        assert_read(case, with(&lines));
    }
}

#[test]
fn a_response_that_can_be_asked_for_again_may_have_a_thousand_lines() {
    for (others, expected) in [(999, None), (1000, Some(Reason::NoResponse))] {
        let authority = Authority::new("private");
        let reply = with(&"A: b\r\n".repeat(others));
        let provider = Provider::start(&authority.certificate(&LOCAL), in_turn([reply]));
        let request = trusting(&authority, &provider.url("/token"));
        let reason = issued(&local(), &request).err().map(|error| error.reason);
        assert_eq!(reason, expected, "{others} and the length");
    }
}

#[test]
fn unusual_heads_are_read() {
    let length = BODY.len();
    for (case, head) in [
        (
            "no reason phrase",
            format!("HTTP/1.1 200\r\nContent-Length: {length}\r\n\r\n"),
        ),
        (
            "an empty reason phrase",
            format!("HTTP/1.1 200 \r\nContent-Length: {length}\r\n\r\n"),
        ),
        (
            "another script",
            format!("HTTP/1.1 200 D\u{2019}accord\r\nContent-Length: {length}\r\n\r\n"),
        ),
        (
            "HTTP/1.0",
            format!("HTTP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n"),
        ),
        (
            "line feeds alone",
            format!("HTTP/1.1 200 OK\nContent-Length: {length}\n\n"),
        ),
        (
            "the same length twice",
            format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\ncontent-length: {length}\r\n\r\n"
            ),
        ),
        (
            "the same length in one line",
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}, {length}\r\n\r\n"),
        ),
        (
            "a length and a blank",
            format!("HTTP/1.1 200 OK\r\nContent-Length : {length} \r\n\r\n"),
        ),
        (
            "empty lines before it",
            format!("\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"),
        ),
        (
            "interim responses",
            format!(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"
            ),
        ),
        ("no length at all", "HTTP/1.1 200 OK\r\n\r\n".into()),
        (
            "an encoding that is not known",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n".into(),
        ),
    ] {
        assert_read(case, Reply::raw(format!("{head}{BODY}")));
    }
}

#[test]
fn a_head_that_cannot_be_read_is_no_response() {
    for (case, reply) in [
        ("two lengths", with("Content-Length: 1\r\n")),
        ("no length", with("Content-Length: long\r\n")),
        ("NUL", with("Set-Cookie: a=\0b\r\n")),
        ("a carriage return alone", with("Set-Cookie: a=\rb\r\n")),
        ("more lines than curl reads", with(&"A: b\r\n".repeat(5000))),
        ("1 MiB", with(&format!("A: {}\r\n", "a".repeat(1 << 20)))),
        (
            "a status that is no number",
            Reply::raw(format!("HTTP/1.1 2xx OK\r\n\r\n{BODY}")),
        ),
        (
            "HTTP/2 in words",
            Reply::raw(format!("HTTP/2 200\r\n\r\n{BODY}")),
        ),
        ("no head", Reply::raw(BODY)),
    ] {
        let error = refreshed(&local(), reply).unwrap_err();
        assert_eq!(
            (error.reason, error.outcome_unknown),
            (Reason::NoResponse, true),
            "{case}"
        );
    }
}
