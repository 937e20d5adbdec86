//! The fields of a response's body, read leniently: the last of duplicate keys, numbers as text, forms instead of JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value, value::RawValue};
use url::form_urlencoded;

/// A token is one or more printable ASCII characters (RFC 6749, appendix A). Anything else could break out of a header.
#[must_use]
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| (0x20..=0x7e).contains(&b))
}

/// The fields of a body; `None` if it is neither a JSON object nor a form.
pub(super) fn fields(body: &[u8], content_type: Option<&str>) -> Option<Map<String, Value>> {
    let is_form = || content_type.is_some_and(is_form);
    json(body).or_else(|| is_form().then(|| form(without_mark(body))))
}

/// The most bytes before a JSON object that are skipped.
const LONGEST_PREFIX: usize = 16;

/// The fields of a body that begins with a whole JSON object.
///
/// What stands around the object is skipped, because it may hold the only copy of a refresh token: NUL, a second object, a comment
/// of a proxy, the sizes of chunks that were encoded twice, a prefix against scripts. What begins as a page, a list or a form does
/// is none.
///
/// The fields are read into a map, because a derived type refuses duplicate keys, which some servers send. They are read one by
/// one, because a refresh token must not be lost to another field that cannot be read (invalid UTF-8, half a character, 1e999).
pub(super) fn json(body: &[u8]) -> Option<Map<String, Value>> {
    let text = String::from_utf8_lossy(body);
    let (prefix, _) = text.split_once('{')?;
    if !is_skipped(prefix) {
        return None;
    }
    let text = without_controls(&text[prefix.len()..]);
    let objects = serde_json::Deserializer::from_str(&text).into_iter();
    let fields: BTreeMap<String, Box<RawValue>> = { objects }.next()?.ok()?;
    // A value that cannot be read does not count as absent. `false` is not a valid value of any field.
    let value = |raw: &RawValue| serde_json::from_str(raw.get()).unwrap_or(Value::Bool(false));
    let fields = fields.into_iter();
    Some(fields.map(|(name, raw)| (name, value(&raw))).collect())
}

fn is_skipped(prefix: &str) -> bool {
    prefix.trim().len() <= LONGEST_PREFIX && !prefix.contains(['<', '[', '"', '='])
}

/// The text of an object with each control character inside a string replaced by one that no token has. JSON forbids them there,
/// and JSON that was put together by hand has line breaks in its descriptions.
fn without_controls(object: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let characters = object.chars().map(|c| {
        if !quoted {
            quoted = c == '"';
            return c;
        }
        (quoted, escaped) = (escaped || c != '"', c == '\\' && !escaped);
        if c < ' ' {
            char::REPLACEMENT_CHARACTER
        } else {
            c
        }
    });
    characters.collect()
}

fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// The text of a field; `None` if it is absent, null, empty or of another type.
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
