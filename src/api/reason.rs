//! The closed list of reasons that conditions, events, metrics and documentation share.

use std::fmt;

use ReasonKind::{Exchange, Good, Local, Waiting};
use RetryClass::{Fast, RateLimited, Slow, Terminal};

/// The kind of a reason: nothing is wrong, or the place where something failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReasonKind {
    /// Nothing is wrong.
    Good,
    /// Nothing is wrong: the work is not done yet, or is paused on purpose.
    Waiting,
    /// A failure without an exchange: in the inputs of the exchange, or at the API server.
    Local(RetryClass),
    /// A failed exchange.
    Exchange(RetryClass),
}

/// The schedule of retries after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryClass {
    /// There is no retry before a person changes something: rejected inputs, a target that is not ours, a dead refresh token.
    Terminal,
    /// The failure is mostly fixed at the provider, where the cluster cannot see it: retries after 5, 15, 30, then every 60
    /// minutes.
    Slow,
    /// The failure mostly ends by itself: retries after 10, 20, 40, 80, 160, then every 300 seconds.
    Fast,
    /// The provider asked for a pause.
    RateLimited,
}

/// Generates the enum, the list of all reasons, their names and their kinds from one table.
macro_rules! reasons {
    ($($reason:ident => $kind:expr,)+) => {
        /// The reason of a condition.
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
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$reason => stringify!($reason),)+
                }
            }

            #[must_use]
            pub(crate) fn kind(self) -> ReasonKind {
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
    RefreshTokenInUse => Local(Terminal),
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
    ClientCertificateRequired => Exchange(Slow),
    Unreachable => Exchange(Fast),
    NoResponse => Exchange(Fast),
    Unavailable => Exchange(Fast),
    RateLimited => Exchange(RateLimited),
    RefreshTokenRejected => Exchange(Terminal),
    RefreshTokenLost => Exchange(Terminal),
}

impl Reason {
    /// The reason with this name. A stored condition is read back with it after a restart.
    #[must_use]
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// The schedule of retries after a failure with this reason; `None` if it is not a failure.
    #[must_use]
    pub fn retry_class(self) -> Option<RetryClass> {
        match self.kind() {
            Good | Waiting => None,
            Local(class) | Exchange(class) => Some(class),
        }
    }

    /// Whether nothing is wrong, and the work is only not done yet or paused on purpose.
    #[must_use]
    pub(crate) fn is_waiting(self) -> bool {
        self.kind() == Waiting
    }

    /// Whether this reason comes from an exchange that was made.
    #[must_use]
    pub(crate) fn is_exchange_failure(self) -> bool {
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
        let mut documented: Vec<_> = cells
            .flat_map(|cell| cell.trim_end_matches('`').split("`, `"))
            .collect();
        let mut all = Reason::ALL.map(|reason| reason.to_string());
        documented.sort_unstable();
        all.sort_unstable();
        assert_eq!(documented, all);
    }

    #[test]
    fn every_reason_is_found_by_its_name() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_name(&reason.to_string()), Some(reason));
        }
        assert_eq!(Reason::from_name("Nonsense"), None);
    }
}
