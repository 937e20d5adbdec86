//! The result of a decision.

mod outcome;
mod read;

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::{
    event::Event,
    login::StoredLogin,
    pace::{ClientKey, PermitRequest},
    record::DesiredRecord,
    secret::{DesiredSecret, SecretVersion},
    settings::{AccountToken, Settings},
    source::{AccountRole, SentSecret},
    token::TokenInputs,
};
use crate::{
    api::{Attempted, CubeCredentialStatus},
    consumers::WorkloadVersion,
    oauth::{probe::ProbeRequest, request::TokenRequest},
};
pub use outcome::{Exchanged, NotStored, Outcome, Probed, WorkloadReading};
pub use read::Read;

/// The one next step.
#[derive(Debug)]
pub enum Next {
    /// Read something.
    Read(Read),
    /// Change something.
    Act(Box<Action>),
    /// Take a slot for an exchange, of which only so many may be in progress at the same time.
    TakeSlot {
        /// The latest time at which the exchange should be over.
        deadline: Timestamp,
    },
    /// Stay, and decide again after this time: something in memory is in no Secret yet.
    Wait(SignedDuration),
    /// Nothing is left to do.
    Done {
        /// The time of the next reconcile if nothing changes before.
        wake_at: Option<Timestamp>,
    },
}

/// An effect.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "`Next` boxes it")]
pub enum Action {
    /// Ask the client's budget for a permit.
    TakePermit(PermitRequest),
    /// Ask the API server for a token of a ServiceAccount, for this use.
    RequestAccountToken(AccountRole, AccountToken),
    /// Ask the provider for a token.
    Exchange(Exchange),
    /// Try a new token at its API.
    Probe(Box<Probing>),
    /// Write the state Secret, in exactly the version that it replaces.
    Store(Box<DesiredState>),
    /// Write the record of the token.
    Record(Box<DesiredRecord>),
    /// Write the target.
    Publish(DesiredSecret),
    /// Annotate the pods that mount the target, so that they see the token immediately.
    RefreshPods(PodsRefresh),
    /// Delete a Secret of ours, in this version only.
    Delete(SecretVersion),
    /// Delete the record of the token, in this version only.
    DeleteRecord(SecretVersion),
    /// Write the status, and publish the events.
    Report {
        /// The whole status.
        status: CubeCredentialStatus,
        /// The changes that the report announces.
        events: Vec<Event>,
    },
    /// Restart a workload, and publish an event about it and the `CubeCredential`.
    Restart(WorkloadRestart),
    /// Publish events alone, about changes that the status does not show.
    Announce(Vec<Event>),
}

/// The pods that a refresh concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodsRefresh {
    /// The name of the target.
    pub secret: String,
    /// The fingerprint of the token.
    pub fingerprint: String,
    /// The token, as the annotation of the pods names it: the same each time.
    pub mark: String,
}

/// The restart of one workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadRestart {
    /// The workload, in exactly the version that was judged.
    pub of: WorkloadVersion,
    /// The token, as the annotation of the pod template names it.
    pub mark: String,
    /// The annotations of the pod template.
    pub annotations: BTreeMap<String, String>,
    /// The event.
    pub event: Event,
}

/// A token request, and the inputs that its response is interpreted with.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Exchange {
    pub request: TokenRequest,
    /// The inputs of the request. The outcome returns them.
    pub attempt: Attempt,
}

/// A probe, and the hash of its token, which the outcome returns.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Probing {
    pub(super) hash: String,
    pub request: ProbeRequest,
}

/// The inputs of a token request: enough to interpret its response without anything else, so that no token is lost.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub(super) settings: Arc<Settings>,
    /// The uid of the `CubeCredential`.
    pub(super) owner_uid: String,
    pub(super) inputs: TokenInputs,
    pub(super) attempted: Attempted,
    /// The client that the token is issued to.
    pub(super) client_id: String,
    /// The client whose budget paid.
    pub(super) client: ClientKey,
    /// The client secret that is sent, where the spec names two.
    pub(super) secret: Option<SentSecret>,
    /// The login whose refresh token is sent, with the grant that has one.
    pub(super) login: Option<StoredLogin>,
}

impl Attempt {
    /// The client secret that is not sent, where the spec names two. No text of the response may show it.
    pub(crate) fn other_secret(&self) -> Option<&SecretString> {
        self.secret.as_ref()?.other.as_ref()
    }

    /// The settings that a remedy speaks of. Of two keys for the client secret, a Secret may have only the one that was sent.
    pub(super) fn settings_for_a_remedy(&self) -> Settings {
        let mut settings = self.settings.without_templates();
        if let Some(sent) = self.secret.as_ref().filter(|sent| sent.other.is_none()) {
            settings.source.client_secret_key.clone_from(&sent.name);
        }
        settings
    }
}

/// The state as it should be.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct DesiredState {
    pub secret: DesiredSecret,
    /// The content of the Secret.
    pub stored: StoredLogin,
    /// True if this claims the refresh token for a request that follows.
    pub claims: bool,
}

impl Action {
    /// Returns whether something is sent to a host that the spec names, which may take long.
    #[must_use]
    pub(crate) fn leaves_the_cluster(&self) -> bool {
        matches!(self, Self::Exchange(_) | Self::Probe(_))
    }

    /// Returns whether it may take seconds, and so holds no worker.
    #[must_use]
    pub(crate) fn is_slow(&self) -> bool {
        self.leaves_the_cluster() || matches!(self, Self::RefreshPods(_) | Self::Restart(_))
    }

    /// Returns whether a token request begins with it. The request after an earlier claim does not begin one: it must be finished.
    #[must_use]
    pub(crate) fn begins_exchange(&self) -> bool {
        match self {
            Self::Exchange(exchange) => exchange.attempt.login.is_none(),
            Self::Store(state) => state.claims,
            Self::TakePermit(_)
            | Self::RequestAccountToken(..)
            | Self::Record(_)
            | Self::Publish(_)
            | Self::RefreshPods(_)
            | Self::Delete(_)
            | Self::DeleteRecord(_)
            | Self::Report { .. }
            | Self::Restart(_)
            | Self::Probe(_)
            | Self::Announce(_) => false,
        }
    }
}
