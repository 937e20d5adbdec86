//! What is shown of a response.

use super::*;

#[test]
fn a_page_from_a_proxy_is_told_apart_from_the_providers_own_403() {
    let what = |body: &str| {
        meaning(CLIENT, &answer(403, body))
            .outcome
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        what(r#"{"detail":"no"}"#),
        "the token endpoint answered 403"
    );
    assert_eq!(
        what("<html>"),
        "the token endpoint answered 403 with a page, not JSON, so it may come from a proxy or firewall on the way"
    );
}

#[test]
fn a_refusal_shows_status_code_and_description_and_nothing_else_of_the_body() {
    let body = r#"{"error":"invalid_client","error_description":"unknown \"client\" hunter2","error_uri":"https://u","x":"y"}"#;
    let refusal = meaning(CLIENT, &answer(401, body)).outcome.unwrap_err();
    assert_eq!(
        (
            refusal.reason(),
            refusal.to_string().as_str(),
            refusal.pause(),
            refusal.outcome_unknown(),
        ),
        (
            Reason::InvalidClient,
            r#"the token endpoint answered 401 invalid_client (the provider says: "unknown client ...")"#,
            None,
            false,
        )
    );
    let unknown = meaning(
        CLIENT,
        &answer(400, r#"{"error":"new_one","error_description":"text"}"#),
    )
    .outcome;
    assert_eq!(
        unknown.unwrap_err().to_string(),
        "the token endpoint answered 400"
    );
}

#[test]
fn a_redirect_shows_scheme_host_and_path_only() {
    let mut redirect = answer(302, "");
    redirect.location = Some("https://u:p@login.example/hunter2/path?code=1#f".into());
    assert_eq!(
        meaning(CLIENT, &redirect).outcome.unwrap_err().to_string(),
        "the token endpoint answered 302 with a redirect to \"https://login.example/.../path\", which is never followed"
    );
}

#[test]
fn a_redirect_does_not_put_a_secret_together_that_its_text_had_cut_apart() {
    let shown = |location: &str| {
        let redirect = Response {
            location: Some(location.into()),
            ..answer(302, r#"{"id_token":"a/b"}"#)
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
            "the token endpoint answered 302 with a redirect to \"https://x.example/...\", which is never followed"
        );
    }
    assert_eq!(
        shown("data:text/plain,come here"),
        "the token endpoint answered 302 with a redirect, which is never followed"
    );
}

proptest::proptest! {
    #[test]
    fn no_answer_makes_the_reader_panic_or_show_a_secret(
        status in 100u16..700, body: Vec<u8>, content_type: Option<String>, location: Option<String>,
        retry_after: Option<String>, date: Option<String>,
    ) {
        let body = [b"hunter2".as_slice(), &body].concat();
        let answer = Response { status, content_type, location, retry_after, date, body: Body::Complete(body) };
        for grant in [CLIENT, REFRESH] {
            let shown = format!("{:?}", meaning(grant, &answer));
            proptest::prop_assert!(!shown.contains("hunter2"));
        }
    }
}
