//! The closed list of reasons that conditions, events, metrics and documentation share.

use std::fmt;

/// Why a condition is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    missing_docs,
    reason = "the names are the documentation; the README has a row for each"
)]
pub enum Reason {
    Synced,
    TokenIssued,

    Pending,
    Suspended,
    RateBudget,

    ClientSecretNotFound,
    ClientSecretKeyMissing,
    ClientSecretNotLabelled,
    ClientSecretMalformed,
    RefreshTokenNotFound,
    RefreshTokenNotLabelled,
    RefreshTokenMalformed,
    CABundleInvalid,
    HostNotAllowed,
    InvalidSpec,

    TargetConflict,
    TargetDuplicate,
    TargetNotWritable,
    StateConflict,
    StateNotWritable,

    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    InvalidTarget,
    InvalidRequest,
    Forbidden,
    Redirected,
    EndpointNotFound,
    UnexpectedResponse,
    UnsupportedTokenType,
    ResponseTooLarge,
    TLSUntrusted,
    Unreachable,
    NoResponse,
    Unavailable,
    RateLimited,
    RefreshTokenRejected,
    RefreshTokenLost,
}

/// How a failure is retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryClass {
    /// Not retried until a person changes something: a local refusal, a target that is not ours, a dead token.
    Terminal,
    /// Mostly repaired at the provider, where the cluster cannot see it: 5, 15, 30, then every 60 minutes.
    Slow,
    /// Heals by itself: 10, 20, 40, 80, 160, then every 300 seconds.
    Fast,
    /// The provider asked for a pause.
    RateLimited,
}

impl Reason {
    /// Every reason, in the order of the README.
    pub const ALL: [Self; 40] = [
        Self::Synced,
        Self::TokenIssued,
        Self::Pending,
        Self::Suspended,
        Self::RateBudget,
        Self::ClientSecretNotFound,
        Self::ClientSecretKeyMissing,
        Self::ClientSecretNotLabelled,
        Self::ClientSecretMalformed,
        Self::RefreshTokenNotFound,
        Self::RefreshTokenNotLabelled,
        Self::RefreshTokenMalformed,
        Self::CABundleInvalid,
        Self::HostNotAllowed,
        Self::InvalidSpec,
        Self::TargetConflict,
        Self::TargetDuplicate,
        Self::TargetNotWritable,
        Self::StateConflict,
        Self::StateNotWritable,
        Self::InvalidClient,
        Self::InvalidGrant,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::InvalidScope,
        Self::InvalidTarget,
        Self::InvalidRequest,
        Self::Forbidden,
        Self::Redirected,
        Self::EndpointNotFound,
        Self::UnexpectedResponse,
        Self::UnsupportedTokenType,
        Self::ResponseTooLarge,
        Self::TLSUntrusted,
        Self::Unreachable,
        Self::NoResponse,
        Self::Unavailable,
        Self::RateLimited,
        Self::RefreshTokenRejected,
        Self::RefreshTokenLost,
    ];

    /// The reason with this name: how a stored condition is read back after a restart.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.to_string() == name)
    }

    /// How a failure with this reason is retried. Reasons that are no failure count as [`Class::Terminal`].
    #[must_use]
    pub fn retry_class(self) -> RetryClass {
        match self {
            Self::InvalidClient
            | Self::InvalidGrant
            | Self::UnauthorizedClient
            | Self::UnsupportedGrantType
            | Self::InvalidScope
            | Self::InvalidTarget
            | Self::InvalidRequest
            | Self::Forbidden
            | Self::Redirected
            | Self::EndpointNotFound
            | Self::UnexpectedResponse
            | Self::UnsupportedTokenType
            | Self::ResponseTooLarge
            | Self::TLSUntrusted => RetryClass::Slow,
            Self::Unreachable
            | Self::NoResponse
            | Self::Unavailable
            | Self::TargetNotWritable
            | Self::StateNotWritable => RetryClass::Fast,
            Self::RateLimited => RetryClass::RateLimited,
            _ => RetryClass::Terminal,
        }
    }

    /// Whether nothing is wrong: it is only not done yet, or rests on purpose.
    #[must_use]
    pub fn is_waiting(self) -> bool {
        matches!(self, Self::Pending | Self::Suspended | Self::RateBudget)
    }

    /// Whether this reason comes from an exchange that was made.
    #[must_use]
    pub fn is_exchange_failure(self) -> bool {
        let dead = matches!(self, Self::RefreshTokenRejected | Self::RefreshTokenLost);
        let unwritten = matches!(self, Self::TargetNotWritable | Self::StateNotWritable);
        dead || (self.retry_class() != RetryClass::Terminal && !unwritten)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The variant's name is the public name.
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_has_each_reason_in_its_table() {
        let readme = include_str!("../../README.md");
        let (_, section) = readme.split_once("\n### Reasons\n").unwrap();
        let rows = section.split("\n#").next().unwrap().lines();
        let cells = rows.filter_map(|row| row.strip_prefix("| `")?.split(" | ").next());
        let mut told: Vec<_> = cells
            .flat_map(|cell| cell.trim_end_matches('`').split("`, `"))
            .collect();
        let mut all = Reason::ALL.map(|reason| reason.to_string());
        told.sort_unstable();
        all.sort_unstable();
        assert_eq!(told, all);
    }

    #[test]
    fn every_reason_is_found_by_its_name() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_name(&reason.to_string()), Some(reason));
        }
        assert_eq!(Reason::from_name("Nonsense"), None);
    }
}
