//! Whether a text shows a secret.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};

/// What stands in place of a secret; one of dots alone is not told from it.
pub(crate) const REDACTED: &str = "...";

/// The forms in which a secret is not to be seen, besides those of urlencoding, of which there are many.
pub(crate) fn forms(secret: &str) -> impl Iterator<Item = String> {
    let forms = [
        secret.to_owned(),
        STANDARD.encode(secret),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
    ];
    forms.into_iter().filter(|form| !REDACTED.contains(form))
}

/// Whether a text shows a secret as it is, in base64, or urlencoded by any rules.
pub(crate) fn shows(text: &str, secret: &str) -> bool {
    let holds = |text: &str| forms(secret).any(|form| text.contains(&form));
    holds(text) || holds(&decoded(text, '+')) || holds(&decoded(text, ' '))
}

/// The text without urlencoding, in which a plus sign is one or means a blank.
fn decoded(text: &str, plus: char) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after
            .get(..2)
            .and_then(|digits| str::from_utf8(digits).ok());
        let byte = digits
            .filter(|digits| *first == b'%' && digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = if byte.is_some() { &after[2..] } else { after };
        bytes.push(byte.unwrap_or(if *first == b'+' { plus as u8 } else { *first }));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What every text of others that is shown has in common: one line of printable ASCII, short, with nothing in it that could be
/// a token.
pub(crate) fn is_fit_to_be_shown(text: &str) -> bool {
    let in_token = |c: char| c.is_ascii_alphanumeric() || "_.~+/=-".contains(c);
    text.len() <= 200
        && text
            .bytes()
            .all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\')
        && text.trim() == text
        && !text.contains("  ")
        && text.split(|c| !in_token(c)).all(|run| run.len() < 20)
}

/// One or more `VSCHAR` of RFC 6749, appendix A.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, b' '..=b'~'))
}
