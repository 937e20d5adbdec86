//! One case to decide: what was observed, with the questions that the checks ask of it.

mod exchange;
mod login;
mod target;

use jiff::Timestamp;

use super::{observed::Observed, settings::Settings};
pub(super) use exchange::{BackoffBypass, Inputs};
pub(super) use login::NextLogin;

/// What was observed of a `CubeCredential` whose spec can be read.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) observed: &'a Observed,
    pub(super) settings: &'a Settings,
    pub(super) now: Timestamp,
}
