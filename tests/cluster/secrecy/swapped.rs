//! A client secret under the key of the client id, and a provider that quotes the client id.

use cube_operator::api::ConditionType::Refreshed;
use serde_json::json;

use crate::{
    place::{Place, is},
    scripted::{Authority, LOCAL, Provider, Reply, Request},
};

use super::{TRACE, find, forms, readable};

const SWAPPED: &str = "planted-and-swapped";

/// Real providers quote the id like this; the path says where. `check` names no client.
fn quote(request: &Request) -> Reply {
    if request.body == "grant_type=cube-operator-check" {
        return Reply::json(400, r#"{"error":"unsupported_grant_type"}"#);
    }
    let said = format!("client {SWAPPED} is unknown");
    let body = json!({"error": "invalid_client", "error_description": said});
    match request.target.as_str() {
        "/307" => Reply::json(307, "").header("Location", &format!("/o/{SWAPPED}/authorize")),
        "/403" => Reply::json(403, body.to_string().replace("invalid_client", "unknown")),
        _ => Reply::json(401, body.to_string()),
    }
}

/// Each grant and each authentication, with the keys of its Secret swapped.
fn swapped(place: &Place, provider: &Provider) {
    let mut source = place.source();
    source["stringData"] = json!({"client-id": SWAPPED, "client-secret": "the-id", "401": "seed-1", "403": "seed-2", "307": "seed-3"});
    place.apply(&source);
    for (path, reason) in [
        ("401", "InvalidClient"),
        ("403", "Forbidden"),
        ("307", "Redirected"),
    ] {
        for (name, fields) in [
            ("body", json!({"clientAuthentication": "Body"})),
            ("basic", json!({"clientAuthentication": "Basic"})),
            (
                "public",
                json!({"clientAuthentication": "None", "grant": "RefreshToken", "refreshTokenRef": {"name": "client", "key": path}}),
            ),
        ] {
            let name = format!("{name}-{path}");
            let url = provider.url(&format!("/{path}"));
            let mut credential = place.credential_at(&name, &url, "quoting");
            let spec = credential["spec"].as_object_mut().unwrap();
            spec.extend(fields.as_object().unwrap().clone());
            place.apply(&credential);
            let status = place.wait_for(&name, reason, |status| {
                is(status, Refreshed, "False", reason)
            });
            let message = &status.condition(Refreshed).unwrap().message;
            assert!(
                message.contains("..."),
                "the rest of it is shown: {message}"
            );
        }
    }
}

#[test]
fn a_client_secret_under_the_key_of_the_client_id_is_shown_nowhere() {
    let place = Place::new();
    let authority = Authority::new("quoting");
    let provider = Provider::start(&authority.certificate(&LOCAL), quote);
    place.trust("quoting", &authority);
    let operator = place.operator_with(&[], &TRACE);
    swapped(&place, &provider);
    let (_, output, errors) = crate::commands::run(
        &place.kubeconfig,
        &[
            "check",
            "--namespace",
            &place.namespace,
            crate::check::LOOPBACK,
        ],
        &TRACE,
    );
    let secrets: Vec<_> = forms(SWAPPED).into_iter().collect();
    let mut texts = readable(&place, &operator.log(), &operator.get("/metrics").1);
    texts.push(("a check".into(), output + &errors));
    assert_eq!(find(&secrets, &texts), Vec::<String>::new());
}
