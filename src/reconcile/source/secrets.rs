//! The secret of a client: one, or two while its owner replaces it.
//!
//! ```text
//!  spec.clientSecretRef.clientSecretKey: client-secret,client-secret-next
//!
//!   the one that last worked, else the first ──refused by the provider──▶ the other one ──refused too──▶ a failure
//! ```
//!
//! A token that was issued for either of them stays the right one while that secret is in the Secret.

use secrecy::{ExposeSecret, SecretString};

use crate::oauth::{authentication::Authentication, grant::JwtBearer};

/// One of the keys of the client secret, in the order of the spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reconcile) enum SecretKey {
    First,
    Second,
}

/// A client that can be sent.
#[derive(Clone, Debug)]
pub(in crate::reconcile) struct UsableClient {
    pub(in crate::reconcile) authentication: Authentication,
    /// The client secrets, if it has any.
    pub(in crate::reconcile) secrets: Option<Secrets>,
    /// The assertion of the grant, if it has one. It is not signed yet.
    pub(in crate::reconcile) bearer: Option<JwtBearer>,
}

/// The client secrets that the Secret has, with the one that is sent.
#[derive(Clone, Debug)]
pub(in crate::reconcile) struct Secrets {
    pub(in crate::reconcile) sent: SecretKey,
    /// The other one, if there is one that differs.
    pub(in crate::reconcile) other: Option<SecretString>,
}

/// The client secret of an attempt, where the spec names two.
#[derive(Clone, Debug)]
pub(in crate::reconcile) struct SentSecret {
    pub(in crate::reconcile) key: SecretKey,
    /// The key in the Secret.
    pub(in crate::reconcile) name: String,
    /// The other one, which may be sent if this one is refused, and must not be shown either.
    pub(in crate::reconcile) other: Option<SecretString>,
}

impl SecretKey {
    pub(in crate::reconcile) fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

impl Secrets {
    /// Chooses among the secrets that are present; `None`: there is none.
    pub(super) fn choose(
        first: Option<SecretString>,
        second: Option<SecretString>,
        preferred: SecretKey,
    ) -> Option<(SecretString, Self)> {
        let (preferred_value, other_value) = match preferred {
            SecretKey::First => (first, second),
            SecretKey::Second => (second, first),
        };
        let (sent, value, other) = match (preferred_value, other_value) {
            (Some(value), other) => (preferred, value, other),
            (None, Some(value)) => (preferred.other(), value, None),
            (None, None) => return None,
        };
        let other = other.filter(|other| other.expose_secret() != value.expose_secret());
        Some((value, Self { sent, other }))
    }
}

impl UsableClient {
    /// The same client with its other secret, if it has one.
    pub(in crate::reconcile) fn with_other_secret(self) -> Self {
        let before = self.authentication.client_secret().cloned();
        let (
            Some(before),
            Some(Secrets {
                sent,
                other: Some(other),
            }),
        ) = (before, &self.secrets)
        else {
            return self;
        };
        Self {
            secrets: Some(Secrets {
                sent: sent.other(),
                other: Some(before),
            }),
            authentication: self.authentication.with_client_secret(other.clone()),
            bearer: self.bearer,
        }
    }

    /// The client secret that is not sent.
    pub(in crate::reconcile) fn other_secret(&self) -> Option<&SecretString> {
        self.secrets.as_ref()?.other.as_ref()
    }

    /// The client secrets in the order of their keys.
    pub(in crate::reconcile) fn client_secrets(&self) -> [Option<&SecretString>; 2] {
        let sent = self.authentication.client_secret();
        match &self.secrets {
            Some(Secrets {
                sent: SecretKey::Second,
                other: Some(first),
            }) => [Some(first), sent],
            Some(Secrets { other, .. }) => [sent, other.as_ref()],
            None => [sent, None],
        }
    }
}
