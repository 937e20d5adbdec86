//! The tokens of ServiceAccounts for a request.

use secrecy::SecretString;

use super::{AccountRole, NoAccountToken, Rejection};
use crate::reconcile::settings::{AccountToken, Settings};

/// The tokens that were issued for the next request. Each is sent once.
#[derive(Clone, Debug, Default)]
pub struct AccountTokens {
    client: Option<SecretString>,
    subject: Option<SecretString>,
}

impl AccountTokens {
    pub(in crate::reconcile) fn of(&self, role: AccountRole) -> Option<&SecretString> {
        match role {
            AccountRole::Client => self.client.as_ref(),
            AccountRole::Subject => self.subject.as_ref(),
        }
    }

    pub(in crate::reconcile) fn put(&mut self, role: AccountRole, token: SecretString) {
        match role {
            AccountRole::Client => self.client = Some(token),
            AccountRole::Subject => self.subject = Some(token),
        }
    }
}

impl AccountToken {
    /// The rejection of an exchange for which it was not issued.
    pub(in crate::reconcile) fn refused(
        &self,
        role: AccountRole,
        why: NoAccountToken,
    ) -> Rejection {
        Rejection::AccountToken {
            role,
            name: self.service_account.clone(),
            why: Box::new(why),
        }
    }
}

impl Settings {
    /// The token of a ServiceAccount with this use, if the spec has one.
    pub(in crate::reconcile) fn account_token(&self, role: AccountRole) -> Option<&AccountToken> {
        match role {
            AccountRole::Client => self.service_account.as_ref(),
            AccountRole::Subject => self.grant.subject_account(),
        }
    }

    /// All of them, with their uses.
    pub(in crate::reconcile) fn account_tokens(
        &self,
    ) -> impl Iterator<Item = (AccountRole, &AccountToken)> {
        AccountRole::ALL
            .into_iter()
            .filter_map(|role| Some((role, self.account_token(role)?)))
    }
}
