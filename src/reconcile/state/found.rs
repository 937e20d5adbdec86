//! The state Secret as it was found: whose it is, and whether it can be read.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::{super::observed::Credential, Stored};
use crate::api::{annotation, label};

/// What is known of the Secret with the current refresh token.
#[derive(Clone, Debug)]
pub enum State {
    /// Not looked at in this reconcile: it is only ever read live.
    Unread,
    /// There is none.
    Absent,
    /// A Secret by that name is not this object's.
    Foreign,
    /// It was edited, and cannot be read any more. Whoever has an answer to store replaces it.
    Damaged {
        /// Its uid.
        uid: String,
        /// Its resourceVersion.
        version: String,
    },
    /// It is there.
    Present(Box<StateSecret>),
}

/// A state Secret.
#[derive(Clone, Debug)]
pub struct StateSecret {
    /// Its uid.
    pub uid: String,
    /// Its resourceVersion.
    pub version: String,
    /// Whether it has this object's owner reference.
    pub owned: bool,
    /// What it holds.
    pub stored: Stored,
}

/// A Secret by the name of the state, as it was read.
#[derive(Debug)]
pub struct StateReading {
    /// Its uid.
    pub uid: String,
    /// Its resourceVersion.
    pub version: String,
    /// The uids of its owner references.
    pub owners: Vec<String>,
    /// Its data, as far as it is text; `None`: it is not this object's, so it was not read.
    pub data: Option<BTreeMap<String, SecretString>>,
}

impl State {
    /// What a reading means to this object.
    #[must_use]
    pub fn of(reading: Option<StateReading>, credential: &Credential) -> Self {
        let Some(reading) = reading else {
            return Self::Absent;
        };
        let Some(data) = &reading.data else {
            return Self::Foreign;
        };
        match Stored::read(data) {
            Some(stored) => Self::Present(Box::new(StateSecret {
                uid: reading.uid,
                version: reading.version,
                owned: reading.owners.contains(&credential.uid),
                stored,
            })),
            None => Self::Damaged {
                uid: reading.uid,
                version: reading.version,
            },
        }
    }

    /// What it holds.
    pub(in crate::reconcile) fn stored(&self) -> Option<&Stored> {
        match self {
            Self::Present(secret) => Some(&secret.stored),
            _ => None,
        }
    }
}

/// Whether a Secret by the name of the state is this object's or its predecessor's: its data may be read.
#[must_use]
pub fn is_state_of(
    credential: &Credential,
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
) -> bool {
    label::is_set(labels, label::STATE)
        && annotations.get(annotation::OWNER_NAME) == Some(&credential.name)
}
