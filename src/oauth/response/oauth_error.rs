//! The error that a response states (RFC 6749, section 5.2), also where a provider has names and places of its own for it.

use std::fmt;

use serde_json::{Map, Value};

use super::{codes::KnownCode, parse::text};
use crate::{api::Reason, oauth::grant::Grant, scrub::Scrubber};

type Fields = Map<String, Value>;

/// The fields that hold a code, if an object states an error.
const CODE: [&str; 7] = [
    "error",
    "error_code",
    "errorCode",
    "errorType",
    "code",
    "type",
    "status",
];
/// Those of them that have no other use.
const NAMED: usize = 4;

/// An error whose code is known, with the meaning of that code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OAuthError {
    known: KnownCode,
    pub(super) stated: Stated,
}

/// The provider's own words for an error, scrubbed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Stated {
    /// Whether the response states an error, even if nothing of it can be shown.
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
    /// The error in these fields of a response with this status to a request with this grant; `None` if it has no known code.
    pub(super) fn read(
        fields: &Fields,
        status: u16,
        grant: &Grant,
        scrubber: &Scrubber,
    ) -> Option<Self> {
        let known =
            codes(fields, CODE.len()).find_map(|code| KnownCode::find(code, status, grant))?;
        let stated = Stated {
            is_error: true,
            code: scrubber.code(known.name).map(str::to_owned),
            description: description(fields, scrubber),
        };
        Some(Self { known, stated })
    }

    pub(super) fn reason(&self) -> Reason {
        self.known.reason
    }

    /// Whether the request may have been served all the same.
    pub(super) fn leaves_doubt(&self) -> bool {
        self.known.leaves_doubt
    }

    /// Whether the code may be shown: it contains no secret.
    pub(super) fn has_code(&self) -> bool {
        self.stated.code.is_some()
    }
}

impl Stated {
    /// The provider's words for an error whose code is not known.
    pub(super) fn read(fields: &Fields, scrubber: &Scrubber) -> Self {
        Self {
            is_error: states_error(fields),
            code: codes(fields, NAMED).find_map(|code| scrubber.code(code).map(str::to_owned)),
            description: description(fields, scrubber),
        }
    }

    /// Whether nothing of it can be shown.
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

/// The codes in these fields: in the first `top` of their own, then in those of an object or list below `error` or `errors`.
fn codes(fields: &Fields, top: usize) -> impl Iterator<Item = &str> {
    let below = ["error", "errors"]
        .into_iter()
        .filter_map(|name| fields.get(name));
    let below = below.filter_map(|value| value.as_array().map_or(Some(value), |list| list.first()));
    let nested = below.flat_map(|value| {
        let of_object = value.as_object().into_iter();
        let of_object =
            of_object.flat_map(|fields| CODE.iter().filter_map(|name| text(fields, name)));
        value.as_str().into_iter().chain(of_object)
    });
    CODE[..top]
        .iter()
        .filter_map(|name| text(fields, name))
        .chain(nested)
}

fn states_error(fields: &Fields) -> bool {
    let stated = |name: &&str| match fields.get(*name) {
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
