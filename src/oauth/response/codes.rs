//! The error codes that providers use, and their meaning.

use crate::{api::Reason, oauth::grant::Grant};

/// The meaning of an error code.
#[derive(Clone, Copy)]
enum Meaning {
    /// It always has this reason.
    Is(Reason),
    /// The grant decides (RFC 6749, section 5.2).
    InvalidGrant,
    /// The refresh token, or the subject token, is dead. Other grants have none.
    DeadRefreshToken,
    /// The same, unless the status is 401: then it may be a resource server's word for a missing access token (RFC 6750).
    InvalidToken,
    /// The client was refused, if the status says so.
    AccessDenied,
    /// The server failed on the way (RFC 6749, section 4.1.2.1), unless the status says that it refused: `ServiceNow` gives such a
    /// code to wrong credentials, with a 401.
    ServerFailed,
}

/// The codes of RFC 6749, of its extensions, and those of providers that have words of their own for them.
const CODES: &[(&str, Meaning)] = {
    use Meaning::{AccessDenied, DeadRefreshToken, InvalidGrant, InvalidToken, Is, ServerFailed};
    &[
        ("invalid_client", Is(Reason::InvalidClient)),
        ("incorrect_client_credentials", Is(Reason::InvalidClient)),
        ("invalid_client_id", Is(Reason::InvalidClient)),
        ("invalid_client_secret", Is(Reason::InvalidClient)),
        ("invalid_client_credentials", Is(Reason::InvalidClient)),
        ("bad_client_id", Is(Reason::InvalidClient)),
        ("bad_client_secret", Is(Reason::InvalidClient)),
        ("deleted_client", Is(Reason::InvalidClient)),
        ("disabled_client", Is(Reason::InvalidClient)),
        ("access_denied", AccessDenied),
        ("invalid_grant", InvalidGrant),
        ("bad_refresh_token", DeadRefreshToken),
        ("invalid_refresh_token", DeadRefreshToken),
        ("refresh_token_invalid", DeadRefreshToken),
        ("expired_refresh_token", DeadRefreshToken),
        ("refresh_token_expired", DeadRefreshToken),
        ("revoked_refresh_token", DeadRefreshToken),
        ("refresh_token_revoked", DeadRefreshToken),
        ("inactive_refresh_token", DeadRefreshToken),
        ("refresh_token_inactive", DeadRefreshToken),
        ("reused_refresh_token", DeadRefreshToken),
        ("refresh_token_reused", DeadRefreshToken),
        ("used_refresh_token", DeadRefreshToken),
        ("refresh_token_used", DeadRefreshToken),
        ("refresh_token_already_used", DeadRefreshToken),
        ("unknown_refresh_token", DeadRefreshToken),
        ("refresh_token_not_found", DeadRefreshToken),
        ("refresh_token_is_invalid", DeadRefreshToken),
        ("invalid_token", InvalidToken),
        ("token_invalid", DeadRefreshToken),
        ("expired_token", DeadRefreshToken),
        ("token_expired", DeadRefreshToken),
        ("revoked_token", DeadRefreshToken),
        ("token_revoked", DeadRefreshToken),
        ("inactive_token", DeadRefreshToken),
        ("token_inactive", DeadRefreshToken),
        ("token_reused", DeadRefreshToken),
        ("token_already_used", DeadRefreshToken),
        ("token_not_found", DeadRefreshToken),
        ("unknown_token", DeadRefreshToken),
        ("invalid_code", DeadRefreshToken),
        ("unauthorized_client", Is(Reason::UnauthorizedClient)),
        ("unsupported_grant_type", Is(Reason::UnsupportedGrantType)),
        ("invalid_scope", Is(Reason::InvalidScope)),
        ("invalid_target", Is(Reason::InvalidTarget)),
        ("invalid_request", Is(Reason::InvalidRequest)),
        ("slow_down", Is(Reason::RateLimited)),
        ("rate_limited", Is(Reason::RateLimited)),
        ("rate_limit_exceeded", Is(Reason::RateLimited)),
        ("too_many_requests", Is(Reason::RateLimited)),
        ("temporarily_unavailable", Is(Reason::Unavailable)),
        ("service_unavailable", Is(Reason::Unavailable)),
        ("server_error", ServerFailed),
        ("internal_server_error", ServerFailed),
    ]
};

/// A code with its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KnownCode {
    /// The code as RFC 6749 would write it.
    pub(super) name: &'static str,
    pub(super) reason: Reason,
    /// True if the request may have been served all the same.
    pub(super) leaves_doubt: bool,
}

/// The codes that are about the client secret, or about the client's authentication as a whole.
const REFUSES_SECRET: [&str; 5] = [
    "invalid_client",
    "incorrect_client_credentials",
    "invalid_client_secret",
    "invalid_client_credentials",
    "bad_client_secret",
];

impl KnownCode {
    /// Returns whether another client secret may be accepted after it. A code for a denied access may come after the client was
    /// accepted, and Keycloak calls a wrong secret `unauthorized_client`, with a status that RFC 6749 does not have for that code.
    pub(super) fn refuses_secret(self, status: u16) -> bool {
        REFUSES_SECRET.contains(&self.name) || (self.name == "unauthorized_client" && status == 401)
    }

    /// The meaning of a code in a response with this status to a request with this grant; `None` if it is not known.
    pub(super) fn find(code: &str, status: u16, grant: &Grant) -> Option<Self> {
        let (name, meaning) = CODES.iter().find(|(known, _)| is_same_name(code, known))?;
        let dead = || grant.invalid_token();
        let reason = match meaning {
            Meaning::Is(reason) => *reason,
            Meaning::InvalidGrant => grant.invalid_grant(),
            Meaning::DeadRefreshToken => dead()?,
            Meaning::InvalidToken if status != 401 => dead()?,
            Meaning::AccessDenied if status == 401 => Reason::InvalidClient,
            Meaning::ServerFailed if !matches!(status, 401 | 403) => Reason::Unavailable,
            Meaning::InvalidToken | Meaning::AccessDenied | Meaning::ServerFailed => return None,
        };
        Some(Self {
            name,
            reason,
            leaves_doubt: matches!(meaning, Meaning::ServerFailed),
        })
    }

    /// The meaning of a whole text that speaks of a dead refresh token, where one was sent. A text that says the same of some token
    /// may be about another one, such as an assertion of the client.
    pub(super) fn find_dead(text: &str, grant: &Grant) -> Option<Self> {
        grant.refresh_token()?;
        let speaks = |(name, meaning): &&(&str, Meaning)| {
            matches!(meaning, Meaning::DeadRefreshToken)
                && name.contains("refresh_token")
                && is_same_name(text, name)
        };
        let (name, _) = CODES.iter().find(speaks)?;
        Some(Self {
            name,
            reason: grant.invalid_token()?,
            leaves_doubt: false,
        })
    }

    /// Returns whether the same response may have a better word for a dead refresh token: Atlassian gives `unauthorized_client` to
    /// one, and others `invalid_request`.
    pub(super) fn may_be_dead_token(self) -> bool {
        matches!(
            self.reason,
            Reason::UnauthorizedClient | Reason::InvalidRequest
        )
    }
}

/// Returns whether two names differ only in case and in the characters between their words: `BAD_REFRESH_TOKEN`,
/// `bad-refresh-token` and `BadRefreshToken` are one.
pub(super) fn is_same_name(one: &str, other: &str) -> bool {
    letters(one).eq(letters(other))
}

fn letters(text: &str) -> impl Iterator<Item = char> {
    let letters = text.chars().filter(|c| c.is_alphanumeric());
    letters.map(|c| c.to_ascii_lowercase())
}
