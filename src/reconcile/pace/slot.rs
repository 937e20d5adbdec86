//! The slots for exchanges: how many may be in progress at the same time. The process keeps them; the decision only knows whether
//! it has one.

use jiff::{SignedDuration, Timestamp};

use crate::reconcile::time::later;

/// A credential without a token is as urgent as one whose refresh is due, five minutes before its token expires.
const FIRST_TOKEN: SignedDuration = SignedDuration::from_mins(5);
/// Shorter waits are not reported: most exchanges end within a second.
const UNREPORTED: SignedDuration = SignedDuration::from_secs(5);

/// The slot for an exchange in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The exchange may begin. The slot is free again when the reconcile ends.
    Taken,
    /// Others have to end first. The next reconcile comes when one of them has.
    Later {
        /// The time since when it waits.
        since: Timestamp,
    },
}

/// The latest time at which a credential should have a new token. The earliest one goes first in its namespace.
#[must_use]
pub(crate) fn deadline(expires_at: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let live = expires_at.filter(|at| now < *at);
    live.unwrap_or_else(|| later(now, FIRST_TOKEN))
}

/// The time from which a wait is reported.
pub(in crate::reconcile) fn reported_at(since: Timestamp) -> Timestamp {
    later(since, UNREPORTED)
}
