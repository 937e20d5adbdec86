//! The fields of a response besides the token, for the templates of a target: Cube Software's `company_id`, Salesforce's
//! `instance_url`.

use std::{collections::BTreeMap, fmt};

use secrecy::zeroize::Zeroize;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use crate::scrub::Scrubber;

/// The fields with a meaning of their own. A template has other names for them, or may not show them.
const KNOWN: [&str; 5] = [
    "access_token",
    "refresh_token",
    "token_type",
    "expires_in",
    "scope",
];
/// A text that authenticates a person, and may be large: only a template that names it gets it.
pub const ID_TOKEN: &str = "id_token";

/// The most fields that are kept.
const MOST: usize = 64;
/// The longest name, in bytes.
const LONGEST_NAME: usize = 64;
/// The longest text, in bytes.
const LONGEST_TEXT: usize = 4 * 1024;
/// The longest ID token, in bytes.
const LONGEST_ID_TOKEN: usize = 16 * 1024;
/// The most bytes of all texts.
const LARGEST: usize = 32 * 1024;

/// The value of a field. Debug does not show it, because it may be a secret, and it is wiped from memory.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// `true` or `false`.
    Boolean(bool),
    /// A JSON number.
    Number(Number),
    /// A text without control characters.
    Text(String),
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

impl Drop for Scalar {
    fn drop(&mut self) {
        if let Self::Text(text) = self {
            text.zeroize();
        }
    }
}

impl Scalar {
    fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(boolean) => Some(Self::Boolean(*boolean)),
            Value::Number(number) => Some(Self::Number(number.clone())),
            // A newline could end a line of an environment file, and begin another one.
            Value::String(text) if !text.contains(char::is_control) => {
                Some(Self::Text(text.clone()))
            }
            Value::String(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Boolean(_) | Self::Number(_) => 0,
            Self::Text(text) => text.len(),
        }
    }
}

/// The fields of a response that are texts, numbers or booleans, in the order of their names and as many as fit. One that repeats a
/// refresh token, under whatever name, is left out.
pub(super) fn others(
    fields: &Map<String, Value>,
    refresh_tokens: &[&str],
    scrubber: &Scrubber,
) -> BTreeMap<String, Scalar> {
    let mut left = LARGEST;
    let mut others = BTreeMap::new();
    for (name, value) in fields {
        if others.len() == MOST || !is_name(name) || KNOWN.contains(&name.as_str()) {
            continue;
        }
        // Names are shown to the author of a template that needs another one.
        if scrubber.without_secrets(name) != *name {
            continue;
        }
        let Some(value) = Scalar::of(value) else {
            continue;
        };
        let longest = if name == ID_TOKEN {
            LONGEST_ID_TOKEN
        } else {
            LONGEST_TEXT
        };
        let repeats = |text: &str| refresh_tokens.iter().any(|token| text.contains(token));
        let leaks = matches!(&value, Scalar::Text(text) if repeats(text));
        if leaks || value.len() > longest.min(left) {
            continue;
        }
        left -= value.len();
        others.insert(name.clone(), value);
    }
    others
}

fn is_name(name: &str) -> bool {
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=LONGEST_NAME).contains(&name.len()) && name.bytes().all(of_name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(body: &Value, refresh_tokens: &[&str]) -> Vec<String> {
        let fields = body.as_object().unwrap();
        let scrubber = Scrubber::default();
        others(fields, refresh_tokens, &scrubber)
            .into_keys()
            .collect()
    }

    #[test]
    fn texts_numbers_and_booleans_are_kept_and_what_has_a_meaning_of_its_own_is_not() {
        let body = json!({
            "access_token": "a", "refresh_token": "r", "token_type": "Bearer", "expires_in": 3600, "scope": "read",
            "company_id": 7, "instance_url": "https://eu.example.com", "sandbox": false, "id_token": "x.y.z",
            "roles": ["a"], "user": {"id": 1}, "nothing": null, "line\nbreak": "a", "two": "a\nb", "": "a",
        });
        assert_eq!(
            kept(&body, &[]),
            ["company_id", "id_token", "instance_url", "sandbox"]
        );
    }

    #[test]
    fn a_field_that_repeats_a_refresh_token_is_left_out() {
        let body =
            json!({"refreshToken": "R3FRESH-2", "note": "was R3FRESH-1 before", "tenant": "t"});
        assert_eq!(kept(&body, &["R3FRESH-1", "R3FRESH-2"]), ["tenant"]);
    }

    #[test]
    fn a_name_that_is_a_secret_is_left_out() {
        let mut scrubber = Scrubber::default();
        scrubber.add("the-client-secret");
        let body = json!({"the-client-secret": 1, "tenant": "t"});
        let kept = others(body.as_object().unwrap(), &[], &scrubber);
        assert_eq!(kept.into_keys().collect::<Vec<_>>(), ["tenant"]);
    }

    #[test]
    fn a_large_response_keeps_what_fits() {
        let mut body = json!({"a": "x".repeat(LONGEST_TEXT + 1), "b": "x".repeat(LONGEST_TEXT)});
        assert_eq!(kept(&body, &[]), ["b"]);
        for number in 0..100 {
            body[format!("n{number:03}")] = json!("x".repeat(LONGEST_TEXT));
        }
        assert_eq!(kept(&body, &[]).len(), LARGEST / LONGEST_TEXT);
        let many: Map<String, Value> = (0..100).map(|n| (format!("n{n}"), json!(n))).collect();
        assert_eq!(others(&many, &[], &Scrubber::default()).len(), MOST);
    }

    #[test]
    fn a_value_is_stored_as_it_came_and_never_shown() {
        let fields = json!({"company_id": 7, "exact": 1.5, "sandbox": false, "url": "S3CRET"});
        let kept = others(fields.as_object().unwrap(), &[], &Scrubber::default());
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(text, fields.to_string());
        let read: BTreeMap<String, Scalar> = serde_json::from_str(&text).unwrap();
        assert_eq!(read, kept);
        assert!(!format!("{read:?}").contains("S3CRET"));
    }
}
