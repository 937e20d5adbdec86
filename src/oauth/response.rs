//! What an answer of a token endpoint means. Pure, total, and the only place that knows.
//!
//! The order of decision is fixed: redirect, size, a usable token, 5xx, 429, the `error` code, the status. Content decides,
//! not its Content-Type: real servers label JSON as text/html.

mod classify;
mod parse;
mod retry_after;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::api::{Grant, Reason, RetryClass};

pub use classify::{PROVIDER_SAYS, read};

/// The longest lifetime that is believed.
pub const LONGEST_LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 365 * 10);

/// An answer as it came over the wire.
#[derive(Clone, Default)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The Content-Type header.
    pub content_type: Option<String>,
    /// The Location header.
    pub location: Option<String>,
    /// The Retry-After header.
    pub retry_after: Option<String>,
    /// The Date header.
    pub date: Option<String>,
    /// The body after decompression.
    pub body: Body,
}

/// Without headers: the other side writes them, and may put a secret into a Location, say.
impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// The body of an answer.
#[derive(Clone, Default)]
pub enum Body {
    /// All of it.
    Complete(Vec<u8>),
    /// More than is read.
    #[default]
    TooLarge,
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Complete(bytes) => write!(f, "<{} bytes>", bytes.len()),
            Self::TooLarge => f.write_str("<too large>"),
        }
    }
}

/// What was asked: what an answer is compared with.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext<'a> {
    /// The grant.
    pub grant: Grant,
    /// The scopes.
    pub scopes: &'a [String],
}

/// What an answer means.
#[derive(Debug)]
pub struct Parsed {
    /// The token, or why there is none.
    pub outcome: Result<Issued, TokenError>,
    /// A successor of the refresh token that was sent. Present even where the rest of a 2xx is unusable: the provider has
    /// consumed the old one.
    pub refresh_token: Option<SecretString>,
    /// The provider's own clock, where it stated one.
    pub date: Option<Timestamp>,
}

/// A token that can be published.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The token; printable ASCII (RFC 6749, appendix A.12).
    pub access_token: SecretString,
    /// Its lifetime, counted from the moment the request was sent. `None`: the answer states no usable one.
    pub lifetime: Option<SignedDuration>,
    /// The scopes that were granted; empty where the answer says nothing.
    pub scopes: Vec<String>,
    /// Whether fewer scopes were granted than asked for.
    pub narrowed: bool,
}

/// Why an exchange gave no token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenError {
    /// The reason.
    pub reason: Reason,
    /// What happened, in the provider's words where they can be shown.
    pub what: String,
    /// The pause that the provider asked for, already clamped.
    pub pause: Option<SignedDuration>,
    /// Whether the provider may have served the request all the same, so that a refresh token that was sent may be spent.
    pub outcome_unknown: bool,
}

impl TokenError {
    /// A refusal in which the provider asked for no pause, and after which nothing is in doubt.
    pub fn new(reason: Reason, what: impl Into<String>) -> Self {
        Self {
            reason,
            what: what.into(),
            pause: None,
            outcome_unknown: false,
        }
    }

    /// Whether nothing may be sent for this client for a while (429, `slow_down`, Retry-After).
    #[must_use]
    pub fn asks_for_pause(&self) -> bool {
        self.pause.is_some() || self.reason.retry_class() == RetryClass::RateLimited
    }
}

#[cfg(test)]
mod tests;
