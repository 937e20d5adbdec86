//! One credential: its status, its spec, and the Secrets around it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    api::{Condition, SigningAlgorithm},
    oauth::{
        ca_bundle::{Expiry, LeftOut},
        private_key::KeyKind,
        probe::Probe,
    },
    reconcile::{
        login::{RejectedToken, StateConflict},
        settings::{Settings, SettingsError},
        source::{CaOrigin, Rejection, SecretRole},
        target::{EarlierUse, TargetConflict},
    },
};

/// The facts in the status. Nothing else is known of an operator that may not run.
#[derive(Clone, Debug)]
pub(crate) enum StatusFact {
    /// No operator has written a status.
    NotObserved,
    /// The status was written for an earlier spec.
    SpecNotObserved,
    /// The message is recalled from the status.
    Condition(Condition),
    /// The status says that the token is valid, and it has expired since.
    Expired {
        expired_at: Timestamp,
        now: Timestamp,
    },
    Overdue {
        planned: Timestamp,
    },
}

/// The request that the spec describes.
#[derive(Clone, Debug)]
pub(crate) enum SpecFact {
    Unusable(SettingsError),
    /// The provider object that the spec names cannot be used. The remedy speaks of the settings.
    ProviderUnusable(Box<Settings>),
    /// Without a usable spec there is nothing to look at.
    RestNotChecked,
    /// The host has its port if that is not 443; the grant is named as in the spec.
    Requests {
        host: String,
        path: String,
        grant: &'static str,
    },
    /// A new token is tried at its API.
    Probes(Arc<Probe>),
    /// The provider's metadata does not list the grant.
    GrantNotListed(Box<Settings>),
    Suspended,
    Deleting,
}

/// A private key, without anything that is secret.
#[derive(Clone, Debug)]
pub(crate) struct KeyFact {
    pub(crate) kind: KeyKind,
    /// The algorithm of the assertion, if there is one.
    pub(crate) algorithm: Option<SigningAlgorithm>,
    /// The `kid` of the assertion.
    pub(crate) id: Option<String>,
    /// The end of its certificate, if it has one.
    pub(crate) certificate_expires_at: Option<Timestamp>,
}

/// The inputs that users provide besides the spec.
#[derive(Clone, Debug)]
pub(crate) enum InputFact {
    Client {
        secret: String,
        keys: Vec<String>,
        /// The key of the client secret that last worked, if the spec names two.
        works: Option<String>,
        /// The private key, if the client has one.
        key: Option<KeyFact>,
    },
    /// Its token is requested only for an exchange.
    ServiceAccount {
        account: String,
    },
    InitialToken {
        secret: String,
        key: String,
    },
    /// The login has begun, so it needs no initial refresh token any more.
    InitialTokenGone {
        secret: String,
    },
    CaBundle {
        ca: CaOrigin,
        key: String,
        certificates: usize,
        /// The part that cannot be used.
        left_out: Option<LeftOut>,
        /// The certificate that expired first.
        expired: Option<Expiry>,
    },
    HostAllowed {
        host: String,
    },
    /// A Secret names no hosts that it may be sent to. The remedy speaks of the settings.
    HostsNotNamed(SecretRole, Box<Settings>),
    /// The Secret was not read, so its owner's list of hosts is not known.
    HostConsentUnknown {
        secret: String,
        host: String,
    },
    /// The remedy speaks of the settings.
    Rejected(Rejection, Box<Settings>),
}

/// The Secret with the current refresh token.
#[derive(Clone, Debug)]
pub(crate) enum LoginFact {
    Conflict(StateConflict),
    Absent {
        secret: String,
    },
    /// The grant has no refresh token, and a state is left.
    LeftBehind(Box<Settings>),
    /// The remedy speaks of the settings.
    Rejected(RejectedToken, Box<Settings>),
    AnotherSignIn {
        secret: String,
    },
    Claimed {
        secret: String,
        until: Timestamp,
    },
    OutcomeUnknown {
        secret: String,
    },
    /// The initial refresh token, which has brought no response yet.
    SignedIn {
        secret: String,
    },
    /// `generation` counts the responses that were stored.
    Refreshed {
        secret: String,
        generation: u64,
    },
    /// The provider states that the login ends then. `fixed`: the last refresh did not extend it.
    Ends {
        at: Timestamp,
        fixed: bool,
    },
    Ended {
        at: Timestamp,
    },
}

/// The Secret with the access token.
#[derive(Clone, Debug)]
pub(crate) enum TargetFact {
    Conflict(TargetConflict),
    Absent {
        secret: String,
    },
    Damaged {
        secret: String,
    },
    Expired {
        secret: String,
        expired_at: Timestamp,
    },
    /// The token was issued for other inputs.
    Outdated {
        secret: String,
        expires_at: Timestamp,
    },
    Synced {
        secret: String,
        expires_at: Timestamp,
        /// The keys of its templates, if it has some.
        keys: Vec<String>,
    },
    /// It is kept from before `target.name` changed.
    Earlier {
        secret: String,
        target: String,
        /// The pods that use it, as far as they are known.
        pod: Option<EarlierUse>,
    },
}
