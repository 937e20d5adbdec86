//! What people see of a response.

use cube_operator::{
    api::Grant,
    oauth::response::{Parsed, Response},
};

use super::{CLIENT_SECRET, REFRESH_TOKEN, json, text};
use crate::targets::secrets::{is_fit_to_be_shown, shows};

/// The words before a provider's description.
const PROVIDER_SAYS: &str = " (the provider says: \"";

pub(super) fn nothing_shows_a_secret(answer: &Response, reading: &Parsed, grant: Grant) {
    let mut secrets = vec![CLIENT_SECRET.to_owned()];
    secrets.extend((grant == Grant::RefreshToken).then(|| REFRESH_TOKEN.to_owned()));
    let debugged = format!("{answer:?} {reading:?}");
    for secret in &secrets {
        assert!(!shows(&debugged, secret), "{debugged}");
    }
    if let Some(fields) = json(answer) {
        let sent = ["access_token", "refresh_token", "id_token"];
        secrets.extend(
            sent.iter()
                .filter_map(|name| text(&fields, name))
                .map(Into::into),
        );
    }
    let texts = match &reading.outcome {
        Ok(issued) => issued.scopes.clone(),
        Err(refusal) => words_of_others(answer.status, &refusal.to_string()),
    };
    for text in texts {
        for secret in &secrets {
            assert!(!shows(&text, secret), "{text:?} shows {secret:?}");
        }
    }
}

/// The parts that a message quotes. All other words in it are ours.
fn words_of_others(status: u16, message: &str) -> Vec<String> {
    let ours = format!("token endpoint responded {status}");
    let rest = message
        .strip_prefix(&ours)
        .expect("each message begins with the status");
    let plain = [
        "",
        " with more than 256 KiB",
        " with an incomplete body (connection closed early)",
        " with a body that is neither JSON nor form-encoded",
        " without a usable access_token",
        " with a token_type other than Bearer",
        " with an HTML page, not JSON",
        " with a redirect, which is not followed",
    ];
    if plain.contains(&rest) {
        return vec![];
    }
    let redirect = rest
        .strip_prefix(" with a redirect to \"")
        .and_then(|rest| rest.strip_suffix("\", which is not followed"));
    if let Some(url) = redirect {
        // A relative one has none.
        let (_, rest) = url.split_once("://").unwrap_or_default();
        let authority = rest.split('/').next().unwrap_or_default();
        assert!(
            url.len() <= 200 && !url.contains(['?', '#']) && !authority.contains('@'),
            "{url}"
        );
        assert!(url.bytes().all(|b| matches!(b, b'!'..=b'~')), "{url}");
        return vec![url.into()];
    }
    let (code, description) = match rest.split_once(PROVIDER_SAYS) {
        Some((code, description)) => (
            code,
            description
                .strip_suffix("\")")
                .expect("the quotes are closed"),
        ),
        None => (rest, ""),
    };
    assert!(is_fit_to_be_shown(description), "{description}");
    let code = code.strip_prefix(' ').unwrap_or(code);
    assert!(
        code.len() <= 64
            && code
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b)),
        "{code}"
    );
    vec![code.into(), description.into()]
}
