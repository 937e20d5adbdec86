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

/// Generates the enum, the list of all reasons, their names, kinds and meanings from one table.
macro_rules! reasons {
    ($($reason:ident => $kind:expr, $meaning:literal;)+) => {
        /// The reason of a condition.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[expect(missing_docs, reason = "the meanings are the documentation")]
        pub enum Reason {
            $($reason,)+
        }

        impl Reason {
            /// Every reason, in the order of `docs/reference/conditions.md`.
            pub const ALL: [Self; [$(stringify!($reason)),+].len()] = [$(Self::$reason),+];

            /// The name in conditions, events and metrics.
            #[must_use]
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$reason => stringify!($reason),)+
                }
            }

            /// The cause in a few words: it ends the message of condition Ready, and begins those of events.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$reason => $meaning,)+
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
    Synced => Good, "the token is valid";
    TokenIssued => Good, "the last exchange succeeded";

    Pending => Waiting, "the next exchange is waiting for something else";
    Suspended => Waiting, "spec.suspend is true";
    RateBudget => Waiting, "the next token request has to wait";
    TokenTooShort => Waiting, "tokens expire before the next one may be requested";

    ClientSecretNotFound => Local(Terminal), "the client Secret does not exist";
    ClientSecretKeyMissing => Local(Terminal), "the client Secret lacks a key";
    ClientSecretNotLabelled => Local(Terminal), "the client Secret lacks the label that allows its use";
    ClientSecretMalformed => Local(Terminal), "a value in the client Secret is malformed";
    ClientKeyInvalid => Local(Terminal), "the client's private key cannot be used";
    ClientCertificateExpired => Local(Terminal), "the client's certificate has expired, or is not valid yet";
    ServiceAccountNotFound => Local(Terminal), "the ServiceAccount does not exist";
    ServiceAccountNotLabelled => Local(Terminal), "the owner of the ServiceAccount has not labelled it for use";
    ServiceAccountTokenFailed => Local(Terminal), "no token of the ServiceAccount could be obtained";
    RefreshTokenNotFound => Local(Terminal), "there is no initial refresh token";
    RefreshTokenNotLabelled => Local(Terminal), "the Secret of the initial refresh token lacks the label for its use";
    RefreshTokenMalformed => Local(Terminal), "the initial refresh token is malformed";
    SubjectTokenNotFound => Local(Terminal), "there is no subject token";
    SubjectTokenNotLabelled => Local(Terminal), "the Secret of the subject token lacks the label for its use";
    SubjectTokenMalformed => Local(Terminal), "the subject token is malformed";
    RefreshTokenInUse => Local(Terminal), "the refresh token belongs to another CubeCredential";
    CABundleInvalid => Local(Terminal), "the CA bundle cannot be used";
    HostNotAllowed => Local(Terminal), "the credentials are not allowed for this token endpoint";
    ProviderNotFound => Local(Terminal), "the provider object does not exist";
    ProviderNotReady => Local(Terminal), "the provider object cannot be used";
    ProviderNotAllowed => Local(Terminal), "the provider object does not allow this namespace";
    TemplateInvalid => Local(Terminal), "a template of spec.target.data cannot be used";
    InvalidSpec => Local(Terminal), "the spec has an error, so no token is requested or refreshed";

    TargetConflict => Local(Terminal), "the target Secret does not belong to this CubeCredential";
    TargetDuplicate => Local(Terminal), "an older CubeCredential has the same target Secret";
    TargetNotWritable => Local(Fast), "the API server denied writing the target Secret";
    ProbeFailed => Local(Slow), "the API did not accept the new token";
    StateConflict => Local(Terminal), "the operator's Secret for the refresh token cannot be used";
    StateNotWritable => Local(Fast), "the API server denied storing the refresh token";

    InvalidClient => Exchange(Slow), "the provider rejected the client id or client secret";
    InvalidGrant => Exchange(Slow), "the provider rejected the grant";
    UnauthorizedClient => Exchange(Slow), "the provider does not allow this client to use the grant";
    UnsupportedGrantType => Exchange(Slow), "the token endpoint does not support the grant";
    InvalidScope => Exchange(Slow), "the provider rejected the scopes";
    InvalidTarget => Exchange(Slow), "the provider rejected the audience or resource";
    InvalidRequest => Exchange(Slow), "the provider rejected the request";
    Forbidden => Exchange(Slow), "the token endpoint or a firewall denied access (403)";
    Redirected => Exchange(Slow), "the token endpoint redirects to another URL";
    EndpointNotFound => Exchange(Slow), "there is no token endpoint at this URL";
    UnexpectedResponse => Exchange(Slow), "the response contains no usable token";
    UnsupportedTokenType => Exchange(Slow), "the token is not a bearer token";
    ResponseTooLarge => Exchange(Slow), "the response is larger than 256 KiB";
    TLSUntrusted => Exchange(Slow), "the TLS certificate of the token endpoint was not accepted";
    ClientCertificateRequired => Exchange(Slow), "the token endpoint requires a TLS client certificate";
    ClientCertificateRefused => Exchange(Slow), "the token endpoint refused the client's certificate";
    Unreachable => Exchange(Fast), "the token endpoint could not be reached";
    NoResponse => Exchange(Fast), "the token endpoint sent no complete response";
    Unavailable => Exchange(Fast), "the token endpoint is failing";
    RateLimited => Exchange(RateLimited), "the provider is rate limiting this client";
    RefreshTokenRejected => Exchange(Terminal), "the provider rejected the refresh token";
    RefreshTokenLost => Exchange(Terminal), "the refresh token was consumed, and the new one was lost";
}

impl Reason {
    /// The reason with this name. A stored condition is read back with it after a restart.
    #[must_use]
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// Returns whether this is the name of a failure that ends only, or mostly, when a person acts.
    #[must_use]
    pub fn is_solved_by_a_person(name: &str) -> bool {
        let class = Self::from_name(name).and_then(Self::retry_class);
        matches!(class, Some(RetryClass::Terminal | RetryClass::Slow))
    }

    /// The schedule of retries after a failure with this reason; `None` if it is not a failure.
    #[must_use]
    pub fn retry_class(self) -> Option<RetryClass> {
        match self.kind() {
            Good | Waiting => None,
            Local(class) | Exchange(class) => Some(class),
        }
    }

    /// Returns whether nothing is wrong, and the work is only not done yet or paused on purpose.
    #[must_use]
    pub(crate) fn is_waiting(self) -> bool {
        self.kind() == Waiting
    }

    /// Returns whether this reason comes from an exchange that was made.
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
    fn every_reason_is_found_by_its_name() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_name(&reason.to_string()), Some(reason));
        }
        assert_eq!(Reason::from_name("Nonsense"), None);
    }
}
