//! The reasons of responses without a usable token, and whether they leave the outcome unknown.

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
        (CLIENT, 403, "slow_down", Reason::RateLimited),
        (CLIENT, 200, "slow_down", Reason::RateLimited),
        (CLIENT, 400, "temporarily_unavailable", Reason::Unavailable),
        (REFRESH, 401, "temporarily_unavailable", Reason::Unavailable),
        (REFRESH, 200, "temporarily_unavailable", Reason::Unavailable),
        (CLIENT, 400, "server_error", Reason::Unavailable),
        // ServiceNow's response to wrong credentials.
        (CLIENT, 401, "server_error", Reason::InvalidClient),
        (REFRESH, 401, "server_error", Reason::InvalidClient),
        (CLIENT, 403, "internal_server_error", Reason::Forbidden),
        (CLIENT, 401, "deleted_client", Reason::InvalidClient),
        (CLIENT, 400, "something_new", Reason::InvalidRequest),
        (CLIENT, 400, "interaction_required", Reason::InvalidRequest),
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
        let response = Response {
            status,
            ..Response::default()
        };
        assert_eq!(
            meaning(CLIENT, &response).outcome.unwrap_err().reason(),
            Reason::ResponseTooLarge
        );
    }
}

#[test]
fn only_a_response_that_says_what_was_done_makes_the_outcome_known() {
    for (status, body, unknown) in [
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
        // An error leaves no doubt, unless it may come from a server or proxy that failed on the way.
        (200, r#"{"error":"something_new"}"#, false),
        (200, r#"{"error":{"message":"no"}}"#, false),
        (200, r#"{"errors":[{"code":"x"}]}"#, false),
        (200, r#"{"ok":false,"error_description":"no"}"#, false),
        (200, r#"{"error":""}"#, true),
        (200, r#"{"error":null,"errors":[]}"#, true),
        (200, r#"{"error":false}"#, true),
        (200, r#"{"errorCode":0}"#, true),
        (400, r#"{"error":"temporarily_unavailable"}"#, false),
        (400, r#"{"error":"server_error"}"#, true),
        (401, r#"{"error":"server_error"}"#, false),
        (403, r#"{"error":"server_error"}"#, false),
        (408, r#"{"error":"request_timeout"}"#, true),
        (408, r#"{"error":"invalid_grant"}"#, false),
        (502, r#"{"error":"bad_refresh_token"}"#, true),
    ] {
        let error = meaning(REFRESH, &response(status, body))
            .outcome
            .unwrap_err();
        assert_eq!(
            error.outcome_unknown(),
            unknown,
            "{status} {body}: {error:?}"
        );
    }
    for (status, unknown) in [
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
        let error = meaning(REFRESH, &endless).outcome.unwrap_err();
        assert_eq!(
            error.outcome_unknown(),
            unknown,
            "{status} with a body that does not end"
        );
    }
}

#[test]
fn a_word_in_a_response_with_a_token_is_no_error() {
    let body = r#"{"access_token":"a","status":"invalid_grant","code":"invalid_client","error":"invalid_scope"}"#;
    assert_eq!(reason(REFRESH, 200, body), None);
}

#[test]
fn the_status_of_a_response_that_was_cut_short_counts_and_a_success_needs_its_end() {
    let cut = |status, body: &str| Response {
        status,
        content_type: Some("application/x-www-form-urlencoded".into()),
        body: Body::Cut {
            bytes: body.into(),
            cause: Cut::ConnectionEnded,
        },
        ..Response::default()
    };
    for (status, body, expected, unknown) in [
        (
            200,
            r#"{"access_token":"a","expires_in":3600"#,
            Reason::NoResponse,
            true,
        ),
        (200, "", Reason::NoResponse, true),
        (
            200,
            "access_token=a&token_type=bearer",
            Reason::NoResponse,
            true,
        ),
        (200, "{}", Reason::UnexpectedResponse, true),
        (
            200,
            r#"{"error":"invalid_scope"}"#,
            Reason::InvalidScope,
            false,
        ),
        (
            400,
            r#"{"error":"invalid_gr"#,
            Reason::InvalidRequest,
            false,
        ),
        (
            400,
            r#"{"error":"invalid_grant"} "#,
            Reason::RefreshTokenRejected,
            false,
        ),
        (400, "error=invalid_grant", Reason::InvalidRequest, false),
        (401, "", Reason::InvalidClient, false),
        (403, "<html><bo", Reason::Forbidden, false),
        (429, "", Reason::RateLimited, false),
        (302, "", Reason::Redirected, false),
        (408, "", Reason::Unavailable, true),
        (503, "<html>", Reason::Unavailable, true),
    ] {
        let error = meaning(REFRESH, &cut(status, body)).outcome.unwrap_err();
        assert_eq!(
            (error.reason(), error.outcome_unknown()),
            (expected, unknown),
            "{status} {body}"
        );
    }
    let whole = cut(
        200,
        " {\"access_token\":\"a\",\"refresh_token\":\"next\"}\r\n",
    );
    let parsed = meaning(REFRESH, &whole);
    assert!(parsed.outcome.is_ok() && parsed.refresh_token.is_some());
}

#[test]
fn gzip_is_read_as_far_as_it_came() {
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(br#"{"access_token":"a"}"#).unwrap();
    let gzip = encoder.finish().unwrap();
    for length in 0..gzip.len() {
        let body = Body::received(gzip[..length].to_vec(), None);
        let outcome = meaning(
            CLIENT,
            &Response {
                status: 200,
                body,
                ..Response::default()
            },
        )
        .outcome;
        // The last eight bytes are a checksum and a length, and nothing of the text is in the first ten.
        assert!(outcome.is_ok() || length < gzip.len() - 8, "{length}");
        assert!(outcome.is_err() || length > 10, "{length}");
    }
    let twice = Body::received([gzip.as_slice(), &gzip].concat(), None);
    assert!(
        matches!(&twice, Body::Complete(bytes) if bytes.len() == 40),
        "{twice:?}"
    );
}
