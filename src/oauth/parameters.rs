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

/// The further parameters that a sign-in sets itself in the authorization URL, or that would set them in another way.
const SET_BY_LOGIN: [&str; 8] = [
    "state",
    "nonce",
    "response_mode",
    "code_challenge",
    "code_challenge_method",
    "request",
    "request_uri",
    "iss",
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
    let name = as_read(name);
    RESERVED.contains(&name.as_str())
        || RESERVED_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// Returns whether an authorization endpoint could read a parameter of this name as one that a sign-in sets.
#[must_use]
pub(crate) fn is_set_by_login(name: &str) -> bool {
    is_reserved(name) || SET_BY_LOGIN.contains(&as_read(name).as_str())
}

/// The name as the most lenient server reads it.
fn as_read(name: &str) -> String {
    let name = name.split('[').next().unwrap_or_default();
    name.trim().to_ascii_lowercase().replace(['.', ' '], "_")
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
    fn a_parameter_that_a_sign_in_sets_is_known() {
        for name in ["state", "Request.URI", "code_challenge_method", "client_id"] {
            assert!(is_set_by_login(name), "{name}");
        }
        assert!(!is_set_by_login("audience") && !is_set_by_login("access_type"));
    }

    #[test]
    fn a_name_has_letters_digits_and_three_marks() {
        assert!(is_name("Audience_2.x-y"));
        for name in ["", "a b", "a[]", "\u{e9}", "a=b", "a&b", "\u{17f}cope"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
