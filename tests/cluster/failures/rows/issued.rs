//! Responses with a token, and those whose token cannot be used.

use cube_operator::api::Reason::{ResponseTooLarge, UnexpectedResponse, UnsupportedTokenType};

use super::super::row::{Retry::Slow, Row};
use crate::scripted::Reply;

use super::{CLIENT, REFRESH, UNKNOWN, http_date, json, page, token};

#[rustfmt::skip]
pub(super) fn issued() -> Vec<Row> {
    let ok = |name, reply, lifetime| Row::issued(name, CLIENT, reply, lifetime);
    let unknown = |name, reply| ok(name, reply, 3600).with_events(&["Normal TokenIssued", "Warning ExpiryUnknown"]);
    let stored = |name, fields| Row::issued(name, REFRESH, token(fields), 3600);
    let form = || Reply::json(200, "access_token=a%2Bb&token_type=bearer&expires_in=3600");
    let stored_rudely = |name, reply| Row::issued(name, REFRESH, reply, 3600).then_sends("successor");
    let raw = |line: &str| Reply::raw(format!(
        "HTTP/1.1 200 OK\r\n{line}\r\n\r\n{{\"access_token\":\"a\",\"expires_in\":3600,\"refresh_token\":\"successor-r-rude-end\"}}"));
    let narrowed = ["Normal TokenIssued", "Warning ScopeNarrowed"];
    let skewed = ["Normal TokenIssued", "Warning ClockSkew"];
    vec![
        // token_type in any case, or absent
        ok("bearer",         token(r#""token_type":"bEaReR","expires_in":3600"#), 3600),
        ok("typeless",       token(r#""expires_in":3600"#), 3600),
        ok("bearer-token",   token(r#""token_type":"BearerToken","expires_in":3600"#), 3600),
        ok("bearer-words",   token(r#""token_type":"bearer_token","expires_in":3600"#), 3600),
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
        ok("huge",           token(r#""expires_in":1e300"#), 10 * 365 * 24 * 3600)
            .with_events(&["Normal TokenIssued", "Warning LongLivedToken"]),
        // and one that cannot
        unknown("unstated",  token(r#""token_type":"Bearer""#)),
        unknown("null",      token(r#""expires_in":null"#)),
        unknown("zero",      token(r#""expires_in":0"#)),
        unknown("negative",  token(r#""expires_in":-1"#)),
        unknown("true",      token(r#""expires_in":true"#)),
        unknown("soon",      token(r#""expires_in":"soon""#)),
        unknown("elsewhere", token(r#""expires":60,"expires_at":60,"expires_on":60"#)),
        // from elsewhere
        ok("seconds",        token(r#""expires_in":3600000,"expires_in_sec":3600"#), 3600),
        ok("decimal",        token(r#""expires_in":"300.0""#), 300),
        unknown("milliseconds", token(r#""expires_at":1800000000000"#)),
        // longer than is likely
        ok("long",           token(r#""expires_in":3600000"#), 3_600_000)
            .with_events(&["Normal TokenIssued", "Warning LongLivedToken"]),
        // the end of the login
        stored("r-ends",     r#""expires_in":3600,"refresh_expires_in":1800"#).then_sends("seed"),
        // less than was asked for
        ok("narrowed",       token(r#""expires_in":3600,"scope":"read""#), 3600).with_events(&narrowed),
        // other forms
        ok("form",           form().header("Content-Type", "application/x-www-form-urlencoded"), 3600),
        ok("plain-form",     form().header("Content-Type", "text/plain"), 3600),
        ok("mislabelled",    token(r#""expires_in":3600"#).header("Content-Type", "text/html"), 3600),
        ok("mark",           json(200, "\u{feff}{\"access_token\":\"a\",\"expires_in\":3600}"), 3600),
        ok("twice",          json(200, r#"{"access_token":7,"access_token":"a","expires_in":1,"expires_in":3600}"#), 3600),
        ok("gzip",           token(r#""expires_in":3600"#).gzip(), 3600),
        // a connection that ends rudely after it, and a header line that is none
        ok("rude-end",       raw("Connection: close").abruptly(), 3600),
        stored_rudely("r-rude-end", raw("Connection: close").abruptly()),
        ok("odd-header",     raw("Set-Cookie : a=\u{1}"), 3600),
        // a clock that is minutes off
        ok("ahead",          token(r#""expires_in":3600"#).header("Date", &http_date(600)), 3600).with_events(&skewed),
    ]
}

/// 2xx without a token that can be used.
#[rustfmt::skip]
pub(super) fn unusable() -> Vec<Row> {
    let no_token = "responded 200 without a usable access_token";
    let no_object = "responded 200 with a body that is neither JSON nor form-encoded";
    let mac = "responded 200 with a token_type other than Bearer";
    let large = "responded 200 with more than 256 KiB";
    let bomb = || Reply::json(200, vec![0; 4 << 20]).gzip();
    let outcome_unknown = |what: &str| format!("{what}{UNKNOWN}");
    vec![
        Row::c("mac",        token(r#""token_type":"mac""#), UnsupportedTokenType, mac, Slow),
        Row::c("tokenless",  json(200, "{}"), UnexpectedResponse, no_token, Slow),
        Row::c("object",     json(200, r#"{"access_token":{"a":1}}"#), UnexpectedResponse, no_token, Slow),
        Row::c("array",      json(200, r#"{"access_token":["a"]}"#), UnexpectedResponse, no_token, Slow),
        Row::c("newline",    json(200, r#"{"access_token":"a\nb"}"#), UnexpectedResponse, no_token, Slow),
        Row::c("not-utf-8",  Reply::json(200, b"{\"access_token\":\"\xff\"}"), UnexpectedResponse, no_token, Slow),
        Row::c("nothing",    json(204, ""), UnexpectedResponse, "responded 204 with a body that is neither JSON nor form-encoded", Slow),
        Row::c("page",       page(200), UnexpectedResponse, no_object, Slow),
        Row::c("bomb",       bomb(), ResponseTooLarge, large, Slow),
        // The refresh token may have been consumed.
        Row::r("r-mac",      token(r#""token_type":"mac""#), UnsupportedTokenType, &outcome_unknown(mac), Slow),
        Row::r("r-object",   json(200, r#"{"access_token":{}}"#), UnexpectedResponse, &outcome_unknown(no_token), Slow),
        Row::r("r-page",     page(200), UnexpectedResponse, &outcome_unknown(no_object), Slow),
        Row::r("r-bomb",     bomb(), ResponseTooLarge, &outcome_unknown(large), Slow),
        // The successor is stored, although the rest of the response is useless.
        Row::r("r-new-only", json(200, r#"{"refresh_token":"successor-r-new-only"}"#), UnexpectedResponse, no_token, Slow)
            .then_sends("successor"),
        Row::r("r-new-mac",  token(r#""token_type":"mac","refresh_token":"successor-r-new-mac""#), UnsupportedTokenType, mac, Slow)
            .then_sends("successor"),
    ]
}

/// Its API refuses the token.
pub(super) fn unproven() -> Vec<Row> {
    let message = "{api} responded 403 to the new token: ask the API's owner to allow this cluster's egress IP address, or to give this \
                   client the missing role";
    vec![Row::unproven("unproven", message)]
}
