//! Bounds of a template that hold before it is parsed: the parser descends into nested parts without a bound of its own, and what it
//! builds is as deep as the longest tag.

use std::collections::BTreeMap;

use minijinja::{
    machinery::{Token, tokenize},
    syntax::SyntaxConfig,
};

use super::{TemplateError, TemplateErrorKind, error::Located};

const MOST_KEYS: usize = 32;
const LONGEST_KEY: usize = 253;
/// The most bytes of a template.
pub(super) const LONGEST: usize = 8 << 10;
/// The most tokens of one tag, which is `{{ … }}` or `{% … %}`.
pub(super) const LONGEST_TAG: usize = 64;
/// The most `{% … %}` of a template.
pub(super) const MOST_STATEMENTS: usize = 64;
/// The most `~` of a template: each one copies what it joins.
pub(super) const MOST_JOINS: usize = 32;

pub(super) fn check_keys(texts: &BTreeMap<String, String>) -> Result<(), TemplateError> {
    let error = |key: &str, kind| TemplateError {
        key: key.to_owned(),
        line: None,
        kind,
    };
    if texts.is_empty() || texts.len() > MOST_KEYS {
        let key = texts.keys().nth(MOST_KEYS);
        let key = key.map_or("", String::as_str);
        return Err(error(key, TemplateErrorKind::KeyCount(MOST_KEYS)));
    }
    match texts.keys().find(|key| !is_key(key)) {
        Some(key) => Err(error(key, TemplateErrorKind::Key)),
        None => Ok(()),
    }
}

/// The rule of the API server for the keys of a Secret.
fn is_key(key: &str) -> bool {
    (1..=LONGEST_KEY).contains(&key.len())
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        && key != "."
        && !key.starts_with("..")
}

/// Checks a text before it is parsed.
pub(super) fn check(text: &str) -> Result<(), Located> {
    if text.len() > LONGEST {
        return Err(TemplateErrorKind::Length(LONGEST).into());
    }
    let (mut in_tag, mut statements, mut joins) = (0, 0, 0);
    for token in tokenize(text, false, SyntaxConfig::default()) {
        let (token, span) = token?;
        in_tag += 1;
        match token {
            Token::TemplateData(_) | Token::VariableStart => in_tag = 0,
            Token::BlockStart => {
                in_tag = 0;
                statements += 1;
            }
            Token::Tilde => joins += 1,
            _ => {}
        }
        for (number, most, what) in [
            (in_tag, LONGEST_TAG, "words and signs in a tag"),
            (statements, MOST_STATEMENTS, "{% ... %}"),
            (joins, MOST_JOINS, "~"),
        ] {
            if number > most {
                let kind = TemplateErrorKind::Complexity { most, what };
                return Err(Located::at(span.start_line, kind));
            }
        }
    }
    Ok(())
}
