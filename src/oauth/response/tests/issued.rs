//! Tokens that can be published.

use jiff::{SignedDuration, Timestamp};
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
        (r#","token_type":"bot""#, None),
        (r#","token_type":"user""#, None),
        (r#","token_type":"Application Access Token""#, None),
        (r#","token_type":"User Access Token""#, None),
        (
            r#","token_type":"robot""#,
            Some(Reason::UnsupportedTokenType),
        ),
        (
            r#","token_type":"Access Token""#,
            Some(Reason::UnsupportedTokenType),
        ),
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
        (r#""expires_in":" 3599 ""#, Some(3599)),
        (r#""expires_in":3600.0"#, Some(3600)),
        (r#""expires_in":3600.9"#, Some(3600)),
        (r#""expires_in":3.6e3"#, Some(3600)),
        (r#""expires_in":"300.0""#, Some(300)),
        (r#""expires_in":"3600.9""#, Some(3600)),
        (r#""expires_in":"1.""#, None),
        (r#""expires_in":"inf""#, None),
        (r#""expires_in":"1e3""#, None),
        (r#""expires_in":3600000,"expires_in_sec":3600"#, Some(3600)),
        (r#""expires_in":3600,"expires_in_sec":null"#, Some(3600)),
        (r#""expires_in":1e300"#, Some(ten_years)),
        (r#""expires_in":"99999999999999999999""#, Some(ten_years)),
        // An end, not a lifetime.
        (r#""expires_in":1795867200"#, None),
        (r#""expires_in":"1795867200""#, None),
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
fn an_end_is_taken_where_no_lifetime_is_stated() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let claims = |json: &str| {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        format!(
            r#""access_token":"e30.{}.c2ln""#,
            URL_SAFE_NO_PAD.encode(json)
        )
    };
    let time = "2026-11-28T12:00:00Z";
    let second = 1_795_867_200;
    for (fields, expected) in [
        (
            format!(r#""expires_at":"{time}""#),
            Some(StatedEnd::Field("expires_at", at(second))),
        ),
        (
            r#""expires_at":"2026-11-28T14:00:00+02:00""#.into(),
            Some(StatedEnd::Field("expires_at", at(second))),
        ),
        (
            format!(r#""expires_at":{second}"#),
            Some(StatedEnd::Field("expires_at", at(second))),
        ),
        (
            format!(r#""expires_at":"{second}.5""#),
            Some(StatedEnd::Field("expires_at", at(second))),
        ),
        (
            format!(r#""expires_at":null,"expires_on":"{second}""#),
            Some(StatedEnd::Field("expires_on", at(second))),
        ),
        (
            format!(r#""expires_in":{second}"#),
            Some(StatedEnd::Field("expires_in", at(second))),
        ),
        (
            format!(r#""expires_in":"{time}""#),
            Some(StatedEnd::Field("expires_in", at(second))),
        ),
        (
            claims(&format!(r#"{{"exp":{second}}}"#)),
            Some(StatedEnd::Jwt(at(second))),
        ),
        (
            claims(&format!(r#"{{"exp":{second}.25}}"#)),
            Some(StatedEnd::Jwt(at(second))),
        ),
        // `expires_in` is what counts where it is stated.
        (format!(r#""expires_in":60,"expires_at":"{time}""#), None),
        (format!(r#""expires_at":{second}000"#), None),
        (r#""expires_at":3600"#.into(), None),
        (r#""expires_at":-1"#.into(), None),
        (r#""expires_at":"9999-12-30T00:00:00Z""#.into(), None),
        (r#""expires_at":"1970-01-01T00:00:00Z""#.into(), None),
        (r#""expires_at":"2026-11-28 noon""#.into(), None),
        (r#""expires_at":"2026-11-28T12:00:00""#.into(), None),
        (r#""expires_at":true,"expires":1795867200"#.into(), None),
        (claims(r#"{"exp":"1795867200"}"#), None),
        (claims(r#"{"exp":1e300}"#), None),
        (claims("[]"), None),
        (claims("\u{1}"), None),
        (r#""access_token":"e30.e30""#.into(), None),
        (r#""access_token":"a.b.c.d""#.into(), None),
        (r#""access_token":"..""#.into(), None),
    ] {
        let body = format!(r#"{{"access_token":"abc",{fields}}}"#);
        assert_eq!(issued(body).stated_end, expected, "{fields}");
    }
}

#[test]
fn the_end_of_a_login_is_read_with_a_refresh_token_only() {
    let seconds = |seconds| LoginEnd::In(SignedDuration::from_secs(seconds));
    let at = LoginEnd::At("2026-11-28T12:00:00Z".parse().unwrap());
    for (fields, expected) in [
        (r#""refresh_expires_in":60"#, seconds(60)),
        (r#""refresh_token_expires_in":"60""#, seconds(60)),
        (r#""refresh_expires_in":0"#, LoginEnd::Never),
        (r#""refresh_token_expires_at":"2026-11-28T12:00:00Z""#, at),
        (r#""refresh_expires_at":1795867200"#, at),
        (r#""refresh_expires_in":-1"#, LoginEnd::Unstated),
        (r#""refresh_expires_in":null"#, LoginEnd::Unstated),
        (
            r#""refresh_expires_in":true,"refresh_token_expires_in":60"#,
            seconds(60),
        ),
        (r#""refresh_token_expires_at":60"#, LoginEnd::Unstated),
        (
            r#""refresh_expires_in":1e300"#,
            LoginEnd::In(LONGEST_LIFETIME),
        ),
    ] {
        let response = response(200, format!(r#"{{"access_token":"abc",{fields}}}"#));
        let end = |sent| meaning(sent, &response).outcome.unwrap().login_end;
        assert_eq!(end(REFRESH), expected, "{fields}");
        assert_eq!(end(CLIENT), LoginEnd::Unstated, "{fields}");
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
fn scopes_between_commas_are_told_apart() {
    for stated in ["write,read", "write, read", ",write read,"] {
        let full = issued(format!(r#"{{"access_token":"abc","scope":"{stated}"}}"#));
        assert!(!full.narrowed, "{stated}");
        assert_eq!(full.scopes, ["write", "read"], "{stated}");
    }
    let narrowed = issued(r#"{"access_token":"abc","scope":"read,writes"}"#);
    assert!(narrowed.narrowed);
    // Nothing is stated.
    assert!(!issued(r#"{"access_token":"abc","scope":" , "}"#).narrowed);
}

#[test]
fn a_refresh_token_grants_offline_access() {
    let narrowed = |scopes: &[&str], body: &str| {
        let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        let request = RequestContext {
            grant: &Grant::RefreshToken("rt-hunter3".into()),
            scopes: &scopes,
        };
        let parsed = read(&response(200, body), request, Scrubber::default());
        parsed.outcome.unwrap().narrowed
    };
    let with = r#"{"access_token":"abc","scope":"read","refresh_token":"next"}"#;
    let without = r#"{"access_token":"abc","scope":"read"}"#;
    assert!(!narrowed(&["read", "offline_access"], with));
    assert!(narrowed(&["read", "offline_access"], without));
    assert!(narrowed(&["read", "write"], with));
    // The author of a spec may have copied several scopes into one text.
    assert!(!narrowed(&["read,offline_access"], with));
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
