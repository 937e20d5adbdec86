//! The record of an issued token: a Secret of ours beside a target whose templates may hide the token. With it, a change of the
//! templates needs no other token, and a response that a template cannot render costs no second one.
//!
//! A stored refresh token needs no record, because its state holds the same. A record is written before the target: if the process
//! ends in between, the next one publishes the token that it finds there. It holds what the target holds, so losing it costs one
//! token request.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::{
    credential::{Credential, place_of},
    login::{StateReading, is_state_of},
    secret::{DesiredSecret, SecretVersion},
    settings::Settings,
    token::{ACCESS_TOKEN, DETAILS, Details, Token, TokenMetadata},
};
use crate::{
    api::{annotation, label},
    oauth::response::is_token,
};

/// The type of a record.
pub const RECORD_TYPE: &str = "cube-operator.dev/record";

/// The key of the token's metadata.
const METADATA: &str = "metadata";

/// The record as it was found.
#[derive(Clone, Debug)]
pub enum Record {
    /// It was not read in this reconcile.
    Unread,
    /// There is none.
    Absent,
    /// A Secret by its name does not belong to this object.
    Foreign,
    /// It is there.
    Present(RecordSecret),
}

/// A record.
#[derive(Clone, Debug)]
pub struct RecordSecret {
    pub(super) version: SecretVersion,
    /// True if it has this object's owner reference.
    pub(super) owned: bool,
    /// True if the API server has refused to delete it: that is not retried.
    pub(super) undeletable: bool,
    pub(super) content: RecordContent,
}

/// The part of a record that is remembered: a write needs no read before it then.
#[derive(Clone, Debug)]
pub(super) struct KnownRecord {
    version: SecretVersion,
    owned: bool,
    undeletable: bool,
}

impl RecordSecret {
    /// A record as it was written.
    #[must_use]
    pub fn written(desired: DesiredRecord, uid: String, version: String) -> Self {
        let DesiredRecord { secret, token } = desired;
        Self {
            version: SecretVersion {
                name: secret.name,
                uid,
                version,
            },
            owned: secret.owned,
            undeletable: false,
            content: RecordContent::Token(Box::new(token)),
        }
    }

    pub(super) fn known(&self) -> KnownRecord {
        KnownRecord {
            version: self.version.clone(),
            owned: self.owned,
            undeletable: self.undeletable,
        }
    }
}

/// A record as it should be.
#[derive(Clone, Debug)]
pub struct DesiredRecord {
    /// The Secret.
    pub secret: DesiredSecret,
    /// The token in it.
    pub(super) token: Token,
}

/// The content of a record.
#[derive(Clone, Debug)]
pub(super) enum RecordContent {
    /// Its version is known from an earlier reconcile, its content is not.
    Unread,
    /// It was edited, and cannot be read any more.
    Damaged,
    Token(Box<Token>),
}

impl Record {
    /// The record of this object, according to a reading.
    pub(super) fn of(reading: Option<StateReading>, credential: &Credential) -> Self {
        let Some(reading) = reading else {
            return Self::Absent;
        };
        let (labels, annotations) = (&reading.labels, &reading.annotations);
        let ours = is_state_of(credential, &reading.name, labels, annotations);
        let Some(data) = reading.data.filter(|_| ours) else {
            return Self::Foreign;
        };
        let content = read(&data).map_or(RecordContent::Damaged, |token| {
            RecordContent::Token(Box::new(token))
        });
        Self::Present(RecordSecret {
            version: SecretVersion {
                name: reading.name,
                uid: reading.uid,
                version: reading.version,
            },
            owned: reading.owners.contains(&credential.uid),
            undeletable: false,
            content,
        })
    }

    /// A record that an earlier reconcile has read or written.
    pub(super) fn known(known: KnownRecord) -> Self {
        Self::Present(RecordSecret {
            version: known.version,
            owned: known.owned,
            undeletable: known.undeletable,
            content: RecordContent::Unread,
        })
    }

    pub(super) fn present(&self) -> Option<&RecordSecret> {
        match self {
            Self::Present(secret) => Some(secret),
            Self::Unread | Self::Absent | Self::Foreign => None,
        }
    }

    /// Returns whether its content is not known.
    pub(super) fn is_unread(&self) -> bool {
        match self {
            Self::Unread => true,
            Self::Absent | Self::Foreign => false,
            Self::Present(secret) => matches!(secret.content, RecordContent::Unread),
        }
    }

    /// The token in it.
    pub(super) fn token(&self) -> Option<&Token> {
        match &self.present()?.content {
            RecordContent::Token(token) => Some(token),
            RecordContent::Unread | RecordContent::Damaged => None,
        }
    }
}

/// The record of this token, as it should be.
pub(super) fn desired(
    credential: &Credential,
    settings: &Settings,
    token: &Token,
    record: &Record,
) -> DesiredRecord {
    let name = settings.record_name.clone();
    let place = place_of(&credential.namespace, &name);
    let annotations = [
        (annotation::OWNER_NAME, credential.name.clone()),
        (annotation::OWNER_UID, credential.uid.clone()),
        (annotation::WRITTEN_TO, place),
    ];
    let secret = DesiredSecret {
        name,
        r#type: RECORD_TYPE.into(),
        labels: BTreeMap::from([(label::STATE.into(), label::TRUE.into())]),
        annotations: annotations
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        data: data(token),
        owned: settings.owns_target(),
        replaces: record.present().map(|secret| secret.version.clone()),
    };
    let token = token.clone();
    DesiredRecord { secret, token }
}

fn data(token: &Token) -> BTreeMap<String, SecretString> {
    let metadata = serde_json::to_string(&token.metadata).expect("it has only texts as keys");
    let details = token.details.as_ref().map(|details| details.value());
    let values = [
        (ACCESS_TOKEN, Some(token.value.clone())),
        (METADATA, Some(metadata.into())),
        (DETAILS, details),
    ];
    values
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect()
}

/// Reads the data of a record. An edited value that is no longer a token is not published.
fn read(data: &BTreeMap<String, SecretString>) -> Option<Token> {
    let value = data.get(ACCESS_TOKEN)?.clone();
    let metadata: TokenMetadata = serde_json::from_str(data.get(METADATA)?.expose_secret()).ok()?;
    is_token(value.expose_secret()).then(|| Token {
        value,
        metadata: metadata.cleaned(),
        details: data.get(DETAILS).and_then(Details::read).map(Box::new),
    })
}
