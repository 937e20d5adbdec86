//! Tokens that can be published.

use jiff::SignedDuration;
use secrecy::ExposeSecret;

use super::*;

#[test]
fn token_types_other_than_bearer_are_refused() {
    for (token_type, refused) in [
        (r#","token_type":"Bearer""#, None),
        (r#","token_type":"bEaReR""#, None),
        (r#","token_type":null"#, None),
        (r#","token_type":"BearerToken""#, None),
        (r#","token_type":"bearer_token""#, None),
        (r#","token_type":"bearer-token""#, None),
        (r#","token_type":"Bearer token""#, None),
        (r#","token_type":" Bearer ""#, None),
        (r#","token_type":"BEARER:""#, None),
        (
            r#","token_type":"forbearer""#,
            Some(Reason::UnsupportedTokenType),
        ),
        (
            r#","token_type":"bearer-jwt""#,
            Some(Reason::UnsupportedTokenType),
        ),
        (
            r#","token_type":"b\u00e9arer""#,
            Some(Reason::UnsupportedTokenType),
        ),
        (
            r#","token_type":"DPoP""#,
            Some(Reason::UnsupportedTokenType),
        ),
        ("", None),
        (r#","token_type":"mac""#, Some(Reason::UnsupportedTokenType)),
        (r#","token_type":7"#, Some(Reason::UnsupportedTokenType)),
    ] {
        let body = format!(r#"{{"access_token":"abc"{token_type}}}"#);
        assert_eq!(reason(CLIENT, 200, body), refused, "{token_type}");
    }
}

#[test]
fn a_lifetime_is_read_leniently_and_never_guessed() {
    let ten_years = LONGEST_LIFETIME.as_secs();
    for (field, seconds) in [
        (r#""expires_in":3599"#, Some(3599)),
        (r#""expires_in":"3599""#, Some(3599)),
        (r#""expires_in":3600.0"#, Some(3600)),
        (r#""expires_in":3600.9"#, Some(3600)),
        (r#""expires_in":3.6e3"#, Some(3600)),
        (r#""expires_in":1e300"#, Some(ten_years)),
        (r#""expires_in":"99999999999999999999""#, Some(ten_years)),
        (r#""expires_in":null"#, None),
        (r#""expires_in":0"#, None),
        (r#""expires_in":0.5"#, None),
        (r#""expires_in":-1"#, None),
        (r#""expires_in":"-1""#, None),
        (r#""expires_in":true"#, None),
        (r#""expires_in":"soon""#, None),
        (r#""expires_in":"""#, None),
        (r#""expires":3600,"expires_at":1,"expires_on":"x""#, None),
    ] {
        let lifetime = issued(format!(r#"{{"access_token":"abc",{field}}}"#)).lifetime;
        assert_eq!(lifetime, seconds.map(SignedDuration::from_secs), "{field}");
    }
}

#[test]
fn a_narrowed_scope_is_noticed() {
    let full = issued(r#"{"access_token":"abc","scope":"write read extra"}"#);
    assert_eq!(
        (full.scopes, full.narrowed),
        (vec!["write".into(), "read".into(), "extra".into()], false)
    );
    let narrowed = issued(r#"{"access_token":"abc","scope":"read"}"#);
    assert_eq!(
        (narrowed.scopes, narrowed.narrowed),
        (vec!["read".into()], true)
    );
    let silent = issued(r#"{"access_token":"abc"}"#);
    assert_eq!((silent.scopes, silent.narrowed), (vec![], false));
}

#[test]
fn an_echo_of_a_token_in_the_granted_scopes_is_not_shown() {
    let echoed = issued(r#"{"access_token":"tok-1","scope":"tok-1 hunter2"}"#);
    assert_eq!(echoed.scopes, ["...", "..."]);
}

#[test]
fn a_granted_scope_is_one_word_that_can_be_shown() {
    let odd = issued(r#"{"access_token":"abc","scope":"read\u00a0write\u000b\u00e9 \"x\""}"#);
    assert_eq!(odd.scopes, ["read", "write", "x"]);
}

#[test]
fn a_byte_order_mark_duplicate_keys_and_forms_are_read() {
    assert_eq!(
        issued(b"\xef\xbb\xbf{\"access_token\":\"abc\"}")
            .access_token
            .expose_secret(),
        "abc"
    );
    assert_eq!(
        issued(r#"{"access_token":"old","access_token":"new"}"#)
            .access_token
            .expose_secret(),
        "new"
    );
    for content_type in [
        "application/x-www-form-urlencoded",
        "text/plain; charset=utf-8",
    ] {
        let mut form = response(200, "access_token=a%2Bb&token_type=bearer&expires_in=60");
        assert!(meaning(CLIENT, &form).outcome.is_err());
        form.content_type = Some(content_type.into());
        let issued = meaning(CLIENT, &form).outcome.unwrap();
        assert_eq!(issued.access_token.expose_secret(), "a+b");
        assert_eq!(issued.lifetime, Some(SignedDuration::from_secs(60)));
    }
}

#[test]
fn json_labelled_as_html_is_still_json() {
    let mut labelled = response(200, r#"{"access_token":"abc"}"#);
    labelled.content_type = Some("text/html".into());
    assert!(meaning(CLIENT, &labelled).outcome.is_ok());
}
