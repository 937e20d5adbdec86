//! A Secret that may be a target, as it was found.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// The Secret by the target's name.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for each reconcile")]
pub enum Target {
    /// The watch does not show it. A foreign one by that name may exist.
    Unknown,
    /// There is none.
    Absent,
    /// There is one.
    Present(TargetSecret),
}

/// A Secret that may be a target.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct TargetSecret {
    pub namespace: String,
    pub name: String,
    pub uid: String,
    pub version: String,
    /// All of its labels.
    pub labels: BTreeMap<String, String>,
    /// All of its annotations.
    pub annotations: BTreeMap<String, String>,
    /// The uids of its owner references.
    pub owners: Vec<String>,
    /// The finalizers that it waits for, if it is being deleted.
    pub held_by: Option<Vec<String>>,
    /// True if the `CubeCredential` that it is marked with exists.
    pub owner_lives: bool,
    /// True if that `CubeCredential` has this very Secret as its target. It is a rival then, if it is another one.
    pub owner_wants_it: bool,
    /// The agreement of its data with its annotations.
    pub content: Content,
}

/// The agreement of a target's data with its annotations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

impl Target {
    pub(in crate::reconcile) fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub(in crate::reconcile) fn present(&self) -> Option<&TargetSecret> {
        match self {
            Self::Present(secret) => Some(secret),
            Self::Unknown | Self::Absent => None,
        }
    }
}

impl TargetSecret {
    /// Returns whether it is being deleted, and only finalizers still hold it.
    pub(in crate::reconcile) fn is_being_deleted(&self) -> bool {
        self.held_by.is_some()
    }

    /// Returns whether it was edited.
    pub(in crate::reconcile) fn is_damaged(&self) -> bool {
        self.content == Content::Damaged
    }

    /// Returns whether it was found to hold what its annotations say.
    pub(in crate::reconcile) fn is_confirmed(&self) -> bool {
        matches!(self.content, Content::Confirmed(_))
    }
}
