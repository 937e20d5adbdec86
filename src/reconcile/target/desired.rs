//! The target with a token, as it should be.

use std::collections::BTreeMap;

use super::{
    content::{EXPIRES_AT, TOKEN_TYPE, content_hash},
    metadata::DesiredMetadata,
    secret::TargetSecret,
};
use crate::{
    api::annotation,
    reconcile::{
        secret::{DesiredSecret, SecretVersion},
        settings::Settings,
        token::{ACCESS_TOKEN, Token, fingerprint},
    },
};

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

/// The target with this token and its metadata.
pub(in crate::reconcile) fn desired(
    settings: &Settings,
    token: &Token,
    metadata: DesiredMetadata,
    replaces: Option<SecretVersion>,
) -> DesiredSecret {
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
