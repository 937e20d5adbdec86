//! Why a response holds no token that can be used.

use jiff::SignedDuration;
use thiserror::Error;

use super::oauth_error::{OAuthError, description_shown};
use crate::api::Reason;

/// Why a response holds no token that can be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the token endpoint answered {status}{fault}")]
pub struct ResponseError {
    pub(super) status: u16,
    pub(super) fault: Fault,
    pub(super) pause: Option<SignedDuration>,
}

/// What is wrong with a response, after its status. All texts of the provider are scrubbed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Fault {
    /// The target has neither a query nor a fragment. `None`: there is none that can be shown.
    #[error(" with a redirect{}, which is never followed", target_shown(target.as_deref()))]
    Redirect { target: Option<String> },
    #[error(" with more than 256 KiB")]
    TooLarge,
    #[error(" with neither a JSON object nor a form")]
    NoFields,
    #[error(" without a usable access_token")]
    NoAccessToken,
    #[error(" with a token_type other than Bearer")]
    NotBearer,
    #[error("{0}")]
    OAuth(OAuthError),
    /// A 403 that is neither JSON nor a form.
    #[error(" with a page, not JSON, so it may come from a proxy or firewall on the way")]
    Page,
    /// The status says everything, except for a description that may come with it.
    #[error("{}", description_shown(description.as_deref()))]
    Status { description: Option<String> },
}

fn target_shown(target: Option<&str>) -> String {
    target.map_or_else(String::new, |target| format!(" to {target:?}"))
}

impl ResponseError {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The reason for conditions, events and metrics.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match &self.fault {
            Fault::Redirect { .. } => Reason::Redirected,
            Fault::TooLarge => Reason::ResponseTooLarge,
            Fault::NoFields | Fault::NoAccessToken => Reason::UnexpectedResponse,
            Fault::NotBearer => Reason::UnsupportedTokenType,
            Fault::OAuth(error) => error.reason(),
            Fault::Page | Fault::Status { .. } => reason_of_status(self.status),
        }
    }

    /// The pause that the provider asked for, 10 seconds to 1 hour.
    #[must_use]
    pub fn pause(&self) -> Option<SignedDuration> {
        self.pause
    }

    /// Whether the provider may have served the request all the same.
    ///
    /// A failing server, or a proxy that lost the server's response, says nothing about what was done. A 2xx without a usable
    /// token may have issued one. A clear refusal (`error`, 4xx, a redirect) served nothing.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        let unusable = match &self.fault {
            Fault::TooLarge | Fault::NoFields | Fault::NoAccessToken | Fault::NotBearer => true,
            Fault::Page | Fault::Status { .. } => matches!(
                reason_of_status(self.status),
                Reason::UnexpectedResponse | Reason::Unavailable
            ),
            Fault::Redirect { .. } | Fault::OAuth(_) => false,
        };
        match self.status {
            // Whatever else such a response says, also with a larger body than is read.
            500.. => true,
            200..300 | 408 => unusable,
            _ => false,
        }
    }

    /// Whether the response names an error of RFC 6749, section 5.2.
    pub(in crate::oauth) fn names_an_error(&self) -> bool {
        matches!(&self.fault, Fault::OAuth(error) if error.code().is_some())
    }

    /// The same without the provider's own description.
    pub(in crate::oauth) fn without_description(mut self) -> Self {
        match &mut self.fault {
            Fault::OAuth(error) => error.description = None,
            Fault::Status { description } => *description = None,
            Fault::Redirect { .. }
            | Fault::TooLarge
            | Fault::NoFields
            | Fault::NoAccessToken
            | Fault::NotBearer
            | Fault::Page => {}
        }
        self
    }
}

fn reason_of_status(status: u16) -> Reason {
    match status {
        401 => Reason::InvalidClient,
        403 => Reason::Forbidden,
        404 | 405 | 410 => Reason::EndpointNotFound,
        408 | 500..600 => Reason::Unavailable,
        429 => Reason::RateLimited,
        400..500 => Reason::InvalidRequest,
        _ => Reason::UnexpectedResponse,
    }
}
