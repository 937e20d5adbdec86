//! The pages for users: their links lead somewhere, each is found from the index, and the examples that they show are the tested
//! ones. Needs no cluster and no network.

#![expect(clippy::unwrap_used, reason = "a test fails where its world does")]

mod examples;
mod links;
mod page;
mod templates;

use page::Page;

/// The README is read in five minutes.
const LONGEST_README: usize = 200;

#[test]
fn the_readme_is_read_in_five_minutes() {
    let lines = Page::read("README.md").text.lines().count();
    assert!(
        lines <= LONGEST_README,
        "README.md has {lines} lines: move what only some readers need to a page below docs/"
    );
}
