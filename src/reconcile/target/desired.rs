//! The Secrets that the operator writes, and the content of a target.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::{
    content::{EXPIRES_AT, TOKEN_TYPE, content_hash},
    metadata::DesiredMetadata,
    secret::TargetSecret,
};
use crate::{
    api::annotation,
    reconcile::{
        credential::Credential,
        settings::Settings,
        token::{ACCESS_TOKEN, Token, fingerprint},
    },
};

/// One version of one Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SecretVersion {
    pub name: String,
    pub uid: String,
    pub version: String,
}

/// A Secret of ours as it should be.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DesiredSecret {
    pub name: String,
    pub r#type: String,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub data: BTreeMap<String, SecretString>,
    /// Whether it has an owner reference.
    pub owned: bool,
    /// The version that it replaces; `None`: it must not exist yet.
    pub replaces: Option<SecretVersion>,
}

impl DesiredSecret {
    /// The fingerprint of its access token.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.data
            .get(ACCESS_TOKEN)
            .map(fingerprint)
            .unwrap_or_default()
    }
}

/// The target with this token.
pub(in crate::reconcile) fn desired(
    credential: &Credential,
    settings: &Settings,
    token: &Token,
    replaces: Option<SecretVersion>,
) -> DesiredSecret {
    let metadata = DesiredMetadata::new(credential, settings, &token.metadata);
    let expires_at = token.metadata.expires_at.to_string();
    let data = BTreeMap::from([
        (ACCESS_TOKEN.to_owned(), token.value.clone()),
        (TOKEN_TYPE.to_owned(), "Bearer".into()),
        (EXPIRES_AT.to_owned(), expires_at.into()),
    ]);
    let hash = content_hash(&token.value, &data, &token.metadata);
    let mut annotations = metadata.annotations;
    annotations.insert(annotation::CONTENT_HASH.into(), hash);
    DesiredSecret {
        name: settings.target_name.clone(),
        r#type: settings.target.r#type.clone(),
        labels: metadata.labels,
        annotations,
        data,
        owned: metadata.owned,
        replaces,
    }
}

impl TargetSecret {
    /// This version of this Secret, for a write or a deletion that must meet no other.
    pub(in crate::reconcile) fn secret_version(&self) -> SecretVersion {
        SecretVersion {
            name: self.name.clone(),
            uid: self.uid.clone(),
            version: self.version.clone(),
        }
    }
}
