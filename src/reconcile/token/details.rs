//! The details of a token that templates can show, besides the token and its metadata. They are kept with the token in a Secret, as
//! JSON, so that other templates need no other token.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::oauth::response::{ID_TOKEN, Scalar};

/// The key of the details in a Secret of ours.
pub(in crate::reconcile) const DETAILS: &str = "response";

/// The details of a token. The names of its fields are a stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::reconcile) struct Details {
    /// The client that the token was issued to.
    pub(in crate::reconcile) client_id: String,
    /// The other fields of the response.
    pub(in crate::reconcile) fields: BTreeMap<String, Scalar>,
    /// True if a template named the ID token when the response arrived: otherwise it was left out.
    #[serde(default)]
    pub(in crate::reconcile) with_id_token: bool,
}

impl Details {
    /// The details of a response. An ID token is kept only where a template names it.
    pub(in crate::reconcile) fn of(
        client_id: &str,
        mut fields: BTreeMap<String, Scalar>,
        names_id_token: bool,
    ) -> Self {
        if !names_id_token {
            fields.remove(ID_TOKEN);
        }
        Self {
            client_id: client_id.to_owned(),
            fields,
            with_id_token: names_id_token,
        }
    }

    /// Reads the value of a Secret; `None`: it was edited.
    pub(in crate::reconcile) fn read(value: &SecretString) -> Option<Self> {
        serde_json::from_str(value.expose_secret()).ok()
    }

    /// The value for a Secret.
    pub(in crate::reconcile) fn value(&self) -> SecretString {
        let json = serde_json::to_string(self).expect("it has only texts as keys");
        json.into()
    }
}
