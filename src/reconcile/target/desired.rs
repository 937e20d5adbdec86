//! The target with a token, as it should be.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::{
    content::{Data, EXPIRES_AT, TOKEN_TYPE, content_hash, hash_key},
    metadata::DesiredMetadata,
    secret::TargetSecret,
    shape::Shape,
};
use crate::{
    api::annotation,
    reconcile::{
        digest::keyed,
        secret::{DesiredSecret, SecretVersion},
        settings::Settings,
        token::{ACCESS_TOKEN, Token, TokenInputs, fingerprint},
    },
};

/// The type of every token that is published (RFC 6750).
pub(in crate::reconcile) const BEARER: &str = "Bearer";

impl DesiredSecret {
    /// The fingerprint of its access token.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let stated = self.annotations.get(annotation::TOKEN_FINGERPRINT);
        let token = self.data.get(ACCESS_TOKEN);
        let stated = stated.cloned();
        stated
            .or_else(|| token.map(fingerprint))
            .unwrap_or_default()
    }
}

/// The content of a target, as it should be.
#[derive(Debug)]
pub(in crate::reconcile) enum DesiredContent {
    /// The three keys that every target has by default.
    Plain,
    /// The product of the templates.
    Rendered {
        data: Data,
        /// The hash of the initial refresh token, if the provider has replaced that one.
        consumed_seed: Option<String>,
        /// The inputs of the token, if they are known.
        inputs: Option<TokenInputs>,
    },
}

/// The target with this token and its metadata.
pub(in crate::reconcile) fn desired(
    settings: &Settings,
    token: &Token,
    content: DesiredContent,
    metadata: &DesiredMetadata<'_>,
    current: Option<&TargetSecret>,
) -> DesiredSecret {
    let fingerprint = fingerprint(&token.value);
    let mut annotations = metadata.annotations();
    let mut token_metadata = token.metadata.clone();
    let (shape, data, marks) = match (content, &settings.rendering) {
        (
            DesiredContent::Rendered {
                data,
                consumed_seed,
                inputs,
            },
            Some(rendering),
        ) => {
            annotations.insert(annotation::TOKEN_FINGERPRINT.into(), fingerprint.clone());
            let shape = Shape::of(rendering, &fingerprint);
            (shape, data, Some((consumed_seed, inputs)))
        }
        (DesiredContent::Rendered { .. } | DesiredContent::Plain, _) => {
            (Shape::Plain, plain(token), None)
        }
    };
    let key = hash_key(&shape, &data).expect("it has all of its keys");
    if let Some((seed, inputs)) = marks {
        token_metadata.consumed_seed = seed.map(|seed| keyed(&key, seed.as_bytes()));
        let hash = inputs.map_or_else(String::new, |inputs| inputs.hash(&key));
        annotations.insert(annotation::RENDERED_INPUTS_HASH.into(), hash);
    }
    if let Some(hash) = mark_of_seed(token_metadata.consumed_seed.as_ref(), current) {
        annotations.insert(annotation::SPENT_SEED.into(), hash);
    }
    let hash = content_hash(&key, &shape, &data, &token_metadata);
    annotations.insert(annotation::CONTENT_HASH.into(), hash);
    DesiredSecret {
        name: settings.target_name.clone(),
        r#type: settings.target.r#type.clone(),
        labels: metadata.labels(),
        annotations,
        data,
        owned: metadata.owned,
        replaces: current.map(TargetSecret::secret_version),
    }
}

fn plain(token: &Token) -> BTreeMap<String, SecretString> {
    let expires_at = token.metadata.expires_at.to_string();
    BTreeMap::from([
        (ACCESS_TOKEN.to_owned(), token.value.clone()),
        (TOKEN_TYPE.to_owned(), BEARER.into()),
        (EXPIRES_AT.to_owned(), expires_at.into()),
    ])
}

/// An annotation that another client set is emptied: see [`DesiredMetadata::over`].
fn mark_of_seed(wanted: Option<&String>, current: Option<&TargetSecret>) -> Option<String> {
    let emptied = || {
        current?
            .stated(annotation::SPENT_SEED)
            .map(|_| String::new())
    };
    wanted.cloned().or_else(emptied)
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
