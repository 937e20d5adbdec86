//! A redirect is never followed: that would replay the secret, or turn the POST into a GET.

use cube_operator::{api::Reason, oauth::response::read};

use crate::{
    Refused, answer, local, refused,
    scripted::{Authority, LOCAL, Provider, Reply},
    trusting,
};

/// Sends one request, and compares the refusal.
fn assert_redirected(authority: &Authority, provider: &Provider, answered: &str) {
    let request = trusting(authority, &provider.url("/o/token"));
    let answer = answer(&local(), &request).unwrap();
    let reading = read(&answer, request.context(), request.scrubber());
    let outcome = reading.outcome.map(drop).map_err(Refused::from);
    assert_eq!(
        outcome,
        refused(
            Reason::Redirected,
            format!("token endpoint responded {answered}, which is not followed")
        )
    );
}

#[test]
fn only_a_redirect_on_the_same_host_is_shown_by_its_path_alone() {
    let authority = Authority::new("private");
    for (location, shown) in [
        ("/o/token/?code=c0de", "/o/token/"),
        ("//example.com/x", "https://example.com/x"),
        ("/\\example.com/x", "https://example.com/x"),
    ] {
        let provider = Provider::start(&authority.certificate(&LOCAL), move |_| {
            Reply::json(301, "").header("Location", location)
        });
        assert_redirected(
            &authority,
            &provider,
            &format!("301 with a redirect to \"{shown}\""),
        );
    }
}

#[test]
fn no_redirect_is_followed_and_its_target_hears_nothing() {
    let authority = Authority::new("private");
    let certificate = authority.certificate(&LOCAL);
    for status in [301, 302, 303, 307, 308] {
        let target = Provider::start(&certificate, |_| Reply::token("t"));
        let location = target.url("/o/token/?code=c0de");
        let provider = Provider::start(&certificate, move |_| {
            Reply::json(status, "").header("Location", &location)
        });
        let shown = format!("{status} with a redirect to \"https://localhost/o/token/\"");
        assert_redirected(&authority, &provider, &shown);
        assert_eq!(provider.requests().len(), 1, "{status}");
        assert_eq!(target.connections(), 0, "{status}");
    }
}
