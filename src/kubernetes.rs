//! A client of the API server: the connection, errors that name verb and object, and the calls that need no knowledge of ours:
//! the Lease, pods and events.
//!
//! It knows no token, no decision and no other room of this program but metrics, so that leader election stands on it alone.

pub mod client;
pub mod error;
pub(crate) mod events;
pub mod lease;
pub mod pods;

/// No object ever has this resourceVersion: it is that of an empty store. A server-side apply that states it creates the object
/// if there is none and fails with 409 if there is one, so that a foreign one is never written. `tests/cluster` pins it.
pub(crate) const MUST_NOT_EXIST: &str = "1";
