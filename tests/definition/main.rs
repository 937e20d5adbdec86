//! The CustomResourceDefinition: the files in the repository are the generated one, and its rules refuse what they should. The
//! pages below `docs/reference` are made from it too, and from other sources ([`reference`]).

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod reference;
mod words;

use cube_operator::{api::CubeCredential, command::crd};
use kube::{CustomResourceExt, core::cel::Validator};
use serde_json::{Value, json};

#[test]
fn the_files_in_the_repository_are_the_generated_definition() {
    for (name, yaml) in crd::files() {
        for folder in ["crds", "charts/cube-operator/files"] {
            let file = format!("{folder}/{name}.yaml");
            let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
            let text =
                std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(text == yaml, "{file} is out of date: run make crd");
        }
    }
}

/// What the rules (not the bounds and patterns of the schema, which only the API server checks) say of an object.
fn refusals(object: &Value) -> Vec<String> {
    let definition = serde_json::to_value(CubeCredential::crd()).unwrap();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let errors = Validator::new().validate(schema, object, None).err();
    errors
        .map(|errors| {
            errors
                .as_slice()
                .iter()
                .map(|error| error.message.clone())
                .collect()
        })
        .unwrap_or_default()
}

/// A good object with one part of its spec replaced.
fn with(path: &str, value: Value) -> Value {
    let mut object = json!({
        "apiVersion": "cube-operator.dev/v1alpha1",
        "kind": "CubeCredential",
        "metadata": {"name": "cubewire", "namespace": "treasury"},
        "spec": {
            "provider": "Cubewire",
            "clientSecretRef": {"name": "cubewire-client"},
            "caBundleRef": {"name": "roots"},
        },
    });
    let mut place = &mut object;
    for part in path.split('/') {
        place = &mut place[part];
    }
    *place = value;
    object
}

#[test]
fn a_good_spec_is_taken() {
    for (path, value) in [
        ("spec/provider", json!("Cubewire")),
        (
            "spec/tokenURL",
            json!("https://login.example.com/oauth2/token"),
        ),
        (
            "spec/tokenURL",
            json!("https://login.example.com:8443/o/token/?tenant=a%20b"),
        ),
        ("spec/tokenURL", json!("https://[2001:db8::1]/token")),
        (
            "spec/parameters",
            json!({"audience": "https://api", "resource": "x"}),
        ),
        ("spec/refreshBefore", json!("5s")),
        ("spec/refreshBefore", json!("24h")),
        ("spec/refreshBefore", json!("1h30m")),
        ("spec/assumedLifetime", json!("87600h")),
        ("spec/maximumLifetime", json!("30s")),
        ("spec/grant", json!("AccountCredentials")),
        (
            "spec/clientSecretRef",
            json!({"name": "a.b-c", "clientIDKey": "ID_1.x"}),
        ),
        (
            "spec/target",
            json!({"name": "elsewhere", "type": "example.com/token"}),
        ),
        (
            "spec/target",
            json!({"labels": {"example.com/a": "b", "team": "c"}}),
        ),
        (
            "spec/target",
            json!({"annotations": {"reloader.example.com/x_y": "true"}}),
        ),
        ("metadata/name", json!("a".repeat(242))),
    ] {
        let object = with(path, value);
        assert_eq!(refusals(&object), Vec::<String>::new(), "{object}");
    }
}

#[test]
fn bad_data_of_a_target_is_refused_with_what_to_write_instead() {
    for (target, message) in [
        (
            json!({"type": "kubernetes.io/tls", "data": {"tls.crt": ""}}),
            "target.type kubernetes.io/tls needs target.data with key tls.crt and tls.key",
        ),
        (
            json!({"data": {"a/b": ""}}),
            "a key of target.data has 1 to 253 letters, digits, '-', '_' and '.', and does not start with '..'",
        ),
    ] {
        let object = with("spec/target", target);
        assert_eq!(refusals(&object), [message], "{object}");
    }
}

#[test]
fn a_bad_spec_is_refused_with_what_to_write_instead() {
    let url = "tokenURL must start with https:// in lower case, name a host, and have neither user nor password, fragment or \
               blank";
    let reserved = "a parameter that the operator sets itself is reserved, in upper case too (grant_type, client_id, \
                    client_secret, refresh_token, scope, client_assertion..., subject_token..., actor_token..., requested_..., \
                    response_type, username, password, code, code_verifier, redirect_uri, assertion, device_code): use the \
                    fields of the spec";
    let before = "refreshBefore must be a duration from 5s to 24h, for example 5m or 1h30m";
    let lifetime = "assumedLifetime must be a duration from 1m to 87600h, for example 1h or 10h";
    let name = "a name has lower-case letters, digits, '-' and '.', and starts and ends with a letter or digit";
    let key = "a key has letters, digits, '-', '_' and '.'";
    let kind = "target.type must be Opaque, a type of your own such as example.com/token, or with target.data one of \
                kubernetes.io/basic-auth, dockercfg, dockerconfigjson, ssh-auth and tls";
    let metadata = "a name here has letters, digits, '-', '_' and '.', after an optional prefix such as example.com/";
    let prefix =
        "names that start with cube-operator.dev/ are the operator's own: use another prefix";
    let source = "the target may not be the Secret that clientSecretRef names: set spec.target.name to another name";
    for (path, value, message) in [
        (
            "spec/provider",
            json!("Custom"),
            "tokenURL is required with provider Custom: write the token endpoint, for example \
             https://login.example.com/oauth2/token",
        ),
        ("spec/tokenURL", json!("http://example.com/"), url),
        ("spec/tokenURL", json!("HTTPS://example.com/"), url),
        (
            "spec/tokenURL",
            json!("https://user:pass@example.com/"),
            url,
        ),
        ("spec/tokenURL", json!("https://example.com/#x"), url),
        ("spec/tokenURL", json!("https:///token"), url),
        ("spec/tokenURL", json!("https://example.com/a b"), url),
        ("spec/parameters", json!({"scope": "x"}), reserved),
        ("spec/parameters", json!({"client_secret": "x"}), reserved),
        (
            "spec/parameters",
            json!({"client_assertion_type": "x"}),
            reserved,
        ),
        (
            "spec/parameters",
            json!({"": "x"}),
            "a parameter's name must have 1 to 128 letters, digits, '-', '_' and '.'",
        ),
        (
            "spec/maximumLifetime",
            json!("29s"),
            "maximumLifetime must be a duration from 30s to 87600h, for example 1h or 30m",
        ),
        (
            "spec/refreshScopes",
            json!(["read"]),
            "refreshScopes is for grant RefreshToken only: use scopes",
        ),
        ("spec/refreshBefore", json!("4s"), before),
        ("spec/refreshBefore", json!("25h"), before),
        ("spec/assumedLifetime", json!("1s"), lifetime),
        ("spec/clientSecretRef", json!({"name": "Upper"}), name),
        ("spec/clientSecretRef", json!({"name": "a..b"}), name),
        ("spec/caBundleRef", json!({"name": "-a"}), name),
        (
            "spec/clientSecretRef",
            json!({"name": "a", "clientIDKey": "a b"}),
            key,
        ),
        ("spec/caBundleRef", json!({"name": "a", "key": "a/b"}), key),
        ("spec/target", json!({"type": "kubernetes.io/tls2"}), kind),
        ("spec/target", json!({"type": " "}), kind),
        ("spec/target", json!({"labels": {"a b": "c"}}), metadata),
        (
            "spec/target",
            json!({"labels": {"cube-operator.dev/managed": "x"}}),
            prefix,
        ),
        (
            "spec/target",
            json!({"annotations": {"cube-operator.dev/x": "x"}}),
            prefix,
        ),
        ("spec/target", json!({"name": "cubewire-client"}), source),
        (
            "spec/clientSecretRef",
            json!({"name": "cubewire-token"}),
            source,
        ),
        (
            "spec/target",
            json!({"name": "cubewire-cube-state"}),
            "the names <metadata.name>-cube-state and <metadata.name>-cube-record are reserved for the operator: set spec.target.name to another name",
        ),
        (
            "metadata/name",
            json!("a".repeat(243)),
            "metadata.name may have at most 242 characters: names of Secrets are derived from it",
        ),
    ] {
        let object = with(path, value);
        assert_eq!(refusals(&object), [message], "{object}");
    }
}

#[test]
fn a_duration_that_is_none_is_refused() {
    for field in ["refreshBefore", "assumedLifetime", "maximumLifetime"] {
        let object = with(&format!("spec/{field}"), json!("soon"));
        assert_eq!(refusals(&object).len(), 1, "{object}");
    }
}

/// The fields that an object from before chart value `requireProvider` may still change: none of them decides about which client,
/// grant or token is sent where.
const HARMLESS: [&str; 10] = [
    "assumedLifetime",
    "consumers",
    "description",
    "maximumLifetime",
    "parameters",
    "refreshBefore",
    "refreshScopes",
    "scopes",
    "suspend",
    "target",
];

#[test]
fn the_policy_about_providers_compares_each_field_that_decides_about_what_is_sent_where() {
    let path = "charts/cube-operator/templates/policies/providers.yaml";
    let policy = std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let definition = serde_json::to_value(CubeCredential::crd()).unwrap();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let fields = schema["properties"]["spec"]["properties"]
        .as_object()
        .unwrap();
    for field in fields.keys() {
        let compared = policy.contains(&format!("object.spec.?{field} == oldObject.spec.?{field}"));
        let harmless = HARMLESS.contains(&field.as_str());
        assert!(compared != harmless, "{path}: {field}");
    }
}
