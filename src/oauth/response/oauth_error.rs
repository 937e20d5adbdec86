//! The `error` field of a response (RFC 6749, section 5.2).

use thiserror::Error;

use crate::{api::Reason, oauth::grant::Grant, scrub::Scrubber};

/// An error that a response names by its code, with what that code means.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}{}", code_shown(code.as_deref()), description_shown(description.as_deref()))]
pub(super) struct OAuthError {
    reason: Reason,
    /// `None`: it may not be shown, because it contains a secret.
    code: Option<String>,
    pub(super) description: Option<String>,
}

fn code_shown(code: Option<&str>) -> String {
    code.map_or_else(String::new, |code| format!(" {code}"))
}

/// The words before the description keep readers from taking it for ours.
pub(super) fn description_shown(description: Option<&str>) -> String {
    description.map_or_else(String::new, |text| {
        format!(" (the provider says: \"{text}\")")
    })
}

impl OAuthError {
    /// The meaning of a code in a response with this status to a request with this grant; `None` if the code is not known.
    pub(super) fn read(
        code: &str,
        status: u16,
        grant: &Grant,
        scrubber: &Scrubber,
        description: Option<String>,
    ) -> Option<Self> {
        let reason = match code {
            "invalid_client" | "incorrect_client_credentials" => Reason::InvalidClient,
            "access_denied" if status == 401 => Reason::InvalidClient,
            "invalid_grant" => grant.invalid_grant(),
            "unauthorized_client" => Reason::UnauthorizedClient,
            "unsupported_grant_type" => Reason::UnsupportedGrantType,
            "invalid_scope" => Reason::InvalidScope,
            "invalid_target" => Reason::InvalidTarget,
            "invalid_request" => Reason::InvalidRequest,
            "slow_down" => Reason::RateLimited,
            _ => return None,
        };
        Some(Self {
            reason,
            code: scrubber.code(code).map(str::to_owned),
            description,
        })
    }

    pub(super) fn reason(&self) -> Reason {
        self.reason
    }

    pub(super) fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }
}
