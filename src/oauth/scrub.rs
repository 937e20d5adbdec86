//! What may be shown of a provider's own words. Everything that leaves the program passes through here.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use super::request::{TokenRequest, basic};

/// The most characters of a provider's description that are shown.
const LONGEST: usize = 200;
/// A run of token characters of this length may be a token, a key or an echo of one.
const TOKEN_RUN: usize = 20;
const REDACTED: &str = "...";

/// Removes the secrets in play, and all that could be one, from a provider's text.
#[derive(Default)]
pub struct Scrubber {
    /// Every form of every secret, longest first, so that no rest of a longer form survives a shorter one.
    forms: Vec<SecretString>,
}

impl Scrubber {
    /// A scrubber for this exchange.
    #[must_use]
    pub fn for_request(request: &TokenRequest) -> Self {
        let mut scrubber = Self::default();
        let client = &request.client;
        if let Some(secret) = &client.secret {
            let header = basic(client);
            scrubber.add(secret.expose_secret());
            scrubber.add_form(header.trim_start_matches("Basic ").into());
            let pair = format!("{}:{}", client.id, secret.expose_secret());
            scrubber.add_form(STANDARD.encode(pair));
        }
        if let Some(token) = &request.refresh_token {
            scrubber.add(token.expose_secret());
        }
        scrubber
    }

    /// A scrubber for these secrets.
    #[must_use]
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a SecretString>) -> Self {
        let mut scrubber = Self { forms: Vec::new() };
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

    fn add_form(&mut self, form: String) {
        // Nobody tells it from what stands in its place.
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

    /// An error code as it may be shown: only of the shape of RFC 6749's codes, and no secret.
    #[must_use]
    pub fn code<'a>(&self, code: &'a str) -> Option<&'a str> {
        let shaped = (1..=64).contains(&code.len())
            && code
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-'));
        (shaped && self.without_secrets(code) == code).then_some(code)
    }

    /// The text without the secrets in play. To be done before a text is taken apart: a secret may have blanks or slashes.
    #[must_use]
    pub fn without_secrets(&self, text: &str) -> String {
        let text = self.forms.iter().fold(text.to_owned(), |text, form| {
            text.replace(form.expose_secret(), REDACTED)
        });
        self.unless_it_shows_a_secret(text)
    }

    /// Encoders differ in which characters they leave as they are, so no list has every urlencoded form; and what stands in
    /// place of a secret may be a part of another one. Such a text is not worth mending.
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
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        api::ClientAuthentication,
        oauth::{endpoint::Endpoint, request::Client},
    };

    fn scrubber(secret: &str) -> Scrubber {
        let request = TokenRequest {
            endpoint: Endpoint::parse("https://example.com/token").unwrap(),
            client: Client {
                id: "id".into(),
                secret: Some(secret.into()),
            },
            authentication: ClientAuthentication::Basic,
            refresh_token: Some("r3fr3sh&".into()),
            scopes: Vec::new(),
            parameters: BTreeMap::new(),
            ca_bundle: None,
        };
        Scrubber::for_request(&request)
    }

    #[test]
    fn a_description_is_one_printable_line_without_quotes() {
        assert_eq!(
            scrubber("zzz").clean("  bad\r\n\t \"client\" \\ é \u{7f}id "),
            "bad client id"
        );
    }

    #[test]
    fn a_secret_is_removed_in_every_form() {
        let scrubber = scrubber("p&ss wörd?");
        for echo in [
            "p&ss wörd?".to_owned(),
            STANDARD.encode("p&ss wörd?"),
            URL_SAFE_NO_PAD.encode("p&ss wörd?"),
            "p%26ss+w%C3%B6rd%3F".to_owned(),
            "p%26ss%20w%C3%B6rd%3F".to_owned(),
            STANDARD.encode("id:p&ss wörd?"),
        ] {
            assert_eq!(
                scrubber.clean(&format!("got [{echo}] from you")),
                "got [...] from you",
                "{echo}"
            );
        }
    }

    #[test]
    fn a_refresh_token_is_removed_like_a_client_secret() {
        assert_eq!(
            scrubber("zzz").clean("r3fr3sh& or r3fr3sh%26"),
            "... or ..."
        );
    }

    #[test]
    fn a_secret_that_was_cut_apart_does_not_grow_together() {
        assert_eq!(scrubber("hunter2").clean("got hun\"ter2"), "...");
    }

    #[test]
    fn a_text_with_a_secret_that_was_encoded_by_other_rules_is_not_shown() {
        let scrubber = scrubber("a!b~c&d+e");
        for echo in ["a!b~c%26d+e", "a!b~c&d%2be", "%61!b~c&d+e"] {
            assert_eq!(scrubber.clean(&format!("got {echo}")), "...", "{echo}");
        }
        assert_eq!(scrubber.clean("100 % of a!b~c"), "100 % of a!b~c");
    }

    #[test]
    fn what_stands_in_place_of_a_secret_completes_no_other_one() {
        let mut scrubber = scrubber("x");
        scrubber.add("a...b");
        assert_eq!(scrubber.clean("axb"), "...");
        assert_eq!(scrubber.clean("a0123456789abcdefghijb"), "...");
        scrubber.add(".");
        assert_eq!(scrubber.clean("wait. then go."), "wait. then go.");
    }

    #[test]
    fn a_text_that_is_cut_has_no_blank_at_its_end() {
        let text = format!("{} end", "nineteen characters ".repeat(10).trim_end());
        assert_eq!(scrubber("zzz").clean(&text), text[..199]);
    }

    #[test]
    fn anything_that_could_be_a_token_is_removed() {
        assert_eq!(
            scrubber("zzz").clean("token abcdefghij0123456789 is unknown"),
            "token ... is unknown"
        );
        assert_eq!(
            scrubber("zzz").clean("token abcdefghij012345678 is unknown"),
            "token abcdefghij012345678 is unknown"
        );
    }

    #[test]
    fn a_code_has_the_shape_of_a_code() {
        let scrubber = scrubber("hunter2");
        assert_eq!(scrubber.code("invalid_client"), Some("invalid_client"));
        for code in [
            "",
            "Invalid",
            "a b",
            "hunter2",
            "invalid_hunter2",
            &"a".repeat(65),
        ] {
            assert_eq!(scrubber.code(code), None, "{code}");
        }
    }

    proptest! {
        #[test]
        fn no_text_shows_a_secret(before in ".{0,40}", secret in "[ -~]{6,30}", after in ".{0,300}") {
            let shown = scrubber(&secret).clean(&format!("{before}{secret}{after}"));
            prop_assert!(!shown.contains(&secret));
            prop_assert!(shown.len() <= LONGEST);
            prop_assert!(shown.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\'));
        }
    }
}
