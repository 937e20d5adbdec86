//! What a decision asks for, and what comes back from it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::SecretString;

use super::{
    news::News,
    observed::{CaBundle, Source, TargetSecret},
};
use crate::{
    api::CubeCredentialStatus,
    oauth::{
        answer::{Issued, Refusal},
        request::TokenRequest,
    },
};

/// The one next step.
#[derive(Debug)]
pub struct Plan {
    /// What to do now.
    pub next: Next,
    /// When to look again if nothing changes before; meaningful with [`Next::Rest`].
    pub wake_at: Option<Timestamp>,
}

/// What to do now.
#[derive(Debug)]
pub enum Next {
    /// Read something.
    Look(Look),
    /// Change something.
    Act(Box<Action>),
    /// Nothing is left to do.
    Rest,
}

/// A read that a decision needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The Secret by the target's name, with its data if it is ours.
    Target,
    /// The target before it moved, with its data.
    Previous,
    /// The source Secret.
    Source,
    /// The CA bundle.
    CaBundle,
}

/// An effect.
#[derive(Debug)]
pub enum Action {
    /// Ask the provider for a token.
    Exchange(TokenRequest),
    /// Write the target.
    Publish(DesiredTarget),
    /// Delete a Secret of ours, in this version only.
    Delete(SecretVersion),
    /// Write the status, and tell the news.
    Report {
        /// The whole status.
        status: CubeCredentialStatus,
        /// What changed.
        news: Vec<News>,
    },
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

/// The target as it should be.
#[derive(Clone, Debug)]
pub struct DesiredTarget {
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
    /// The CA bundle.
    CaBundle(CaBundle),
    /// An exchange.
    Exchanged {
        /// When the request was sent.
        sent_at: Timestamp,
        /// What came of it.
        result: Result<Issued, Refusal>,
        /// The provider's clock, where it stated one.
        date: Option<Timestamp>,
    },
    /// The target as it was written.
    Published(TargetSecret),
    /// The API server refuses to have the target written, and says why.
    NotWritable(String),
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
