//! A request for a permit, its result, and what an exchange teaches.

use jiff::Timestamp;

use super::key::ClientKey;
use crate::object::Uid;

/// A request for a permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermitRequest {
    /// The client whose budget pays.
    pub client: ClientKey,
    /// The uid of the `CubeCredential`.
    pub uid: Uid,
    /// Its namespace: namespaces take turns.
    pub namespace: String,
    /// The end of the token that consumers have; `None`: they have none.
    pub expires_at: Option<Timestamp>,
    /// True if it may overdraw the budget, and be sent in the pause of a failing server. It waits for the end of a rate limit all the
    /// same.
    pub priority: bool,
    /// True if it only asks if its turn has come, because the inputs of the exchange must still be read, which may take a while.
    pub peek: bool,
}

/// The permission to send a token request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// It may be sent now. It is paid for, unless the request was a peek.
    Now {
        /// The end of this permit.
        until: Timestamp,
    },
    /// It has to wait.
    Later {
        /// The time to ask again.
        at: Timestamp,
        /// The cause.
        wait: Wait,
    },
}

/// The cause of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The provider has asked this client to pause.
    Pause,
    /// Other requests with this client id come first.
    Turn,
    /// The provider object allows one request in so much time.
    Interval,
    /// The provider has refused the client secret, so others come first.
    Refused,
    /// The credential itself has just sent as many requests as one may, with several clients.
    Edits,
}

/// The lesson of an exchange about a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lesson {
    /// The provider has issued a token: whoever sends this secret is the client.
    Works,
    /// The provider does not accept the client.
    Refused,
    /// The provider has asked for a pause.
    Paused {
        /// Nothing is sent before.
        until: Timestamp,
    },
    /// The provider's server fails, and has asked for a pause.
    Unavailable {
        /// Nothing is sent before, but for refreshes whose outcome is unknown.
        until: Timestamp,
    },
}
