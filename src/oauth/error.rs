//! Why an exchange gave no token.

use jiff::SignedDuration;
use thiserror::Error;

pub use super::client::error::{NetworkError, Unreachable};
use super::response::ResponseError;
use crate::api::{Reason, RetryClass};

/// Why an exchange gave no token. Its text says what happened; it holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TokenError {
    /// There is no complete response.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The response holds no token that can be used.
    #[error(transparent)]
    Response(#[from] ResponseError),
}

impl TokenError {
    /// The reason for conditions, events and metrics. It also decides how the exchange is retried.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::Network(error) => error.reason(),
            Self::Response(error) => error.reason(),
        }
    }

    /// The pause that the provider asked for, 10 seconds to 1 hour.
    #[must_use]
    pub fn pause(&self) -> Option<SignedDuration> {
        match self {
            Self::Response(error) => error.pause(),
            Self::Network(_) => None,
        }
    }

    /// Whether the provider may have served the request all the same, so that a refresh token that was sent may be consumed.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Network(error) => error.outcome_unknown(),
            Self::Response(error) => error.outcome_unknown(),
        }
    }

    /// Whether nothing may be sent for this client for a while (429, `slow_down`, Retry-After).
    #[must_use]
    pub fn asks_for_pause(&self) -> bool {
        self.pause().is_some() || self.reason().retry_class() == Some(RetryClass::RateLimited)
    }
}
