//! What the page says of each reason, besides what kubectl shows.

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

/// What is said of one reason.
pub(super) struct Section {
    pub(super) reason: Reason,
    /// What has happened, for the index and the section.
    pub(super) meaning: &'static str,
    /// Who can mend it.
    pub(super) who: &'static str,
    /// The first thing to do, for the index.
    pub(super) first: &'static str,
    /// All that can be done.
    pub(super) act: &'static str,
    /// The rows that are shown, and what is said before each.
    pub(super) rows: &'static [(&'static str, &'static str)],
}

/// The page above the index.
pub(super) const INTRODUCTION: &str = include_str!("introduction.md");

/// The headings, and what is below them.
pub(super) const PARTS: [(&str, &[Section]); 6] = [
    ("The provider refuses", REFUSED),
    (
        "The provider is not reached, or not understood",
        NOT_REACHED,
    ),
    (
        "The client's Secret, and the rest of what you write",
        INPUTS,
    ),
    ("The stored refresh token", LOGIN),
    ("The Secret with the token", TARGET),
    ("No trouble", NO_TROUBLE),
];
