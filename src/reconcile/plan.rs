//! What a decision asks for, and what comes back from it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use thiserror::Error;

use super::{
    budget::{Permit, PermitRequest},
    news::Event,
    observed::{CaBundle, Observed, Source, SourceValue, Target, TargetSecret},
    settings::Settings,
    state::{StateReading, StateSecret, Stored},
};
use crate::{
    api::{CaBundleRef, ClientSecretRef, CubeCredentialStatus, RefreshTokenRef},
    api_error::ApiError,
    oauth::{
        request::TokenRequest,
        response::{Issued, TokenError},
    },
};

/// The one next step.
#[derive(Debug)]
pub struct Plan {
    /// What to do now.
    pub next: Next,
    /// When to look again if nothing changes before; meaningful with [`Next::Done`].
    pub wake_at: Option<Timestamp>,
}

/// What to do now.
#[derive(Debug)]
pub enum Next {
    /// Read something.
    Read(Read),
    /// Change something.
    Act(Box<Action>),
    /// Stay, and decide again after this time: something in memory is in no Secret yet.
    Wait(SignedDuration),
    /// Nothing is left to do.
    Done,
}

/// A read that a decision needs, with all that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// The Secret by the target's name, with its data if it is ours.
    Target {
        /// The name of the target.
        name: String,
        /// Whether it is known to be ours; else its metadata is read first.
        known: bool,
    },
    /// The target before it moved, with its data.
    Previous {
        /// The name that it had.
        name: String,
    },
    /// The source Secret.
    Source {
        /// Where it is, and its keys.
        reference: ClientSecretRef,
        /// Whether its consent label is known; else its metadata is read first.
        labelled: bool,
    },
    /// The Secret with the seed.
    Seed {
        /// Where it is, and its key.
        reference: RefreshTokenRef,
        /// Whether its consent label is known; else its metadata is read first.
        labelled: bool,
    },
    /// The state Secret, live.
    State {
        /// The name of the state.
        name: String,
    },
    /// The CA bundle.
    CaBundle(CaBundleRef),
}

impl Read {
    /// Reads the target.
    #[must_use]
    pub fn target(observed: &Observed, settings: &Settings) -> Self {
        Self::Target {
            name: settings.target_name.clone(),
            known: matches!(observed.target, Target::Present(_)),
        }
    }

    /// Reads the target before it moved.
    pub(super) fn previous(secret: &TargetSecret) -> Self {
        Self::Previous {
            name: secret.name.clone(),
        }
    }

    /// Reads the source Secret.
    #[must_use]
    pub fn source(observed: &Observed, settings: &Settings) -> Self {
        Self::Source {
            reference: settings.source.clone(),
            labelled: observed.source.version().is_some(),
        }
    }

    /// Reads the Secret with the seed, if the grant has one.
    #[must_use]
    pub fn seed(observed: &Observed, settings: &Settings) -> Option<Self> {
        Some(Self::Seed {
            reference: settings.seed.clone()?,
            labelled: observed.seed.version().is_some(),
        })
    }

    /// Reads the state.
    #[must_use]
    pub fn state(settings: &Settings) -> Self {
        Self::State {
            name: settings.state_name.clone(),
        }
    }

    /// Reads the CA bundle, if the spec names one.
    #[must_use]
    pub fn ca_bundle(settings: &Settings) -> Option<Self> {
        settings.ca_bundle.clone().map(Self::CaBundle)
    }
}

/// An effect.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a plan boxes it")]
pub enum Action {
    /// Ask the client's budget for a token request.
    TakePermit(PermitRequest),
    /// Ask the provider for a token.
    Exchange(TokenRequest),
    /// Write the state Secret, in exactly the version that it replaces.
    Store(Box<DesiredState>),
    /// Write the target.
    Publish(DesiredSecret),
    /// Delete a Secret of ours, in this version only.
    Delete(SecretVersion),
    /// Write the status, and tell the news.
    Report {
        /// The whole status.
        status: CubeCredentialStatus,
        /// What changed.
        news: Vec<Event>,
    },
}

impl Action {
    /// Whether a token request begins with it. What follows an earlier claim does not: that is to be finished.
    #[must_use]
    pub fn begins_exchange(&self) -> bool {
        match self {
            Self::Exchange(request) => request.refresh_token.is_none(),
            Self::Store(state) => state.claims,
            _ => false,
        }
    }
}

/// The state as it should be.
#[derive(Clone, Debug)]
pub struct DesiredState {
    /// The Secret.
    pub secret: DesiredSecret,
    /// What it holds.
    pub stored: Stored,
    /// Whether this claims the refresh token for a request that follows.
    pub claims: bool,
}

/// Why the state was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unstored {
    /// It has changed meanwhile.
    Conflict,
    /// The API server refuses it.
    Refused(WriteError),
    /// Whether it was written is not known.
    Unknown(WriteError),
    /// Its namespace is gone, and the `CubeCredential` with it.
    Gone,
}

/// Why a Secret was not written.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WriteError {
    /// The API server did not take it, or did not say so.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// It was written without one of our labels or annotations.
    #[error("an admission webhook or policy takes {mark} off Secret {namespace}/{name}")]
    Altered {
        /// The label or annotation.
        mark: String,
        /// Where the Secret is.
        namespace: String,
        /// What the Secret is called.
        name: String,
    },
    /// A state is not written over a Secret that something else owns.
    #[error("a Secret that does not belong to this CubeCredential has the name of its state")]
    ForeignState,
}

/// One version of one Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretVersion {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Its resourceVersion.
    pub version: String,
}

/// A Secret of ours as it should be.
#[derive(Clone, Debug)]
pub struct DesiredSecret {
    /// Its name.
    pub name: String,
    /// Its type.
    pub r#type: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// Its data.
    pub data: BTreeMap<String, SecretString>,
    /// Whether it has an owner reference.
    pub owned: bool,
    /// The version that it replaces; `None`: it must not exist yet.
    pub replaces: Option<SecretVersion>,
}

/// A Secret with what is in it.
#[derive(Debug)]
pub struct TargetReading {
    /// Its metadata.
    pub secret: TargetSecret,
    /// Its data, as far as it is text; empty if it is not ours.
    pub data: BTreeMap<String, SecretString>,
}

/// What came of a look or an action.
#[derive(Debug)]
pub enum Outcome {
    /// The Secret by the target's name.
    Target(Option<TargetReading>),
    /// The target before it moved.
    Previous(Option<TargetReading>),
    /// The source Secret.
    Source(Source),
    /// The Secret with the seed.
    Seed(Source<SourceValue>),
    /// The state Secret.
    State(Option<StateReading>),
    /// The CA bundle.
    CaBundle(CaBundle),
    /// What the client's budget says.
    Permit(PermitRequest, Permit),
    /// An exchange.
    Exchanged {
        /// When the request was sent.
        sent_at: Timestamp,
        /// What came of it.
        result: Result<Issued, TokenError>,
        /// The successor of the refresh token that was sent, if there was one.
        refresh_token: Option<SecretString>,
        /// The provider's clock, where it stated one.
        date: Option<Timestamp>,
    },
    /// The state as it was written.
    Stored {
        /// The Secret.
        secret: StateSecret,
        /// Whether it is claimed for a request that follows.
        claims: bool,
    },
    /// The state was not written.
    NotStored(Unstored),
    /// A pause is over.
    Waited,
    /// A read or an action did not work.
    Interrupted(ApiError),
    /// The target as it was written.
    Published(TargetSecret),
    /// The API server refuses to have the target written.
    NotWritable(WriteError),
    /// The Secret by this name is gone.
    Deleted(String),
    /// The status as it was written.
    Reported {
        /// The status.
        status: CubeCredentialStatus,
        /// The resourceVersion of the object that has it.
        version: String,
    },
}
