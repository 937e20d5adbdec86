//! The cluster side: reads become [`Observed`](crate::reconcile::Observed), and every write goes through [`perform`] (that of
//! the Lease through [`lease`]).
//!
//! Together with the controller these are the only users of kube. A `Secret` is converted here, at the edge, and never logged:
//! its own Debug output shows its data.

pub mod cache;
pub mod client;
pub mod convert;
pub mod error;
pub mod events;
pub mod lease;
pub mod observe;
pub mod perform;
pub mod pods;
pub mod world;

/// No object ever has this resourceVersion: it is that of an empty store. A server-side apply that states it creates the object
/// if there is none and fails with 409 if there is one, so that a foreign one is never written. `tests/cluster` pins it.
const MUST_NOT_EXIST: &str = "1";
