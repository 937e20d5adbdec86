//! The error that a response states (RFC 6749, section 5.2), also where a provider has names and places of its own for it.

use std::fmt;

use serde_json::{Map, Value};

use super::{
    codes::{KnownCode, is_same_name},
    parse::text,
};
use crate::{api::Reason, oauth::grant::Grant, scrub::Scrubber};

type Fields = Map<String, Value>;

/// The fields that hold a code, if an object states an error. Servers differ in how they write these names: `ErrorCode`.
const CODE: [&str; 7] = [
    "error",
    "error_code",
    "error_type",
    "code",
    "type",
    "status",
    "reason",
];
/// Those of them that have no other use.
const NAMED: usize = 3;
/// The fields that hold a sentence. Such a text counts only as a whole, and only if it says that the refresh token is dead.
const SENTENCE: [&str; 2] = ["error_description", "message"];
/// The fields below which an error may have further ones.
const NESTED: [&str; 3] = ["error", "errors", "extensions"];
/// How far below.
const DEEPEST: usize = 4;

/// The codes for a person who has to sign in or to consent. They have no reason of their own: only the remedy differs.
const WANTS_PERSON: [&str; 4] = [
    "interaction_required",
    "consent_required",
    "login_required",
    "mfa_required",
];

/// An error whose code is known, with the meaning of that code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OAuthError {
    known: KnownCode,
    pub(super) stated: Stated,
}

/// The provider's own words for an error, scrubbed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stated {
    /// True if the response states an error, even if nothing of it can be shown.
    pub(super) is_error: bool,
    code: Option<String>,
    description: Option<String>,
}

impl fmt::Display for OAuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.stated.fmt(f)
    }
}

/// The words before the description keep readers from taking it for ours.
impl fmt::Display for Stated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        match &self.description {
            Some(text) => write!(f, " (the provider says: \"{text}\")"),
            None => Ok(()),
        }
    }
}

impl OAuthError {
    /// Returns whether another client secret may be accepted after it.
    pub(super) fn refuses_secret(&self, status: u16) -> bool {
        self.known.refuses_secret(status)
    }

    /// The error in these fields of a response with this status to a request with this grant; `None` if none is known.
    pub(super) fn read(
        fields: &Fields,
        status: u16,
        grant: &Grant,
        scrubber: &Scrubber,
    ) -> Option<Self> {
        let codes = words(fields, &CODE, &CODE);
        let known = codes
            .iter()
            .filter_map(|code| KnownCode::find(code, status, grant));
        // A server that has only this code of RFC 6749 may be more precise in a code of its own.
        let named = known.min_by_key(|known| known.reason == Reason::InvalidRequest);
        let known = match named {
            Some(known) if !known.may_be_dead_token() => known,
            _ => dead_token(fields, grant).or(named)?,
        };
        // Only a known code makes a description visible: a sentence is none.
        let stated = Stated {
            is_error: true,
            code: named.and_then(|named| scrubber.code(named.name)),
            description: named.and_then(|_| description(fields, scrubber)),
        };
        Some(Self { known, stated })
    }

    pub(super) fn reason(&self) -> Reason {
        self.known.reason
    }

    /// Returns whether the request may have been served all the same.
    pub(super) fn leaves_doubt(&self) -> bool {
        self.known.leaves_doubt
    }

    /// Returns whether the code may be shown: it contains no secret.
    pub(super) fn has_code(&self) -> bool {
        self.stated.code.is_some()
    }
}

impl Stated {
    /// The provider's words for an error whose code is not known.
    pub(super) fn read(fields: &Fields, scrubber: &Scrubber) -> Self {
        Self {
            is_error: states_error(fields),
            code: words(fields, &CODE[..NAMED], &CODE)
                .into_iter()
                .find_map(|code| scrubber.code(code)),
            description: description(fields, scrubber),
        }
    }

    /// Returns whether a person has to sign in or to consent.
    pub(super) fn wants_person(&self) -> bool {
        let is_one_of_them =
            |code: &String| WANTS_PERSON.iter().any(|name| is_same_name(code, name));
        self.code.as_ref().is_some_and(is_one_of_them)
    }

    /// Returns whether nothing of it can be shown.
    pub(super) fn is_blank(&self) -> bool {
        self.code.is_none() && self.description.is_none()
    }

    pub(super) fn forget_description(&mut self) {
        self.description = None;
    }

    /// Forgets all words that are not in a list of this program.
    pub(super) fn forget(&mut self) {
        self.code = None;
        self.description = None;
    }
}

/// The dead refresh token that a sentence of the response speaks of.
fn dead_token(fields: &Fields, grant: &Grant) -> Option<KnownCode> {
    let sentences = words(fields, &SENTENCE, &SENTENCE);
    sentences
        .into_iter()
        .find_map(|text| KnownCode::find_dead(text, grant))
}

/// The texts in these fields: in those of their own that are named `top`, then in those named `below` that are nested.
fn words<'a>(fields: &'a Fields, top: &[&str], below: &[&str]) -> Vec<&'a str> {
    let mut found = own_words(fields, top);
    for nested in NESTED.iter().filter_map(|name| field(fields, name)) {
        add_words(nested, below, DEEPEST, &mut found);
    }
    found
}

fn own_words<'a>(fields: &'a Fields, names: &[&str]) -> Vec<&'a str> {
    let values = names
        .iter()
        .filter_map(|name| field(fields, name)?.as_str());
    values.filter(|word| !word.is_empty()).collect()
}

fn add_words<'a>(value: &'a Value, names: &[&str], depth: usize, found: &mut Vec<&'a str>) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    match value {
        Value::String(word) if !word.is_empty() => found.push(word),
        Value::Array(list) => {
            for value in list {
                add_words(value, names, depth, found);
            }
        }
        Value::Object(fields) => {
            found.extend(own_words(fields, names));
            for nested in NESTED.iter().filter_map(|name| field(fields, name)) {
                add_words(nested, names, depth, found);
            }
        }
        _ => {}
    }
}

/// The field with this name, however it is written.
fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a Value> {
    let other = || fields.iter().find(|(other, _)| is_same_name(other, name));
    fields.get(name).or_else(|| other().map(|(_, value)| value))
}

fn states_error(fields: &Fields) -> bool {
    let stated = |name: &&str| match field(fields, name) {
        None | Some(Value::Null) => false,
        Some(Value::Bool(value)) => *value,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        Some(Value::Object(fields)) => !fields.is_empty(),
    };
    CODE[..NAMED].iter().chain(&["errors"]).any(stated)
        || text(fields, "error_description").is_some()
}

fn description(fields: &Fields, scrubber: &Scrubber) -> Option<String> {
    let shown = scrubber.clean(text(fields, "error_description")?);
    (!shown.is_empty()).then_some(shown)
}
