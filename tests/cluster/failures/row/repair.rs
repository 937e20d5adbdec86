//! What repairs a failure.

use cube_operator::api::Reason;

use super::{Change, Retry};

/// What ends the failure of a row.
#[derive(Clone, Copy)]
pub(in crate::failures) enum Repair {
    /// The provider repairs it, which the cluster cannot see, and a person requests an attempt.
    Provider,
    /// The provider repairs it soon, and the next planned attempt finds out.
    Time,
    /// The provider repairs it. During the pause only another client id makes an attempt; a request or a changed spec does not.
    Pause,
    /// The right client secret is written.
    Secret,
    /// Another `tokenURL` is written.
    Spec,
    /// A person signs in again.
    SignIn,
    /// The objects are applied as they should have been from the beginning.
    Objects,
    /// A person runs the command in the message.
    Command,
    /// A person sets the label and the annotation in the message on this Secret.
    Marks(&'static str),
    /// This change of the objects is applied.
    Change(Change),
    /// These objects are deleted, and a person requests a reconcile.
    Deletion(&'static [&'static str]),
    /// The policy in the way is deleted, and the spec changed.
    Policy,
    /// The policy in the way is deleted, and nothing else.
    BeforeRestart,
}

impl Repair {
    /// Whether the repair applies an object.
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

    /// Whether the cluster cannot see the repair.
    pub(in crate::failures) fn needs_a_request(&self) -> bool {
        matches!(
            self,
            Self::Provider | Self::Deletion(_) | Self::BeforeRestart
        )
    }

    /// What repairs a failure of an exchange, by its reason.
    pub(in crate::failures) fn of(reason: Reason, retry: Retry) -> Self {
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
                | Reason::ClientCertificateRequired
                | Reason::ClientCertificateRefused
                | Reason::Unreachable
                | Reason::HostNotAllowed,
            ) => Self::Spec,
            _ => Self::Provider,
        }
    }
}
