//! Refresh tokens that replace the one that was sent.

use secrecy::ExposeSecret;

use super::*;

#[test]
fn a_refresh_keeps_a_successor_even_of_an_unusable_success() {
    let successor = |grant, status, body: &str| {
        meaning(grant, &response(status, body))
            .refresh_token
            .map(|token| token.expose_secret().to_owned())
    };
    assert_eq!(
        successor(REFRESH, 200, r#"{"access_token":7,"refresh_token":"next"}"#),
        Some("next".into())
    );
    assert_eq!(
        successor(REFRESH, 200, r#"{"access_token":"a","refresh_token":""}"#),
        None
    );
    assert_eq!(
        successor(REFRESH, 200, r#"{"access_token":"a","refresh_token":null}"#),
        None
    );
    assert_eq!(successor(REFRESH, 200, r#"{"access_token":"a"}"#), None);
    assert_eq!(successor(REFRESH, 400, r#"{"refresh_token":"next"}"#), None);
    assert_eq!(
        successor(
            CLIENT,
            200,
            r#"{"access_token":"a","refresh_token":"next"}"#
        ),
        None
    );
}

#[test]
fn no_field_that_cannot_be_read_costs_a_successor() {
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let values: [&[u8]; 4] = [b"\"\xff\"", br#""\ud800""#, b"1e999", deep.as_bytes()];
    for value in values {
        for name in ["access_token", "expires_in", "token_type", "x"] {
            let name = format!(r#"{{"{name}":"#);
            let body = [name.as_bytes(), value, br#","refresh_token":"next"}"#].concat();
            let parsed = meaning(REFRESH, &response(200, &body));
            let found = parsed
                .refresh_token
                .map(|token| token.expose_secret().to_owned());
            assert_eq!(found, Some("next".into()), "{}", body.escape_ascii());
        }
    }
    assert_eq!(
        reason(CLIENT, 200, r#"{"access_token":"a","token_type":"\ud800"}"#),
        Some(Reason::UnsupportedTokenType)
    );
}

#[test]
fn what_stands_around_an_object_costs_no_login() {
    let body = r#"{"access_token":"t","refresh_token":"next"}"#;
    for (before, after) in [
        ("", "\0\0"),
        ("", "<!-- from the cache -->"),
        ("", body),
        ("", "}"),
        ("", "{\"access_token\":"),
        ("\u{feff}\u{feff}", ""),
        ("\u{a0}\n", ";"),
        (")]}',\n", ""),
        ("2c\r\n", "\r\n0\r\n\r\n"),
        ("                                ", ""),
    ] {
        let parsed = meaning(REFRESH, &response(200, format!("{before}{body}{after}")));
        assert!(parsed.outcome.is_ok(), "{before:?} {after:?}");
        let successor = parsed.refresh_token.unwrap();
        assert_eq!(successor.expose_secret(), "next", "{before:?} {after:?}");
    }
    for text in [
        format!("<html>{body}"),
        format!("[{body}]"),
        format!("\"{body}\""),
        format!("a page of a portal that says {body}"),
        body[..body.len() - 1].to_owned(),
    ] {
        let parsed = meaning(REFRESH, &response(200, &text));
        assert!(
            parsed.outcome.is_err() && parsed.refresh_token.is_none(),
            "{text}"
        );
    }
}

#[test]
fn a_raw_control_character_in_another_field_costs_no_login() {
    let body =
        "{\n\t\"refresh_token\":\"next\",\"a\\\"\":\"one\ntwo\t\\\\\",\"access_token\":\"t\"\r\n}";
    let parsed = meaning(REFRESH, &response(200, body));
    assert_eq!(parsed.refresh_token.unwrap().expose_secret(), "next");
    assert_eq!(parsed.outcome.unwrap().access_token.expose_secret(), "t");
    let dead = "{\"error\":\"invalid_grant\",\"error_description\":\"one\ntwo\"}";
    assert_eq!(
        reason(REFRESH, 400, dead),
        Some(Reason::RefreshTokenRejected)
    );
    // It is no part of a token.
    let token = "{\"access_token\":\"t\n\",\"refresh_token\":\"next\n\"}";
    let parsed = meaning(REFRESH, &response(200, token));
    assert!(parsed.outcome.is_err() && parsed.refresh_token.is_none());
}
