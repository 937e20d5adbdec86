//! A response without a token that can be used.

use jiff::SignedDuration;
use thiserror::Error;

use super::{
    body::Cut,
    oauth_error::{OAuthError, Stated},
};
use crate::api::Reason;

/// A response without a token that can be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("token endpoint responded {status}{fault}")]
pub struct ResponseError {
    pub(super) status: u16,
    pub(super) fault: Fault,
    pub(super) pause: Option<SignedDuration>,
}

/// The fault of a response, which the message states after the status. All texts of the provider are scrubbed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum Fault {
    /// The target has neither a query nor a fragment. `None`: there is none that can be shown.
    #[error(" with a redirect{}, which is not followed", target_shown(target.as_deref()))]
    Redirect { target: Option<String> },
    #[error(" with more than 256 KiB")]
    TooLarge,
    /// The part of a 2xx that arrived is not a whole JSON object.
    #[error(" with an incomplete body ({0})")]
    Cut(Cut),
    #[error(" with a body that is neither JSON nor form-encoded")]
    NoFields,
    #[error("{}", no_token_shown(.0))]
    NoAccessToken(Stated),
    #[error(" with a token_type other than Bearer")]
    NotBearer,
    /// A token exchange has brought a token that is not for an API (RFC 8693, section 2.2.1).
    #[error(" with an issued_token_type other than an access token's")]
    NoAccessTokenType,
    #[error("{0}")]
    OAuth(OAuthError),
    /// A 403 that is neither JSON nor a form.
    #[error(" with an HTML page, not JSON")]
    Page,
    /// The status decides. The provider may have words of its own.
    #[error("{0}")]
    Status(Stated),
}

fn target_shown(target: Option<&str>) -> String {
    target.map_or_else(String::new, |target| format!(" to {target:?}"))
}

fn no_token_shown(stated: &Stated) -> String {
    if stated.is_blank() {
        return " without a usable access_token".into();
    }
    stated.to_string()
}

impl ResponseError {
    #[must_use]
    pub(crate) fn status(&self) -> u16 {
        self.status
    }

    /// Returns whether a proxy or firewall may have sent it in place of the provider.
    #[must_use]
    pub(crate) fn is_page(&self) -> bool {
        matches!(self.fault, Fault::Page)
    }

    /// The reason for conditions, events and metrics.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match &self.fault {
            Fault::Redirect { .. } => Reason::Redirected,
            Fault::TooLarge => Reason::ResponseTooLarge,
            Fault::Cut(_) => Reason::NoResponse,
            Fault::NoFields | Fault::NoAccessToken(_) => Reason::UnexpectedResponse,
            Fault::NotBearer | Fault::NoAccessTokenType => Reason::UnsupportedTokenType,
            Fault::OAuth(error) => error.reason(),
            Fault::Page | Fault::Status(_) => reason_of_status(self.status),
        }
    }

    /// The pause that the provider asked for, 10 seconds to 1 hour.
    #[must_use]
    pub fn pause(&self) -> Option<SignedDuration> {
        self.pause
    }

    /// Returns whether the provider may have served the request anyway.
    ///
    /// A failing server, or a proxy that lost the server's response, says nothing about what was done. A 2xx without a usable
    /// token may have issued one. A clear refusal (`error`, 4xx, a redirect) served nothing.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        let unusable = match &self.fault {
            Fault::TooLarge
            | Fault::Cut(_)
            | Fault::NoFields
            | Fault::NotBearer
            | Fault::NoAccessTokenType => true,
            Fault::NoAccessToken(stated) => !stated.is_error,
            Fault::Page | Fault::Status(_) => matches!(
                reason_of_status(self.status),
                Reason::UnexpectedResponse | Reason::Unavailable
            ),
            Fault::OAuth(error) if error.leaves_doubt() => return true,
            Fault::Redirect { .. } | Fault::OAuth(_) => false,
        };
        match self.status {
            // This holds whatever the body says, and even if it is too large.
            500.. => true,
            200..300 | 408 => unusable,
            _ => false,
        }
    }

    /// Returns whether the response names an error of RFC 6749, section 5.2, or one with the same meaning. Any failing server may
    /// say that it is unavailable.
    pub(in crate::oauth) fn names_an_error(&self) -> bool {
        matches!(&self.fault, Fault::OAuth(error) if error.has_code() && error.reason() != Reason::Unavailable)
    }

    /// Returns whether it says in clear words that the client secret is wrong. A 401 alone may come from a proxy.
    pub(crate) fn refuses_client_secret(&self) -> bool {
        matches!(&self.fault, Fault::OAuth(error) if self.status < 500 && error.refuses_secret(self.status))
    }

    /// Returns whether the provider wants a person to sign in or to consent (OpenID Connect Core, section 3.1.2.6). A failing server
    /// is no evidence of that.
    pub(crate) fn wants_person(&self) -> bool {
        let (Fault::Status(stated) | Fault::NoAccessToken(stated)) = &self.fault else {
            return false;
        };
        let is_evidence = !matches!(self.reason(), Reason::Unavailable | Reason::RateLimited);
        is_evidence && stated.wants_person()
    }

    /// Returns whether a 2xx without a token names an error, so that a token endpoint has sent it: Slack responds like this.
    pub(crate) fn names_error_in_success(&self) -> bool {
        matches!(&self.fault, Fault::NoAccessToken(stated) if stated.is_error && !stated.is_blank())
    }

    /// The same without the provider's own words.
    pub(in crate::oauth) fn without_words(mut self) -> Self {
        match &mut self.fault {
            Fault::OAuth(error) => error.stated.forget_description(),
            Fault::NoAccessToken(stated) | Fault::Status(stated) => stated.forget(),
            Fault::Redirect { .. }
            | Fault::TooLarge
            | Fault::Cut(_)
            | Fault::NoFields
            | Fault::NotBearer
            | Fault::NoAccessTokenType
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
