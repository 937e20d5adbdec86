//! The fields of an answer's body, read leniently: last of duplicate keys, numbers as text, forms instead of JSON.

use jiff::SignedDuration;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::LONGEST_LIFETIME;

/// The fields of a body; `None` if it is neither a JSON object nor a form.
///
/// Goes through a map because a derived type refuses duplicate keys, which some servers send.
pub(super) fn fields(body: &[u8], content_type: Option<&str>) -> Option<Map<String, Value>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if let Ok(value) = serde_json::from_slice(body) {
        return match value {
            Value::Object(fields) => Some(fields),
            _ => None,
        };
    }
    is_form(content_type?).then(|| form(body))
}

/// The text of a field; absent, null, empty and every other type are `None`.
pub(super) fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields
        .get(name)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
}

/// A token is one or more printable ASCII characters (RFC 6749, appendix A). Anything else could break out of a header.
pub(super) fn token<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    text(fields, name).filter(|token| token.bytes().all(|b| (0x20..=0x7e).contains(&b)))
}

/// `expires_in` in seconds: a number, or digits in a string. Everything else is unknown, never guessed.
pub(super) fn lifetime(fields: &Map<String, Value>) -> Option<SignedDuration> {
    let seconds = match fields.get("expires_in")? {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok()?,
        _ => return None,
    };
    if seconds < 1.0 {
        return None;
    }
    let seconds = seconds.min(LONGEST_LIFETIME.as_secs_f64());
    #[expect(
        clippy::cast_possible_truncation,
        reason = "clamped to ten years above; a fraction is to be dropped"
    )]
    Some(SignedDuration::from_secs(seconds as i64))
}

fn is_form(content_type: &str) -> bool {
    let kind = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    matches!(
        kind.as_str(),
        "application/x-www-form-urlencoded" | "text/plain"
    )
}

fn form(body: &[u8]) -> Map<String, Value> {
    form_urlencoded::parse(body)
        .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
        .collect()
}
