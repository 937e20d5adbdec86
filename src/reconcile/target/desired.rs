//! The Secrets that the operator writes, and what a target with a token looks like.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::{DesiredMetadata, TargetSecret};
use crate::{
    api::annotation,
    reconcile::{
        credential::Credential,
        digest::{Fields, keyed},
        settings::Settings,
        token::{ACCESS_TOKEN, Token, TokenMetadata, fingerprint},
    },
};

const TOKEN_TYPE: &str = "token-type";
const EXPIRES_AT: &str = "expires-at";

/// One version of one Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretVersion {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its resourceVersion.
    pub version: String,
}

/// A Secret of ours as it should be.
#[derive(Clone, Debug)]
pub struct DesiredSecret {
    /// Its name.
    pub name: String,
    /// Its type.
    pub r#type: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its data.
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
    let hash = keyed(&token.value, &content(&data, &token.metadata));
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
    /// The token, if data and annotations are as they were written.
    pub(super) fn token(&self, data: &BTreeMap<String, SecretString>) -> Option<Token> {
        let metadata = self.metadata()?;
        let value = data.get(ACCESS_TOKEN)?.clone();
        let expected = keyed(&value, &content(data, &metadata));
        (self.annotations.get(annotation::CONTENT_HASH) == Some(&expected))
            .then_some(Token { value, metadata })
    }
}

/// The bytes that the content hash covers: the keys that are ours and the metadata, not what others add.
fn content(data: &BTreeMap<String, SecretString>, token: &TokenMetadata) -> Vec<u8> {
    let mut fields = Fields::default();
    for key in [ACCESS_TOKEN, TOKEN_TYPE, EXPIRES_AT] {
        fields.push(key);
        fields.push(data.get(key).map_or("", |value| value.expose_secret()));
    }
    fields.push(&token.issued_at.to_string());
    fields.push(&token.expires_at.to_string());
    fields.push(&token.inputs_hash);
    fields.push(&token.generation.to_string());
    fields.push(&token.source_version);
    fields.push(token.refresh_request.as_deref().unwrap_or_default());
    fields.push(&token.scopes.join(" "));
    if let Some(version) = &token.seed_version {
        fields.push(version);
    }
    if let Some(number) = token.rotation {
        fields.push(&number.to_string());
    }
    fields.into_bytes()
}
