//! The parts of a text that are shown and removed.

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
    assert_eq!(
        scrubber.code("invalid_client").as_deref(),
        Some("invalid_client")
    );
    for code in [
        "",
        "a b",
        "hunter2",
        "invalid_hunter2",
        "HUNTER2",
        "INVALID_Hunter2",
        &"a".repeat(65),
    ] {
        assert_eq!(scrubber.code(code), None, "{code}");
    }
    assert_eq!(
        scrubber.code("INVALID_CLIENT").as_deref(),
        Some("invalid_client")
    );
    let upper = self::scrubber("HUNTER2");
    assert_eq!(upper.code("hunter2"), None);
}

fn with_id(id: &str) -> Scrubber {
    let mut scrubber = Scrubber::default();
    scrubber.add_client_id(id);
    scrubber
}

#[test]
fn a_long_client_id_is_removed_like_a_secret() {
    let scrubber = with_id("correct-horse-battery");
    assert_eq!(
        scrubber.clean("client xcorrect-horse-batteryx is unknown"),
        "client x...x is unknown"
    );
}

#[test]
fn a_short_client_id_is_removed_where_it_stands_alone() {
    let scrubber = with_id("cube");
    for (text, shown) in [
        ("cube is unknown", "... is unknown"),
        ("client 'cube', id=cube", "client '...', id=..."),
        ("cube_secret and /cube/x", "..._secret and /.../x"),
        ("two cubes of ice", "two cubes of ice"),
        ("id cu\"be is unknown", "..."),
        ("id %63ube is unknown", "..."),
        ("id Y3ViZQ== is unknown", "id ... is unknown"),
        ("cube\u{e9}", "..."),
    ] {
        assert_eq!(scrubber.clean(text), shown, "{text}");
    }
    assert_eq!(scrubber.without_secrets("/cube/cubes"), "/.../cubes");
}

#[test]
fn a_short_client_id_that_is_a_part_of_an_error_code_does_not_hide_the_code() {
    assert_eq!(
        with_id("client").code("invalid_client").as_deref(),
        Some("invalid_client")
    );
    assert_eq!(with_id("slow_down").code("slow_down"), None);
    assert_eq!(
        with_id("client.of-us.invalid")
            .code("client.of-us.invalid")
            .as_deref(),
        None
    );
}

#[test]
fn a_long_code_is_shown_if_it_is_made_of_words() {
    let scrubber = Scrubber::default();
    for (code, shown) in [
        ("authorization_request_denied", true),
        ("unsupported_grant_type", true),
        ("token-1", true),
        ("0123456789abcdef0123", false),
        ("abcdefghijklmnopqrst", false),
        ("3f1b6d1e-8a58-4c57-9a53-0a2f4a1f7a11", false),
    ] {
        assert_eq!(scrubber.code(code).is_some(), shown, "{code}");
    }
}

#[test]
fn a_stored_message_keeps_its_code_and_nothing_else_that_is_long() {
    let scrubber = Scrubber::default();
    for (message, shown) in [
        (
            r#"answered 401 invalid_refresh_token (the provider says: "bad invalid_refresh_token")"#,
            r#"answered 401 invalid_refresh_token (the provider says: "bad ...")"#,
        ),
        (
            "answered 0123456789abcdef0123 Invalid_Refresh_Token",
            "answered ... ...",
        ),
    ] {
        assert_eq!(scrubber.clean_message(message), shown);
    }
}

#[test]
fn a_text_of_somebody_else_has_no_character_that_is_not_seen() {
    for (text, shown) in [
        (
            "a \"b\" 'c' \\ \u{e9}\u{2713}",
            "a \"b\" 'c' \\ \u{e9}\u{2713}",
        ),
        ("two\nlines\tand a\u{a0}blank", "two lines and a blank"),
        (
            "\u{202e}evil\u{202c} \u{2066}x\u{2069}\u{200f}\u{61c}",
            "evil x",
        ),
        ("zero\u{200b}width\u{feff}\u{ad}\u{2060}", "zerowidth"),
        ("\u{1b}[31mred\u{7f}\u{9b}", "[31mred"),
        ("tag\u{e0041}\u{fe0f}\u{34f}\u{3164}\u{2800}", "tag"),
    ] {
        assert_eq!(visible(text), shown, "{text:?}");
    }
}

proptest! {
    #[test]
    fn no_text_shows_a_client_id_that_stands_alone(
        before in "[^a-zA-Z0-9]{0,20}",
        id in "[A-Za-z0-9][ -~]{1,10}[A-Za-z0-9]",
        after in "[^a-zA-Z0-9]{0,20}",
    ) {
        let shown = with_id(&id).clean(&format!("{before}{id}{after}"));
        prop_assert!(!shown.contains(&id), "{shown}");
    }

    #[test]
    fn no_text_shows_a_secret(before in ".{0,40}", secret in "[ -~]{6,30}", after in ".{0,300}") {
        let shown = scrubber(&secret).clean(&format!("{before}{secret}{after}"));
        prop_assert!(!shown.contains(&secret));
        prop_assert!(shown.len() <= LONGEST);
        prop_assert!(shown.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\'));
    }
}
