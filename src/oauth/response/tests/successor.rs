//! Refresh tokens that replace the one that was sent.

use secrecy::ExposeSecret;

use super::*;

#[test]
fn a_refresh_keeps_a_successor_even_of_an_unusable_success() {
    let successor = |grant, status, body: &str| {
        meaning(grant, &answer(status, body))
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
            let reading = meaning(REFRESH, &answer(200, &body));
            let found = reading
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
