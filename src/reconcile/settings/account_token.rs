//! The tokens of ServiceAccounts in a spec.

use super::{error::SettingsError, printable::printable};
use crate::api::{ClientAuthentication, CubeCredentialSpec, SubjectServiceAccount};

/// A token of a ServiceAccount in the namespace of its `CubeCredential`, which is for the provider alone.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct AccountToken {
    pub service_account: String,
    pub audience: String,
}

impl AccountToken {
    /// The one that authenticates the client, with the method that has one.
    pub(super) fn of_client(
        method: ClientAuthentication,
        spec: &CubeCredentialSpec,
    ) -> Result<Option<Self>, SettingsError> {
        if method != ClientAuthentication::ServiceAccountToken {
            return Ok(None);
        }
        let of_spec = *spec.client_assertion.clone().unwrap_or_default();
        match (of_spec.service_account_name, of_spec.audience) {
            (Some(service_account), Some(audience)) => Ok(Some(Self {
                service_account,
                audience,
            })),
            _ => Err(SettingsError::AssertionIncomplete),
        }
    }

    /// The one that is exchanged.
    pub(super) fn of_subject(of_spec: &SubjectServiceAccount) -> Result<Self, SettingsError> {
        let SubjectServiceAccount { name, audience } = of_spec;
        printable("tokenExchange.subjectServiceAccount.audience", audience)?;
        Ok(Self {
            service_account: name.clone(),
            audience: audience.clone(),
        })
    }

    /// The subject of the token, which is its name at the provider.
    pub(in crate::reconcile) fn subject(&self, namespace: &str) -> String {
        format!("system:serviceaccount:{namespace}:{}", self.service_account)
    }
}
