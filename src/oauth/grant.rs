//! The OAuth 2 grants: everything that differs between them.

use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded::Serializer;

use crate::{api::Reason, scrub::Scrubber};

/// The grant of a token request. `T` is the refresh token, or a reference to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant<T = SecretString> {
    /// With the client's own credentials (RFC 6749, section 4.4).
    ClientCredentials,
    /// The same by the name that Zoom gives it.
    AccountCredentials,
    /// With a refresh token (RFC 6749, section 6).
    RefreshToken(T),
}

impl<T> Grant<T> {
    /// The value of `grant_type`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::AccountCredentials => "account_credentials",
            Self::RefreshToken(_) => "refresh_token",
        }
    }

    /// The name in a spec, and in the hash of a token's inputs: another name would replace every token.
    #[must_use]
    pub(crate) fn spec_name(&self) -> &'static str {
        match self {
            Self::ClientCredentials => "ClientCredentials",
            Self::AccountCredentials => "AccountCredentials",
            Self::RefreshToken(_) => "RefreshToken",
        }
    }

    /// Returns whether the request has a parameter with the scopes of the token. A refresh has none, unless the spec lists some
    /// for it: some servers make a narrowed scope permanent.
    #[must_use]
    pub(crate) fn sends_scopes(&self) -> bool {
        match self {
            Self::ClientCredentials | Self::AccountCredentials => true,
            Self::RefreshToken(_) => false,
        }
    }

    /// Returns whether a client without a secret may use it, because something else proves that the token is issued to the right
    /// client.
    #[must_use]
    pub(crate) fn allows_public_clients(&self) -> bool {
        match self {
            Self::ClientCredentials | Self::AccountCredentials => false,
            Self::RefreshToken(_) => true,
        }
    }

    /// Returns whether a response may bring a refresh token that replaces the one that was sent.
    #[must_use]
    pub(crate) fn has_successor(&self) -> bool {
        match self {
            Self::ClientCredentials | Self::AccountCredentials => false,
            Self::RefreshToken(_) => true,
        }
    }

    /// The meaning of the error code `invalid_grant` (RFC 6749, section 5.2).
    #[must_use]
    pub(crate) fn invalid_grant(&self) -> Reason {
        match self {
            Self::ClientCredentials | Self::AccountCredentials => Reason::InvalidGrant,
            Self::RefreshToken(_) => Reason::RefreshTokenRejected,
        }
    }

    /// The refresh token, or the reference to it.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&T> {
        match self {
            Self::ClientCredentials | Self::AccountCredentials => None,
            Self::RefreshToken(token) => Some(token),
        }
    }

    /// The same grant with `find`'s refresh token; `None` if it needs one and there is none.
    pub(crate) fn try_map<U>(&self, find: impl FnOnce(&T) -> Option<U>) -> Option<Grant<U>> {
        match self {
            Self::ClientCredentials => Some(Grant::ClientCredentials),
            Self::AccountCredentials => Some(Grant::AccountCredentials),
            Self::RefreshToken(token) => find(token).map(Grant::RefreshToken),
        }
    }
}

impl Grant {
    /// Adds the form fields of a request.
    pub(super) fn add_fields(&self, form: &mut Serializer<'_, String>) {
        form.append_pair("grant_type", self.name());
        match self {
            Self::ClientCredentials | Self::AccountCredentials => {}
            Self::RefreshToken(token) => {
                form.append_pair("refresh_token", token.expose_secret());
            }
        }
    }

    /// Adds the secrets that a response may repeat.
    pub(super) fn add_secrets(&self, scrubber: &mut Scrubber) {
        match self {
            Self::ClientCredentials | Self::AccountCredentials => {}
            Self::RefreshToken(token) => scrubber.add(token.expose_secret()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_grant_keeps_its_name() {
        for (grant, name) in [
            (Grant::ClientCredentials, "ClientCredentials"),
            (Grant::AccountCredentials, "AccountCredentials"),
            (Grant::RefreshToken(()), "RefreshToken"),
        ] {
            assert_eq!(grant.spec_name(), name);
        }
    }
}
