//! One case to decide: the observation, with the facts that the checks derive from it.

mod consent;
mod exchange;
mod login;
mod target;

use jiff::Timestamp;

use super::{observed::Observed, settings::Settings};
pub(super) use exchange::{BackoffBypass, Inputs};
pub(super) use login::NextLogin;
pub(super) use target::Inheritance;

/// The observation of a `CubeCredential` whose spec can be read.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) observed: &'a Observed,
    pub(super) settings: &'a Settings,
    pub(super) now: Timestamp,
}
