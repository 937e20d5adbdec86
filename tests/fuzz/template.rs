//! Templates of a target: lines `token: …`, `keys: …` and `response.NAME: JSON`, then a template, which each key has.

use std::collections::BTreeMap;

use cube_operator::{
    oauth::response::Scalar,
    template::{LARGEST_OUTPUT, TemplateError, Templates, Values},
};
use secrecy::{ExposeSecret, SecretString};

use super::{input::Input, secrets::shows};

/// The most characters of a message.
const LONGEST: usize = 250;

const CLIENT_ID: &str = "SECRET-CLIENT-ID";

struct Case {
    template: String,
    token: SecretString,
    response: BTreeMap<String, Scalar>,
}

pub(crate) fn holds(bytes: &[u8]) {
    let input = Input::read(bytes);
    let response = input
        .under("response.")
        .filter_map(|(name, value)| Some((name.to_owned(), serde_json::from_str(value).ok()?)));
    let case = Case {
        template: String::from_utf8_lossy(&input.rest).into_owned(),
        token: input.get("token").unwrap_or("SECRET-TOKEN-1").into(),
        response: response.collect(),
    };
    // Each compiled template takes some memory, whatever its length.
    let keys = input.get("keys").and_then(|keys| keys.parse::<u8>().ok());
    let keys = keys.filter(|keys| *keys <= 8 || *keys > 32);
    let texts = (0..keys.unwrap_or(1)).map(|key| (format!("k{key}"), case.template.clone()));
    match Templates::compile(&texts.collect()) {
        Ok(templates) => {
            case.renders(&templates, Some(&case.response));
            case.renders(&templates, None);
        }
        Err(error) => case.is_fit(&error),
    }
}

impl Case {
    fn renders(&self, templates: &Templates, response: Option<&BTreeMap<String, Scalar>>) {
        let values = Values {
            access_token: &self.token,
            token_type: "Bearer",
            issued_at: jiff::Timestamp::UNIX_EPOCH,
            expires_at: jiff::Timestamp::MAX,
            scopes: &["read".to_owned()],
            client_id: CLIENT_ID,
            namespace: "treasury",
            name: "main",
            response,
        };
        match templates.render(&values) {
            Ok(rendered) => {
                assert!(rendered.keys().map(String::as_str).eq(templates.keys()));
                let lengths = rendered.values().map(|text| text.expose_secret().len());
                assert!(lengths.sum::<usize>() <= LARGEST_OUTPUT);
                let mut texts = rendered.values().map(ExposeSecret::expose_secret);
                let first = texts.next();
                assert!(
                    texts.all(|text| Some(text) == first),
                    "one template, two texts"
                );
                let may_have_token = self.template.contains("access_token")
                    || self.template.contains(self.token.expose_secret())
                    || self
                        .response
                        .values()
                        .any(|value| matches!(value, Scalar::Text(_)));
                assert!(
                    may_have_token || !first.is_some_and(|text| self.shows_token(text)),
                    "a template that does not name the token has it"
                );
            }
            Err(error) => self.is_fit(&error),
        }
    }

    fn shows_token(&self, text: &str) -> bool {
        self.token.expose_secret().len() > 8 && shows(text, self.token.expose_secret())
    }

    /// The author wrote the words of the template, and may write a value into it by chance: only what is not there is a secret.
    fn is_fit(&self, error: &TemplateError) {
        let shown = format!("{error}");
        assert!(shown.chars().count() <= LONGEST, "{shown}");
        assert!(!shown.contains(char::is_control), "{shown}");
        let all = format!("{shown}\n{error:?}");
        let texts = self.response.values().filter_map(|value| match value {
            Scalar::Text(text) => Some(text.as_str()),
            Scalar::Number(_) | Scalar::Boolean(_) => None,
        });
        for secret in texts.chain([self.token.expose_secret(), CLIENT_ID]) {
            let is_word = secret.len() <= 8 || self.template.contains(secret);
            let is_name = self.response.keys().any(|name| name.contains(secret));
            assert!(is_word || is_name || !shows(&all, secret), "{all}");
        }
    }
}
