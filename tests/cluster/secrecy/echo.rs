//! A provider that repeats what it was sent.

use cube_operator::api::ConditionType::Refreshed;
use serde_json::json;

use crate::{
    place::{Place, is},
    scripted::{Authority, LOCAL, Provider, Reply, Request},
};

use super::ECHOED_SECRET;

/// A provider that repeats the whole request in each field of its response.
fn echo(request: &Request) -> Reply {
    let header = request
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let header = header.map_or("", |(_, value)| value);
    // It must not be too long, as only the beginning is shown.
    let said = format!("{ECHOED_SECRET} {header} {}", request.body);
    let body = json!({"error": "invalid_client", "error_description": said, "error_uri": said, "scope": said});
    match request.target.as_str() {
        "/401" => Reply::json(401, body.to_string()),
        "/403" => Reply::json(403, said),
        "/307" => {
            let query = request.body.replace(['\r', '\n'], "");
            Reply::json(307, said)
                .header("Location", &format!("https://elsewhere.example/?{query}"))
        }
        _ => Reply::json(200, body.to_string()),
    }
}

/// Credentials at the echoing provider, in the body and in the header, each with another refusal.
pub(super) fn echoed(place: &Place) -> Provider {
    let authority = Authority::new("echo");
    let provider = Provider::start(&authority.certificate(&LOCAL), echo);
    place.trust("echo", &authority);
    let mut source = place.source();
    source["metadata"]["name"] = json!("echoed");
    source["stringData"]["client-secret"] = json!(ECHOED_SECRET);
    place.apply(&source);
    for (path, reason) in [
        ("401", "InvalidClient"),
        ("403", "Forbidden"),
        ("307", "Redirected"),
        ("200", "InvalidClient"),
    ] {
        for style in ["Body", "Basic"] {
            let name = format!("echoed-{path}-{}", style.to_lowercase());
            let url = provider.url(&format!("/{path}"));
            let mut credential = place.credential_at(&name, &url, "echo");
            credential["spec"]["clientSecretRef"]["name"] = json!("echoed");
            credential["spec"]["clientAuthentication"] = json!(style);
            place.apply(&credential);
            place.wait_for(&name, reason, |status| {
                is(status, Refreshed, "False", reason)
            });
        }
    }
    provider
}
