//! The target Secret: what is published, what is recorded beside it, and whose it is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    inputs::{Fields, hex, keyed},
    observed::{Content, Credential, TargetSecret},
    plan::DesiredSecret,
    settings::Settings,
};
use crate::api::{annotation, label};

/// The key of the access token.
pub(super) const ACCESS_TOKEN: &str = "access-token";
const TOKEN_TYPE: &str = "token-type";
const EXPIRES_AT: &str = "expires-at";

/// What stands beside a token: enough to judge it without any status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    /// The uid of the `CubeCredential` that it was written for.
    pub(super) owner_uid: String,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) inputs_hash: String,
    /// The generation and source version for which the inputs were last confirmed.
    pub(super) generation: i64,
    pub(super) source_version: String,
    /// The version of the seed, with the grant that has one.
    pub(super) seed_version: Option<String>,
    /// The number of the answer that the token came with, with that grant: it orders tokens of one second, and of two clocks.
    pub(super) rotation: Option<u64>,
    pub(super) refresh_request: Option<String>,
    pub(super) scopes: Vec<String>,
}

impl Record {
    /// Whether the token of this record was issued after that of the other.
    pub(super) fn is_newer_than(&self, other: &Self) -> bool {
        // A token without a number is of the grant before, whatever the clock of its process said.
        (self.rotation, self.issued_at) > (other.rotation, other.issued_at)
    }
}

/// A token in hand, with its record.
#[derive(Clone, Debug)]
pub(super) struct Holding {
    pub(super) token: SecretString,
    pub(super) record: Record,
}

impl Holding {
    /// Whether this token, found in a Secret, makes one that waits to be published superfluous: it is the same (the answer to
    /// our write was lost), or was issued later (another process wrote it).
    pub(super) fn replaces(&self, waiting: &Self) -> bool {
        let (found, other) = (&self.record, &waiting.record);
        let same_grant = found.rotation.is_some() == other.rotation.is_some();
        self.token.expose_secret() == waiting.token.expose_secret()
            || (same_grant && found.is_newer_than(other))
    }
}

/// Whose a Secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// It carries the uid of this `CubeCredential`.
    This,
    /// It carries its name and a uid that nothing has any more: kept by Retain, or restored from a backup.
    Predecessor,
    /// It carries the uid of a younger `CubeCredential` with the same target, which yields to this one. Without this, two of
    /// them could wait for each other and neither token would be refreshed.
    Rival,
    /// Anything else. It is never written, adopted or deleted.
    Foreign,
}

/// The first 8 hexadecimal digits of the token's SHA-256.
#[must_use]
pub fn fingerprint(token: &SecretString) -> String {
    hex(&Sha256::digest(token.expose_secret())[..4])
}

impl DesiredSecret {
    /// The fingerprint of its token.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.data
            .get(ACCESS_TOKEN)
            .map(fingerprint)
            .unwrap_or_default()
    }
}

impl TargetSecret {
    /// Whether this Secret is neither this object's nor left by a predecessor of it: its data may not be read.
    #[must_use]
    pub fn is_foreign_to(&self, credential: &Credential) -> bool {
        self.owner(credential) == Owner::Foreign
    }

    pub(super) fn owner(&self, credential: &Credential) -> Owner {
        let marked = |name: &str| self.annotations.get(name).map(String::as_str);
        match marked(annotation::OWNER_UID) {
            Some(uid) if uid == credential.uid => Owner::This,
            Some(_)
                if !self.owner_lives
                    && marked(annotation::OWNER_NAME) == Some(&credential.name) =>
            {
                Owner::Predecessor
            }
            // An older rival would have been noticed before: see `an_older_credential_owns_the_target`.
            Some(_) if self.owner_wants_it => Owner::Rival,
            _ => Owner::Foreign,
        }
    }

    /// What its annotations say; `None` if they are incomplete.
    pub(super) fn record(&self) -> Option<Record> {
        let text = |name: &str| self.annotations.get(name);
        Some(Record {
            owner_uid: text(annotation::OWNER_UID)?.clone(),
            issued_at: text(annotation::ISSUED_AT)?.parse().ok()?,
            expires_at: text(annotation::EXPIRES_AT)?.parse().ok()?,
            inputs_hash: text(annotation::INPUTS_HASH)?.clone(),
            generation: text(annotation::GENERATION)?.parse().ok()?,
            source_version: text(annotation::SOURCE_VERSION)?.clone(),
            seed_version: text(annotation::SEED_VERSION).cloned(),
            rotation: text(annotation::ROTATION).and_then(|number| number.parse().ok()),
            refresh_request: text(annotation::REFRESH_REQUEST).cloned(),
            scopes: text(annotation::SCOPES)
                .map(|scopes| scopes.split(' ').map(Into::into).collect())
                .unwrap_or_default(),
        })
    }

    /// Whether it was found to hold what its annotations say.
    pub(super) fn is_confirmed(&self) -> bool {
        matches!(self.content, Content::Confirmed(_))
    }

    /// What its annotations say, if it was found to hold that.
    pub(super) fn confirmed_record(&self) -> Option<Record> {
        self.is_confirmed().then(|| self.record()).flatten()
    }

    /// The token, if data and annotations are as they were written.
    pub(super) fn holding(&self, data: &BTreeMap<String, SecretString>) -> Option<Holding> {
        let record = self.record()?;
        let token = data.get(ACCESS_TOKEN)?.clone();
        let expected = keyed(&token, &content(data, &record));
        (self.annotations.get(annotation::CONTENT_HASH) == Some(&expected))
            .then_some(Holding { token, record })
    }

    pub(super) fn inspect(&mut self, data: &BTreeMap<String, SecretString>) -> Option<Holding> {
        let holding = self.holding(data);
        self.content = match &holding {
            Some(holding) => Content::Confirmed(fingerprint(&holding.token)),
            None => Content::Damaged,
        };
        holding
    }

    pub(super) fn secret_type(&self) -> Option<&str> {
        self.annotations.get(annotation::TYPE).map(String::as_str)
    }

    /// Whether it has the metadata that it should have. Labels and annotations that others added do not matter.
    pub(super) fn has(&self, desired: &DesiredMetadata) -> bool {
        let within = |wanted: &BTreeMap<String, String>, found: &BTreeMap<String, String>| {
            wanted
                .iter()
                .all(|(name, value)| found.get(name) == Some(value))
        };
        within(&desired.labels, &self.labels)
            && within(&desired.annotations, &self.annotations)
            && self.owners.contains(&desired.owner_uid) == desired.owned
    }
}

/// The metadata that a target should have, without the hash of its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DesiredMetadata {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) owner_uid: String,
    pub(super) owned: bool,
}

impl DesiredMetadata {
    pub(super) fn new(credential: &Credential, settings: &Settings, record: &Record) -> Self {
        let mut labels = settings.target.labels.clone();
        labels.insert(label::MANAGED.into(), label::TRUE.into());
        let mut annotations = settings.target.annotations.clone();
        let mut note = |name: &str, value: &str| annotations.insert(name.into(), value.into());
        note(annotation::OWNER_NAME, &credential.name);
        note(annotation::OWNER_UID, &credential.uid);
        note(annotation::TYPE, &settings.target.r#type);
        note(annotation::ISSUED_AT, &record.issued_at.to_string());
        note(annotation::EXPIRES_AT, &record.expires_at.to_string());
        note(annotation::INPUTS_HASH, &record.inputs_hash);
        note(annotation::GENERATION, &record.generation.to_string());
        note(annotation::SOURCE_VERSION, &record.source_version);
        if let Some(version) = &record.seed_version {
            note(annotation::SEED_VERSION, version);
        }
        if let Some(number) = record.rotation {
            note(annotation::ROTATION, &number.to_string());
        }
        if let Some(request) = &record.refresh_request {
            note(annotation::REFRESH_REQUEST, request);
        }
        if !record.scopes.is_empty() {
            note(annotation::SCOPES, &record.scopes.join(" "));
        }
        Self {
            labels,
            annotations,
            owner_uid: credential.uid.clone(),
            owned: settings.owns_target(),
        }
    }
}

/// The whole target for a token in hand.
pub(super) fn desired(
    credential: &Credential,
    settings: &Settings,
    holding: &Holding,
) -> DesiredSecret {
    let DesiredMetadata {
        labels,
        mut annotations,
        owned,
        ..
    } = DesiredMetadata::new(credential, settings, &holding.record);
    let data = BTreeMap::from([
        (ACCESS_TOKEN.to_owned(), holding.token.clone()),
        (TOKEN_TYPE.to_owned(), "Bearer".into()),
        (
            EXPIRES_AT.to_owned(),
            holding.record.expires_at.to_string().into(),
        ),
    ]);
    let hash = keyed(&holding.token, &content(&data, &holding.record));
    annotations.insert(annotation::CONTENT_HASH.into(), hash);
    DesiredSecret {
        name: settings.target_name.clone(),
        r#type: settings.target.r#type.clone(),
        labels,
        annotations,
        data,
        owned,
        replaces: None,
    }
}

/// What the content hash covers: the keys that are ours and the record, not what others add.
fn content(data: &BTreeMap<String, SecretString>, record: &Record) -> Vec<u8> {
    let mut fields = Fields::default();
    for key in [ACCESS_TOKEN, TOKEN_TYPE, EXPIRES_AT] {
        fields.push(key);
        fields.push(data.get(key).map_or("", |value| value.expose_secret()));
    }
    fields.push(&record.issued_at.to_string());
    fields.push(&record.expires_at.to_string());
    fields.push(&record.inputs_hash);
    fields.push(&record.generation.to_string());
    fields.push(&record.source_version);
    fields.push(record.refresh_request.as_deref().unwrap_or_default());
    fields.push(&record.scopes.join(" "));
    if let Some(version) = &record.seed_version {
        fields.push(version);
    }
    if let Some(number) = record.rotation {
        fields.push(&number.to_string());
    }
    fields.0
}
