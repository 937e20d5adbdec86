//! The object that stands for the client, and whose owner consents to its use.

use std::fmt;

use crate::reconcile::settings::Settings;

/// A user's object with the consent label.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Holder {
    Secret(String),
    ServiceAccount(String),
}

impl Holder {
    /// The object that stands for the client of a spec.
    pub(in crate::reconcile) fn of_client(settings: &Settings) -> Self {
        SecretRole::of_client(settings).holder(&settings.source.name)
    }

    /// The name of the object.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Secret(name) | Self::ServiceAccount(name) => name,
        }
    }

    /// The kind, as commands of kubectl name it.
    pub(in crate::reconcile) fn kubectl_kind(&self) -> &'static str {
        match self {
            Self::Secret(_) => "secret",
            Self::ServiceAccount(_) => "serviceaccount",
        }
    }
}

/// The role of a user's Secret, or of the ServiceAccount in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretRole {
    /// It has the client id and the client secret.
    Client,
    /// It has the initial refresh token.
    RefreshToken,
    /// It has the subject token of a token exchange.
    SubjectToken,
    /// It is a ServiceAccount, whose token authenticates the client.
    ServiceAccount,
}

impl SecretRole {
    /// The role of the object that stands for the client of a spec.
    pub(in crate::reconcile) fn of_client(settings: &Settings) -> Self {
        match settings.service_account {
            None => Self::Client,
            Some(_) => Self::ServiceAccount,
        }
    }

    /// The object with this role and name.
    pub(in crate::reconcile) fn holder(self, name: &str) -> Holder {
        match self {
            Self::Client | Self::RefreshToken | Self::SubjectToken => {
                Holder::Secret(name.to_owned())
            }
            Self::ServiceAccount => Holder::ServiceAccount(name.to_owned()),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(name) => write!(f, "Secret {name:?}"),
            Self::ServiceAccount(name) => write!(f, "ServiceAccount {name:?}"),
        }
    }
}
