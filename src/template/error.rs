//! Errors of templates, as data. They hold words of the spec and names of fields, never a value.

use std::fmt;

use thiserror::Error;

use super::values::Variable;

/// The most characters of a word of a template, or of its parser, that are kept.
const LONGEST_WORD: usize = 30;
/// The longest name of a field that is kept.
const LONGEST_FIELD: usize = 40;
/// The most characters of a parser's sentence that are kept.
const LONGEST_DETAIL: usize = 100;
/// The most names of fields that are kept.
const MOST_FIELDS: usize = 10;
/// The most characters of names of fields that a message shows.
const LONGEST_LIST: usize = 80;

/// The reason why a template of `spec.target.data` cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("template {:?}{}: {kind}", word(key), at(*line))]
pub struct TemplateError {
    /// The key of the template.
    pub key: String,
    /// The line in the template, from 1, where there is one.
    pub line: Option<usize>,
    /// The fault.
    pub kind: TemplateErrorKind,
}

/// The fault of a template.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TemplateErrorKind {
    /// There is no key, or more than a target may have.
    #[error("a target has 1 to {0} keys")]
    KeyCount(usize),
    /// A Secret cannot have this key.
    #[error("a key has 1 to 253 letters, digits, '-', '_' and '.'")]
    Key,
    /// The text is too long.
    #[error("a template has at most {0} bytes")]
    Length(usize),
    /// The text has too much of something.
    #[error("a template has at most {most} {what}")]
    Complexity {
        /// The most of it that is allowed.
        most: usize,
        /// Its name.
        what: &'static str,
    },
    /// The text cannot be read. The sentence is the parser's, which names no text of the template but names.
    #[error("{0}")]
    Syntax(String),
    /// Syntax that templates here do not have.
    #[error("{0} cannot be used in a template")]
    NotAllowed(&'static str),
    /// No variable has this name.
    #[error("{name:?} is undefined; use {}", Variable::list())]
    Variable {
        /// The name.
        name: String,
    },
    /// The response had no such field.
    #[error("the response has no field {name:?}{}", others(fields))]
    Field {
        /// The name of the field.
        name: String,
        /// The names of the fields that it had, at most ten.
        fields: Vec<String>,
    },
    /// This field is never published.
    #[error("response.{0} is never published")]
    Withheld(String),
    /// No filter has this name.
    #[error(
        "no filter {0:?}; there are b64encode, default, lower, tojson, trim, upper and urlencode"
    )]
    Filter(String),
    /// A filter has too many arguments or too few.
    #[error("filter {name:?} has {arguments}")]
    Arguments {
        /// The name of the filter.
        name: &'static str,
        /// The arguments that it has.
        arguments: &'static str,
    },
    /// No test has this name.
    #[error("no test {0:?}; there are defined and undefined")]
    Test(String),
    /// The templates of a target would read and write too much.
    #[error(
        "the values and filters of this target amount to more than 2 MiB: use them in fewer places"
    )]
    Work,
    /// The templates of a target render to too much.
    #[error("the target would be larger than {0} bytes")]
    Output(usize),
    /// The engine could not render the template, and its reason may repeat a value.
    #[error("cannot be rendered")]
    Render,
    /// The type of the target demands a key.
    #[error("a Secret of type {0} has key {1}")]
    TypeKey(&'static str, &'static str),
    /// The type of the target demands other content.
    #[error("a Secret of type {0} has {1} here")]
    TypeContent(&'static str, &'static str),
}

/// An error with its line, in a template whose key is known elsewhere.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) line: Option<usize>,
    pub(super) kind: TemplateErrorKind,
}

impl Located {
    pub(super) fn at(line: u16, kind: TemplateErrorKind) -> Self {
        Self {
            line: Some(usize::from(line)),
            kind,
        }
    }

    pub(super) fn of(self, key: &str) -> TemplateError {
        TemplateError {
            key: key.to_owned(),
            line: self.line,
            kind: self.kind,
        }
    }
}

impl From<TemplateErrorKind> for Located {
    fn from(kind: TemplateErrorKind) -> Self {
        Self { line: None, kind }
    }
}

/// An error of the parser: it has seen no value yet.
impl From<minijinja::Error> for Located {
    fn from(error: minijinja::Error) -> Self {
        let detail = error.detail().map(|detail| cut(detail, LONGEST_DETAIL));
        Self {
            line: error.line(),
            kind: TemplateErrorKind::Syntax(detail.unwrap_or_else(|| error.kind().to_string())),
        }
    }
}

/// A word of a template, as it may be shown.
pub(super) fn word(text: &str) -> String {
    cut(text, LONGEST_WORD)
}

/// The names of these fields that may be shown. A provider chooses them, and could choose a secret.
pub(super) fn shown<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let is_plain = |name: &&String| {
        (1..=LONGEST_FIELD).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
    };
    names.filter(is_plain).take(MOST_FIELDS).cloned().collect()
}

fn cut(text: &str, most: usize) -> String {
    let is_shown = |c: &char| c.is_alphanumeric() || (' '..='~').contains(c);
    text.chars().filter(is_shown).take(most).collect()
}

fn at(line: Option<usize>) -> impl fmt::Display {
    fmt::from_fn(move |f| match line {
        Some(line) => write!(f, ", line {line}"),
        None => Ok(()),
    })
}

fn others(fields: &[String]) -> String {
    if fields.is_empty() {
        return String::new();
    }
    let mut list = String::new();
    for (index, name) in fields.iter().enumerate() {
        if list.len() + name.len() > LONGEST_LIST {
            return format!("; it has {list} and {} more", fields.len() - index);
        }
        if index > 0 {
            list.push_str(", ");
        }
        list.push_str(name);
    }
    format!("; it has {list}")
}
