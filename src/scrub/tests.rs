//! What is shown of a text, and what is not.

use proptest::prelude::*;

use super::*;

fn scrubber(secret: &str) -> Scrubber {
    Scrubber::of([&secret.into()])
}

#[test]
fn a_description_is_one_printable_line_without_quotes() {
    assert_eq!(
        scrubber("zzz").clean("  bad\r\n\t \"client\" \\ é \u{7f}id "),
        "bad client id"
    );
}

#[test]
fn a_secret_that_was_cut_apart_does_not_grow_together() {
    assert_eq!(scrubber("hunter2").clean("got hun\"ter2"), "...");
}

#[test]
fn a_text_with_a_secret_that_was_encoded_by_other_rules_is_not_shown() {
    let scrubber = scrubber("a!b~c&d+e");
    for echo in ["a!b~c%26d+e", "a!b~c&d%2be", "%61!b~c&d+e"] {
        assert_eq!(scrubber.clean(&format!("got {echo}")), "...", "{echo}");
    }
    assert_eq!(scrubber.clean("100 % of a!b~c"), "100 % of a!b~c");
}

#[test]
fn what_stands_in_place_of_a_secret_completes_no_other_one() {
    let mut scrubber = scrubber("x");
    scrubber.add("a...b");
    assert_eq!(scrubber.clean("axb"), "...");
    assert_eq!(scrubber.clean("a0123456789abcdefghijb"), "...");
    scrubber.add(".");
    assert_eq!(scrubber.clean("wait. then go."), "wait. then go.");
}

#[test]
fn a_text_that_is_cut_has_no_blank_at_its_end() {
    let text = format!("{} end", "nineteen characters ".repeat(10).trim_end());
    assert_eq!(scrubber("zzz").clean(&text), text[..199]);
}

#[test]
fn anything_that_could_be_a_token_is_removed() {
    assert_eq!(
        scrubber("zzz").clean("token abcdefghij0123456789 is unknown"),
        "token ... is unknown"
    );
    assert_eq!(
        scrubber("zzz").clean("token abcdefghij012345678 is unknown"),
        "token abcdefghij012345678 is unknown"
    );
}

#[test]
fn a_code_has_the_shape_of_a_code() {
    let scrubber = scrubber("hunter2");
    assert_eq!(scrubber.code("invalid_client"), Some("invalid_client"));
    for code in [
        "",
        "Invalid",
        "a b",
        "hunter2",
        "invalid_hunter2",
        &"a".repeat(65),
    ] {
        assert_eq!(scrubber.code(code), None, "{code}");
    }
}

proptest! {
    #[test]
    fn no_text_shows_a_secret(before in ".{0,40}", secret in "[ -~]{6,30}", after in ".{0,300}") {
        let shown = scrubber(&secret).clean(&format!("{before}{secret}{after}"));
        prop_assert!(!shown.contains(&secret));
        prop_assert!(shown.len() <= LONGEST);
        prop_assert!(shown.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\'));
    }
}
