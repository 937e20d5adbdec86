//! With `requireProvider`, only those who may write provider objects decide where a client Secret is sent.

use serde_json::json;

use super::{Users, credential};
use crate::place::manifest;

const REQUIRED: &str = "this cluster requires spec.providerRef in place of provider: name a provider object of the platform team (kubectl get \
                        cubeproviders, kubectl get clustercubeproviders)";

#[test]
fn a_spec_without_a_provider_object_is_refused() {
    let users = Users::with("requireProvider=true");
    let mut named = credential("main");
    let spec = named["spec"].as_object_mut().unwrap();
    spec.retain(|field, _| field == "clientSecretRef");
    spec.insert("providerRef".into(), json!({"name": "okta"}));
    let own = manifest(&credential("other"));
    let own: [&str; 4] = ["create", "--dry-run=server", "-f", &own];
    users.may_not("owner", &own, "providers", REQUIRED);
    let file = manifest(&named);
    users.may("owner", &["create", "-f", &file]);
    // An object that names one cannot be given a URL, nor be turned into one with a URL.
    let patch = |fields: &serde_json::Value| json!({"spec": fields}).to_string();
    let back = patch(
        &json!({"providerRef": null, "provider": "Custom", "tokenURL": "https://attacker.example/token"}),
    );
    let back = [
        "patch",
        "cubecredential",
        "main",
        "--type=merge",
        "-p",
        &back,
    ];
    users.may_not("owner", &back, "providers", REQUIRED);
    let beside = patch(&json!({"tokenURL": "https://attacker.example/token"}));
    let error = users.place.kubectl_error(&[
        "patch",
        "cubecredential",
        "main",
        "--type=merge",
        "-p",
        &beside,
    ]);
    assert!(
        error.contains("come from the provider that providerRef names"),
        "{error}"
    );
    // What is there may still be annotated.
    users.may(
        "owner",
        &[
            "annotate",
            "cubecredential",
            "main",
            "theirs=changed",
            "--overwrite",
        ],
    );
}
