//! Responses that refuse: the `error` code decides, and without one the status.

use cube_operator::api::Reason::{
    EndpointNotFound, Forbidden, InvalidClient, InvalidGrant, InvalidRequest, InvalidScope,
    InvalidTarget, RateLimited, Redirected, RefreshTokenLost, RefreshTokenRejected,
    UnauthorizedClient, Unavailable, UnexpectedResponse, UnsupportedGrantType,
};

use super::super::row::{
    Repair,
    Retry::{Confirm, Early, Fast, Never, OutcomeUnknown, Pause, PauseWithinGrace, Slow},
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
    let dead = |status, code: &str| format!("responded {status} {code}");
    let rejected = |status| dead(status, "invalid_grant");
    let own = r#"{"error":"interaction_required","error_description":"AADSTS50076: sign in with planted-secret"}"#;
    let lost = "responded 400 invalid_grant";
    // Only a token endpoint names an error.
    let unknown = "check spec.parameters and spec.clientAuthentication, or ask the provider what it means";
    vec![
        Row::c("ok-error",   error(200, "invalid_scope"), InvalidScope, "responded 200 invalid_scope", Slow),
        Row::c("incorrect",  error(200, "incorrect_client_credentials"), InvalidClient, "responded 200 incorrect_client_credentials", Slow),
        Row::c("ok-unknown", error(200, "something_new"), UnexpectedResponse, "responded 200 something_new", Slow)
            .with_remedy(UnexpectedResponse, unknown),
        Row::c("ok-object",  json(200, r#"{"error":{"message":"planted"}}"#), UnexpectedResponse,
            "responded 200 without a usable access_token", Slow),
        // A response with an error in it leaves no doubt about the refresh token.
        Row::r("r-ok-unknown", error(200, "something_new"), UnexpectedResponse, "responded 200 something_new", Slow)
            .with_remedy(UnexpectedResponse, unknown),
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
        Row::c("grant",      error(400, "invalid_grant"), InvalidGrant, "responded 400 invalid_grant", Slow),
        Row::c("client-400", error(400, "invalid_client"), InvalidClient, "responded 400 invalid_client", Slow),
        Row::c("described",  json(401, described), InvalidClient,
            "responded 401 invalid_client (the provider says: \"Client authentication failed\")", Slow),
        Row::c("echo",       json(401, echo), InvalidClient,
            "responded 401 invalid_client (the provider says: \"no client for ..., ...\")", Slow),
        Row::c("assertion",  error(401, "invalid_client"), InvalidClient, "responded 401 invalid_client", Slow)
            .with_remedy(InvalidClient, "register the public key of Secret {client} at the provider, and check client id and spec.clientAssertion")
            .with_fault(|objects, _| objects.sign_with(include_bytes!("../../../fuzz/corpus/private_key/p256-pkcs8")))
            .repaired_by(Repair::Provider),
        Row::c("signed-grant", error(400, "invalid_grant"), InvalidGrant, "responded 400 invalid_grant", Slow)
            .with_remedy(InvalidGrant, "register the public key of Secret {client} at the provider, or correct spec.jwtBearer")
            .with_fault(|objects, _| objects.exchange_assertions_of(include_bytes!("../../../fuzz/corpus/private_key/p256-pkcs8")))
            .repaired_by(Repair::Provider),
        Row::c("subject",    json(400, r#"{"error":"invalid_request","error_description":"Invalid token"}"#), InvalidRequest,
            "responded 400 invalid_request (the provider says: \"Invalid token\")", Slow)
            .with_remedy(InvalidRequest, "write a subject token that is valid now to key token of Secret \"refused-subject\", or correct \
                                          spec.tokenExchange")
            .with_fault(|objects, _| {
                objects.exchange_token_of("refused-subject");
                objects.add_subject("refused-subject", &serde_json::json!({"cube-operator.dev/credential": "true"}), "expired");
            })
            .repaired_by(Repair::Provider),
        Row::c("subject-account", json(400, r#"{"error":"invalid_request","error_description":"Invalid token"}"#), InvalidRequest,
            "responded 400 invalid_request (the provider says: \"Invalid token\")", Slow)
            .with_remedy(InvalidRequest, "have the provider trust system:serviceaccount:{namespace}:billing of this cluster's issuer, or correct \
                                          spec.tokenExchange")
            .with_fault(|objects, _| {
                objects.exchange_token_of_account("billing", "https://login.example.com");
                objects.add_account("billing", &serde_json::json!({"cube-operator.dev/credential": "true"}));
            })
            .repaired_by(Repair::Provider),
        Row::c("bare-401",   json(401, ""), InvalidClient, "responded 401", Slow),
        Row::c("denied",     error(401, "access_denied"), InvalidClient, "responded 401 access_denied", Slow),
        Row::r("r-client",   error(401, "invalid_client"), InvalidClient, "responded 401 invalid_client", Slow),
        Row::c("client",     error(400, "unauthorized_client"), UnauthorizedClient, "responded 400 unauthorized_client", Slow),
        Row::r("r-unauthorized", error(400, "unauthorized_client"), UnauthorizedClient, "responded 400 unauthorized_client", Slow),
        Row::c("grant-type", error(400, "unsupported_grant_type"), UnsupportedGrantType, "responded 400 unsupported_grant_type", Slow),
        Row::c("scope",      error(400, "invalid_scope"), InvalidScope, "responded 400 invalid_scope", Slow),
        Row::r("r-scope",    error(400, "invalid_scope"), InvalidScope, "responded 400 invalid_scope", Slow),
        Row::c("target",     error(400, "invalid_target"), InvalidTarget, "responded 400 invalid_target", Slow),
        Row::c("request",    error(400, "invalid_request"), InvalidRequest, "responded 400 invalid_request", Slow),
        Row::c("unknown",    error(400, "something_new"), InvalidRequest, "responded 400 something_new", Slow),
        Row::c("own-code",   json(400, own), InvalidRequest,
            "responded 400 interaction_required (the provider says: \"AADSTS50076: sign in with ...\")", Slow),
        Row::c("deleted",    error(401, "deleted_client"), InvalidClient, "responded 401 deleted_client", Slow),
        // Such a server failed, whatever its status is.
        Row::c("busy",       error(400, "temporarily_unavailable"), Unavailable, "responded 400 temporarily_unavailable", Fast),
        Row::r("r-busy",     error(400, "temporarily_unavailable"), Unavailable, "responded 400 temporarily_unavailable", Fast),
        Row::r("r-failed",   error(400, "server_error"), Unavailable, &format!("responded 400 server_error{UNKNOWN}"), OutcomeUnknown),
        Row::c("no-code",    json(400, r#"{"error":{"code":1}}"#), InvalidRequest, "responded 400", Slow),
        // The token that was published before lives on.
        Row::c("warning",    json(401, described), InvalidClient,
            "responded 401 invalid_client (the provider says: \"Client authentication failed\")", Early).while_a_token_lives(),
    ]
}

/// Without a code the status decides.
#[rustfmt::skip]
pub(super) fn statuses() -> Vec<Row> {
    let unavailable = |status| format!("responded {status}{UNKNOWN}");
    let firewall = "responded 403 with an HTML page, not JSON";
    let elsewhere = "https://user:pass@elsewhere.example/login?code=1#top";
    vec![
        Row::c("forbidden",  json(403, r#"{"detail":"no"}"#), Forbidden, "responded 403", Slow),
        Row::c("firewall",   page(403), Forbidden, firewall, Slow)
            .with_remedy(Forbidden, "check the proxy or firewall between the cluster and the token endpoint"),
        Row::c("absent-404", page(404), EndpointNotFound, "responded 404", Slow),
        Row::c("absent-405", page(405), EndpointNotFound, "responded 405", Slow),
        Row::c("absent-410", page(410), EndpointNotFound, "responded 410", Slow),
        Row::c("moved",      to(301, elsewhere), Redirected,
            "responded 301 with a redirect to \"https://elsewhere.example/login\", which is not followed", Slow),
        Row::c("redirect",   to(307, elsewhere), Redirected,
            "responded 307 with a redirect to \"https://elsewhere.example/login\", which is not followed", Slow),
        Row::c("nowhere",    json(302, ""), Redirected, "responded 302 with a redirect, which is not followed", Slow),
        Row::c("down",       json(503, ""), Unavailable, "responded 503", Fast),
        Row::c("confused",   error(500, "invalid_client"), Unavailable, "responded 500 invalid_client", Fast),
        Row::c("gateway",    page(502), Unavailable, "responded 502", Fast),
        Row::r("r-down",     json(503, ""), Unavailable, &unavailable(503), OutcomeUnknown),
        Row::r("r-confused", error(500, "invalid_grant"), Unavailable, &format!("responded 500 invalid_grant{UNKNOWN}"), OutcomeUnknown),
    ]
}

#[rustfmt::skip]
pub(super) fn pauses() -> Vec<Row> {
    let date = limited(&http_date(390)).header("Date", &http_date(90));
    vec![
        Row::c("limited",    json(429, ""), RateLimited, "responded 429", Pause(60)),
        Row::c("limited-300",      limited("300"), RateLimited, "responded 429", Pause(300)),
        Row::c("limited-date",     date, RateLimited, "responded 429", Pause(300)),
        Row::c("limited-fraction", limited("1.5"), RateLimited, "responded 429", Pause(60)),
        Row::c("limited-negative", limited("-1"), RateLimited, "responded 429", Pause(60)),
        Row::c("limited-forever",  limited("99999999"), RateLimited, "responded 429", Pause(3600)),
        Row::c("limited-briefly",  limited("0"), RateLimited, "responded 429", Pause(10)).repaired_by(Repair::Time),
        Row::c("slow-down",  error(400, "slow_down"), RateLimited, "responded 400 slow_down", Pause(60)),
        Row::r("r-limited",  limited("300"), RateLimited, "responded 429", Pause(300)),
        Row::c("maintenance",   json(503, "").header("Retry-After", "300"), Unavailable, "responded 503", Pause(300)),
        Row::r("r-maintenance", json(503, "").header("Retry-After", "300"), Unavailable, &format!("responded 503{UNKNOWN}"), PauseWithinGrace(300))
            .repaired_by(Repair::Time),
    ]
}
