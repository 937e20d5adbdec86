//! The cluster as this process sees it, and the two ways in which it uses the cluster: read and perform.
//!
//! ```text
//!  watch events ─▶ caches and index ─▶ observe ─▶ Observed ─▶ (the decision) ─▶ read or perform ─▶ API server, provider
//! ```
//!
//! The watches maintain everything here: `cache` holds the versions of labelled Secrets, `index` finds the credentials that a
//! name or a uid matters to. Neither walks over all objects. A `Secret` is converted here, at the edge, and never logged: its own
//! Debug output shows its data.

mod account_token;
mod affected;
mod arrival;
mod bundles;
mod cache;
mod context;
pub(crate) mod convert;
mod event_queue;
mod index;
mod observe;
mod packed;
mod perform;
mod providers;
mod read;
mod refresh_pods;
mod refresh_queue;
mod restart;
pub(crate) mod slim;
mod store;
mod table;
mod watched;
mod write;

pub use crate::object::ObjectKey;
pub use affected::{Affected, Learned};
#[cfg(feature = "plugin")]
pub(crate) use arrival::Meta;
pub use arrival::{Metadata, Unreadable, Watched};
pub(crate) use arrival::{ProviderResource, WatchedProvider};
pub(crate) use bundles::{CaBundles, WatchId};
pub use context::Context;
pub(crate) use context::{Parts, Presence};
pub(crate) use event_queue::{EventQueue, Waiting, publish_waiting};
pub(crate) use providers::{
    ProviderKey,
    board::{ProviderBoard, ProviderId, Visited},
    bundles::{Bundle, OperatorBundles},
    changes::ProvidersChanged,
    discover::discover,
    report::report_provider,
};
#[cfg(feature = "plugin")]
pub(crate) use providers::{changes::read_provider, read_bundle::read_operator_bundle};
pub use store::Gone;
pub(crate) use watched::{FollowedBundle, key, target_name};

#[cfg(test)]
mod tests;
