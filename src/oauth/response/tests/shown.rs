//! The shown part of a response.

use super::*;

#[test]
fn a_page_from_a_proxy_is_distinguished_from_the_providers_own_403() {
    let what = |body: &str| {
        meaning(CLIENT, &response(403, body))
            .outcome
            .unwrap_err()
            .to_string()
    };
    assert_eq!(what(r#"{"detail":"no"}"#), "token endpoint responded 403");
    assert_eq!(
        what("<html>"),
        "token endpoint responded 403 with an HTML page, not JSON"
    );
}

#[test]
fn an_error_shows_status_code_and_description_and_nothing_else_of_the_body() {
    let body = r#"{"error":"invalid_client","error_description":"unknown \"client\" hunter2","error_uri":"https://u","x":"y"}"#;
    let error = meaning(CLIENT, &response(401, body)).outcome.unwrap_err();
    assert_eq!(
        (
            error.reason(),
            error.to_string().as_str(),
            error.pause(),
            error.outcome_unknown(),
        ),
        (
            Reason::InvalidClient,
            r#"token endpoint responded 401 invalid_client (the provider says: "unknown client ...")"#,
            None,
            false,
        )
    );
    let unknown = meaning(
        CLIENT,
        &response(400, r#"{"error":"new_one","error_description":"text"}"#),
    )
    .outcome;
    assert_eq!(
        unknown.unwrap_err().to_string(),
        r#"token endpoint responded 400 new_one (the provider says: "text")"#
    );
}

#[test]
fn the_code_and_description_of_any_error_are_shown_whatever_the_status() {
    let shown = |status, body: &str| {
        let error = meaning(REFRESH, &response(status, body))
            .outcome
            .unwrap_err();
        let shown = error.to_string();
        let ours = format!("token endpoint responded {status}");
        shown.strip_prefix(&ours).unwrap().to_owned()
    };
    for status in [200, 400, 401, 403, 404, 408, 429, 500, 503] {
        let body = r#"{"error":"interaction_required","error_description":"AADSTS50076: sign in"}"#;
        let words = " interaction_required (the provider says: \"AADSTS50076: sign in\")";
        assert_eq!(shown(status, body), words, "{status}");
    }
    for (body, words) in [
        (
            r#"{"error":{"code":"new_one","message":"planted"}}"#,
            " new_one",
        ),
        (r#"{"errors":[{"code":"new_one"}]}"#, " new_one"),
        (
            r#"{"error_description":"text"}"#,
            " (the provider says: \"text\")",
        ),
        // A text that is no error of OAuth may be anything.
        (
            r#"{"code":"planted","status":"planted","type":"planted","message":"planted"}"#,
            "",
        ),
        (
            r#"{"error":"INTERACTION_REQUIRED"}"#,
            " interaction_required",
        ),
        (r#"{"ErrorCode":"new_one"}"#, " new_one"),
        (
            r#"{"errors":[{"x":1},{"extensions":{"code":"NEW_ONE"}}]}"#,
            " new_one",
        ),
        (r#"{"error":"HUNTER2"}"#, ""),
        (r#"{"error":"x_Rt-Hunter3"}"#, ""),
        // Neither a sentence nor what could be a token.
        (r#"{"error":"Not today"}"#, ""),
        (r#"{"error":"0123456789abcdef0123"}"#, ""),
        (r#"{"error":"abcdefghijklmnopqrstuvwxyz"}"#, ""),
        (r#"{"error":"3f1b6d1e-8a58-4c57-9a53-0a2f4a1f7a11"}"#, ""),
        (r#"{"error":"rt-hunter3"}"#, ""),
        (r#"{"error":"hunter2"}"#, ""),
        (
            r#"{"error":"authorization_request_denied"}"#,
            " authorization_request_denied",
        ),
        (
            r#"{"status":"BAD_REFRESH_TOKEN","message":"planted"}"#,
            " bad_refresh_token",
        ),
    ] {
        assert_eq!(shown(400, body), words, "{body}");
    }
}

#[test]
fn a_sentence_that_decides_makes_nothing_else_visible() {
    for (body, words) in [
        (
            r#"{"error":"unauthorized_client","error_description":"refresh_token is invalid","message":"planted"}"#,
            " unauthorized_client (the provider says: \"refresh_token is invalid\")",
        ),
        (
            r#"{"error":"invalid_request","message":"Invalid refresh token"}"#,
            " invalid_request",
        ),
        (r#"{"status":400,"message":"Invalid refresh token"}"#, ""),
        (
            r#"{"error":"planted","error_description":"planted","message":"Invalid refresh token"}"#,
            "",
        ),
    ] {
        let error = meaning(REFRESH, &response(400, body)).outcome;
        let error = error.unwrap_err();
        assert_eq!(error.reason(), Reason::RefreshTokenRejected, "{body}");
        let shown = format!("token endpoint responded 400{words}");
        assert_eq!(error.to_string(), shown);
    }
}

#[test]
fn a_redirect_shows_scheme_host_and_path_only() {
    let mut redirect = response(302, "");
    redirect.location = Some("https://u:p@login.example/hunter2/path?code=1#f".into());
    assert_eq!(
        meaning(CLIENT, &redirect).outcome.unwrap_err().to_string(),
        "token endpoint responded 302 with a redirect to \"https://login.example/.../path\", which is not followed"
    );
}

#[test]
fn a_redirect_does_not_put_a_secret_together_that_its_text_had_cut_apart() {
    let shown = |location: &str| {
        let redirect = Response {
            location: Some(location.into()),
            ..response(302, r#"{"id_token":"a/b"}"#)
        };
        meaning(CLIENT, &redirect).outcome.unwrap_err().to_string()
    };
    for location in [
        "https://x.example/a/\tb",
        "https://x.example/a/y/../b",
        "https://x.example/a\\b",
    ] {
        assert_eq!(
            shown(location),
            "token endpoint responded 302 with a redirect to \"https://x.example/...\", which is not followed"
        );
    }
    assert_eq!(
        shown("data:text/plain,come here"),
        "token endpoint responded 302 with a redirect, which is not followed"
    );
}

/// With the keys of its Secret swapped, the client id is the client secret.
#[test]
fn a_provider_that_quotes_the_client_id_does_not_show_it_whatever_the_grant_and_the_authentication()
{
    const SWAPPED: &str = "planted-secret";
    let client = || Client {
        id: SWAPPED.into(),
        secret: "the-id".into(),
    };
    let authentications = [
        Authentication::Body(client()),
        Authentication::Basic(client()),
        Authentication::None { id: SWAPPED.into() },
    ];
    let quoted = format!(
        r#"{{"error":"invalid_client","error_description":"client {SWAPPED} is unknown","access_token":"issued-1","scope":"{SWAPPED} read"}}"#
    );
    for (authentication, grant) in authentications
        .iter()
        .flat_map(|authentication| [(authentication, CLIENT), (authentication, REFRESH)])
    {
        for status in [200, 307, 400, 401, 403] {
            let response = Response {
                location: Some(format!("https://login.example/{SWAPPED}")),
                ..response(status, &quoted)
            };
            let parsed = meaning_to(authentication.clone(), grant, &response);
            let words = parsed
                .outcome
                .as_ref()
                .map_or_else(ToString::to_string, |issued| issued.scopes.join(" "));
            assert!(words.contains("..."), "{words}");
            assert!(!format!("{parsed:?} {words}").contains(SWAPPED), "{words}");
        }
    }
}

#[test]
fn a_granted_scope_that_contains_the_client_id_is_still_compared_as_it_is() {
    let parsed = meaning(
        CLIENT,
        &response(200, r#"{"access_token":"planted","scope":"read write id"}"#),
    );
    let issued = parsed.outcome.unwrap();
    assert_eq!(
        (issued.narrowed, issued.scopes.join(" ").as_str()),
        (false, "read write ...")
    );
    let client = Authentication::None { id: "read".into() };
    let parsed = meaning_to(
        client,
        CLIENT,
        &response(200, r#"{"access_token":"planted","scope":"read write"}"#),
    );
    assert!(!parsed.outcome.unwrap().narrowed);
}

proptest::proptest! {
    #[test]
    fn no_response_makes_the_reader_panic_or_show_a_secret(
        status in 100u16..700, body: Vec<u8>, content_type: Option<String>, location: Option<String>,
        retry_after: Option<String>, date: Option<String>,
    ) {
        let body = [b"hunter2".as_slice(), &body].concat();
        let response = Response { status, content_type, location, retry_after, date, body: Body::Complete(body) };
        for grant in [CLIENT, REFRESH] {
            let shown = format!("{:?}", meaning(grant, &response));
            proptest::prop_assert!(!shown.contains("hunter2"));
        }
    }
}
