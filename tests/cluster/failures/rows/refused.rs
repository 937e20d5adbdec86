//! Responses that refuse: the `error` code decides, and without one the status.

use cube_operator::api::Reason::{
    EndpointNotFound, Forbidden, InvalidClient, InvalidGrant, InvalidRequest, InvalidScope,
    InvalidTarget, RateLimited, Redirected, RefreshTokenLost, RefreshTokenRejected,
    UnauthorizedClient, Unavailable, UnexpectedResponse, UnsupportedGrantType,
};

use super::super::row::{
    Repair,
    Retry::{Confirm, Early, Fast, Never, OutcomeUnknown, Pause, Slow},
    Row,
};
use crate::scripted::Reply;

use super::{UNKNOWN, error, http_date, json, limited, page, to};

/// The `error` code decides, with 2xx and 4xx.
#[rustfmt::skip]
pub(super) fn codes() -> Vec<Row> {
    let described = r#"{"error":"invalid_client","error_description":"Client authentication failed"}"#;
    let echo = r#"{"error":"invalid_client","error_description":"no \"client\"\n\tfor planted-secret, 0123456789abcdef0123456789",
                   "error_uri":"https://elsewhere.example/","hint":"planted"}"#;
    let dead = |status, code: &str| format!("answered {status} {code}: the refresh token was revoked, has expired, or was used by somebody else");
    let rejected = |status| dead(status, "invalid_grant");
    let own = r#"{"error":"interaction_required","error_description":"AADSTS50076: sign in with planted-secret"}"#;
    let lost = "answered 400 invalid_grant: the provider used up the refresh token in an earlier request whose answer was lost";
    vec![
        Row::c("ok-error",   error(200, "invalid_scope"), InvalidScope, "answered 200 invalid_scope", Slow),
        Row::c("incorrect",  error(200, "incorrect_client_credentials"), InvalidClient, "answered 200 incorrect_client_credentials", Slow),
        Row::c("ok-unknown", error(200, "something_new"), UnexpectedResponse, "answered 200 something_new", Slow),
        Row::c("ok-object",  json(200, r#"{"error":{"message":"planted"}}"#), UnexpectedResponse,
            "answered 200 without a usable access_token", Slow),
        // A response with an error in it leaves no doubt about the refresh token.
        Row::r("r-ok-unknown", error(200, "something_new"), UnexpectedResponse, "answered 200 something_new", Slow),
        Row::login_ended("r-rejected",  vec![error(400, "invalid_grant")], RefreshTokenRejected, &rejected(400), Confirm),
        Row::login_ended("r-403",       vec![error(403, "invalid_grant")], RefreshTokenRejected, &rejected(403), Confirm),
        Row::login_ended("r-200",       vec![error(200, "invalid_grant")], RefreshTokenRejected, &rejected(200), Confirm),
        // Words of other providers for it, and places of their own.
        Row::login_ended("r-bad",       vec![error(200, "bad_refresh_token")], RefreshTokenRejected, &dead(200, "bad_refresh_token"), Confirm),
        Row::login_ended("r-expired",   vec![error(400, "expired_token")], RefreshTokenRejected, &dead(400, "expired_token"), Confirm),
        Row::login_ended("r-status",    vec![json(400, r#"{"status":"BAD_REFRESH_TOKEN","message":"planted"}"#)], RefreshTokenRejected,
            &dead(400, "bad_refresh_token"), Confirm),
        Row::login_ended("r-errors",    vec![json(401, r#"{"errors":[{"code":"invalid_refresh_token"}]}"#)], RefreshTokenRejected,
            &dead(401, "invalid_refresh_token"), Confirm),
        Row::login_ended("r-revoked",   vec![error(400, "invalid_grant")], RefreshTokenRejected, &rejected(400), Confirm)
            .while_a_token_lives(),
        Row::login_ended("r-lost",      vec![Reply::close(), error(400, "invalid_grant")], RefreshTokenLost, lost, Never)
            .with_events(&["Warning NoResponse", "Warning RefreshTokenLost"]),
        Row::c("grant",      error(400, "invalid_grant"), InvalidGrant, "answered 400 invalid_grant", Slow),
        Row::c("client-400", error(400, "invalid_client"), InvalidClient, "answered 400 invalid_client", Slow),
        Row::c("described",  json(401, described), InvalidClient,
            "answered 401 invalid_client (the provider says: \"Client authentication failed\")", Slow),
        Row::c("echo",       json(401, echo), InvalidClient,
            "answered 401 invalid_client (the provider says: \"no client for ..., ...\")", Slow),
        Row::c("bare-401",   json(401, ""), InvalidClient, "answered 401", Slow),
        Row::c("denied",     error(401, "access_denied"), InvalidClient, "answered 401 access_denied", Slow),
        Row::r("r-client",   error(401, "invalid_client"), InvalidClient, "answered 401 invalid_client", Slow),
        Row::c("client",     error(400, "unauthorized_client"), UnauthorizedClient, "answered 400 unauthorized_client", Slow),
        Row::r("r-unauthorized", error(400, "unauthorized_client"), UnauthorizedClient, "answered 400 unauthorized_client", Slow),
        Row::c("grant-type", error(400, "unsupported_grant_type"), UnsupportedGrantType, "answered 400 unsupported_grant_type", Slow),
        Row::c("scope",      error(400, "invalid_scope"), InvalidScope, "answered 400 invalid_scope", Slow),
        Row::r("r-scope",    error(400, "invalid_scope"), InvalidScope, "answered 400 invalid_scope", Slow),
        Row::c("target",     error(400, "invalid_target"), InvalidTarget, "answered 400 invalid_target", Slow),
        Row::c("request",    error(400, "invalid_request"), InvalidRequest, "answered 400 invalid_request", Slow),
        Row::c("unknown",    error(400, "something_new"), InvalidRequest, "answered 400 something_new", Slow),
        Row::c("own-code",   json(400, own), InvalidRequest,
            "answered 400 interaction_required (the provider says: \"AADSTS50076: sign in with ...\")", Slow),
        Row::c("deleted",    error(401, "deleted_client"), InvalidClient, "answered 401 deleted_client", Slow),
        // Such a server failed, whatever its status is.
        Row::c("busy",       error(400, "temporarily_unavailable"), Unavailable, "answered 400 temporarily_unavailable", Fast),
        Row::r("r-busy",     error(400, "temporarily_unavailable"), Unavailable, "answered 400 temporarily_unavailable", Fast),
        Row::r("r-failed",   error(400, "server_error"), Unavailable, &format!("answered 400 server_error{UNKNOWN}"), OutcomeUnknown),
        Row::c("no-code",    json(400, r#"{"error":{"code":1}}"#), InvalidRequest, "answered 400", Slow),
        // The token that was published before lives on.
        Row::c("warning",    json(401, described), InvalidClient,
            "answered 401 invalid_client (the provider says: \"Client authentication failed\")", Early).while_a_token_lives(),
    ]
}

/// Without a code the status decides.
#[rustfmt::skip]
pub(super) fn statuses() -> Vec<Row> {
    let unavailable = |status| format!("answered {status}{UNKNOWN}");
    let firewall = "answered 403 with a page, not JSON, so it may come from a proxy or firewall on the way";
    let elsewhere = "https://user:pass@elsewhere.example/login?code=1#top";
    vec![
        Row::c("forbidden",  json(403, r#"{"detail":"no"}"#), Forbidden, "answered 403", Slow),
        Row::c("firewall",   page(403), Forbidden, firewall, Slow),
        Row::c("absent-404", page(404), EndpointNotFound, "answered 404", Slow),
        Row::c("absent-405", page(405), EndpointNotFound, "answered 405", Slow),
        Row::c("absent-410", page(410), EndpointNotFound, "answered 410", Slow),
        Row::c("moved",      to(301, elsewhere), Redirected,
            "answered 301 with a redirect to \"https://elsewhere.example/login\", which is never followed", Slow),
        Row::c("redirect",   to(307, elsewhere), Redirected,
            "answered 307 with a redirect to \"https://elsewhere.example/login\", which is never followed", Slow),
        Row::c("nowhere",    json(302, ""), Redirected, "answered 302 with a redirect, which is never followed", Slow),
        Row::c("down",       json(503, ""), Unavailable, "answered 503", Fast),
        Row::c("confused",   error(500, "invalid_client"), Unavailable, "answered 500 invalid_client", Fast),
        Row::c("gateway",    page(502), Unavailable, "answered 502", Fast),
        Row::r("r-down",     json(503, ""), Unavailable, &unavailable(503), OutcomeUnknown),
        Row::r("r-confused", error(500, "invalid_grant"), Unavailable, &format!("answered 500 invalid_grant{UNKNOWN}"), OutcomeUnknown),
    ]
}

#[rustfmt::skip]
pub(super) fn pauses() -> Vec<Row> {
    let date = limited(&http_date(390)).header("Date", &http_date(90));
    vec![
        Row::c("limited",    json(429, ""), RateLimited, "answered 429", Pause(60)),
        Row::c("limited-300",      limited("300"), RateLimited, "answered 429", Pause(300)),
        Row::c("limited-date",     date, RateLimited, "answered 429", Pause(300)),
        Row::c("limited-fraction", limited("1.5"), RateLimited, "answered 429", Pause(60)),
        Row::c("limited-negative", limited("-1"), RateLimited, "answered 429", Pause(60)),
        Row::c("limited-forever",  limited("99999999"), RateLimited, "answered 429", Pause(3600)),
        Row::c("limited-briefly",  limited("0"), RateLimited, "answered 429", Pause(10)).repaired_by(Repair::Time),
        Row::c("slow-down",  error(400, "slow_down"), RateLimited, "answered 400 slow_down", Pause(60)),
        Row::r("r-limited",  limited("300"), RateLimited, "answered 429", Pause(300)),
        Row::c("maintenance",   json(503, "").header("Retry-After", "300"), Unavailable, "answered 503", Pause(300)),
        Row::r("r-maintenance", json(503, "").header("Retry-After", "300"), Unavailable, &format!("answered 503{UNKNOWN}"), Pause(300)),
    ]
}
