//! Providers whose refresh tokens are good for one use, and whose responses a strict client would lose.

use std::{collections::BTreeMap, sync::Mutex};

use cube_operator::{
    api::ConditionType::{Ready, Refreshed},
    reconcile::Settings,
};
use serde_json::json;
use url::form_urlencoded;

use crate::{
    operator::eventually,
    place::{Place, is},
    scripted::{Authority, LOCAL, Provider, Reply, Request},
};

/// A response with this body, and the name of its flaw.
type Rough = (&'static str, fn(&str) -> Reply);

const ROUGH: [Rough; 12] = [
    ("no-close-notify", |body| {
        raw("Connection: close\r\n", body).abruptly()
    }),
    ("http-1.0", |body| {
        Reply::raw(format!("HTTP/1.0 200 OK\r\n\r\n{body}")).abruptly()
    }),
    ("no-last-chunk", |body| {
        let chunk = format!("{:x}\r\n{body}\r\n", body.len());
        raw("Transfer-Encoding: chunked\r\n", &chunk).abruptly()
    }),
    ("too-short", |body| {
        let lines = format!("Content-Length: {}\r\n", body.len() + 2);
        raw(&lines, body).abruptly()
    }),
    // It takes the 30 s of an exchange.
    ("left-open", |body| raw("", body).left_open()),
    ("no-checksum", |body| {
        let gzip = Reply::json(200, body).gzip();
        let length = gzip.body_length();
        gzip.cut_after(length - 8)
    }),
    ("control-character", |body| {
        raw("Set-Cookie: a=\u{1}b\r\n", body)
    }),
    ("blank-before-colon", |body| raw("Server : a\r\n", body)),
    ("folded-line", |body| {
        raw("Set-Cookie: a=b;\r\n Secure\r\n", body)
    }),
    ("many-lines", |body| {
        raw(&"Set-Cookie: a=b\r\n".repeat(150), body)
    }),
    ("long-line", |body| {
        raw(&format!("Set-Cookie: {}\r\n", "a".repeat(64 * 1024)), body)
    }),
    ("line-feeds", |body| {
        Reply::raw(format!("HTTP/1.1 200\nServer: a\n\n{body}"))
    }),
];

fn raw(lines: &str, body: &str) -> Reply {
    Reply::raw(format!("HTTP/1.1 200 OK\r\n{lines}\r\n{body}"))
}

/// Takes each refresh token once. The path names the flaw and the login.
fn serve(current: &Mutex<BTreeMap<String, usize>>, request: &Request) -> Reply {
    let name = request.target.trim_start_matches('/');
    let (_, rough) = ROUGH.iter().find(|(known, _)| *known == name).unwrap();
    let mut current = current.lock().unwrap();
    let generation = current.entry(name.to_owned()).or_default();
    let sent = form_urlencoded::parse(request.body.as_bytes());
    let sent = sent
        .into_owned()
        .find(|(field, _)| field == "refresh_token");
    if sent.unwrap().1 != format!("planted-{name}-{generation}") {
        return Reply::json(400, r#"{"error":"invalid_grant"}"#);
    }
    *generation += 1;
    rough(&format!(
        r#"{{"access_token":"planted-access-{generation}","expires_in":3600,"refresh_token":"planted-{name}-{generation}"}}"#
    ))
}

#[test]
fn a_login_with_tokens_for_one_use_survives_rude_ends_and_odd_headers_with_one_exchange_each() {
    let place = Place::new();
    let authority = Authority::new("rough");
    let current = Mutex::default();
    let provider = Provider::start(&authority.certificate(&LOCAL), move |request| {
        serve(&current, request)
    });
    place.trust("rough", &authority);
    // Each has a client of its own, and so a budget of its own.
    for (name, _) in ROUGH {
        place.apply(&json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": name, "labels": {"cube-operator.dev/credential": "true"}},
            "stringData": {"client-id": name, "client-secret": "s", "refresh-token": format!("planted-{name}-0")},
        }));
        let mut credential = place.credential_at(name, &provider.url(&format!("/{name}")), "rough");
        credential["spec"]["clientSecretRef"] = json!({"name": name});
        credential["spec"]["grant"] = json!("RefreshToken");
        credential["spec"]["refreshTokenRef"] = json!({"name": name});
        place.apply(&credential);
    }
    let _operator = place.operator();
    for generation in 1..=2 {
        for (name, _) in ROUGH {
            place.wait_for(name, "good", |status| {
                is(status, Ready, "True", "Synced") && is(status, Refreshed, "True", "TokenIssued")
            });
            let state = Settings::state_name(name);
            eventually(&format!("{name} has stored {generation}"), || {
                (place.value(&state, "refresh-token") == format!("planted-{name}-{generation}"))
                    .then_some(())
            });
            if generation == 1 {
                place.request_of(name, "again");
            }
        }
    }
    for (name, _) in ROUGH {
        let path = format!("/{name}");
        let requests = provider.requests();
        let made = requests.iter().filter(|request| request.target == path);
        assert_eq!(made.count(), 2, "{name}");
    }
}
