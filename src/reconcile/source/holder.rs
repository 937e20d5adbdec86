//! The objects whose owners consent to their use.

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

    /// The object with the initial refresh token or the subject token, with the grants that have one.
    pub(in crate::reconcile) fn of_seed(settings: &Settings) -> Option<Self> {
        let role = SecretRole::of_seed(settings)?;
        let name = match settings.grant.subject_account() {
            Some(account) => &account.service_account,
            None => &settings.grant.own_token()?.name,
        };
        Some(role.holder(name))
    }

    /// The name of the object.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Secret(name) | Self::ServiceAccount(name) => name,
        }
    }

    /// The kind, as commands of kubectl name it.
    pub(crate) fn kubectl_kind(&self) -> &'static str {
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
    /// It is a ServiceAccount, whose token has this use.
    ServiceAccount(AccountRole),
}

impl SecretRole {
    /// The role of the object that stands for the client of a spec.
    pub(in crate::reconcile) fn of_client(settings: &Settings) -> Self {
        match settings.service_account {
            None => Self::Client,
            Some(_) => Self::ServiceAccount(AccountRole::Client),
        }
    }

    /// The role of the object with the initial refresh token or the subject token, with the grants that have one.
    pub(in crate::reconcile) fn of_seed(settings: &Settings) -> Option<Self> {
        let grant = &settings.grant;
        if grant.refresh_token().is_some() {
            return Some(Self::RefreshToken);
        }
        grant.token_exchange()?;
        Some(match grant.subject_account() {
            None => Self::SubjectToken,
            Some(_) => Self::ServiceAccount(AccountRole::Subject),
        })
    }

    /// The object with this role and name.
    pub(in crate::reconcile) fn holder(self, name: &str) -> Holder {
        match self {
            Self::Client | Self::RefreshToken | Self::SubjectToken => {
                Holder::Secret(name.to_owned())
            }
            Self::ServiceAccount(_) => Holder::ServiceAccount(name.to_owned()),
        }
    }
}

/// The use of a token of a ServiceAccount. A spec may have both, with two accounts or with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccountRole {
    /// It authenticates the client.
    Client,
    /// It is the subject token of a token exchange.
    Subject,
}

impl AccountRole {
    pub(in crate::reconcile) const ALL: [Self; 2] = [Self::Client, Self::Subject];

    /// The field of the spec with the ServiceAccount and the audience.
    pub(in crate::reconcile) fn field(self) -> &'static str {
        match self {
            Self::Client => "spec.clientAssertion",
            Self::Subject => "spec.tokenExchange.subjectServiceAccount",
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
