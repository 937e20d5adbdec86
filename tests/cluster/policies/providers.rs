//! A provider object says where client Secrets are sent: who may write one, and who has to name one.

use serde_json::json;

use super::{Users, credential, rule};
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

#[test]
fn an_object_from_before_may_be_suspended_and_sends_no_client_elsewhere() {
    let users = Users::with("requireProvider=false");
    users.place.apply(&credential("main"));
    users.install_policies("requireProvider=true");
    let own = manifest(&credential("other"));
    let own = ["create", "--dry-run=server", "-f", &own];
    users.may_not("owner", &own, "providers", REQUIRED);
    let patch = |fields: serde_json::Value| {
        let fields = json!({"spec": fields}).to_string();
        [
            "patch",
            "cubecredential",
            "main",
            "--type=merge",
            "-p",
            &fields,
        ]
        .map(str::to_owned)
    };
    for fields in [
        json!({"provider": "CubeSoftware"}),
        json!({"tokenURL": "https://attacker.example/token"}),
        json!({"clientSecretRef": {"name": "another"}}),
        json!({"clientID": "another"}),
        json!({"probe": {"url": "https://attacker.example/"}}),
    ] {
        let patch = patch(fields);
        let patch: Vec<_> = patch.iter().map(String::as_str).collect();
        users.may_not("owner", &patch, "providers", REQUIRED);
    }
    for fields in [json!({"suspend": true}), json!({"refreshBefore": "10m"})] {
        let patch = patch(fields);
        let patch: Vec<_> = patch.iter().map(String::as_str).collect();
        users.may("owner", &patch);
    }
}

#[test]
fn whoever_writes_a_provider_must_be_allowed_to_get_secrets() {
    let users = Users::new();
    users.grant(
        "author",
        &json!([rule("cubeproviders", &json!(["*"]), None)]),
    );
    let provider = |url: &str| {
        manifest(&json!({
            "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeProvider",
            "metadata": {"name": "login"}, "spec": {"tokenURL": url},
        }))
    };
    let (first, second) = (
        provider("https://login.example.com/token"),
        provider("https://attacker.example/token"),
    );
    let refused = "user \"author\" may not get Secrets, so may not say where the operator sends them: ask for the right to get \
                   Secrets, or have somebody with that right make this change";
    let create = ["create", "-f", &first];
    users.may_not("author", &create, "provider-authors", refused);
    users.may("owner", &create);
    let replace = ["replace", "-f", &second];
    users.may_not("author", &replace, "provider-authors", refused);
    users.may("author", &["annotate", "cubeprovider", "login", "a=b"]);
    users.may("owner", &replace);
}

#[test]
fn whoever_writes_a_provider_must_be_allowed_to_create_tokens_where_the_operator_requests_them() {
    let users = Users::with("serviceAccountTokens=true");
    let provider = rule("cubeproviders", &json!(["*"]), None);
    let secrets = rule("secrets", &json!(["get"]), None);
    users.grant("author", &json!([provider, secrets]));
    let login = manifest(&json!({
        "apiVersion": "cube-operator.dev/v1alpha1", "kind": "CubeProvider",
        "metadata": {"name": "login"}, "spec": {"tokenURL": "https://login.example.com/token"},
    }));
    let refused = "user \"author\" may not create tokens of ServiceAccounts, so may not say where the operator sends them: ask for \
                   the right to create serviceaccounts/token, or have somebody with that right make this change";
    let create = ["create", "--dry-run=server", "-f", &login];
    users.may_not("author", &create, "provider-authors", refused);
    users.may("owner", &create);
    // The tokens of one account are not those of all.
    let create_tokens = json!(["create"]);
    let one = rule("serviceaccounts/token", &create_tokens, Some(&["billing"]));
    users.grant("author", &json!([provider, secrets, one]));
    users.may_not("author", &create, "provider-authors", refused);
    let all = rule("serviceaccounts/token", &create_tokens, None);
    users.grant("author", &json!([provider, secrets, all]));
    users.may("author", &create);
}
