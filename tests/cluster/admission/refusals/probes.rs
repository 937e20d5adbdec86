//! Invalid values in `spec.probe`.

use serde_json::{Value, json};

use super::{Refusal, many, spec};

const URL: &str = "spec.probe.url: Invalid value: …probe.url must start with https:// in lower case, name a host, and have neither \
                   user nor password, fragment or blank";
const NAME: &str = "spec.probe.headers: Invalid value: …the name of a header has 1 to 64 letters, digits and !#$%&'*+-.^_`|~";
const RESERVED: &str = "spec.probe.headers: Invalid value: …a header that the operator or HTTP itself sets is reserved, in any case \
                        (Authorization, Host, Content-..., Transfer-Encoding, Connection, Upgrade, Cookie, Proxy-..., ...): remove it";

fn with(field: &str, value: &Value) -> Value {
    let mut probe = json!({"url": "https://api.example.com/me"});
    probe[field] = value.clone();
    spec(&json!({"probe": probe}))
}

fn header(name: &str, value: &str) -> Value {
    with("headers", &json!({name: value}))
}

pub(super) fn probes() -> Vec<Refusal> {
    let mut rows: Vec<Refusal> = Vec::new();
    for url in [
        "",
        "http://api.example.com/",
        "HTTPS://api.example.com/",
        "https://",
        "https://user@api.example.com/",
        "https://user:password@api.example.com/",
        "https://api.example.com/#a",
        "https://api.example.com/a b",
    ] {
        rows.push((with("url", &json!(url)), URL.into()));
    }
    for name in ["", "a b", "a:b", "a\n", "\u{e4}", &"a".repeat(65)] {
        rows.push((header(name, "a"), NAME.into()));
    }
    for name in [
        "Authorization",
        "authorization",
        "HOST",
        "Content-Length",
        "content-type",
        "Transfer-Encoding",
        "TE",
        "Trailer",
        "Connection",
        "Keep-Alive",
        "Upgrade",
        "HTTP2-Settings",
        "Expect",
        "Cookie",
        "Proxy-Authorization",
        "proxy-connection",
    ] {
        rows.push((header(name, "a"), RESERVED.into()));
    }
    for value in [" a", "a ", "a\nb", "\u{e4}", "\t"] {
        let message = "should match '^[!-~]([ -~]*[!-~])?$'";
        rows.push((header("X-A", value), message.into()));
    }
    rows.extend([
        (header("X-A", ""), "should be at least 1 chars long".into()),
        (
            header("X-A", &"a".repeat(1025)),
            "Too long: may not be more than 1024".into(),
        ),
        (
            with("headers", &many(17)),
            "spec.probe.headers: Too many: 17: must have at most 16 items".into(),
        ),
        (
            with("url", &Value::Null),
            "spec.probe.url: Required value".into(),
        ),
        (
            with(
                "url",
                &json!(format!("https://api.example.com/{}", "a".repeat(489))),
            ),
            "spec.probe.url: Too long: may not be more than 512".into(),
        ),
        (
            with("method", &json!("POST")),
            "spec.probe.method: Unsupported value: \"POST\": supported values: \"GET\", \"HEAD\""
                .into(),
        ),
        (
            with("expectStatus", &json!([99])),
            "spec.probe.expectStatus[0] in body should be greater than or equal to 100".into(),
        ),
        (
            with("expectStatus", &json!([600])),
            "spec.probe.expectStatus[0] in body should be less than or equal to 599".into(),
        ),
        (
            with("expectStatus", &json!((200..233).collect::<Vec<_>>())),
            "spec.probe.expectStatus: Too many: 33: must have at most 32 items".into(),
        ),
        (
            with("expectStatus", &json!([200, 200])),
            "spec.probe.expectStatus[1]: Duplicate value: 200".into(),
        ),
    ]);
    rows
}
