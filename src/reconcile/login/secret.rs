//! The state Secret as it was found: its owner, and whether it can be read.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

use super::{origin::Origin, record::LoginRecord, stored::StoredLogin};
use crate::{
    api::{annotation, label},
    oauth::response::is_token,
    reconcile::{
        credential::Credential,
        token::{ACCESS_TOKEN, DETAILS, Details},
    },
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
    /// It is a state that was written under another name, as `namespace/name`, or by an earlier version; no person has given it to
    /// this object.
    Elsewhere(Option<String>),
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
    /// True if it has this object's owner reference.
    pub owned: bool,
    /// True if it was written elsewhere, and a person has given it to this object.
    pub given: bool,
    /// True if it has the labels and annotations that it should have.
    pub marked: bool,
    /// The content of the Secret.
    pub stored: StoredLogin,
}

/// A Secret by the name of the state, as it was read.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct StateReading {
    pub name: String,
    pub uid: String,
    pub version: String,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    /// The uids of its owner references.
    pub owners: Vec<String>,
    /// Its data, as far as it is text; `None`: it does not belong to this object, so its data was not read.
    pub data: Option<BTreeMap<String, SecretString>>,
}

/// A conflict about the Secret that should keep the refresh token, so that nothing is sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum StateConflict {
    #[error("the refresh token cannot be stored, because Secret {name:?} belongs to another owner")]
    Foreign { name: String },
    #[error("{}", elsewhere(name, origin.as_deref()))]
    Elsewhere {
        name: String,
        namespace: String,
        /// The uid of this object.
        uid: String,
        /// Where it was written, if that is known.
        origin: Option<String>,
    },
    #[error("Secret {name:?} with the refresh token was edited and cannot be read")]
    Damaged { name: String },
}

fn elsewhere(name: &str, origin: Option<&str>) -> String {
    match origin {
        Some(origin) => {
            format!("Secret {name:?} is a copy of Secret {origin:?}")
        }
        None => format!("Secret {name:?} was left by a deleted CubeCredential and may be a copy"),
    }
}

impl State {
    /// The state of this object, according to a reading.
    #[must_use]
    pub fn of(reading: Option<StateReading>, credential: &Credential) -> Self {
        let Some(reading) = reading else {
            return Self::Absent;
        };
        let StateReading {
            name,
            uid,
            version,
            labels,
            annotations,
            owners,
            data,
        } = reading;
        let origin = Origin::of(credential, &name, &labels, &annotations);
        let Some(data) = data else {
            return match origin {
                Origin::Elsewhere(origin) => Self::Elsewhere(origin),
                Origin::Here | Origin::Given | Origin::Foreign => Self::Foreign,
            };
        };
        match StoredLogin::read(&data) {
            Some(stored) => Self::Present(Box::new(StateSecret {
                uid,
                version,
                owner_uid: annotations.get(annotation::OWNER_UID).cloned(),
                owned: owners.contains(&credential.uid),
                given: origin == Origin::Given,
                marked: annotations.contains_key(annotation::WRITTEN_TO)
                    && stored
                        .labels()
                        .keys()
                        .all(|name| label::is_set(&labels, name)),
                stored,
            })),
            None => Self::Damaged { uid, version },
        }
    }

    /// Its content, if it could be read.
    pub(in crate::reconcile) fn stored(&self) -> Option<&StoredLogin> {
        match self {
            Self::Present(secret) => Some(&secret.stored),
            Self::Unread
            | Self::Absent
            | Self::Foreign
            | Self::Elsewhere(_)
            | Self::Damaged { .. } => None,
        }
    }

    /// Uid and version of the Secret that a write replaces.
    pub(in crate::reconcile) fn version(&self) -> Option<(&str, &str)> {
        match self {
            Self::Present(secret) => Some((&secret.uid, &secret.version)),
            Self::Damaged { uid, version } => Some((uid, version)),
            Self::Unread | Self::Absent | Self::Foreign | Self::Elsewhere(_) => None,
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
            details: data.get(DETAILS).and_then(Details::read).map(Box::new),
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
            (
                DETAILS,
                self.details.as_ref().map(|details| details.value()),
            ),
            (REPLACED_TOKEN, self.replaced_token.clone()),
            (RECORD, Some(record.into())),
        ];
        tokens
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect()
    }
}
