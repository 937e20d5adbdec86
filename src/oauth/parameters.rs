//! The names of form fields that a spec may add to a request, in `parameters` or in the query of `tokenURL`.

/// The fields that the operator sets itself, or that another grant than the spec's would need.
const RESERVED: [&str; 13] = [
    "grant_type",
    "client_id",
    "client_secret",
    "refresh_token",
    "scope",
    "response_type",
    "username",
    "password",
    "code",
    "code_verifier",
    "redirect_uri",
    "assertion",
    "device_code",
];

/// The beginnings of further ones: client assertions (RFC 7523) and token exchange (RFC 8693).
const RESERVED_PREFIXES: [&str; 4] = [
    "client_assertion",
    "subject_token",
    "actor_token",
    "requested_",
];

/// Returns whether a form field may have this name at all.
#[must_use]
pub(crate) fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    !name.is_empty() && name.bytes().all(allowed)
}

/// Returns whether a server could read a field of this name as one that the operator sets. Some ignore case, and PHP reads
/// `grant.type`, `grant type` and `grant_type[]` as `grant_type`.
#[must_use]
pub(crate) fn is_reserved(name: &str) -> bool {
    let name = name.split('[').next().unwrap_or_default();
    let name = name.trim().to_ascii_lowercase().replace(['.', ' '], "_");
    RESERVED.contains(&name.as_str())
        || RESERVED_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_a_server_could_read_as_one_of_the_operators_is_reserved() {
        for name in [
            "grant_type",
            "Grant_Type",
            "SCOPE",
            "grant.type",
            "grant type",
            " grant_type",
            "grant_type[]",
            "client_assertion_type",
            "subject_token",
            "ACTOR_TOKEN_TYPE",
            "requested_token_use",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        for name in [
            "audience",
            "resource",
            "scopes",
            "account_id",
            "my_code",
            "requested",
        ] {
            assert!(!is_reserved(name), "{name}");
        }
    }

    #[test]
    fn a_name_has_letters_digits_and_three_marks() {
        assert!(is_name("Audience_2.x-y"));
        for name in ["", "a b", "a[]", "\u{e9}", "a=b", "a&b", "\u{17f}cope"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
