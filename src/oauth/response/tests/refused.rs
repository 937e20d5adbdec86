//! Which reason a response without a usable token has, and whether it leaves the outcome unknown.

use super::*;

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
fn a_body_over_the_limit_is_too_large_whatever_its_status() {
    for status in [200, 400, 500] {
        let answer = Response {
            status,
            ..Response::default()
        };
        assert_eq!(
            meaning(CLIENT, &answer).outcome.unwrap_err().reason(),
            Reason::ResponseTooLarge
        );
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
            refusal.outcome_unknown(),
            doubt,
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
            refusal.outcome_unknown(),
            doubt,
            "{status} with a body that does not end"
        );
    }
}
