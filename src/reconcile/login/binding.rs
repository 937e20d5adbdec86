//! The use that a refresh token was stored for. The author of a spec may change the endpoint and the reference, but may not read
//! the token: without its binding, a change of the spec could send it anywhere.

use serde::{Deserialize, Serialize};

use crate::reconcile::settings::Settings;

/// The only endpoint that a stored refresh token is sent to, and the Secret whose owner consented to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::reconcile) struct Binding {
    /// Scheme, authority and path of the token endpoint.
    pub(in crate::reconcile) endpoint: String,
    /// The name and the key of the Secret with the initial refresh token.
    pub(in crate::reconcile) secret: String,
    pub(in crate::reconcile) key: String,
}

impl Binding {
    /// The use that the spec asks for, with the grant that has a refresh token.
    pub(in crate::reconcile) fn asked_for(settings: &Settings) -> Option<Self> {
        let initial = settings.grant.refresh_token()?;
        Some(Self {
            endpoint: settings.endpoint.without_query(),
            secret: initial.name.clone(),
            key: initial.key.clone(),
        })
    }

    pub(in crate::reconcile) fn has_reference_of(&self, other: &Self) -> bool {
        (&self.secret, &self.key) == (&other.secret, &other.key)
    }
}
