//! What the page says about each reason, besides the output of kubectl.

mod inputs;
mod login;
mod no_trouble;
mod not_reached;
mod refused;
mod target;

use cube_operator::api::Reason;

use inputs::INPUTS;
use login::LOGIN;
use no_trouble::NO_TROUBLE;
use not_reached::NOT_REACHED;
use refused::REFUSED;
use target::TARGET;

/// What the page says about one reason.
pub(super) struct Section {
    pub(super) reason: Reason,
    /// Who can repair it.
    pub(super) who: &'static str,
    /// The first thing to do, for the index.
    pub(super) first: &'static str,
    /// Everything that can be done.
    pub(super) act: &'static str,
    /// The rows whose excerpts are shown, each with its caption.
    pub(super) rows: &'static [(&'static str, &'static str)],
}

/// The page above the index.
pub(super) const INTRODUCTION: &str = include_str!("introduction.md");

/// The headings, each with the sections below it.
pub(super) const PARTS: [(&str, &[Section]); 6] = [
    ("The provider refuses", REFUSED),
    (
        "The provider is not reached, or its response is not understood",
        NOT_REACHED,
    ),
    ("The client Secret and the spec", INPUTS),
    ("The stored refresh token", LOGIN),
    ("The Secret with the token", TARGET),
    ("No failure", NO_TROUBLE),
];
