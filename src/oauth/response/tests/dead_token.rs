//! The responses to a refresh token that the provider does not accept any more.

use super::*;

/// The error of this response, which says that the refresh token is dead.
fn rejected(status: u16, body: &str) -> ResponseError {
    let error = meaning(REFRESH, &response(status, body)).outcome;
    let error = error.unwrap_err();
    let reason = error.reason();
    assert_eq!(reason, Reason::RefreshTokenRejected, "{status} {body}");
    assert!(!error.outcome_unknown(), "{status} {body}");
    error
}

#[test]
fn a_dead_refresh_token_is_recognized_by_any_name_and_in_any_place() {
    for code in [
        "invalid_grant",
        "bad_refresh_token",
        "invalid_refresh_token",
        "expired_token",
        "invalid_code",
        "BAD_REFRESH_TOKEN",
        "InvalidRefreshToken",
        "refresh-token-expired",
        "Refresh token revoked",
        "refresh_token_already_used",
    ] {
        for body in [
            format!(r#"{{"error":"{code}"}}"#),
            format!(r#"{{"error":{{"code":"{code}"}}}}"#),
            format!(r#"{{"error":["{code}"]}}"#),
            format!(r#"{{"status":"{code}","message":"no"}}"#),
            format!(r#"{{"code":"{code}"}}"#),
            format!(r#"{{"error_code":"{code}"}}"#),
            format!(r#"{{"errorCode":"{code}"}}"#),
            format!(r#"{{"error":"Bad Request","code":"{code}"}}"#),
            format!(r#"{{"errors":[{{"code":"{code}"}},{{"code":"x"}}]}}"#),
            format!(r#"{{"errors":[{{"errorType":"{code}","message":"no"}}],"success":false}}"#),
            format!(r#"{{"errors":["{code}"]}}"#),
            format!(r#"{{"errors":["x",{{"x":1}},"{code}"]}}"#),
            format!(r#"{{"error":"invalid_request","error_code":"{code}"}}"#),
            format!(r#"{{"error":"invalid_request","errors":[{{"code":"{code}"}}]}}"#),
            format!(r#"{{"error":{{"error":{{"Code":"{code}"}}}}}}"#),
            format!(r#"{{"errors":[{{"extensions":{{"code":"{code}"}}}}]}}"#),
            format!(r#"{{"error":{{"errors":[{{"reason":"{code}"}}]}}}}"#),
            format!(r#"{{"Error":"{code}"}}"#),
            format!(r#"{{"ErrorCode":"{code}"}}"#),
            format!(r#"{{"error":"{code}"}}<!-- proxy -->"#),
        ] {
            for status in [200, 400, 401, 403, 404] {
                rejected(status, &body);
            }
        }
    }
    // These words mean nothing where no refresh token was sent, and nothing to a proxy.
    assert_eq!(
        reason(CLIENT, 400, r#"{"error":"bad_refresh_token"}"#),
        Some(Reason::InvalidRequest)
    );
    assert_eq!(
        reason(REFRESH, 502, r#"{"error":"bad_refresh_token"}"#),
        Some(Reason::Unavailable)
    );
}

#[test]
fn a_sentence_that_says_only_that_the_refresh_token_is_dead_counts_like_a_code() {
    for (status, body) in [
        // Atlassian, DeviantArt and Twitch.
        (
            403,
            r#"{"error":"unauthorized_client","error_description":"refresh_token is invalid"}"#,
        ),
        (
            401,
            r#"{"error":"unauthorized_client","error_description":"refresh_token is invalid"}"#,
        ),
        (
            400,
            r#"{"error":"invalid_request","error_description":"refresh_token is invalid"}"#,
        ),
        (400, r#"{"status":400,"message":"Invalid refresh token"}"#),
        (401, r#"{"Message":"Refresh token expired."}"#),
        (
            400,
            r#"{"error":{"code":400,"message":"Unknown refresh token"}}"#,
        ),
    ] {
        let error = rejected(status, body);
        assert!(!error.refuses_client_secret(), "{status} {body}");
        assert_ne!(
            reason(CLIENT, status, body),
            Some(Reason::RefreshTokenRejected),
            "{status} {body}"
        );
    }
}

#[test]
fn a_sentence_that_says_more_or_of_another_token_does_not_end_a_login() {
    for (status, body, expected) in [
        (
            403,
            r#"{"error":"unauthorized_client","error_description":"the refresh token is invalid or the client is not allowed"}"#,
            Reason::UnauthorizedClient,
        ),
        (
            400,
            r#"{"message":"missing or invalid refresh token"}"#,
            Reason::InvalidRequest,
        ),
        // It may be the assertion of the client.
        (
            400,
            r#"{"error":"invalid_request","error_description":"Token expired"}"#,
            Reason::InvalidRequest,
        ),
        (401, r#"{"message":"Invalid token"}"#, Reason::InvalidClient),
        // No sentence counts more than such a code.
        (
            401,
            r#"{"error":"invalid_client","error_description":"Invalid refresh token"}"#,
            Reason::InvalidClient,
        ),
        (
            400,
            r#"{"error":"slow_down","message":"Invalid refresh token"}"#,
            Reason::RateLimited,
        ),
        (
            503,
            r#"{"message":"Invalid refresh token"}"#,
            Reason::Unavailable,
        ),
        (
            429,
            r#"{"message":"Invalid refresh token"}"#,
            Reason::RateLimited,
        ),
        // It has a meaning only where it is a sentence.
        (
            400,
            r#"{"detail":"Invalid refresh token"}"#,
            Reason::InvalidRequest,
        ),
        (
            400,
            r#"{"message":"unauthorized client"}"#,
            Reason::InvalidRequest,
        ),
    ] {
        assert_eq!(
            reason(REFRESH, status, body),
            Some(expected),
            "{status} {body}"
        );
    }
}

#[test]
fn an_invalid_token_is_the_refresh_token_unless_the_server_wants_an_access_token() {
    let body = r#"{"error":"invalid_token"}"#;
    for (status, expected) in [
        (400, Reason::RefreshTokenRejected),
        (200, Reason::RefreshTokenRejected),
        // An API responds so to a request without an access token (RFC 6750).
        (401, Reason::InvalidClient),
    ] {
        assert_eq!(reason(REFRESH, status, body), Some(expected), "{status}");
    }
}
