//! The texts of a spec that stand in a form or in a JWT.

use super::error::SettingsError;

pub(super) fn printable(field: &'static str, text: &str) -> Result<(), SettingsError> {
    let is_printable = text.bytes().all(|b| matches!(b, b' '..=b'~'));
    if is_printable && !text.is_empty() && text.trim() == text {
        return Ok(());
    }
    Err(SettingsError::Unprintable(field))
}
