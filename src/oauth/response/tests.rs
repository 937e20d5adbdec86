//! The table of answers, row by row.

use jiff::SignedDuration;
use secrecy::ExposeSecret;

use super::*;
use crate::{
    api::{ClientAuthentication, Grant},
    oauth::{
        endpoint::Endpoint,
        request::{Client, TokenRequest},
        scrub::Scrubber,
    },
};

const CLIENT: Grant = Grant::ClientCredentials;
const REFRESH: Grant = Grant::RefreshToken;

fn answer(status: u16, body: impl AsRef<[u8]>) -> Response {
    Response {
        status,
        body: Body::Complete(body.as_ref().to_vec()),
        ..Response::default()
    }
}

fn meaning(grant: Grant, answer: &Response) -> Parsed {
    let scopes = ["read".to_owned(), "write".to_owned()];
    let request = TokenRequest {
        endpoint: Endpoint::parse("https://example.com/token").unwrap(),
        client: Client {
            id: "id".into(),
            secret: Some("hunter2".into()),
        },
        authentication: ClientAuthentication::Body,
        refresh_token: (grant == REFRESH).then(|| "rt-hunter3".into()),
        scopes: Vec::new(),
        parameters: std::collections::BTreeMap::new(),
        ca_bundle: None,
    };
    read(
        answer,
        RequestContext {
            grant,
            scopes: &scopes,
        },
        Scrubber::for_request(&request),
    )
}

fn reason(grant: Grant, status: u16, body: impl AsRef<[u8]>) -> Option<Reason> {
    meaning(grant, &answer(status, body))
        .outcome
        .err()
        .map(|refusal| refusal.reason)
}

fn issued(body: impl AsRef<[u8]>) -> Issued {
    meaning(CLIENT, &answer(200, body))
        .outcome
        .expect("the row is an issued token")
}

#[test]
fn token_types_other_than_bearer_are_refused() {
    for (token_type, refused) in [
        (r#","token_type":"Bearer""#, None),
        (r#","token_type":"bEaReR""#, None),
        (r#","token_type":null"#, None),
        ("", None),
        (r#","token_type":"mac""#, Some(Reason::UnsupportedTokenType)),
        (r#","token_type":7"#, Some(Reason::UnsupportedTokenType)),
    ] {
        let body = format!(r#"{{"access_token":"abc"{token_type}}}"#);
        assert_eq!(reason(CLIENT, 200, body), refused, "{token_type}");
    }
}

#[test]
fn a_success_without_a_usable_token_is_unexpected() {
    let bodies: [&[u8]; 12] = [
        b"{}",
        br#"{"access_token":""}"#,
        br#"{"access_token":null}"#,
        br#"{"access_token":{"a":1}}"#,
        br#"{"access_token":["a"]}"#,
        br#"{"access_token":"a\nb"}"#,
        br#"{"access_token":"\u00e9"}"#,
        b"{\"access_token\":\"\xff\"}",
        b"",
        b"<html>welcome</html>",
        br#"["access_token"]"#,
        br#"{"error":"something_new"}"#,
    ];
    for body in bodies {
        assert_eq!(
            reason(CLIENT, 200, body),
            Some(Reason::UnexpectedResponse),
            "{}",
            String::from_utf8_lossy(body)
        );
    }
    assert_eq!(reason(CLIENT, 204, b""), Some(Reason::UnexpectedResponse));
}

#[test]
fn a_success_with_an_error_code_is_judged_by_the_code() {
    assert_eq!(
        reason(CLIENT, 200, r#"{"error":"incorrect_client_credentials"}"#),
        Some(Reason::InvalidClient)
    );
    assert_eq!(
        reason(CLIENT, 200, r#"{"error":"invalid_scope"}"#),
        Some(Reason::InvalidScope)
    );
}

#[test]
fn a_lifetime_is_read_leniently_and_never_guessed() {
    let ten_years = LONGEST_LIFETIME.as_secs();
    for (field, seconds) in [
        (r#""expires_in":3599"#, Some(3599)),
        (r#""expires_in":"3599""#, Some(3599)),
        (r#""expires_in":3600.0"#, Some(3600)),
        (r#""expires_in":3600.9"#, Some(3600)),
        (r#""expires_in":3.6e3"#, Some(3600)),
        (r#""expires_in":1e300"#, Some(ten_years)),
        (r#""expires_in":"99999999999999999999""#, Some(ten_years)),
        (r#""expires_in":null"#, None),
        (r#""expires_in":0"#, None),
        (r#""expires_in":0.5"#, None),
        (r#""expires_in":-1"#, None),
        (r#""expires_in":"-1""#, None),
        (r#""expires_in":true"#, None),
        (r#""expires_in":"soon""#, None),
        (r#""expires_in":"""#, None),
        (r#""expires":3600,"expires_at":1,"expires_on":"x""#, None),
    ] {
        let lifetime = issued(format!(r#"{{"access_token":"abc",{field}}}"#)).lifetime;
        assert_eq!(lifetime, seconds.map(SignedDuration::from_secs), "{field}");
    }
}

#[test]
fn a_narrowed_scope_is_noticed() {
    let full = issued(r#"{"access_token":"abc","scope":"write read extra"}"#);
    assert_eq!(
        (full.scopes, full.narrowed),
        (vec!["write".into(), "read".into(), "extra".into()], false)
    );
    let narrowed = issued(r#"{"access_token":"abc","scope":"read"}"#);
    assert_eq!(
        (narrowed.scopes, narrowed.narrowed),
        (vec!["read".into()], true)
    );
    let silent = issued(r#"{"access_token":"abc"}"#);
    assert_eq!((silent.scopes, silent.narrowed), (vec![], false));
}

#[test]
fn an_echo_of_a_token_in_the_granted_scopes_is_not_shown() {
    let echoed = issued(r#"{"access_token":"tok-1","scope":"tok-1 hunter2"}"#);
    assert_eq!(echoed.scopes, ["...", "..."]);
}

#[test]
fn a_granted_scope_is_one_word_that_can_be_shown() {
    let odd = issued(r#"{"access_token":"abc","scope":"read\u00a0write\u000b\u00e9 \"x\""}"#);
    assert_eq!(odd.scopes, ["read", "write", "x"]);
}

#[test]
fn a_byte_order_mark_duplicate_keys_and_forms_are_read() {
    assert_eq!(
        issued(b"\xef\xbb\xbf{\"access_token\":\"abc\"}")
            .access_token
            .expose_secret(),
        "abc"
    );
    assert_eq!(
        issued(r#"{"access_token":"old","access_token":"new"}"#)
            .access_token
            .expose_secret(),
        "new"
    );
    for content_type in [
        "application/x-www-form-urlencoded",
        "text/plain; charset=utf-8",
    ] {
        let mut form = answer(200, "access_token=a%2Bb&token_type=bearer&expires_in=60");
        assert!(meaning(CLIENT, &form).outcome.is_err());
        form.content_type = Some(content_type.into());
        let issued = meaning(CLIENT, &form).outcome.unwrap();
        assert_eq!(issued.access_token.expose_secret(), "a+b");
        assert_eq!(issued.lifetime, Some(SignedDuration::from_secs(60)));
    }
}

#[test]
fn json_labelled_as_html_is_still_json() {
    let mut labelled = answer(200, r#"{"access_token":"abc"}"#);
    labelled.content_type = Some("text/html".into());
    assert!(meaning(CLIENT, &labelled).outcome.is_ok());
}

#[test]
fn a_refresh_keeps_a_successor_even_of_an_unusable_success() {
    let successor = |grant, status, body: &str| {
        meaning(grant, &answer(status, body))
            .refresh_token
            .map(|token| token.expose_secret().to_owned())
    };
    assert_eq!(
        successor(REFRESH, 200, r#"{"access_token":7,"refresh_token":"next"}"#),
        Some("next".into())
    );
    assert_eq!(
        successor(REFRESH, 200, r#"{"access_token":"a","refresh_token":""}"#),
        None
    );
    assert_eq!(
        successor(REFRESH, 200, r#"{"access_token":"a","refresh_token":null}"#),
        None
    );
    assert_eq!(successor(REFRESH, 200, r#"{"access_token":"a"}"#), None);
    assert_eq!(successor(REFRESH, 400, r#"{"refresh_token":"next"}"#), None);
    assert_eq!(
        successor(
            CLIENT,
            200,
            r#"{"access_token":"a","refresh_token":"next"}"#
        ),
        None
    );
}

#[test]
fn no_field_that_cannot_be_read_costs_a_successor() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let values: [&[u8]; 4] = [b"\"\xff\"", br#""\ud800""#, b"1e999", deep.as_bytes()];
    for value in values {
        for name in ["access_token", "expires_in", "token_type", "x"] {
            let name = format!(r#"{{"{name}":"#);
            let body = [name.as_bytes(), value, br#","refresh_token":"next"}"#].concat();
            let reading = meaning(REFRESH, &answer(200, &body));
            let found = reading
                .refresh_token
                .map(|token| token.expose_secret().to_owned());
            assert_eq!(found, Some("next".into()), "{}", body.escape_ascii());
        }
    }
    assert_eq!(
        reason(CLIENT, 200, r#"{"access_token":"a","token_type":"\ud800"}"#),
        Some(Reason::UnsupportedTokenType)
    );
}

#[test]
fn an_error_code_wins_over_a_4xx_status() {
    for (grant, status, code, expected) in [
        (CLIENT, 400, "invalid_client", Reason::InvalidClient),
        (CLIENT, 401, "invalid_client", Reason::InvalidClient),
        (CLIENT, 401, "access_denied", Reason::InvalidClient),
        (CLIENT, 403, "access_denied", Reason::Forbidden),
        (CLIENT, 404, "invalid_client", Reason::InvalidClient),
        (CLIENT, 400, "invalid_grant", Reason::InvalidGrant),
        (REFRESH, 400, "invalid_grant", Reason::RefreshTokenRejected),
        (REFRESH, 403, "invalid_grant", Reason::RefreshTokenRejected),
        (
            CLIENT,
            400,
            "unauthorized_client",
            Reason::UnauthorizedClient,
        ),
        (
            CLIENT,
            400,
            "unsupported_grant_type",
            Reason::UnsupportedGrantType,
        ),
        (CLIENT, 400, "invalid_scope", Reason::InvalidScope),
        (CLIENT, 400, "invalid_target", Reason::InvalidTarget),
        (CLIENT, 400, "invalid_request", Reason::InvalidRequest),
        (CLIENT, 400, "slow_down", Reason::RateLimited),
        (CLIENT, 400, "something_new", Reason::InvalidRequest),
        (CLIENT, 500, "invalid_client", Reason::Unavailable),
        (CLIENT, 503, "invalid_client", Reason::Unavailable),
        (CLIENT, 429, "invalid_client", Reason::RateLimited),
    ] {
        assert_eq!(
            reason(grant, status, format!(r#"{{"error":"{code}"}}"#)),
            Some(expected),
            "{status} {code}"
        );
    }
}

#[test]
fn without_a_code_the_status_decides() {
    for (status, body, expected) in [
        (401, "", Reason::InvalidClient),
        (403, r#"{"detail":"no"}"#, Reason::Forbidden),
        (403, "<html>", Reason::Forbidden),
        (404, "", Reason::EndpointNotFound),
        (405, "", Reason::EndpointNotFound),
        (410, "", Reason::EndpointNotFound),
        (408, "", Reason::Unavailable),
        (400, r#"{"error":{"a":1}}"#, Reason::InvalidRequest),
        (422, "", Reason::InvalidRequest),
        (301, "", Reason::Redirected),
        (307, r#"{"access_token":"abc"}"#, Reason::Redirected),
        (502, "<html>", Reason::Unavailable),
        (429, "", Reason::RateLimited),
        (600, "", Reason::UnexpectedResponse),
    ] {
        assert_eq!(
            reason(CLIENT, status, body),
            Some(expected),
            "{status} {body}"
        );
    }
}

#[test]
fn a_page_from_a_proxy_is_told_apart_from_the_providers_own_403() {
    let what = |body: &str| {
        meaning(CLIENT, &answer(403, body))
            .outcome
            .unwrap_err()
            .what
    };
    assert_eq!(
        what(r#"{"detail":"no"}"#),
        "the token endpoint answered 403"
    );
    assert_eq!(
        what("<html>"),
        "the token endpoint answered 403 with a page, not JSON, so it may come from a proxy or firewall on the way"
    );
}

#[test]
fn a_body_over_the_limit_is_too_large_whatever_its_status() {
    for status in [200, 400, 500] {
        let answer = Response {
            status,
            ..Response::default()
        };
        assert_eq!(
            meaning(CLIENT, &answer).outcome.unwrap_err().reason,
            Reason::ResponseTooLarge
        );
    }
}

#[test]
fn a_refusal_shows_status_code_and_description_and_nothing_else_of_the_body() {
    let body = r#"{"error":"invalid_client","error_description":"unknown \"client\" hunter2","error_uri":"https://u","x":"y"}"#;
    let refusal = meaning(CLIENT, &answer(401, body)).outcome.unwrap_err();
    assert_eq!(
        refusal,
        TokenError::new(
            Reason::InvalidClient,
            r#"the token endpoint answered 401 invalid_client (the provider says: "unknown client ...")"#
        )
    );
    let unknown = meaning(
        CLIENT,
        &answer(400, r#"{"error":"new_one","error_description":"text"}"#),
    )
    .outcome;
    assert_eq!(unknown.unwrap_err().what, "the token endpoint answered 400");
}

#[test]
fn a_redirect_shows_scheme_host_and_path_only() {
    let mut redirect = answer(302, "");
    redirect.location = Some("https://u:p@login.example/hunter2/path?code=1#f".into());
    assert_eq!(
        meaning(CLIENT, &redirect).outcome.unwrap_err().what,
        "the token endpoint answered 302 with a redirect to \"https://login.example/.../path\", which is never followed"
    );
}

#[test]
fn a_redirect_does_not_put_a_secret_together_that_its_text_had_cut_apart() {
    let shown = |location: &str| {
        let redirect = Response {
            location: Some(location.into()),
            ..answer(302, r#"{"id_token":"a/b"}"#)
        };
        meaning(CLIENT, &redirect).outcome.unwrap_err().what
    };
    for location in [
        "https://x.example/a/\tb",
        "https://x.example/a/y/../b",
        "https://x.example/a\\b",
    ] {
        assert_eq!(
            shown(location),
            "the token endpoint answered 302 with a redirect to \"https://x.example/...\", which is never followed"
        );
    }
    assert_eq!(
        shown("data:text/plain,come here"),
        "the token endpoint answered 302 with a redirect, which is never followed"
    );
}

#[test]
fn retry_after_is_seconds_or_a_date_against_the_answers_own_date() {
    let at = |second: u32| format!("Sun, 06 Nov 1994 08:49:{second:02} GMT");
    for (header, date, pause) in [
        (None, None, None),
        (Some("30".to_owned()), None, Some(30)),
        (Some("0".into()), None, Some(10)),
        (Some(at(45)), Some(at(5)), Some(40)),
        (Some(at(45)), None, None),
        (Some(at(5)), Some(at(45)), Some(10)),
        (Some("1.5".into()), None, None),
        (Some("-1".into()), None, None),
        (Some(String::new()), None, None),
        (Some("99999999".into()), None, Some(3600)),
        (Some("9".repeat(40)), None, Some(3600)),
    ] {
        for status in [429, 503] {
            let answer = Response {
                retry_after: header.clone(),
                date: date.clone(),
                ..answer(status, "")
            };
            let refusal = meaning(CLIENT, &answer).outcome.unwrap_err();
            assert_eq!(
                refusal.pause,
                pause.map(SignedDuration::from_secs),
                "{header:?} {date:?}"
            );
        }
    }
    let unpaused = Response {
        retry_after: Some("30".into()),
        ..answer(401, "")
    };
    assert_eq!(meaning(CLIENT, &unpaused).outcome.unwrap_err().pause, None);
}

proptest::proptest! {
    #[test]
    fn no_answer_makes_the_reader_panic_or_show_a_secret(
        status in 100u16..700, body: Vec<u8>, content_type: Option<String>, location: Option<String>,
        retry_after: Option<String>, date: Option<String>,
    ) {
        let body = [b"hunter2".as_slice(), &body].concat();
        let answer = Response { status, content_type, location, retry_after, date, body: Body::Complete(body) };
        for grant in [CLIENT, REFRESH] {
            let shown = format!("{:?}", meaning(grant, &answer));
            proptest::prop_assert!(!shown.contains("hunter2"));
        }
    }
}

#[test]
fn only_an_answer_that_says_what_was_done_leaves_no_doubt_about_a_refresh_token() {
    for (status, body, doubt) in [
        (500, "", true),
        (502, "<html>", true),
        (503, r#"{"error":"invalid_grant"}"#, true),
        (408, "", true),
        (200, "<html>", true),
        (200, r#"{"refresh_token":"r"}"#, true),
        (200, r#"{"access_token":"a","token_type":"mac"}"#, true),
        (204, "", true),
        (200, r#"{"error":"invalid_client"}"#, false),
        (400, r#"{"error":"invalid_grant"}"#, false),
        (400, r#"{"error":"invalid_request"}"#, false),
        (401, "", false),
        (403, "<html>", false),
        (404, "", false),
        (429, "", false),
        (307, "", false),
    ] {
        let refusal = meaning(REFRESH, &answer(status, body)).outcome.unwrap_err();
        assert_eq!(
            refusal.outcome_unknown, doubt,
            "{status} {body}: {refusal:?}"
        );
    }
    for (status, doubt) in [
        (200, true),
        (408, true),
        (502, true),
        (600, true),
        (400, false),
    ] {
        let endless = Response {
            status,
            ..Response::default()
        };
        let refusal = meaning(REFRESH, &endless).outcome.unwrap_err();
        assert_eq!(
            refusal.outcome_unknown, doubt,
            "{status} with a body that does not end"
        );
    }
}
