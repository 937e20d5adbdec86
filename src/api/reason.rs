//! The closed list of reasons that conditions, events, metrics and documentation share.

use std::fmt;

use ReasonKind::{Exchange, Good, Local, Waiting};
use RetryClass::{Fast, RateLimited, Slow, Terminal};

/// What a reason says about the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasonKind {
    /// Nothing is wrong.
    Good,
    /// Nothing is wrong: it is only not done yet, or paused on purpose.
    Waiting,
    /// A failure without an exchange, or one that refuses an exchange before it is made.
    Local(RetryClass),
    /// A failed exchange.
    Exchange(RetryClass),
}

/// How a failure is retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryClass {
    /// Not before a person changes something: a local refusal, a target that is not ours, a dead token.
    Terminal,
    /// The failure is mostly repaired at the provider, where the cluster cannot see it: after 5, 15, 30, then every 60 minutes.
    Slow,
    /// The failure ends by itself: after 10, 20, 40, 80, 160, then every 300 seconds.
    Fast,
    /// The provider asked for a pause.
    RateLimited,
}

/// Makes the enum, the list of all reasons, their names and their kinds from one table.
macro_rules! reasons {
    ($($reason:ident => $kind:expr,)+) => {
        /// Why a condition is what it is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the names are the documentation; the README has a row for each")]
        pub enum Reason {
            $($reason,)+
        }

        impl Reason {
            /// Every reason, in the order of the README.
            pub const ALL: [Self; [$(stringify!($reason)),+].len()] = [$(Self::$reason),+];

            /// The name in conditions, events and metrics.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$reason => stringify!($reason),)+
                }
            }

            /// What it says about the object.
            #[must_use]
            pub fn kind(self) -> ReasonKind {
                match self {
                    $(Self::$reason => $kind,)+
                }
            }
        }
    };
}

reasons! {
    Synced => Good,
    TokenIssued => Good,

    Pending => Waiting,
    Suspended => Waiting,
    RateBudget => Waiting,

    ClientSecretNotFound => Local(Terminal),
    ClientSecretKeyMissing => Local(Terminal),
    ClientSecretNotLabelled => Local(Terminal),
    ClientSecretMalformed => Local(Terminal),
    RefreshTokenNotFound => Local(Terminal),
    RefreshTokenNotLabelled => Local(Terminal),
    RefreshTokenMalformed => Local(Terminal),
    CABundleInvalid => Local(Terminal),
    HostNotAllowed => Local(Terminal),
    InvalidSpec => Local(Terminal),

    TargetConflict => Local(Terminal),
    TargetDuplicate => Local(Terminal),
    TargetNotWritable => Local(Fast),
    StateConflict => Local(Terminal),
    StateNotWritable => Local(Fast),

    InvalidClient => Exchange(Slow),
    InvalidGrant => Exchange(Slow),
    UnauthorizedClient => Exchange(Slow),
    UnsupportedGrantType => Exchange(Slow),
    InvalidScope => Exchange(Slow),
    InvalidTarget => Exchange(Slow),
    InvalidRequest => Exchange(Slow),
    Forbidden => Exchange(Slow),
    Redirected => Exchange(Slow),
    EndpointNotFound => Exchange(Slow),
    UnexpectedResponse => Exchange(Slow),
    UnsupportedTokenType => Exchange(Slow),
    ResponseTooLarge => Exchange(Slow),
    TLSUntrusted => Exchange(Slow),
    Unreachable => Exchange(Fast),
    NoResponse => Exchange(Fast),
    Unavailable => Exchange(Fast),
    RateLimited => Exchange(RateLimited),
    RefreshTokenRejected => Exchange(Terminal),
    RefreshTokenLost => Exchange(Terminal),
}

impl Reason {
    /// The reason with this name: how a stored condition is read back after a restart.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// How a failure with this reason is retried; `None` if it is no failure.
    #[must_use]
    pub fn retry_class(self) -> Option<RetryClass> {
        match self.kind() {
            Good | Waiting => None,
            Local(class) | Exchange(class) => Some(class),
        }
    }

    /// Whether nothing is wrong: it is only not done yet, or paused on purpose.
    #[must_use]
    pub fn is_waiting(self) -> bool {
        self.kind() == Waiting
    }

    /// Whether this reason comes from an exchange that was made.
    #[must_use]
    pub fn is_exchange_failure(self) -> bool {
        matches!(self.kind(), Exchange(_))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
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
