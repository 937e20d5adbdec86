//! What is shown of a provider's text: lines `secret: …`, an empty line, the text.

use cube_operator::scrub::Scrubber;

use super::{
    input::Input,
    request::{CLIENT_ID, request},
    secrets::{forms, is_fit_to_be_shown, shows},
};

pub(crate) fn holds(bytes: &[u8]) {
    let input = Input::read(bytes);
    let secrets = input.under("secret").map(|(_, secret)| secret);
    let secrets: Vec<&str> = secrets.take(4).collect();
    let scrubber = scrubber(&secrets);
    let text = String::from_utf8_lossy(&input.rest);

    is_clean(&scrubber, &text, &secrets);
    if let Some(code) = scrubber.code(&text) {
        assert!(code.len() <= 64 && is_fit_code(&code), "{code}");
        none_shows(&code, &secrets);
    }
    // The same with each secret in the middle of it.
    let middle = (text.len() / 2..text.len()).find(|at| text.is_char_boundary(*at));
    let (before, after) = text.split_at(middle.unwrap_or(text.len()));
    for form in secrets.iter().flat_map(|secret| forms(secret)) {
        is_clean(&scrubber, &format!("{before}{form}{after}"), &secrets);
    }
}

/// The first two secrets are those of the request.
fn scrubber(secrets: &[&str]) -> Scrubber {
    let secret = |index: usize| secrets.get(index).copied();
    let mut scrubber = request(secret(0), secret(1)).scrubber();
    for secret in secrets.iter().skip(2) {
        scrubber.add(secret);
    }
    scrubber
}

fn is_clean(scrubber: &Scrubber, text: &str, secrets: &[&str]) {
    let shown = scrubber.clean(text);
    assert!(is_fit_to_be_shown(&shown), "{text:?} is shown as {shown:?}");
    none_shows(&shown, secrets);
    assert_eq!(
        scrubber.clean(&shown),
        shown,
        "to scrub it again changes it"
    );
    none_shows(&scrubber.without_secrets(text), secrets);
    let mut hidden = secrets.iter().chain([&CLIENT_ID]);
    if is_fit_to_be_shown(text) && !hidden.any(|secret| shows(text, secret)) {
        assert_eq!(shown, text, "there is nothing to hide");
    }
}

fn none_shows(shown: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(!shows(shown, secret), "{shown:?} shows {secret:?}");
    }
}

fn is_fit_code(code: &str) -> bool {
    !code.is_empty()
        && code
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b))
}
