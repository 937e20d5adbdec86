//! The client assertion of a spec.

use super::error::SettingsError;
use crate::api::{ClientAuthentication, CubeCredentialSpec};

/// A token of a ServiceAccount that authenticates the client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct ServiceAccountAssertion {
    pub service_account: String,
    pub audience: String,
}

impl ServiceAccountAssertion {
    pub(super) fn of(
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

    /// The subject of the token, which is the client's name at the provider.
    pub(in crate::reconcile) fn subject(&self, namespace: &str) -> String {
        format!("system:serviceaccount:{namespace}:{}", self.service_account)
    }
}
