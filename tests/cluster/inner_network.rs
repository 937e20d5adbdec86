//! The operator's network, which the author of a `CubeCredential` does not know: what of it can be reached and learned.

use std::net::TcpListener;

use cube_operator::api::ConditionType::Refreshed;

use crate::{
    operator::eventually,
    place::{Place, is},
    scripted::{Authority, CLOSED, LOCAL, Provider, Reply},
};

#[test]
fn a_status_does_not_show_how_far_a_request_got_if_the_installer_hides_it() {
    let place = Place::new();
    place.apply(&place.source());
    let (known, other) = (Authority::new("known"), Authority::new("other"));
    place.trust("known", &known);
    let page = |_: &_| Reply::json(404, "{}");
    let absent = Provider::start(&known.certificate(&LOCAL), page);
    let untrusted = Provider::start(&other.certificate(&LOCAL), page);
    // It closes each connection before TLS.
    let closing = TcpListener::bind("127.0.0.1:0").unwrap();
    let closing_at = closing.local_addr().unwrap();
    std::thread::spawn(move || closing.incoming().for_each(drop));
    let endpoints = [
        ("absent", absent.url("/token"), "responded 404"),
        ("untrusted", untrusted.url("/token"), "an unknown CA"),
        (
            "closed",
            format!("https://localhost:{CLOSED}/"),
            "connection refused",
        ),
        (
            "closing",
            format!("https://localhost:{}/", closing_at.port()),
            "connection closed",
        ),
        (
            "metadata",
            "https://169.254.169.254/".to_owned(),
            "link-local",
        ),
    ];
    for (name, url, _) in &endpoints {
        place.apply(&place.credential_at(name, url, "known"));
    }
    let operator = place.operator_with(&["--hide-network-detail=true"], &[]);
    let mut messages: Vec<_> = endpoints
        .iter()
        .map(|(name, url, detail)| {
            let status = place.wait_for(name, "Unreachable", |status| {
                is(status, Refreshed, "False", "Unreachable")
            });
            let logged = |line: &serde_json::Value| {
                line["name"] == *name && line.to_string().contains(detail)
            };
            eventually("the log has the detail", || {
                operator.lines().iter().any(logged).then_some(())
            });
            let shown = place.events(name).join("\n");
            assert!(!shown.contains(detail), "{shown}");
            let host = url::Url::parse(url).unwrap().authority().to_owned();
            let message = status.condition(Refreshed).unwrap().message.clone();
            let (message, _) = message.split_once("; retrying at").unwrap();
            message.replace(&host, "HOST")
        })
        .collect();
    messages.dedup();
    assert_eq!(messages.len(), 1, "{messages:?}");
}

#[test]
fn a_denied_network_is_not_connected_to() {
    let place = Place::new();
    place.apply(&place.source());
    let authority = Authority::new("known");
    place.trust("known", &authority);
    let provider = Provider::start(&authority.certificate(&LOCAL), |_| Reply::token("token"));
    place.apply(&place.credential_at("main", &provider.url("/token"), "known"));
    let denied = ("CUBE_OPERATOR_DENY_NETWORK", "127.0.0.1/32,::1/128");
    let _operator = place.operator_with(&[], &[denied]);
    let status = place.wait_for("main", "HostNotAllowed", |status| {
        is(status, Refreshed, "False", "HostNotAllowed")
    });
    let message = &status.condition(Refreshed).unwrap().message;
    assert!(
        message.contains("is on a network that the operator's installer denies"),
        "{message}"
    );
    assert_eq!(provider.connections(), 0);
}
