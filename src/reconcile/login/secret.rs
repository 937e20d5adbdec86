//! The state Secret as it was found: its owner, and whether it can be read.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use super::{record::LoginRecord, stored::StoredLogin};
use crate::{
    api::{annotation, label},
    oauth::response::is_token,
    reconcile::{credential::Credential, token::ACCESS_TOKEN},
};

/// The type of a state Secret.
pub const STATE_TYPE: &str = "cube-operator.dev/state";

pub(super) const REFRESH_TOKEN: &str = "refresh-token";
pub(super) const REPLACED_TOKEN: &str = "replaced-refresh-token";
pub(super) const RECORD: &str = "record";

/// The Secret with the current refresh token.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum State {
    /// It was not read in this reconcile: it is only ever read live.
    Unread,
    /// There is none.
    Absent,
    /// A Secret by that name does not belong to this object.
    Foreign,
    /// It was edited, and cannot be read any more. Only a response that must be stored replaces it.
    Damaged { uid: String, version: String },
    /// It is there.
    Present(Box<StateSecret>),
}

/// A state Secret.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StateSecret {
    pub uid: String,
    pub version: String,
    /// The uid of the object that wrote it last. One that is not this object's was left by a predecessor of the same name.
    pub owner_uid: Option<String>,
    /// Whether it has this object's owner reference.
    pub owned: bool,
    /// The content of the Secret.
    pub stored: StoredLogin,
}

/// A Secret by the name of the state, as it was read.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StateReading {
    pub uid: String,
    pub version: String,
    /// The uid of the object that wrote it last, from its annotation.
    pub owner_uid: Option<String>,
    /// The uids of its owner references.
    pub owners: Vec<String>,
    /// Its data, as far as it is text; `None`: it does not belong to this object, so its data was not read.
    pub data: Option<BTreeMap<String, SecretString>>,
}

/// A conflict about the Secret that should keep the refresh token, so that nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum StateConflict {
    #[error(
        "Secret {name:?}, where the refresh token is to be kept, exists and does not belong to this CubeCredential, so it is left \
         alone and nothing is sent"
    )]
    Foreign { name: String },
    #[error(
        "Secret {name:?}, where the refresh token is kept, was edited and cannot be read any more, so nothing is sent"
    )]
    Damaged { name: String },
}

impl State {
    /// The state of this object, according to a reading.
    #[must_use]
    pub fn of(reading: Option<StateReading>, credential: &Credential) -> Self {
        let Some(reading) = reading else {
            return Self::Absent;
        };
        let Some(data) = &reading.data else {
            return Self::Foreign;
        };
        match StoredLogin::read(data) {
            Some(stored) => Self::Present(Box::new(StateSecret {
                uid: reading.uid,
                version: reading.version,
                owner_uid: reading.owner_uid,
                owned: reading.owners.contains(&credential.uid),
                stored,
            })),
            None => Self::Damaged {
                uid: reading.uid,
                version: reading.version,
            },
        }
    }

    /// Its content, if it could be read.
    pub(in crate::reconcile) fn stored(&self) -> Option<&StoredLogin> {
        match self {
            Self::Present(secret) => Some(&secret.stored),
            Self::Unread | Self::Absent | Self::Foreign | Self::Damaged { .. } => None,
        }
    }

    /// Uid and version of the Secret that a write replaces.
    pub(in crate::reconcile) fn version(&self) -> Option<(&str, &str)> {
        match self {
            Self::Present(secret) => Some((&secret.uid, &secret.version)),
            Self::Damaged { uid, version } => Some((uid, version)),
            Self::Unread | Self::Absent | Self::Foreign => None,
        }
    }

    pub(in crate::reconcile) fn is_unread(&self) -> bool {
        matches!(self, Self::Unread)
    }
}

impl StoredLogin {
    /// Reads the data of the Secret. An edited value that is no longer a token is neither sent nor published.
    pub(super) fn read(data: &BTreeMap<String, SecretString>) -> Option<Self> {
        let record: LoginRecord = serde_json::from_str(data.get(RECORD)?.expose_secret()).ok()?;
        let token = |key| {
            let found = data.get(key).cloned();
            found.filter(|token| is_token(token.expose_secret()))
        };
        Some(Self {
            refresh_token: token(REFRESH_TOKEN)?,
            access_token: token(ACCESS_TOKEN),
            replaced_token: token(REPLACED_TOKEN),
            record: record.cleaned()?,
        })
    }

    /// The data of the Secret.
    #[must_use]
    pub fn data(&self) -> BTreeMap<String, SecretString> {
        let record = serde_json::to_string(&self.record).expect("it has only texts as keys");
        let tokens = [
            (REFRESH_TOKEN, Some(self.refresh_token.clone())),
            (ACCESS_TOKEN, self.access_token.clone()),
            (REPLACED_TOKEN, self.replaced_token.clone()),
            (RECORD, Some(record.into())),
        ];
        tokens
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect()
    }
}

/// Whether a Secret by the name of the state belongs to this object or its predecessor, so that its data may be read.
#[must_use]
pub fn is_state_of(
    credential: &Credential,
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
) -> bool {
    label::is_set(labels, label::STATE)
        && annotations.get(annotation::OWNER_NAME) == Some(&credential.name)
}
