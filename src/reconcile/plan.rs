//! The result of a decision.

mod outcome;
mod read;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{
    event::Event,
    login::StoredLogin,
    pace::{ClientKey, PermitRequest},
    secret::{DesiredSecret, SecretVersion},
    settings::Settings,
    token::TokenInputs,
};
use crate::{
    api::{Attempted, CubeCredentialStatus},
    oauth::request::TokenRequest,
};
pub use outcome::{Exchanged, NotStored, Outcome};
pub use read::Read;

/// The one next step.
#[derive(Debug)]
pub struct Plan {
    /// The step to take now.
    pub next: Next,
    /// The time of the next reconcile if nothing changes before; meaningful with [`Next::Done`].
    pub wake_at: Option<Timestamp>,
}

/// The step to take now.
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
    Done,
}

/// An effect.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a plan boxes it")]
pub enum Action {
    /// Ask the client's budget for a permit.
    TakePermit(PermitRequest),
    /// Ask the provider for a token.
    Exchange(Exchange),
    /// Write the state Secret, in exactly the version that it replaces.
    Store(Box<DesiredState>),
    /// Write the target.
    Publish(DesiredSecret),
    /// Delete a Secret of ours, in this version only.
    Delete(SecretVersion),
    /// Write the status, and publish the events.
    Report {
        /// The whole status.
        status: CubeCredentialStatus,
        /// The changes that the report announces.
        events: Vec<Event>,
    },
}

/// A token request, and the inputs that its response is interpreted with.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Exchange {
    pub request: TokenRequest,
    /// The inputs of the request. The outcome returns them.
    pub attempt: Attempt,
}

/// The inputs of a token request: enough to interpret its response without anything else, so that no token is lost.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub(super) settings: Arc<Settings>,
    /// The uid of the `CubeCredential`.
    pub(super) owner_uid: String,
    pub(super) inputs: TokenInputs,
    pub(super) attempted: Attempted,
    /// The client whose budget paid.
    pub(super) client: ClientKey,
    /// The login whose refresh token is sent, with the grant that has one.
    pub(super) login: Option<StoredLogin>,
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
    /// Returns whether a token request begins with it. The request after an earlier claim does not begin one: it must be finished.
    #[must_use]
    pub(crate) fn begins_exchange(&self) -> bool {
        match self {
            Self::Exchange(exchange) => exchange.attempt.login.is_none(),
            Self::Store(state) => state.claims,
            Self::TakePermit(_) | Self::Publish(_) | Self::Delete(_) | Self::Report { .. } => false,
        }
    }
}
