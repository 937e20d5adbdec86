//! Changes to a valid `CubeCredential`, each with the API server's message about it.

mod grants;
mod probes;
mod values;

use serde_json::{Value, json};

use grants::{jwt_bearers, token_exchanges};
use probes::probes;
use values::{
    authorization_urls, durations, keys, names, reserved_parameters, secret_keys, target_data,
    target_metadata, target_types, token_urls,
};

/// A change to a valid object, and the API server's message about it; `…` stands for the value.
type Refusal = (Value, String);

pub(super) fn refusals() -> Vec<Refusal> {
    [
        required_and_enumerated(),
        clients(),
        scopes_and_parameters(),
        targets(),
        token_urls(),
        authorization_urls(),
        durations(),
        names(),
        keys(),
        secret_keys(),
        target_types(),
        target_data(),
        target_metadata(),
        reserved_parameters(),
        probes(),
        assertions(),
        jwt_bearers(),
        token_exchanges(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Clients that authenticate with a token of a ServiceAccount.
#[rustfmt::skip]
fn assertions() -> Vec<Refusal> {
    const INCOMPLETE: &str = "clientAuthentication ServiceAccountToken needs clientAssertion with audience and serviceAccountName";
    const AUDIENCE: &str = "spec.clientAssertion.audience: Invalid value: …audience is the name that the provider expects: a token for \
                            the API server of this cluster would be a login to it";
    const FOREIGN: &str = "clientAssertion.keyID and algorithm are for clientAuthentication PrivateKeyJWT only: remove them";
    let with = |assertion: Value| {
        spec(&json!({
            "clientSecretRef": null, "clientAuthentication": "ServiceAccountToken", "clientAssertion": assertion,
        }))
    };
    let of = |audience: &str| with(json!({"audience": audience, "serviceAccountName": "a"}));
    let mut rows = vec![
        (with(json!(null)), INCOMPLETE.into()),
        (with(json!({"audience": "a"})), INCOMPLETE.into()),
        (with(json!({"serviceAccountName": "a"})), INCOMPLETE.into()),
        (with(json!({"audience": "a", "serviceAccountName": "a", "keyID": "a"})), FOREIGN.into()),
        (with(json!({"audience": "a", "serviceAccountName": "a", "algorithm": "ES256"})), FOREIGN.into()),
        (of("a b"), "audience has printable ASCII characters and no blank".into()),
        (spec(&json!({"clientAuthentication": "ServiceAccountToken"})), "clientSecretRef is required".into()),
        (of(""), "spec.clientAssertion.audience in body should be at least 1 chars long".into()),
        (of(&"a".repeat(513)), "spec.clientAssertion.audience: Too long: may not be more than 512".into()),
        (with(json!({"audience": "a", "serviceAccountName": "A"})), "spec.clientAssertion.serviceAccountName: Invalid value".into()),
    ];
    for audience in [
        "kubernetes", "https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local", "kubernetes.default",
        "https://kubernetes.default.svc/",
    ] {
        rows.push((of(audience), AUDIENCE.into()));
    }
    rows
}

const PARAMETER_NAME: &str =
    "a parameter's name must have 1 to 128 letters, digits, '-', '_' and '.'";

fn spec(fields: &Value) -> Value {
    json!({"spec": fields})
}

fn target(fields: &Value) -> Value {
    json!({"spec": {"target": fields}})
}

fn url(text: &str) -> Value {
    json!({"spec": {"tokenURL": text}})
}

fn sign_in(at: &str) -> Value {
    let seed = json!({"name": "seed"});
    json!({"spec": {"grant": "RefreshToken", "refreshTokenRef": seed, "authorizationURL": at}})
}

pub(super) fn many(count: usize) -> Value {
    (0..count)
        .map(|n| (format!("n{n}"), json!("v")))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Fields that are required, too long, or have a few possible values.
#[rustfmt::skip]
fn required_and_enumerated() -> Vec<Refusal> {
    vec![
        (json!({"spec": null}), "spec: Required value".into()),
        (json!({"metadata": {"name": "a".repeat(243)}}), "metadata.name may have at most 242 characters: names of Secrets are derived from it".into()),
        (spec(&json!({"description": "a".repeat(257)})), "spec.description: Too long: may not be more than 256".into()),
        (spec(&json!({"provider": null})), "exactly one of provider and providerRef is required".into()),
        (spec(&json!({"providerRef": {"name": "okta"}})), "exactly one of provider and providerRef is required".into()),
        (spec(&json!({"provider": null, "providerRef": {"name": "okta"}, "tokenURL": "https://a.example/"})),
            "tokenURL, authorizationURL and caBundleRef come from the provider that providerRef names: remove them".into()),
        (spec(&json!({"provider": null, "providerRef": {"name": "okta"}, "caBundleRef": {"name": "roots"}})),
            "tokenURL, authorizationURL and caBundleRef come from the provider that providerRef names: remove them".into()),
        (spec(&json!({"provider": null, "providerRef": {"name": "Okta"}})), "a name has lower-case letters".into()),
        (spec(&json!({"provider": null, "providerRef": {"kind": "Secret", "name": "okta"}})), "spec.providerRef.kind: Unsupported value".into()),
        (spec(&json!({"provider": "cubewire"})), "spec.provider: Unsupported value: \"cubewire\": supported values: \"Cubewire\", \"CubeSoftware\", \"Custom\"".into()),
        (spec(&json!({"provider": "Custom"})), "tokenURL is required with provider Custom: write the token endpoint, for example https://login.example.com/oauth2/token".into()),
        (spec(&json!({"authorizationURL": "https://example.com/"})), "authorizationURL is for grant RefreshToken only: remove it, or set grant to RefreshToken".into()),
        (spec(&json!({"grant": "AccountCredentials", "authorizationURL": "https://example.com/"})), "authorizationURL is for grant RefreshToken only: remove it, or set grant to RefreshToken".into()),
        (sign_in(&format!("https://example.com/{}", "a".repeat(493))), "spec.authorizationURL: Too long: may not be more than 512".into()),
        (url(&format!("https://example.com/{}", "a".repeat(493))), "spec.tokenURL: Too long: may not be more than 512".into()),
        (spec(&json!({"grant": "Password"})), "spec.grant: Unsupported value: \"Password\": supported values: \"ClientCredentials\", \"RefreshToken\", \"AccountCredentials\"".into()),
        (spec(&json!({"clientAuthentication": "body"})), "spec.clientAuthentication: Unsupported value: \"body\": supported values: \"Body\", \"Basic\", \"BasicEmptySecret\", \"None\", \"PrivateKeyJWT\", \"MutualTLS\", \"ServiceAccountToken\"".into()),
        (spec(&json!({"clientSecretRef": null})), "clientSecretRef is required: name the Secret of the client; only clientAuthentication ServiceAccountToken has none".into()),
        (spec(&json!({"clientSecretRef": {"name": null}})), "spec.clientSecretRef.name: Required value".into()),
    ]
}

/// The client, and what belongs to its method of authentication.
#[rustfmt::skip]
fn clients() -> Vec<Refusal> {
    let signing = |assertion: Value| spec(&json!({"clientAuthentication": "PrivateKeyJWT", "clientAssertion": assertion}));
    let assertion = "clientAssertion is for clientAuthentication PrivateKeyJWT and ServiceAccountToken only";
    let keys = "clientSecretRef.privateKeyKey and certificateKey are for clientAuthentication PrivateKeyJWT and MutualTLS only, and privateKeyKey for grant JWTBearer too: remove them, or set clientAuthentication";
    vec![
        (
            spec(&json!({
                "provider": null, "tokenURL": null, "providerRef": {"name": "login"},
                "clientAuthentication": "Body", "clientAssertion": {},
            })),
            format!("{assertion}: remove it, or set clientAuthentication"),
        ),
        (spec(&json!({"clientAssertion": {}})), format!("{assertion}: remove it, or set clientAuthentication")),
        (spec(&json!({"clientAssertion": {"audience": "a", "serviceAccountName": "a"}})), assertion.into()),
        (signing(json!({"serviceAccountName": "a"})), "clientAssertion.serviceAccountName is for clientAuthentication ServiceAccountToken only: remove it".into()),
        (spec(&json!({"clientAuthentication": "Basic", "clientAssertion": {"audience": "a"}})), assertion.into()),
        (spec(&json!({"clientSecretRef": {"privateKeyKey": "a"}})), keys.into()),
        (spec(&json!({"clientAuthentication": "Basic", "clientSecretRef": {"certificateKey": "a"}})), keys.into()),
        (spec(&json!({"clientAuthentication": "MutualTLS", "clientAssertion": {}})), assertion.into()),
        (signing(json!({"algorithm": "HS256"})), "spec.clientAssertion.algorithm: Unsupported value: \"HS256\": supported values: \"RS256\", \"PS256\", \"ES256\", \"ES384\", \"EdDSA\"".into()),
        (signing(json!({"algorithm": "none"})), "spec.clientAssertion.algorithm: Unsupported value: \"none\"".into()),
        (signing(json!({"audience": "a b"})), "audience has printable ASCII characters and no blank".into()),
        (signing(json!({"audience": ""})), "spec.clientAssertion.audience in body should be at least 1 chars long".into()),
        (signing(json!({"audience": "a".repeat(513)})), "spec.clientAssertion.audience: Too long: may not be more than 512".into()),
        (signing(json!({"keyID": " a"})), "keyID has printable ASCII characters, without a blank at an end".into()),
        (signing(json!({"keyID": "a".repeat(257)})), "spec.clientAssertion.keyID: Too long: may not be more than 256".into()),
        (spec(&json!({"clientID": "a\n"})), "clientID has printable ASCII characters, without a blank at an end".into()),
        (spec(&json!({"clientID": ""})), "spec.clientID in body should be at least 1 chars long".into()),
        (spec(&json!({"clientID": "a".repeat(513)})), "spec.clientID: Too long: may not be more than 512".into()),
        (spec(&json!({"clientID": "a", "clientSecretRef": {"clientIDKey": "id"}})), "clientID and clientSecretRef.clientIDKey name two client ids: remove one of them".into()),
        (spec(&json!({"clientAuthentication": "PrivateKeyJWT", "parameters": {"client_assertion": "a"}})), "a parameter that the operator sets itself is reserved".into()),
    ]
}

/// Scopes, parameters and the rest of the request.
#[rustfmt::skip]
fn scopes_and_parameters() -> Vec<Refusal> {
    vec![
        (spec(&json!({"scopes": "read"})), "spec.scopes: Invalid value: \"string\": spec.scopes in body must be of type array".into()),
        (spec(&json!({"scopes": ["read", "read"]})), "spec.scopes[1]: Duplicate value: \"read\"".into()),
        (spec(&json!({"scopes": ["read write"]})), "spec.scopes[0]: Invalid value: \"read write\": spec.scopes[0] in body should match".into()),
        (spec(&json!({"scopes": [""]})), "spec.scopes[0] in body should be at least 1 chars long".into()),
        (spec(&json!({"scopes": ["a".repeat(257)]})), "spec.scopes[0]: Too long: may not be more than 256".into()),
        (spec(&json!({"scopes": (0..65).map(|n| n.to_string()).collect::<Vec<_>>()})), "spec.scopes: Too many: 65: must have at most 64 items".into()),
        (spec(&json!({"refreshScopes": ["read"]})), "refreshScopes is for grant RefreshToken only: use scopes".into()),
        (spec(&json!({"grant": "AccountCredentials", "refreshScopes": ["read"]})), "refreshScopes is for grant RefreshToken only: use scopes".into()),
        (spec(&json!({"refreshScopes": ["read write"]})), "spec.refreshScopes[0]: Invalid value: \"read write\": spec.refreshScopes[0] in body should match".into()),
        (spec(&json!({"grant": "account_credentials"})), "spec.grant: Unsupported value: \"account_credentials\"".into()),
        (spec(&json!({"grant": "AccountCredentials", "parameters": {"grant_type": "password"}})), "a parameter that the operator sets itself is reserved".into()),
        (spec(&json!({"grant": "AccountCredentials", "refreshTokenRef": {"name": "seed"}})), "refreshTokenRef is required with grant RefreshToken, and only with it".into()),
        (spec(&json!({"grant": "AccountCredentials", "clientAuthentication": "None"})), "clientAuthentication None is for public clients".into()),
        (spec(&json!({"parameters": {"audience": ""}})), "spec.parameters.audience in body should be at least 1 chars long".into()),
        (spec(&json!({"parameters": {"audience": "a".repeat(2049)}})), "spec.parameters.audience: Too long: may not be more than 2048".into()),
        (spec(&json!({"parameters": {"": "a"}})), PARAMETER_NAME.into()),
        (spec(&json!({"parameters": {"a".repeat(129): "a"}})), PARAMETER_NAME.into()),
        (spec(&json!({"parameters": {"a b": "a"}})), PARAMETER_NAME.into()),
        (spec(&json!({"parameters": {"a[]": "a"}})), PARAMETER_NAME.into()),
        (spec(&json!({"parameters": {"\u{17f}cope": "a"}})), PARAMETER_NAME.into()),
        (spec(&json!({"parameters": {"a\n": "a"}})), PARAMETER_NAME.into()),
        (spec(&json!({"parameters": many(33)})), "spec.parameters: Too many: 33: must have at most 32 items".into()),
        (spec(&json!({"caBundleRef": {"kind": "ConfigMap"}})), "spec.caBundleRef.name: Required value".into()),
        (spec(&json!({"caBundleRef": {"name": "a", "kind": "Pod"}})), "spec.caBundleRef.kind: Unsupported value: \"Pod\": supported values: \"ConfigMap\", \"Secret\"".into()),
        (spec(&json!({"caBundleRef": {"name": "a", "systemRoots": "Drop"}})), "spec.caBundleRef.systemRoots: Unsupported value: \"Drop\": supported values: \"Keep\", \"Replace\"".into()),
        (spec(&json!({"suspend": "yes"})), "spec.suspend in body must be of type boolean: \"string\"".into()),
    ]
}

/// The target's name, labels and annotations.
#[rustfmt::skip]
fn targets() -> Vec<Refusal> {
    vec![
        (target(&json!({"deletionPolicy": "Orphan"})), "spec.target.deletionPolicy: Unsupported value: \"Orphan\": supported values: \"Delete\", \"Retain\"".into()),
        (target(&json!({"name": "client"})), "the target may not be the Secret that clientSecretRef names: set spec.target.name to another name".into()),
        (spec(&json!({"clientSecretRef": {"name": "main-token"}})), "the target may not be the Secret that clientSecretRef names: set spec.target.name to another name".into()),
        (target(&json!({"name": "main-cube-state"})), "the names <metadata.name>-cube-state and <metadata.name>-cube-record are reserved for the operator: set spec.target.name to another name".into()),
        (target(&json!({"labels": many(33)})), "spec.target.labels: Too many: 33: must have at most 32 items".into()),
        (target(&json!({"annotations": many(33)})), "spec.target.annotations: Too many: 33: must have at most 32 items".into()),
        (target(&json!({"labels": {"a": "b".repeat(64)}})), "spec.target.labels.a: Too long: may not be more than 63".into()),
        (target(&json!({"labels": {"a": "b c"}})), "spec.target.labels.a in body should match".into()),
        (target(&json!({"annotations": {"a": "b".repeat(4097)}})), "spec.target.annotations.a: Too long: may not be more than 4096".into()),
    ]
}
