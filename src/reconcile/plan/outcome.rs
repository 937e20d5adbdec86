//! The outcomes of steps.

use jiff::Timestamp;
use secrecy::SecretString;

use super::{Attempt, Probing};
use crate::{
    api::{CubeCredentialStatus, WorkloadRef},
    api_error::ApiError,
    consumers::{Rollout, WorkloadVersion},
    oauth::{
        error::{NetworkError, ProbeError, TokenError},
        probe::Probe,
        response::Issued,
    },
    reconcile::{
        login::{StateReading, StateSecret, TokenUse},
        pace::{Permit, PermitRequest, Slot},
        record::RecordSecret,
        source::{AccountRole, CaBundle, NoAccountToken, Source, SourceValue},
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
    /// The Secret with the initial refresh token or the subject token, or the ServiceAccount of the subject.
    Seed(Source<SourceValue>),
    /// The state Secret.
    State(Option<StateReading>),
    /// The use of the refresh token by other states.
    OtherStates(TokenUse),
    /// The CA bundle.
    CaBundle(CaBundle),
    /// The permit of the client's budget, for this request.
    Permit(PermitRequest, Permit),
    /// The slot for an exchange.
    Slot(Slot),
    /// A token of a ServiceAccount for this use, or why there is none.
    AccountToken(AccountRole, Result<SecretString, NoAccountToken>),
    /// An exchange.
    Exchanged(Box<Exchanged>),
    /// A probe.
    Probed(Probed),
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
    /// The record of the token.
    Record(Option<StateReading>),
    /// The record as it was written.
    Recorded(RecordSecret),
    /// The record is not the version that was to be replaced.
    RecordChanged,
    /// The record was deleted, or the API server refuses that.
    RecordDeleted { refused: bool },
    /// The pods that mount the target were annotated, as far as there is no error.
    PodsRefreshed {
        fingerprint: String,
        error: Option<ApiError>,
    },
    /// The workloads that are restarted after a refresh.
    Workloads {
        mark: String,
        readings: Vec<WorkloadReading>,
    },
    /// A workload was restarted, or could not be.
    Restarted {
        mark: String,
        of: WorkloadVersion,
        error: Option<ApiError>,
    },
    /// Events were published.
    Announced,
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

/// A workload as it was read.
#[derive(Debug)]
pub struct WorkloadReading {
    /// The workload that was asked for.
    pub workload: WorkloadRef,
    /// `None`: there is none by this name.
    pub found: Result<Option<Rollout>, ApiError>,
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

/// The response of an API to a probe.
#[derive(Clone, Debug)]
pub struct Probed {
    /// The hash of the token, which is keyed with it.
    pub(in crate::reconcile) hash: String,
    /// The status, or why there is none.
    pub result: Result<u16, NetworkError>,
}

impl Probed {
    /// The reason why the response does not prove the token; `None`: the API accepted it.
    pub(crate) fn error(&self, probe: &Probe) -> Option<ProbeError> {
        match &self.result {
            Ok(status) if probe.accepts(*status) => None,
            Ok(status) => Some(ProbeError::Status(*status)),
            Err(error) => Some(ProbeError::Network(error.clone())),
        }
    }
}

impl Probing {
    /// The outcome with this status of the API's response, or without one.
    #[must_use]
    pub fn outcome(self, result: Result<u16, NetworkError>) -> Outcome {
        let hash = self.hash;
        Outcome::Probed(Probed { hash, result })
    }
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
