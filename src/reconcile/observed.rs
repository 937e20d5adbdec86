//! What is known about one `CubeCredential` and the objects around it, in the words of the domain.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::{
    attempt::{Memory, Versions},
    budget::{Permit, PermitRequest},
    settings::Settings,
    state::State,
};
use crate::{api::CubeCredentialStatus, oauth::hosts::HostList};

/// Everything that a decision is made from, besides the time.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The object itself.
    pub credential: Credential,
    /// What it asks for, or why that cannot be read.
    pub settings: Result<Settings, String>,
    /// Another, older `CubeCredential` with the same target.
    pub older_rival: Option<String>,
    /// The Secret by the target's name.
    pub target: Target,
    /// A Secret by another name that is marked as this object's: the target before `target.name` changed.
    pub previous: Option<TargetSecret>,
    /// The Secret with the client id and the client secret.
    pub source: Source,
    /// The Secret with the first refresh token, for the grant that starts from one.
    pub seed: Source<SourceValue>,
    /// The Secret with the current refresh token.
    pub state: State,
    /// Who this process is in claims: the uid of its pod.
    pub identity: String,
    /// The further authorities.
    pub ca_bundle: CaBundle,
    /// Whether this client may send a token request; `None`: not asked in this reconcile.
    pub turn: Option<(PermitRequest, Permit)>,
    /// The only hosts that the operator may send to; `None`: any.
    pub allowed_hosts: Option<HostList>,
    /// What this process remembers of earlier reconciles.
    pub memory: Memory,
}

/// The `CubeCredential`, without its spec.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its generation.
    pub generation: i64,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// The hash of its refresh request, if it has one.
    pub refresh_request: Option<String>,
    /// Its status, as last read or written.
    pub status: CubeCredentialStatus,
}

/// The Secret by the target's name.
#[derive(Clone, Debug)]
pub enum Target {
    /// It is not among the watched ones: whether there is a foreign one by that name is not known.
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
    /// Whether that `CubeCredential` has this very Secret as its target: a rival, if it is another one.
    pub owner_wants_it: bool,
    /// Whether it holds what its annotations say.
    pub content: Content,
}

/// Whether a target holds what its annotations say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Not looked at in this version.
    Unread,
    /// It does; this is the fingerprint of its token.
    Confirmed(String),
    /// It was edited, or is not a target of ours at all.
    Damaged,
}

/// A Secret of somebody's that may be read with its consent label.
#[derive(Clone, Debug)]
pub enum Source<T = ClientValues> {
    /// Its content was not read yet. The version is that of the watch on labelled Secrets; `None`: not among them.
    Unread(Option<String>),
    /// There is none by that name.
    Absent,
    /// It has no consent label, so its content was not read.
    NotLabelled,
    /// Its content.
    Read(SourceSecret<T>),
}

/// What is used of such a Secret.
#[derive(Clone, Debug)]
pub struct SourceSecret<T = ClientValues> {
    /// Its resourceVersion.
    pub version: String,
    /// The hosts that its owner permits.
    pub token_hosts: Option<String>,
    /// The values that are used.
    pub values: T,
}

/// What is used of the Secret with the client id and the client secret.
#[derive(Clone, Debug)]
pub struct ClientValues {
    /// The client id.
    pub id: SourceValue,
    /// The client secret.
    pub secret: SourceValue,
}

/// The value of one key.
#[derive(Clone, Debug)]
pub enum SourceValue {
    /// There is no such key.
    Absent,
    /// It is not UTF-8.
    NotText,
    /// The text.
    Text(SecretString),
}

/// The further authorities.
#[derive(Clone, Debug)]
pub enum CaBundle {
    /// Not read yet.
    Unread,
    /// There is no such object.
    Absent,
    /// It is a Secret without consent label, so its content was not read.
    NotLabelled,
    /// It has no text in that key.
    NoText,
    /// The PEM text.
    Pem(String),
}

impl Observed {
    /// The versions of what a token depends on.
    pub(super) fn versions(&self) -> Versions {
        Versions {
            generation: self.credential.generation,
            source_version: self.source.version().unwrap_or_default().to_owned(),
            seed_version: self.seed_version(),
        }
    }

    /// The version of the seed that is current, with the grant that has one; empty: there is none to be read.
    pub(super) fn seed_version(&self) -> Option<String> {
        let settings = self.settings.as_ref().ok()?;
        settings.seed()?;
        Some(self.seed.version().unwrap_or_default().to_owned())
    }
}

impl<T> Source<T> {
    /// The version that is current, as far as known.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::Unread(version) => version.as_deref(),
            Self::Read(secret) => Some(&secret.version),
            Self::Absent | Self::NotLabelled => None,
        }
    }

    /// The hosts that its owner permits, if its content was read.
    pub(super) fn token_hosts(&self) -> Option<&str> {
        match self {
            Self::Read(secret) => secret.token_hosts.as_deref(),
            _ => None,
        }
    }
}
