//! What real servers answer, and what to make of it: the table of the protocol, row by row. `c` are answers to client
//! credentials, `r` to a refresh token where that makes a difference.

use cube_operator::api::{
    Grant,
    Reason::{
        EndpointNotFound, Forbidden, HostNotAllowed, InvalidClient, InvalidGrant, InvalidRequest,
        InvalidScope, InvalidTarget, NoResponse, RateLimited, Redirected, RefreshTokenLost,
        RefreshTokenRejected, ResponseTooLarge, TLSUntrusted, UnauthorizedClient, Unavailable,
        UnexpectedResponse, Unreachable, UnsupportedGrantType, UnsupportedTokenType,
    },
};
use jiff::{SignedDuration, Timestamp};

use super::row::{
    Cure,
    Next::{Confirm, Doubt, Fast, Never, Pause, Slow},
    Row,
};
use crate::scripted::Reply;

const CLIENT: Grant = Grant::ClientCredentials;
const REFRESH: Grant = Grant::RefreshToken;

const DOUBT: &str = "; it may have used up the refresh token, which is sent again to find out";

fn json(status: u16, body: &str) -> Reply {
    Reply::json(status, body)
}

fn error(status: u16, code: &str) -> Reply {
    Reply::json(status, format!(r#"{{"error":"{code}"}}"#))
}

fn page(status: u16) -> Reply {
    Reply::json(status, "<html>Sign in</html>").header("Content-Type", "text/html")
}

fn to(status: u16, location: &str) -> Reply {
    Reply::json(status, "").header("Location", location)
}

fn limited(retry_after: &str) -> Reply {
    Reply::json(429, "").header("Retry-After", retry_after)
}

/// A token with these further fields.
fn token(fields: &str) -> Reply {
    Reply::json(200, format!(r#"{{"access_token":"a-token",{fields}}}"#))
}

/// By a clock that is so many seconds ahead.
fn http_date(seconds: i64) -> String {
    let time = Timestamp::now() + SignedDuration::from_secs(seconds);
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

pub(super) fn rows() -> Vec<Row> {
    [
        silent(),
        issued(),
        unusable(),
        broken(),
        codes(),
        statuses(),
        pauses(),
        unreachable(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// They take 30 s, so they begin first.
#[rustfmt::skip]
fn silent() -> Vec<Row> {
    let what = "{host} gave no complete answer within 30s";
    vec![
        Row::c("silent",     Reply::silence(), NoResponse, what, Fast).cured_by(Cure::Time),
        Row::r("r-silent",   Reply::silence(), NoResponse, &format!("{what}{DOUBT}"), Doubt).cured_by(Cure::Time),
        Row::c("bytewise",   token(r#""expires_in":3600"#).one_byte_a_second(), NoResponse, what, Fast).cured_by(Cure::Time),
    ]
}

#[rustfmt::skip]
fn issued() -> Vec<Row> {
    let ok = |name, reply, lifetime| Row::issued(name, CLIENT, reply, lifetime);
    let unknown = |name, reply| ok(name, reply, 3600).with_events(&["Normal TokenIssued", "Warning ExpiryUnknown"]);
    let stored = |name, fields| Row::issued(name, REFRESH, token(fields), 3600);
    let form = || Reply::json(200, "access_token=a%2Bb&token_type=bearer&expires_in=3600");
    let narrowed = ["Normal TokenIssued", "Warning ScopeNarrowed"];
    let skewed = ["Normal TokenIssued", "Warning ClockSkew"];
    vec![
        // token_type in any case, or absent
        ok("bearer",         token(r#""token_type":"bEaReR","expires_in":3600"#), 3600),
        ok("typeless",       token(r#""expires_in":3600"#), 3600),
        // a refresh token that comes, or does not
        ok("surplus",        token(r#""expires_in":3600,"refresh_token":"not-asked-for""#), 3600),
        stored("r-rotated",  r#""expires_in":3600,"refresh_token":"successor-r-rotated""#).then_sends("successor"),
        stored("r-kept",     r#""expires_in":3600"#).then_sends("seed"),
        stored("r-empty",    r#""expires_in":3600,"refresh_token":"""#).then_sends("seed"),
        stored("r-null",     r#""expires_in":3600,"refresh_token":null"#).then_sends("seed"),
        // a lifetime that can be read
        ok("text",           token(r#""expires_in":"3599""#), 3599),
        ok("float",          token(r#""expires_in":3600.0"#), 3600),
        ok("fraction",       token(r#""expires_in":3600.9"#), 3600),
        ok("exponent",       token(r#""expires_in":3.6e3"#), 3600),
        ok("huge",           token(r#""expires_in":1e300"#), 10 * 365 * 24 * 3600),
        // and one that cannot
        unknown("unstated",  token(r#""token_type":"Bearer""#)),
        unknown("null",      token(r#""expires_in":null"#)),
        unknown("zero",      token(r#""expires_in":0"#)),
        unknown("negative",  token(r#""expires_in":-1"#)),
        unknown("true",      token(r#""expires_in":true"#)),
        unknown("soon",      token(r#""expires_in":"soon""#)),
        unknown("elsewhere", token(r#""expires":60,"expires_at":60,"expires_on":60"#)),
        // less than was asked for
        ok("narrowed",       token(r#""expires_in":3600,"scope":"read""#), 3600).with_events(&narrowed),
        // other forms
        ok("form",           form().header("Content-Type", "application/x-www-form-urlencoded"), 3600),
        ok("plain-form",     form().header("Content-Type", "text/plain"), 3600),
        ok("mislabelled",    token(r#""expires_in":3600"#).header("Content-Type", "text/html"), 3600),
        ok("mark",           json(200, "\u{feff}{\"access_token\":\"a\",\"expires_in\":3600}"), 3600),
        ok("twice",          json(200, r#"{"access_token":7,"access_token":"a","expires_in":1,"expires_in":3600}"#), 3600),
        ok("gzip",           token(r#""expires_in":3600"#).gzip(), 3600),
        // a clock that is minutes off
        ok("ahead",          token(r#""expires_in":3600"#).header("Date", &http_date(600)), 3600).with_events(&skewed),
    ]
}

/// 2xx without a token that can be used.
#[rustfmt::skip]
fn unusable() -> Vec<Row> {
    let no_token = "answered 200 without a usable access_token";
    let no_object = "answered 200 with neither a JSON object nor a form";
    let mac = "answered 200 with a token_type other than Bearer";
    let large = "answered 200 with more than 256 KiB";
    let bomb = || Reply::json(200, vec![0; 4 << 20]).gzip();
    let in_doubt = |what: &str| format!("{what}{DOUBT}");
    vec![
        Row::c("mac",        token(r#""token_type":"mac""#), UnsupportedTokenType, mac, Slow),
        Row::c("tokenless",  json(200, "{}"), UnexpectedResponse, no_token, Slow),
        Row::c("object",     json(200, r#"{"access_token":{"a":1}}"#), UnexpectedResponse, no_token, Slow),
        Row::c("array",      json(200, r#"{"access_token":["a"]}"#), UnexpectedResponse, no_token, Slow),
        Row::c("newline",    json(200, r#"{"access_token":"a\nb"}"#), UnexpectedResponse, no_token, Slow),
        Row::c("not-utf-8",  Reply::json(200, b"{\"access_token\":\"\xff\"}"), UnexpectedResponse, no_token, Slow),
        Row::c("nothing",    json(204, ""), UnexpectedResponse, "answered 204 with neither a JSON object nor a form", Slow),
        Row::c("page",       page(200), UnexpectedResponse, no_object, Slow),
        Row::c("bomb",       bomb(), ResponseTooLarge, large, Slow),
        // The refresh token may be spent.
        Row::r("r-mac",      token(r#""token_type":"mac""#), UnsupportedTokenType, &in_doubt(mac), Slow),
        Row::r("r-object",   json(200, r#"{"access_token":{}}"#), UnexpectedResponse, &in_doubt(no_token), Slow),
        Row::r("r-page",     page(200), UnexpectedResponse, &in_doubt(no_object), Slow),
        Row::r("r-bomb",     bomb(), ResponseTooLarge, &in_doubt(large), Slow),
        // Its successor is stored, however useless the rest is.
        Row::r("r-new-only", json(200, r#"{"refresh_token":"successor-r-new-only"}"#), UnexpectedResponse, no_token, Slow)
            .then_sends("successor"),
        Row::r("r-new-mac",  token(r#""token_type":"mac","refresh_token":"successor-r-new-mac""#), UnsupportedTokenType, mac, Slow)
            .then_sends("successor"),
    ]
}

/// No answer, or half of one.
#[rustfmt::skip]
fn broken() -> Vec<Row> {
    let what = "{host} gave no complete answer (the connection ended early, or what came cannot be read)";
    let in_doubt = format!("{what}{DOUBT}");
    vec![
        Row::c("closed",     Reply::close(), NoResponse, what, Fast),
        Row::c("cut",        token(r#""expires_in":3600"#).cut_after(9), NoResponse, what, Fast),
        Row::c("babble",     Reply::raw("220 ready\r\n"), NoResponse, what, Fast),
        Row::r("r-closed",   Reply::close(), NoResponse, &in_doubt, Doubt),
        Row::r("r-cut",      token(r#""expires_in":3600"#).cut_after(9), NoResponse, &in_doubt, Doubt),
        Row::r("r-babble",   Reply::raw("220 ready\r\n"), NoResponse, &in_doubt, Doubt),
    ]
}

/// The `error` code decides, with 2xx and 4xx.
#[rustfmt::skip]
fn codes() -> Vec<Row> {
    let described = r#"{"error":"invalid_client","error_description":"Client authentication failed"}"#;
    let echo = r#"{"error":"invalid_client","error_description":"no \"client\"\n\tfor planted-secret, 0123456789abcdef0123456789",
                   "error_uri":"https://elsewhere.example/","hint":"planted"}"#;
    let rejected = |status| format!("answered {status} invalid_grant: the refresh token was revoked, has expired, or was used by somebody else");
    let lost = "answered 400 invalid_grant: the provider used up the refresh token in an earlier request whose answer was lost";
    vec![
        Row::c("ok-error",   error(200, "invalid_scope"), InvalidScope, "answered 200 invalid_scope", Slow),
        Row::c("incorrect",  error(200, "incorrect_client_credentials"), InvalidClient, "answered 200 incorrect_client_credentials", Slow),
        Row::c("ok-unknown", error(200, "something_new"), UnexpectedResponse, "answered 200 without a usable access_token", Slow),
        Row::dead("r-rejected",  vec![error(400, "invalid_grant")], RefreshTokenRejected, &rejected(400), Confirm),
        Row::dead("r-403",       vec![error(403, "invalid_grant")], RefreshTokenRejected, &rejected(403), Confirm),
        Row::dead("r-200",       vec![error(200, "invalid_grant")], RefreshTokenRejected, &rejected(200), Confirm),
        Row::dead("r-revoked",   vec![error(400, "invalid_grant")], RefreshTokenRejected, &rejected(400), Confirm)
            .while_a_token_lives(),
        Row::dead("r-lost",      vec![Reply::close(), error(400, "invalid_grant")], RefreshTokenLost, lost, Never)
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
        Row::c("unknown",    error(400, "something_new"), InvalidRequest, "answered 400", Slow),
        Row::c("no-code",    json(400, r#"{"error":{"code":1}}"#), InvalidRequest, "answered 400", Slow),
        // The token that was published before lives on.
        Row::c("warning",    json(401, described), InvalidClient,
            "answered 401 invalid_client (the provider says: \"Client authentication failed\")", Slow).while_a_token_lives(),
    ]
}

/// Without a code the status decides.
#[rustfmt::skip]
fn statuses() -> Vec<Row> {
    let unavailable = |status| format!("answered {status}{DOUBT}");
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
        Row::c("confused",   error(500, "invalid_client"), Unavailable, "answered 500", Fast),
        Row::c("gateway",    page(502), Unavailable, "answered 502", Fast),
        Row::r("r-down",     json(503, ""), Unavailable, &unavailable(503), Doubt),
        Row::r("r-confused", error(500, "invalid_grant"), Unavailable, &unavailable(500), Doubt),
    ]
}

#[rustfmt::skip]
fn pauses() -> Vec<Row> {
    let date = limited(&http_date(390)).header("Date", &http_date(90));
    vec![
        Row::c("limited",    json(429, ""), RateLimited, "answered 429", Pause(60)),
        Row::c("limited-300",      limited("300"), RateLimited, "answered 429", Pause(300)),
        Row::c("limited-date",     date, RateLimited, "answered 429", Pause(300)),
        Row::c("limited-fraction", limited("1.5"), RateLimited, "answered 429", Pause(60)),
        Row::c("limited-negative", limited("-1"), RateLimited, "answered 429", Pause(60)),
        Row::c("limited-forever",  limited("99999999"), RateLimited, "answered 429", Pause(3600)),
        Row::c("limited-briefly",  limited("0"), RateLimited, "answered 429", Pause(10)).cured_by(Cure::Time),
        Row::c("slow-down",  error(400, "slow_down"), RateLimited, "answered 400 slow_down", Pause(60)),
        Row::r("r-limited",  limited("300"), RateLimited, "answered 429", Pause(300)),
        Row::c("maintenance",   json(503, "").header("Retry-After", "300"), Unavailable, "answered 503", Pause(300)),
        Row::r("r-maintenance", json(503, "").header("Retry-After", "300"), Unavailable, &format!("answered 503{DOUBT}"), Pause(300)),
    ]
}

/// No answer, because there was no request.
#[rustfmt::skip]
fn unreachable() -> Vec<Row> {
    let untrusted = |name, why| {
        let what = format!("the certificate of the token endpoint {{host}} is not trusted: {why}");
        Row { requests: 0, ..Row::c(name, Reply::close(), TLSUntrusted, &what, Slow) }
    };
    let unreachable = |name, why| {
        let what = format!("{{host}} could not be reached: {why}");
        Row { requests: 0, ..Row::c(name, Reply::close(), Unreachable, &what, Fast) }
    };
    vec![
        untrusted("misnamed",     "it is for another host name").spoiled(|objects, stage| objects.at(&stage.misnamed.url("/"))),
        untrusted("expired",      "it has expired").spoiled(|objects, stage| objects.at(&stage.expired.url("/"))),
        untrusted("untrusted",    "it was issued by an authority that is not trusted")
            .spoiled(|objects, stage| objects.trusting("row-untrusted-roots", "ca.crt", &stage.stranger.pem()))
            .cured_by(Cure::Change(|objects, stage| objects.trusting("row-untrusted-roots", "ca.crt", &stage.authority.pem()))),
        unreachable("refused",    "the connection was refused").spoiled(|objects, stage| objects.at(&stage.refusing)),
        unreachable("unresolved", "its name does not resolve").spoiled(|objects, _| objects.at("https://nowhere.invalid/")),
        Row { requests: 0, ..Row::c("metadata", Reply::close(), HostNotAllowed,
            "{host} is on a network that is refused by default (link-local)", Never)
            .spoiled(|objects, _| objects.at("https://169.254.169.254/")) },
    ]
}
