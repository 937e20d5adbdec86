//! The filters and tests of templates.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use minijinja::{Environment, Error, ErrorKind, State, Value, value::ValueKind};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::work;

/// The filter for a value that may be undefined.
pub(super) const DEFAULT: &str = "default";
/// The tests.
pub(super) const TESTS: [&str; 2] = ["defined", "undefined"];

/// Everything but the unreserved characters of a URL (RFC 3986, section 2.3): the result fits into each part of a URL and into a form.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A filter, from a value and its text.
type Filter = fn(&Value, &str) -> String;

const FILTERS: [(&str, Filter); 6] = [
    ("b64encode", |_, text| STANDARD.encode(text)),
    ("lower", |_, text| text.to_lowercase()),
    ("tojson", to_json),
    ("trim", |_, text| text.trim().to_owned()),
    ("upper", |_, text| text.to_uppercase()),
    ("urlencode", |_, text| {
        utf8_percent_encode(text, RESERVED).to_string()
    }),
];

/// The name of a filter without arguments.
pub(super) fn named(name: &str) -> Option<&'static str> {
    let mut names = FILTERS.iter().map(|(known, _)| *known);
    names.find(|known| *known == name)
}

pub(super) fn add_to(engine: &mut Environment<'static>) {
    for (name, filter) in FILTERS {
        engine.add_filter(name, move |state: &State<'_, '_>, value: &Value| {
            filtered(state, value, filter)
        });
    }
    engine.add_filter(DEFAULT, |value: &Value, default: &Value| {
        if value.is_undefined() { default } else { value }.clone()
    });
    engine.add_test("defined", |value: &Value| !value.is_undefined());
    engine.add_test("undefined", Value::is_undefined);
}

fn filtered(state: &State<'_, '_>, value: &Value, filter: Filter) -> Result<String, Error> {
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    let text = value
        .as_str()
        .map_or_else(|| value.to_string().into(), Cow::Borrowed);
    let result = filter(value, &text);
    work::add(state, result.len())?;
    Ok(result)
}

/// The value in JSON. It has no list and no map.
fn to_json(value: &Value, text: &str) -> String {
    match value.kind() {
        ValueKind::String => serde_json::Value::from(text).to_string(),
        ValueKind::Bool => value.is_true().to_string(),
        _ => text.to_owned(),
    }
}
