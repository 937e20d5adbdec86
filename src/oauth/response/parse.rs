//! The fields of an answer's body, read leniently: last of duplicate keys, numbers as text, forms instead of JSON.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Map, Value, value::RawValue};
use url::form_urlencoded;

use super::LONGEST_LIFETIME;
use crate::oauth::request::is_token;

/// The fields of a body; `None` if it is neither a JSON object nor a form.
///
/// Goes through a map because a derived type refuses duplicate keys, which some servers send; and field by field, because a
/// refresh token must not be lost to another field that cannot be read (bytes that are no text, half a character, 1e999).
pub(super) fn fields(body: &[u8], content_type: Option<&str>) -> Option<Map<String, Value>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let text = String::from_utf8_lossy(body);
    if let Ok(fields) = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(&text) {
        // What cannot be read is not absent; `false` is of use to nobody.
        let value = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or(Value::Bool(false));
        let fields = fields.into_iter();
        return Some(fields.map(|(name, raw)| (name, value(&raw))).collect());
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

/// The token in a field.
pub(super) fn token<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    text(fields, name).filter(|text| is_token(text))
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
