//! The provider object that a spec names: its content, and the spec that follows from both.
//!
//! Everything behind [`Settings`](super::settings::Settings) sees the effective spec only, so a change of a provider is what a
//! change of the spec's own fields is. Where the object cannot be used, the settings say so ([`ProviderFlaw`]), and no request is
//! made: the published token stays as it is, and so does a stored refresh token.

mod bundle;
mod ca;
mod discovery;
mod flaw;
mod found;
mod interval;
mod object;
mod used;

pub use bundle::{BundleFlaw, ConfigMapPlace, ReadBundle, read_bundle};
pub use discovery::{Discovery, DiscoveryFailure};
pub use flaw::{ProviderFlaw, Unusable};
pub use found::FoundProvider;
pub(super) use interval::RequestInterval;
pub use object::{ProviderObject, ReadProvider, ShownProvider};
pub(super) use used::ProviderUse;

#[cfg(test)]
mod tests;
