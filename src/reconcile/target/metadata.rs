//! The metadata of a target: labels and annotations, with the metadata of its token among them.

use std::{borrow::Cow, collections::BTreeMap};

use sha2::{Digest, Sha256};

use super::secret::TargetSecret;
use crate::{
    api::{annotation, label},
    reconcile::{
        credential::{Credential, place_of},
        digest::Fields,
        settings::{Rendering, Settings},
        token::{LAST_ROTATION, LoginExpiry, TokenMetadata},
    },
};

/// The metadata that a target should have, without the hash of its content.
#[derive(Clone, Debug)]
pub(in crate::reconcile) struct DesiredMetadata<'a> {
    labels: Entries<'a>,
    annotations: Entries<'a>,
    owner_uid: &'a str,
    pub(super) owned: bool,
}

/// Names and values, each name once. They are compared with what is there for each decision, and become a map only for a write.
type Entries<'a> = Vec<(&'a str, Cow<'a, str>)>;

impl<'a> DesiredMetadata<'a> {
    pub(in crate::reconcile) fn new(
        credential: &'a Credential,
        settings: &'a Settings,
        token: &'a TokenMetadata,
    ) -> Self {
        let labels = vec![(label::MANAGED, label::TRUE.into())];
        let mut annotations = Vec::new();
        let mut annotate = |name, value: Cow<'a, str>| annotations.push((name, value));
        annotate(annotation::OWNER_NAME, (&credential.name).into());
        annotate(annotation::OWNER_UID, (&credential.uid).into());
        let place = place_of(&credential.namespace, &settings.target_name);
        annotate(annotation::WRITTEN_TO, place.into());
        annotate(annotation::TYPE, (&settings.target.r#type).into());
        annotate(annotation::ISSUED_AT, token.issued_at.to_string().into());
        annotate(annotation::EXPIRES_AT, token.expires_at.to_string().into());
        annotate(annotation::INPUTS_HASH, (&token.inputs_hash).into());
        annotate(annotation::GENERATION, token.generation.to_string().into());
        annotate(annotation::SOURCE_VERSION, (&token.source_version).into());
        if let Some(version) = &token.seed_version {
            annotate(annotation::SEED_VERSION, version.into());
        }
        if let Some(version) = &token.provider_version {
            annotate(annotation::PROVIDER_VERSION, version.into());
        }
        if let Some(number) = token.rotation {
            annotate(annotation::ROTATION, number.to_string().into());
        }
        if let Some(request) = &token.refresh_request {
            annotate(annotation::REFRESH_REQUEST, request.into());
        }
        if let Some(login) = token.login {
            annotate(annotation::LOGIN_EXPIRES_AT, login.at.to_string().into());
            if login.fixed {
                annotate(annotation::LOGIN_FIXED, "true".into());
            }
        }
        if token.unproven {
            annotate(annotation::UNPROVEN, "true".into());
        }
        if !token.scopes.is_empty() {
            annotate(annotation::SCOPES, token.scopes.join(" ").into());
        }
        if let Some(Rendering { hash, keys, .. }) = &settings.rendering {
            annotate(annotation::TEMPLATES, hash.into());
            annotate(annotation::KEYS, keys.into());
        }
        Self {
            labels: beside(labels, &settings.target.labels),
            annotations: beside(annotations, &settings.target.annotations),
            owner_uid: &credential.uid,
            owned: settings.owns_target(),
        }
    }

    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        map(&self.labels)
    }

    pub(super) fn annotations(&self) -> BTreeMap<String, String> {
        map(&self.annotations)
    }
}

/// Our entries, and those of the spec. Only a definition without its rules lets a spec have a name of ours, and ours counts then.
fn beside<'a>(mut ours: Entries<'a>, others: &'a BTreeMap<String, String>) -> Entries<'a> {
    for (name, value) in others {
        if ours.iter().all(|(our, _)| our != name) {
            ours.push((name, value.into()));
        }
    }
    ours
}

fn map(entries: &Entries<'_>) -> BTreeMap<String, String> {
    let entries = entries.iter();
    entries
        .map(|(name, value)| ((*name).to_owned(), value.to_string()))
        .collect()
}

/// Differs between two targets with different metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reconcile) struct MetadataDigest([u8; 32]);

/// The annotations that only some tokens have, without the one that is keyed with the content.
const OPTIONAL: [&str; 9] = [
    annotation::PROVIDER_VERSION,
    annotation::ROTATION,
    annotation::REFRESH_REQUEST,
    annotation::LOGIN_EXPIRES_AT,
    annotation::LOGIN_FIXED,
    annotation::UNPROVEN,
    annotation::SCOPES,
    annotation::TEMPLATES,
    annotation::KEYS,
];

impl DesiredMetadata<'_> {
    pub(in crate::reconcile) fn digest(&self) -> MetadataDigest {
        let mut fields = Fields::default();
        for entries in [&self.labels, &self.annotations] {
            fields.push(&entries.len().to_string());
            for (name, value) in entries {
                fields.push(name);
                fields.push(value);
            }
        }
        fields.push(self.owner_uid);
        fields.push(if self.owned { "owned" } else { "" });
        MetadataDigest(Sha256::digest(fields.into_bytes()).into())
    }

    /// The same metadata over what is there. An apply would leave an annotation that another client set, and it would describe a
    /// token that does not have it, so it is emptied.
    pub(in crate::reconcile) fn over(mut self, current: Option<&TargetSecret>) -> Self {
        for name in OPTIONAL {
            let found = current.and_then(|current| current.stated(name));
            if found.is_some() && self.annotations.iter().all(|(wanted, _)| *wanted != name) {
                self.annotations.push((name, Cow::default()));
            }
        }
        self
    }
}

impl TargetSecret {
    /// The annotation, unless it is empty.
    pub(super) fn stated(&self, name: &str) -> Option<&String> {
        self.annotations.get(name).filter(|text| !text.is_empty())
    }

    /// The metadata of its token, from its annotations; `None` if they are incomplete, or have a number that nothing can follow.
    pub(in crate::reconcile) fn metadata(&self) -> Option<TokenMetadata> {
        let text = |name: &str| self.stated(name);
        let rotation = match text(annotation::ROTATION) {
            Some(number) => Some(
                number
                    .parse()
                    .ok()
                    .filter(|number| *number <= LAST_ROTATION)?,
            ),
            None => None,
        };
        let metadata = TokenMetadata {
            owner_uid: text(annotation::OWNER_UID)?.clone(),
            issued_at: text(annotation::ISSUED_AT)?.parse().ok()?,
            expires_at: text(annotation::EXPIRES_AT)?.parse().ok()?,
            inputs_hash: text(annotation::INPUTS_HASH)?.clone(),
            generation: text(annotation::GENERATION)?.parse().ok()?,
            source_version: text(annotation::SOURCE_VERSION)?.clone(),
            // It is empty where the Secret is gone, and only a token of a refresh token has it.
            seed_version: rotation
                .and_then(|_| self.annotations.get(annotation::SEED_VERSION).cloned()),
            provider_version: text(annotation::PROVIDER_VERSION).cloned(),
            rotation,
            consumed_seed: text(annotation::SPENT_SEED).cloned(),
            refresh_request: text(annotation::REFRESH_REQUEST).cloned(),
            scopes: text(annotation::SCOPES)
                .map(|scopes| scopes.split(' ').map(Into::into).collect())
                .unwrap_or_default(),
            login: text(annotation::LOGIN_EXPIRES_AT)
                .and_then(|at| at.parse().ok())
                .map(|at| LoginExpiry {
                    at,
                    fixed: text(annotation::LOGIN_FIXED).is_some(),
                }),
            unproven: text(annotation::UNPROVEN).is_some(),
        };
        Some(metadata.cleaned())
    }

    /// The metadata of its token, if its content was confirmed.
    pub(in crate::reconcile) fn confirmed_metadata(&self) -> Option<TokenMetadata> {
        if !self.is_confirmed() {
            return None;
        }
        self.metadata()
    }

    /// The type it was created with: the watch shows metadata only.
    pub(in crate::reconcile) fn secret_type(&self) -> Option<&str> {
        self.annotations.get(annotation::TYPE).map(String::as_str)
    }

    /// Returns whether it has the metadata that it should have. Labels and annotations that others added do not matter.
    pub(in crate::reconcile) fn has(&self, desired: &DesiredMetadata<'_>) -> bool {
        let within = |wanted: &Entries<'_>, found: &BTreeMap<String, String>| {
            let mut wanted = wanted.iter();
            wanted.all(|(name, value)| found.get(*name).is_some_and(|found| found == value))
        };
        within(&desired.labels, &self.labels)
            && within(&desired.annotations, &self.annotations)
            && self.owners.iter().any(|owner| owner == desired.owner_uid) == desired.owned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_ours_in_the_spec_does_not_count() {
        let others = BTreeMap::from([
            (label::MANAGED.to_owned(), "spec".to_owned()),
            ("team".to_owned(), "spec".to_owned()),
        ]);
        let entries = beside(vec![(label::MANAGED, label::TRUE.into())], &others);
        let wanted = [
            (label::MANAGED, label::TRUE.into()),
            ("team", "spec".into()),
        ];
        assert_eq!(entries, wanted);
    }
}
