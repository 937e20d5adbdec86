//! The cluster side: reads become [`Observed`](crate::reconcile::Observed), and every write goes through [`perform`].
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
