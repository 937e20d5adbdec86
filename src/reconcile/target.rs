//! The target Secret: what is published, what is recorded beside it, and whose it is.

mod desired;
mod metadata;
mod owner;

use std::collections::BTreeMap;

use secrecy::SecretString;
use thiserror::Error;

use super::token::{Token, TokenMetadata, fingerprint};
use crate::api::Reason;
pub(super) use desired::desired;
pub use desired::{DesiredSecret, SecretVersion};
pub(super) use metadata::DesiredMetadata;
pub(super) use owner::TargetOwner;

/// The Secret by the target's name.
#[derive(Clone, Debug)]
pub enum Target {
    /// The watch does not show it. Whether there is a foreign one by that name is not known.
    Unknown,
    /// There is none.
    Absent,
    /// There is one.
    Present(TargetSecret),
}

/// A Secret that may be a target.
#[derive(Clone, Debug)]
pub struct TargetSecret {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its resourceVersion.
    pub version: String,
    /// All of its labels.
    pub labels: BTreeMap<String, String>,
    /// All of its annotations.
    pub annotations: BTreeMap<String, String>,
    /// The uids of its owner references.
    pub owners: Vec<String>,
    /// Whether the `CubeCredential` that it is marked with exists.
    pub owner_lives: bool,
    /// Whether that `CubeCredential` has this very Secret as its target. It is a rival then, if it is another one.
    pub owner_wants_it: bool,
    /// Whether it holds what its annotations say.
    pub content: Content,
}

/// Whether a target holds what its annotations say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// This version was not read.
    Unread,
    /// It does; this is the fingerprint of its token.
    Confirmed(String),
    /// It was edited, or is not a target of ours at all.
    Damaged,
}

/// A Secret that was read, with its data.
#[derive(Debug)]
pub struct TargetReading {
    /// The Secret without its data.
    pub secret: TargetSecret,
    /// The data, as far as it is text; empty for a foreign Secret.
    pub data: BTreeMap<String, SecretString>,
}

/// Why no token can be published in the target, and so none is requested.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(super) enum TargetConflict {
    #[error("CubeCredential {rival:?} is older and has the same target Secret {target:?}")]
    OlderRival { rival: String, target: String },
    #[error(
        "Secret {name:?} exists and does not belong to this CubeCredential, so it is left alone"
    )]
    Foreign { name: String },
}

impl TargetConflict {
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::OlderRival { .. } => Reason::TargetDuplicate,
            Self::Foreign { .. } => Reason::TargetConflict,
        }
    }
}

impl Target {
    pub(super) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub(super) fn present(&self) -> Option<&TargetSecret> {
        match self {
            Self::Present(secret) => Some(secret),
            Self::Unknown | Self::Absent => None,
        }
    }
}

impl TargetSecret {
    /// This version of this Secret, for a write or a deletion that must meet no other.
    pub(super) fn secret_version(&self) -> SecretVersion {
        SecretVersion {
            name: self.name.clone(),
            uid: self.uid.clone(),
            version: self.version.clone(),
        }
    }

    /// Whether it was found to hold what its annotations say.
    pub(super) fn is_confirmed(&self) -> bool {
        matches!(self.content, Content::Confirmed(_))
    }

    /// The metadata of its token, if it was found to hold what its annotations say.
    pub(super) fn confirmed_metadata(&self) -> Option<TokenMetadata> {
        self.is_confirmed().then(|| self.metadata()).flatten()
    }

    /// Compares the data with the annotations, and returns the token if both are as they were written.
    pub(super) fn inspect(&mut self, data: &BTreeMap<String, SecretString>) -> Option<Token> {
        let token = self.token(data);
        self.content = match &token {
            Some(token) => Content::Confirmed(fingerprint(&token.value)),
            None => Content::Damaged,
        };
        token
    }
}
