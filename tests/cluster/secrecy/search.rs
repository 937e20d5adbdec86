//! Looks for secrets in everything that a person could read.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::place::Place;

/// Every form in which a secret could appear.
pub(super) fn forms(secret: &str) -> BTreeSet<String> {
    let encoded = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let base64 = STANDARD.encode(secret);
    let debug = format!("{secret:?}");
    let debug = debug.trim_matches('"').to_owned();
    [
        secret.to_owned(),
        debug,
        base64.trim_end_matches('=').to_owned(),
        encoded,
    ]
    .into()
}

/// The parts of the Authorization header (RFC 6749, section 2.3.1).
pub(super) fn pair(place: &Place, secret: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    format!("{}:{encoded}", place.namespace)
}

pub(super) fn find(secrets: &[String], texts: &[(String, String)]) -> Vec<String> {
    let found = texts.iter().flat_map(|(place, text)| {
        secrets
            .iter()
            .filter(|secret| text.contains(secret.as_str()))
            .map(move |secret| format!("{secret} in {place}"))
    });
    found.collect()
}

/// Everything that a person could read, besides the data of Secrets.
pub(super) fn readable(place: &Place, logs: &str, metrics: &str) -> Vec<(String, String)> {
    let mut texts = vec![
        ("the log".to_owned(), logs.to_owned()),
        ("the metrics".into(), metrics.to_owned()),
    ];
    for kind in [
        "cubecredentials",
        "secrets",
        "events.events.k8s.io",
        "configmaps",
    ] {
        let mut list: Value = serde_json::from_str(&place.kubectl(&[
            "get",
            kind,
            "-o",
            "json",
            "--show-managed-fields",
        ]))
        .unwrap();
        if kind == "secrets" {
            for secret in list["items"].as_array_mut().unwrap() {
                secret.as_object_mut().unwrap().remove("data");
            }
        }
        texts.push((kind.to_owned(), list.to_string()));
    }
    texts
}
