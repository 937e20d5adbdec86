//! A private key, and the assertions that it signs.

use cube_operator::api::ConditionType::Refreshed;
use serde_json::json;

use crate::{
    keys::form,
    place::{Place, is},
    scripted::{Authority, LOCAL, Provider, Reply},
};

use super::{TRACE, find, forms, readable};

const KEY: &str = include_str!("../../fuzz/corpus/private_key/rsa-pkcs8");
const DAMAGED: &str =
    "-----BEGIN PRIVATE KEY-----\nplanted/and+damaged/4e21\n-----END PRIVATE KEY-----\n";

#[test]
fn a_private_key_is_shown_nowhere() {
    let place = Place::new();
    let authority = Authority::new("quoting");
    // It quotes the assertion.
    let provider = Provider::start(&authority.certificate(&LOCAL), |request| {
        let form = form(request);
        let said = form.get("client_assertion").map_or("", String::as_str);
        let body = json!({"error": "invalid_client", "error_description": said});
        Reply::json(401, body.to_string())
    });
    place.trust("quoting", &authority);
    let mut source = place.source();
    source["stringData"] = json!({
        "client-id": "a-client", "private-key": KEY, "damaged": DAMAGED, "client-secret": KEY,
    });
    place.apply(&source);
    let operator = place.operator_with(&[], &TRACE);
    for (name, reason, fields) in [
        (
            "refused",
            "InvalidClient",
            json!({"clientAuthentication": "PrivateKeyJWT"}),
        ),
        (
            "damaged",
            "ClientKeyInvalid",
            json!({"clientAuthentication": "PrivateKeyJWT", "clientSecretRef": {"name": "client", "privateKeyKey": "damaged"}}),
        ),
        ("misplaced", "ClientSecretMalformed", json!({})),
    ] {
        let mut credential = place.credential_at(name, &provider.url("/token"), "quoting");
        let spec = credential["spec"].as_object_mut().unwrap();
        spec.extend(fields.as_object().unwrap().clone());
        place.apply(&credential);
        place.wait_for(name, reason, |status| {
            is(status, Refreshed, "False", reason)
        });
    }
    let arguments = [
        "check",
        "--namespace",
        &place.namespace,
        crate::check::LOOPBACK,
    ];
    let (_, output, errors) = crate::commands::run(&place.kubeconfig, &arguments, &TRACE);
    assert!(output.contains("RSA 2048"), "{output}");

    let requests = provider.requests();
    let assertions = requests
        .iter()
        .filter_map(|request| form(request).remove("client_assertion"));
    let mut secrets: Vec<_> = assertions.collect();
    assert_eq!(
        secrets.len(),
        1,
        "the others were refused before anything was sent"
    );
    let lines = KEY.lines().chain(DAMAGED.lines());
    let lines = lines.filter(|line| !line.starts_with("-----"));
    secrets.extend(lines.map(str::to_owned));
    let secrets: Vec<_> = secrets.iter().flat_map(|secret| forms(secret)).collect();
    let mut texts = readable(&place, &operator.log(), &operator.get("/metrics").1);
    texts.push(("a check".into(), output + &errors));
    assert_eq!(find(&secrets, &texts), Vec::<String>::new());
}
