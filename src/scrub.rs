//! Cleans texts of other programs before they are shown, because they may repeat a secret. Every such text passes through here.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

/// The most characters of a provider's description that are shown.
const LONGEST: usize = 200;
/// The most characters of a stored message that are shown: the longest of ours quotes one description.
const LONGEST_MESSAGE: usize = 512;
/// A run of token characters of this length may be a token, a key or an echo of one.
const TOKEN_RUN: usize = 20;
const REDACTED: &str = "...";

/// Removes known secrets, and everything that could be one, from a text.
#[derive(Default)]
pub struct Scrubber {
    /// Every form of every secret, longest first: otherwise a shorter form could leave the rest of a longer one behind.
    forms: Vec<SecretString>,
}

impl Scrubber {
    /// A scrubber for these secrets.
    #[must_use]
    pub(crate) fn of<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut scrubber = Self::default();
        for secret in secrets {
            scrubber.add(secret.expose_secret());
        }
        scrubber
    }

    /// Also removes this secret, as it is and in base64 and urlencoded form.
    pub fn add(&mut self, secret: &str) {
        for form in [
            secret.to_owned(),
            STANDARD.encode(secret),
            STANDARD_NO_PAD.encode(secret),
            URL_SAFE.encode(secret),
            URL_SAFE_NO_PAD.encode(secret),
            form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
            form_urlencoded::byte_serialize(secret.as_bytes())
                .collect::<String>()
                .replace('+', "%20"),
        ] {
            self.add_form(form);
        }
    }

    /// Also removes this text, which is a secret in one further form.
    pub(crate) fn add_form(&mut self, form: String) {
        // Such a form could not be distinguished from the text that replaces it.
        if REDACTED.contains(&form) {
            return;
        }
        self.forms.push(form.into());
        self.forms
            .sort_by_key(|form| std::cmp::Reverse(form.expose_secret().len()));
    }

    /// The text as it may be shown: printable ASCII without quotes and backslashes, one line, at most 200 characters.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        let printable: String = self
            .without_secrets(text)
            .chars()
            .map(|c| if c.is_whitespace() { ' ' } else { c })
            .filter(|c| matches!(c, ' '..='!' | '#'..='[' | ']'..='~'))
            .collect();
        let one_line = printable
            .split(' ')
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        // Dropping a character can put a secret together that the provider's text had cut apart.
        let one_line = self.unless_it_shows_a_secret(one_line);
        let mut text = self.unless_it_shows_a_secret(without_token_runs(&one_line));
        // Only ASCII is left, so a byte is a character.
        text.truncate(LONGEST);
        text.trim_end().to_owned()
    }

    /// A message of our own that was stored, and may have been edited since: each part between two quotes is cleaned.
    #[must_use]
    pub(crate) fn clean_message(&self, text: &str) -> String {
        let parts: Vec<_> = text.split('"').map(|part| self.clean(part)).collect();
        let mut message = self.unless_it_shows_a_secret(parts.join("\""));
        message.truncate(LONGEST_MESSAGE);
        message.trim_end().to_owned()
    }

    /// An error code as it may be shown: it has the shape of RFC 6749's codes, and contains no secret.
    #[must_use]
    pub fn code<'a>(&self, code: &'a str) -> Option<&'a str> {
        let shaped = (1..=64).contains(&code.len())
            && code
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-'));
        (shaped && self.without_secrets(code) == code).then_some(code)
    }

    /// The text without the known secrets. A text must pass through here before it is split: a secret may contain blanks or slashes.
    #[must_use]
    pub fn without_secrets(&self, text: &str) -> String {
        let text = self.forms.iter().fold(text.to_owned(), |text, form| {
            text.replace(form.expose_secret(), REDACTED)
        });
        self.unless_it_shows_a_secret(text)
    }

    /// Encoders differ in the characters that they leave as they are, so no list has every urlencoded form. The text that
    /// replaces a secret may also be a part of another secret. A text with either is not shown at all.
    fn unless_it_shows_a_secret(&self, text: String) -> String {
        let shows = |text: &str| {
            let mut forms = self.forms.iter();
            forms.any(|form| text.contains(form.expose_secret()))
        };
        if shows(&text) || shows(&decoded(&text)) || shows(&decoded(&text.replace('+', "%2B"))) {
            REDACTED.to_owned()
        } else {
            text
        }
    }
}

/// The text without urlencoding.
fn decoded(text: &str) -> String {
    let one_name = text.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(one_name.as_bytes())
        .map(|(name, _)| name)
        .collect()
}

fn without_token_runs(text: &str) -> String {
    let in_token = |c: char| c.is_ascii_alphanumeric() || "_.~+/=-".contains(c);
    let mut shown = String::new();
    let mut run = String::new();
    for c in text.chars().map(Some).chain([None]) {
        if let Some(c) = c.filter(|c| in_token(*c)) {
            run.push(c);
            continue;
        }
        shown.push_str(if run.len() >= TOKEN_RUN {
            REDACTED
        } else {
            &run
        });
        run.clear();
        shown.extend(c);
    }
    shown
}

#[cfg(test)]
mod tests;
