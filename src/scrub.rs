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
/// A client id of fewer characters may be an ordinary word, or a part of one: it is removed only where it stands alone.
const SHORT_ID: usize = 12;
const REDACTED: &str = "...";

/// Removes known secrets, and everything that could be one, from a text.
#[derive(Default)]
pub struct Scrubber {
    /// Every form of every secret, longest first: otherwise a shorter form could leave the rest of a longer one behind.
    forms: Vec<Form>,
}

/// A text that is removed.
struct Form {
    text: SecretString,
    /// True if it is removed only where it stands alone.
    whole_words: bool,
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
        self.add_forms(secret, false);
    }

    /// Also removes this client id. It is no secret, but with the keys of its Secret swapped it is the client secret.
    pub fn add_client_id(&mut self, id: &str) {
        self.add_forms(id, id.len() < SHORT_ID);
    }

    /// Also removes this text, which is a secret in one further form.
    pub(crate) fn add_form(&mut self, form: String) {
        self.insert(form, false);
    }

    fn add_forms(&mut self, secret: &str, whole_words: bool) {
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
            self.insert(form, whole_words);
        }
    }

    fn insert(&mut self, form: String, whole_words: bool) {
        // Such a form could not be distinguished from the text that replaces it.
        if REDACTED.contains(&form) {
            return;
        }
        // Most secrets are the same in several forms.
        let same =
            |other: &Form| other.whole_words == whole_words && other.text.expose_secret() == form;
        if self.forms.iter().any(same) {
            return;
        }
        let length = form.len();
        let place = |other: &Form| other.text.expose_secret().len() >= length;
        let text = form.into();
        self.forms.insert(
            self.forms.partition_point(place),
            Form { text, whole_words },
        );
    }

    /// The text as it may be shown: printable ASCII without quotes and backslashes, one line, at most 200 characters.
    #[must_use]
    pub fn clean(&self, text: &str) -> String {
        self.cleaned(text, |_| false)
    }

    /// The same with the long runs of token characters that `keeps` accepts.
    fn cleaned(&self, text: &str, keeps: impl Fn(&str) -> bool) -> String {
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
        let mut text = self.unless_it_shows_a_secret(without_token_runs(&one_line, keeps));
        // Only ASCII is left, so a byte is a character.
        text.truncate(LONGEST);
        text.trim_end().to_owned()
    }

    /// A message of our own that was stored, and may have been edited since: each part between two quotes is cleaned. The others
    /// may name an error code.
    #[must_use]
    pub(crate) fn clean_message(&self, text: &str) -> String {
        let parts = text.split('"').enumerate().map(|(index, part)| {
            let is_ours = index.is_multiple_of(2);
            let cleaned = self.cleaned(part, |run| is_ours && is_made_of_words(run));
            // A blank next to a quote is a part of the sentence.
            let blank = |is_there: bool| if is_there { " " } else { "" };
            let (before, after) = (blank(part.starts_with(' ')), blank(part.ends_with(' ')));
            format!("{before}{cleaned}{after}")
        });
        let parts: Vec<_> = parts.collect();
        let mut message = self.unless_it_shows_a_secret(parts.join("\""));
        message.truncate(LONGEST_MESSAGE);
        message.trim().to_owned()
    }

    /// An error code as it may be shown: it has the shape of RFC 6749's codes, is not long without being made of words, and
    /// contains no secret. A short client id counts only if it is the whole code, because `invalid_client` has the word `client`
    /// in it. Upper case is shown as lower case.
    #[must_use]
    pub fn code(&self, code: &str) -> Option<String> {
        let code = code.to_ascii_lowercase();
        let shaped = (1..=64).contains(&code.len())
            && code
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-'));
        // A secret in upper case must not be shown in lower case either.
        let hides = |form: &Form| {
            let form_text = form.text.expose_secret().to_ascii_lowercase();
            if form.whole_words {
                form_text == code
            } else {
                code.contains(&form_text)
            }
        };
        let readable = code.len() < TOKEN_RUN || is_made_of_words(&code);
        let hidden = shaped && readable && self.forms.iter().any(hides);
        (shaped && readable && !hidden).then_some(code)
    }

    /// The text without the known secrets. A text must pass through here before it is split: a secret may contain blanks or
    /// slashes.
    #[must_use]
    pub fn without_secrets(&self, text: &str) -> String {
        let forms = self.forms.iter();
        let text = forms.fold(text.to_owned(), |text, form| form.removed_from(text));
        self.unless_it_shows_a_secret(text)
    }

    /// Encoders differ in the characters that they leave as they are, so no list has every urlencoded form. The text that
    /// replaces a secret may also be a part of another secret. A text with either is not shown at all.
    fn unless_it_shows_a_secret(&self, text: String) -> String {
        let shows = |text: &str| self.forms.iter().any(|form| form.is_in(text));
        let decoded = || [decoded(&text), decoded(&text.replace('+', "%2B"))];
        let is_encoded = text.contains(['%', '+']);
        if shows(&text) || (is_encoded && decoded().iter().any(|text| shows(text))) {
            REDACTED.to_owned()
        } else {
            text
        }
    }
}

impl Form {
    fn is_in(&self, text: &str) -> bool {
        self.may_be_in(text) && self.places_in(text).next().is_some()
    }

    /// A search prepares itself for its text at a cost, and most texts are shorter than most secrets.
    fn may_be_in(&self, text: &str) -> bool {
        self.text.expose_secret().len() <= text.len()
    }

    fn removed_from(&self, text: String) -> String {
        if !self.is_in(&text) {
            return text;
        }
        let mut shown = String::new();
        let mut rest = 0;
        for (start, end) in self.places_in(&text) {
            shown.push_str(&text[rest..start]);
            shown.push_str(REDACTED);
            rest = end;
        }
        shown + &text[rest..]
    }

    /// The start and end of each occurrence in the text.
    fn places_in<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, usize)> + 'a {
        let places = text.match_indices(self.text.expose_secret());
        let places = places.map(|(start, found)| (start, start + found.len()));
        places.filter(|(start, end)| !self.whole_words || stands_alone(text, *start, *end))
    }
}

/// Returns whether a text has only words of lower-case letters, none of which is long enough to be a token.
fn is_made_of_words(text: &str) -> bool {
    let mut words = text.split(['_', '.', '-']);
    words.all(|word| word.len() < TOKEN_RUN && word.bytes().all(|b| b.is_ascii_lowercase()))
}

/// Returns whether no letter or digit is next to this part of the text.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let in_word = |c: char| c.is_ascii_alphanumeric();
    !text[..start].ends_with(in_word) && !text[end..].starts_with(in_word)
}

/// A foreign text on one line, without characters that are not seen: control characters, marks that change the direction
/// of writing, and others that could make it look like another text. `char::escape_debug` escapes them, and combining marks.
#[must_use]
pub(crate) fn visible(text: &str) -> String {
    // Most texts are plain ASCII, and a status has several.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.to_owned();
    }
    let blank = |c: char| if c.is_whitespace() { ' ' } else { c };
    text.chars().map(blank).filter(|c| is_visible(*c)).collect()
}

fn is_visible(c: char) -> bool {
    match c {
        '\'' | '"' | '\\' => true,
        // They count as letters and symbols, and are drawn as blanks.
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}' => false,
        c => c.escape_debug().len() == 1,
    }
}

/// The text without urlencoding.
fn decoded(text: &str) -> String {
    let one_name = text.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(one_name.as_bytes())
        .map(|(name, _)| name)
        .collect()
}

fn without_token_runs(text: &str, keeps: impl Fn(&str) -> bool) -> String {
    let in_token = |c: char| c.is_ascii_alphanumeric() || "_.~+/=-".contains(c);
    let mut shown = String::new();
    let mut run = String::new();
    for c in text.chars().map(Some).chain([None]) {
        if let Some(c) = c.filter(|c| in_token(*c)) {
            run.push(c);
            continue;
        }
        shown.push_str(if run.len() >= TOKEN_RUN && !keeps(&run) {
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
