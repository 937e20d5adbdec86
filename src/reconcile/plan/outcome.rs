//! The outcomes of steps.

use jiff::Timestamp;
use secrecy::SecretString;

use super::Attempt;
use crate::{
    api::CubeCredentialStatus,
    api_error::ApiError,
    oauth::{error::TokenError, response::Issued},
    reconcile::{
        login::{OtherState, StateReading, StateSecret},
        pace::{Permit, PermitRequest, Slot},
        source::{CaBundle, Source, SourceValue},
        target::{PodList, TargetReading, TargetSecret},
        write_error::WriteError,
    },
};

/// The outcome of a read or an action.
#[derive(Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Outcome {
    /// The Secret by the target's name.
    Target(Option<TargetReading>),
    /// The target before it moved.
    Previous {
        /// The name that it had.
        name: String,
        reading: Option<TargetReading>,
    },
    /// The pods that use these Secrets.
    Consumers { secrets: Vec<String>, pods: PodList },
    /// The Secret with the client.
    Source(Source),
    /// The Secret with the initial refresh token.
    Seed(Source<SourceValue>),
    /// The state Secret.
    State(Option<StateReading>),
    /// Looks for another state that knows one of these refresh tokens.
    OtherStates {
        /// The SHA-256 of the tokens.
        token_hashes: Vec<String>,
        others: Vec<OtherState>,
    },
    /// The CA bundle.
    CaBundle(CaBundle),
    /// The permit of the client's budget, for this request.
    Permit(PermitRequest, Permit),
    /// The slot for an exchange.
    Slot(Slot),
    /// An exchange.
    Exchanged(Box<Exchanged>),
    /// The state as it was written.
    Stored {
        secret: StateSecret,
        /// True if it is claimed for a request that follows.
        claims: bool,
    },
    /// The state was not written.
    NotStored(NotStored),
    /// A pause is over.
    Waited {
        /// True if the `CubeCredential` does not exist any more.
        object_is_gone: bool,
    },
    /// A read or an action did not work.
    Interrupted(ApiError),
    /// The target as it was written.
    Published(TargetSecret),
    /// The target was to be created, and there is a Secret by its name.
    TargetExists,
    /// The API server refuses the target.
    NotWritable(WriteError),
    /// The Secret by this name is gone.
    Deleted(String),
    /// The status as it was written.
    Reported {
        status: CubeCredentialStatus,
        /// The resourceVersion of the object that has it.
        version: String,
    },
}

/// The result of a token request.
#[derive(Debug)]
pub struct Exchanged {
    /// The inputs of the request.
    pub attempt: Attempt,
    /// The time at which it was sent.
    pub sent_at: Timestamp,
    /// The token, or why there is none.
    pub result: Result<Issued, TokenError>,
    /// The successor of the refresh token that was sent, if there was one.
    pub refresh_token: Option<SecretString>,
    /// The provider's clock, where it stated one.
    pub date: Option<Timestamp>,
}

/// The cause of a state that was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotStored {
    /// It has changed in between.
    Conflict,
    /// The API server refuses it.
    Refused(WriteError),
    /// It may have been written.
    Unknown(WriteError),
    /// Its namespace is gone, and the `CubeCredential` with it.
    Gone,
}
