//! The facts of the client: who would make the next exchange, and with which of two secrets.

use super::Case;
use crate::reconcile::{
    source::{
        AccountRole, NoAccountToken, Rejection, SecretKey, SentSecret, UsableClient, client,
        preflight,
    },
    token::TokenInputs,
};

impl Case<'_> {
    /// The client as the next exchange would send it: after a refusal of one of two client secrets with the other one.
    pub(super) fn client(&self) -> Result<UsableClient, Rejection> {
        preflight::provider(self.settings)?;
        let preferred = self.preferred_secret();
        let client = client::usable(self.settings, &self.observed.source, preferred, self.now)?;
        let Some(secrets) = &client.secrets else {
            return Ok(client);
        };
        let exchange = &self.observed.memory.exchange;
        let refused = secrets.other.is_some()
            && exchange.secrets.has_refused(secrets.sent, || {
                TokenInputs::new(self.settings, &client).digest()
            });
        Ok(if refused {
            client.with_other_secret()
        } else {
            client
        })
    }

    /// Checks that the operator may request the tokens of ServiceAccounts that the request needs.
    pub(in crate::reconcile) fn check_account_tokens(&self) -> Result<(), Rejection> {
        let mut roles = AccountRole::ALL.into_iter();
        roles.try_for_each(|role| self.check_account_token(role))
    }

    /// Checks that the operator may request the token for this use, if there is one.
    pub(in crate::reconcile) fn check_account_token(
        &self,
        role: AccountRole,
    ) -> Result<(), Rejection> {
        match self.settings.account_token(role) {
            Some(account) if !self.observed.account_tokens_enabled => {
                Err(account.refused(role, NoAccountToken::NotEnabled))
            }
            _ => Ok(()),
        }
    }

    /// The client secret that last worked, and otherwise the first.
    pub(in crate::reconcile) fn preferred_secret(&self) -> SecretKey {
        let keys = self.settings.two_secret_keys();
        match (keys, self.working_secret()) {
            (Some((_, second)), Some(works)) if works == second => SecretKey::Second,
            _ => SecretKey::First,
        }
    }

    /// The key of the client secret that last worked, where the spec names two. An earlier process has recorded it in the status,
    /// which can cost one more request, and nothing else.
    pub(in crate::reconcile) fn working_secret(&self) -> Option<String> {
        let (first, second) = self.settings.two_secret_keys()?;
        let recorded = self.observed.credential.status.client_secret_key.as_deref();
        let works = self
            .observed
            .memory
            .exchange
            .secrets
            .working()
            .or(recorded)?;
        (works == first || works == second).then(|| works.to_owned())
    }

    pub(super) fn sent_secret(&self, client: &UsableClient) -> Option<SentSecret> {
        let (first, second) = self.settings.two_secret_keys()?;
        let secrets = client.secrets.as_ref()?;
        let name = match secrets.sent {
            SecretKey::First => first,
            SecretKey::Second => second,
        };
        Some(SentSecret {
            key: secrets.sent,
            name: name.to_owned(),
            other: secrets.other.clone(),
        })
    }
}
