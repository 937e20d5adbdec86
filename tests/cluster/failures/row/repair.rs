//! What repairs a failure.

use cube_operator::api::Reason;

use super::{Change, Retry};

/// What helps.
#[derive(Clone, Copy)]
pub(in crate::failures) enum Repair {
    /// The provider mends it, which the cluster cannot see, and a person asks for a try.
    Provider,
    /// The provider mends it soon, and the next planned try finds out.
    Time,
    /// The provider mends it. During the pause neither a request nor a changed spec makes a try, but another client id.
    Pause,
    /// A right client secret.
    Secret,
    /// Another tokenURL.
    Spec,
    /// Another sign-in.
    SignIn,
    /// The objects as they should have been from the beginning.
    Objects,
    /// The command that the message gives.
    Command,
    /// This change of the objects.
    Change(Change),
    /// These are deleted, and a person asks for a look.
    Deletion(&'static [&'static str]),
    /// The policy in the way is deleted, and the spec changed.
    Policy,
    /// The policy in the way is deleted, and nothing else.
    BeforeRestart,
}

impl Repair {
    /// Whether an object is to be applied.
    pub(in crate::failures) fn is_in_the_objects(&self) -> bool {
        matches!(
            self,
            Self::Pause
                | Self::Secret
                | Self::Spec
                | Self::SignIn
                | Self::Objects
                | Self::Change(_)
                | Self::Policy
        )
    }

    /// Whether the cluster cannot see it.
    pub(in crate::failures) fn needs_a_request(&self) -> bool {
        matches!(
            self,
            Self::Provider | Self::Deletion(_) | Self::BeforeRestart
        )
    }

    /// What repairs a failure of an exchange, by its reason.
    pub(super) fn of(reason: Reason, retry: Retry) -> Self {
        match (retry, reason) {
            (Retry::Pause(_), _) => Self::Pause,
            (_, Reason::InvalidClient) => Self::Secret,
            (
                _,
                Reason::InvalidScope
                | Reason::InvalidTarget
                | Reason::InvalidRequest
                | Reason::Redirected
                | Reason::EndpointNotFound
                | Reason::TLSUntrusted
                | Reason::Unreachable
                | Reason::HostNotAllowed,
            ) => Self::Spec,
            _ => Self::Provider,
        }
    }
}
