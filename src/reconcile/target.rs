//! The target Secret: its content, the metadata of its token, and its owner.

mod content;
mod desired;
mod earlier;
mod metadata;
mod owner;
mod secret;
mod shape;

use thiserror::Error;

use crate::api::Reason;
pub(super) use content::Found;
pub(super) use desired::{BEARER, DesiredContent, desired};
pub(crate) use earlier::EarlierUse;
pub use earlier::PodList;
pub(super) use earlier::{Kept, PodsSeen};
pub(super) use metadata::{DesiredMetadata, MetadataDigest};
pub(super) use owner::TargetOwner;
pub use secret::{Content, Target, TargetReading, TargetSecret};

/// A conflict about the target: no token can be published in it, so none is requested.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum TargetConflict {
    #[error("CubeCredential {rival:?} is older and has the same target Secret {target:?}")]
    OlderRival { rival: String, target: String },
    #[error("Secret {name:?} belongs to another owner")]
    Foreign { name: String },
    /// A copy has all marks of its original, and its author may rely on it.
    #[error("Secret {name:?} is a copy of Secret {of:?}")]
    Copy { name: String, of: String },
    /// The token that templates hide could not be kept.
    #[error("Secret {name:?}, where the token is kept for the templates, belongs to another owner")]
    Record { name: String },
    /// An author could otherwise put another token under a name that consumers still use.
    #[error("Secret {name:?} is of a deleted CubeCredential")]
    Retained {
        name: String,
        namespace: String,
        uid: String,
    },
}

impl TargetConflict {
    pub(super) fn reason(&self) -> Reason {
        match self {
            Self::OlderRival { .. } => Reason::TargetDuplicate,
            Self::Foreign { .. }
            | Self::Copy { .. }
            | Self::Record { .. }
            | Self::Retained { .. } => Reason::TargetConflict,
        }
    }
}
