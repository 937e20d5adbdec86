//! One case to decide: the observation, with the facts that the checks derive from it.

mod client;
mod consent;
mod consumers;
mod exchange;
mod login;
mod probe;
mod target;
mod template;

use std::cell::OnceCell;

use jiff::Timestamp;

use super::{observed::Observed, settings::Settings, token::TokenMetadata};
pub(super) use exchange::{BackoffBypass, Inputs};
pub(super) use login::NextLogin;
pub(super) use target::Inheritance;
pub(super) use template::Unrendered;

/// The observation of a `CubeCredential` whose spec can be read.
pub(super) struct Case<'a> {
    pub(super) observed: &'a Observed,
    pub(super) settings: &'a Settings,
    pub(super) now: Timestamp,
    /// Most checks ask for these tokens, so they are derived once.
    token_at_hand: OnceCell<TokenMetadata>,
    token_on_target: OnceCell<Option<TokenMetadata>>,
}

impl<'a> Case<'a> {
    /// The case of what was observed; `None`: its spec cannot be read.
    pub(super) fn of(observed: &'a Observed, now: Timestamp) -> Option<Self> {
        let settings = observed.settings.as_ref().ok()?;
        Some(Self::with(observed, settings, now))
    }

    /// The case of what was observed, under these settings.
    pub(super) fn with(observed: &'a Observed, settings: &'a Settings, now: Timestamp) -> Self {
        Self {
            observed,
            settings,
            now,
            token_at_hand: OnceCell::new(),
            token_on_target: OnceCell::new(),
        }
    }
}
