//! Invalid values, for each field.

use serde_json::{Value, json};

use super::{Refusal, many, sign_in, spec, target, url};

const TOKEN_URL: &str = "spec.tokenURL: Invalid value: …tokenURL must start with https:// in lower case, name a host, and have \
                         neither user nor password, fragment or blank";
const AUTHORIZATION_URL: &str = "spec.authorizationURL: Invalid value: …authorizationURL must start with https:// in lower case, name a \
                                 host, and have neither user nor password, fragment or blank";
const AUTHORIZATION_QUERY: &str = "spec.authorizationURL: Invalid value: …the query of authorizationURL may not have a parameter that a \
                                   sign-in sets itself (response_type, client_id, redirect_uri, scope, state, code_challenge, ...): use \
                                   the fields of the spec";
const REFRESH_BEFORE: &str =
    "refreshBefore must be a duration from 5s to 24h, for example 5m or 1h30m";
const ASSUMED_LIFETIME: &str =
    "assumedLifetime must be a duration from 1m to 87600h, for example 1h or 10h";
const MAXIMUM_LIFETIME: &str =
    "maximumLifetime must be a duration from 30s to 87600h, for example 1h or 30m";
const NAME: &str = "a name has lower-case letters, digits, '-' and '.', and starts and ends with a letter or digit";
const KEY: &str = "a key has letters, digits, '-', '_' and '.'";
const SECRET_KEYS: &str = "a key has 1 to 253 letters, digits, '-', '_' and '.'; a second key follows after a comma, without a space";
const TYPE: &str = "target.type must be Opaque, a type of your own such as example.com/token, or with target.data one of \
                    kubernetes.io/basic-auth, dockercfg, dockerconfigjson, ssh-auth and tls";
const METADATA_KEY: &str = "a name here has letters, digits, '-', '_' and '.', after an optional prefix such as example.com/";
const PREFIX: &str =
    "names that start with cube-operator.dev/ are the operator's own: use another prefix";
const RESERVED: &str = "a parameter that the operator sets itself is reserved, in upper case too (grant_type, client_id, \
                        client_secret, refresh_token, scope, client_assertion..., subject_token..., actor_token..., requested_..., \
                        response_type, username, password, code, code_verifier, redirect_uri, assertion, device_code): use the \
                        fields of the spec";
const QUERY: &str = "the query of tokenURL may not have a parameter that the operator sets itself (grant_type, client_id, scope, \
                     ...): use the fields of the spec";

/// Names of form fields that the operator sets itself, or that another grant would need.
const RESERVED_NAMES: [&str; 24] = [
    "grant_type",
    "client_id",
    "client_secret",
    "refresh_token",
    "scope",
    "response_type",
    "username",
    "password",
    "code",
    "code_verifier",
    "redirect_uri",
    "assertion",
    "device_code",
    "client_assertion",
    "client_assertion_type",
    "subject_token",
    "subject_token_type",
    "actor_token",
    "actor_token_type",
    "requested_token_type",
    "requested_subject",
    "Client_Secret",
    "SCOPE",
    "grant.type",
];

/// How a value becomes a change.
type Wrap = fn(Value) -> Value;

/// Texts that are no URL of an endpoint.
const NO_ENDPOINTS: [&str; 17] = [
    "",
    "example.com/token",
    "http://example.com/",
    "HTTPS://example.com/",
    "https://",
    "https:///token",
    "https://?a=b",
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://@example.com/",
    "https://example.com/#part",
    "https://example.com#part",
    "https://example.com/a b",
    "https://example.com/\n",
    " https://example.com/",
    "https://[::1/",
    "https://example.com:port/",
];

/// URLs that are not a token endpoint's.
pub(super) fn token_urls() -> Vec<Refusal> {
    let rows = NO_ENDPOINTS.iter();
    rows.map(|text| (url(text), TOKEN_URL.into())).collect()
}

/// URLs that are not an authorization endpoint's, and queries that a sign-in would contradict.
pub(super) fn authorization_urls() -> Vec<Refusal> {
    let urls = NO_ENDPOINTS.iter();
    let mut rows: Vec<_> = urls
        .map(|text| (sign_in(text), AUTHORIZATION_URL.into()))
        .collect();
    let of_sign_in = [
        "state",
        "State",
        "nonce",
        "response_mode",
        "code_challenge",
        "code_challenge_method",
        "code.challenge",
        "request",
        "request_uri",
    ];
    for name in RESERVED_NAMES.iter().chain(&of_sign_in) {
        for query in [
            format!("{name}=a"),
            format!("a=b&{name}=c"),
            (*name).to_owned(),
        ] {
            let url = format!("https://example.com/authorize?{query}");
            rows.push((sign_in(&url), AUTHORIZATION_QUERY.into()));
        }
    }
    rows
}

/// Durations outside their bounds, and texts that are none.
pub(super) fn durations() -> Vec<Refusal> {
    let mut rows = Vec::new();
    for (field, message, texts) in [
        ("refreshBefore", REFRESH_BEFORE, ["4s", "24h1s", "-5m", "0"]),
        (
            "maximumLifetime",
            MAXIMUM_LIFETIME,
            ["29s", "87601h", "-1h", "0"],
        ),
        (
            "assumedLifetime",
            ASSUMED_LIFETIME,
            ["59s", "87601h", "-1h", "0"],
        ),
    ] {
        for text in texts {
            rows.push((spec(&json!({field: text})), message.into()));
        }
        // Texts of another shape are refused, also those that only one of schema and operator could read.
        for text in [
            "", "5", "soon", "1d", "PT5M", "5m ", "5m\n", "60000ms", "+5m", "1m1m", "60s1m", ".5h",
            "1h1.5m",
        ] {
            rows.push((
                spec(&json!({field: text})),
                format!("spec.{field}: Invalid value: …\": {message}"),
            ));
        }
        rows.push((
            spec(&json!({field: 300})),
            format!("spec.{field} in body must be of type string: \"integer\""),
        ));
        rows.push((
            spec(&json!({field: format!("{}m", "0".repeat(32))})),
            format!("spec.{field}: Too long: may not be more than 32"),
        ));
    }
    rows
}

/// Names that no object can have.
pub(super) fn names() -> Vec<Refusal> {
    let names: [(&str, Wrap); 3] = [
        (
            "spec.clientSecretRef.name",
            |name| json!({"spec": {"clientSecretRef": {"name": name}}}),
        ),
        (
            "spec.caBundleRef.name",
            |name| json!({"spec": {"caBundleRef": {"name": name}}}),
        ),
        (
            "spec.target.name",
            |name| json!({"spec": {"target": {"name": name}}}),
        ),
    ];
    let mut rows = Vec::new();
    for (path, wrap) in names {
        for text in ["A", "a_b", "-a", "a-", "a..b", ".a", "a/b", "a b", "a\n"] {
            rows.push((wrap(json!(text)), format!("{path}: Invalid value: …{NAME}")));
        }
        rows.push((
            wrap(json!("")),
            format!("{path} in body should be at least 1 chars long"),
        ));
        rows.push((
            wrap(json!("a".repeat(254))),
            format!("{path}: Too long: may not be more than 253"),
        ));
    }
    rows
}

/// Keys that no Secret or `ConfigMap` can have.
pub(super) fn keys() -> Vec<Refusal> {
    let keys: [(&str, Wrap); 4] = [
        (
            "spec.clientSecretRef.clientIDKey",
            |key| json!({"spec": {"clientSecretRef": {"clientIDKey": key}}}),
        ),
        (
            "spec.clientSecretRef.privateKeyKey",
            |key| json!({"spec": {"clientAuthentication": "PrivateKeyJWT", "clientSecretRef": {"privateKeyKey": key}}}),
        ),
        (
            "spec.clientSecretRef.certificateKey",
            |key| json!({"spec": {"clientAuthentication": "PrivateKeyJWT", "clientSecretRef": {"certificateKey": key}}}),
        ),
        (
            "spec.caBundleRef.key",
            |key| json!({"spec": {"caBundleRef": {"name": "a", "key": key}}}),
        ),
    ];
    let mut rows = Vec::new();
    for (path, wrap) in keys {
        for text in ["a/b", "a b", "ä"] {
            rows.push((wrap(json!(text)), format!("{path}: Invalid value: …{KEY}")));
        }
        rows.push((
            wrap(json!("")),
            format!("{path} in body should be at least 1 chars long"),
        ));
        rows.push((
            wrap(json!("a".repeat(254))),
            format!("{path}: Too long: may not be more than 253"),
        ));
    }
    rows
}

/// Keys of a client secret: one, or two that differ.
pub(super) fn secret_keys() -> Vec<Refusal> {
    let path = "spec.clientSecretRef.clientSecretKey";
    let wrap = |key: &str| json!({"spec": {"clientSecretRef": {"clientSecretKey": key}}});
    let long = "a".repeat(254);
    let invalid = [
        "a/b",
        "a b",
        "ä",
        "a,",
        ",a",
        "a,,b",
        "a, b",
        "a,b,c",
        &long,
        &format!("a,{long}"),
    ];
    let mut rows: Vec<_> = invalid
        .iter()
        .map(|text| (wrap(text), format!("{path}: Invalid value: …{SECRET_KEYS}")))
        .collect();
    let twice = format!(
        "{path}: Invalid value: …the two keys of clientSecretKey must differ: name the key of the next client secret second"
    );
    rows.push((wrap("client-secret,client-secret"), twice));
    rows.push((
        wrap(""),
        format!("{path} in body should be at least 1 chars long"),
    ));
    rows
}

/// Types that a target may not have.
pub(super) fn target_types() -> Vec<Refusal> {
    let mut rows = Vec::new();
    for text in [
        " ",
        "a b",
        "/a",
        "kubernetes.io/service-account-token",
        "kubernetes.io/tls2",
        "a.kubernetes.io/tls",
        "bootstrap.kubernetes.io/token",
        "a.b.kubernetes.io/token",
    ] {
        rows.push((
            target(&json!({"type": text})),
            format!("spec.target.type: Invalid value: …{TYPE}"),
        ));
    }
    rows.push((
        target(&json!({"type": ""})),
        "spec.target.type in body should be at least 1 chars long".into(),
    ));
    rows.push((
        target(&json!({"type": "a".repeat(254)})),
        "spec.target.type: Too long: may not be more than 253".into(),
    ));
    rows
}

const DATA_KEY: &str = "a key of target.data has 1 to 253 letters, digits, '-', '_' and '.', and does not start with '..'";

/// Templates, and the keys that a type of Kubernetes demands.
pub(super) fn target_data() -> Vec<Refusal> {
    let mut rows = Vec::new();
    for (of, keys, data) in [
        ("basic-auth", "username or password", json!({"user": ""})),
        ("dockercfg", ".dockercfg", json!({".dockerconfigjson": ""})),
        (
            "dockerconfigjson",
            ".dockerconfigjson",
            json!({".dockercfg": ""}),
        ),
        ("ssh-auth", "ssh-privatekey", json!({"ssh-publickey": ""})),
        ("tls", "tls.crt and tls.key", json!({"tls.crt": ""})),
    ] {
        let r#type = format!("kubernetes.io/{of}");
        let message = format!("target.type {type} needs target.data with key {keys}");
        rows.push((target(&json!({"type": r#type})), message.clone()));
        rows.push((target(&json!({"type": r#type, "data": data})), message));
    }
    for key in ["", "a b", "a/b", ".", "..", "..a", "ä", &"a".repeat(254)] {
        rows.push((target(&json!({"data": {key: ""}})), DATA_KEY.into()));
    }
    rows.extend([
        (
            target(&json!({"data": {}})),
            "spec.target.data in body should have at least 1 properties".into(),
        ),
        (
            target(&json!({"data": many(33)})),
            "spec.target.data: Too many: 33: must have at most 32 items".into(),
        ),
        (
            target(&json!({"data": {"a": "b".repeat(8193)}})),
            "spec.target.data.a: Too long: may not be more than 8192".into(),
        ),
        (
            target(&json!({"data": {"a": 1}})),
            "spec.target.data.a in body must be of type string".into(),
        ),
    ]);
    rows
}

/// Names of labels and annotations, and the operator's own prefix.
pub(super) fn target_metadata() -> Vec<Refusal> {
    let mut rows = Vec::new();
    for field in ["labels", "annotations"] {
        for name in [
            "",
            "/a",
            "a/",
            "a b",
            "-a",
            "a/b/c",
            "A/b",
            &"a".repeat(317),
        ] {
            rows.push((
                target(&json!({field: {name: "b"}})),
                format!("spec.target.{field}: Invalid value: …{METADATA_KEY}"),
            ));
        }
        rows.push((
            target(&json!({field: {"cube-operator.dev/managed": "false"}})),
            format!("spec.target.{field}: Invalid value: …{PREFIX}"),
        ));
    }
    rows
}

/// Parameters that the operator sets itself, in the form and in the query.
pub(super) fn reserved_parameters() -> Vec<Refusal> {
    let mut rows = Vec::new();
    for name in RESERVED_NAMES {
        rows.push((
            spec(&json!({"parameters": {name: "a"}})),
            format!("spec.parameters: Invalid value: …{RESERVED}"),
        ));
        for query in [
            format!("{name}=a"),
            format!("a=b&{name}"),
            format!("a&{name}=&c=d"),
        ] {
            rows.push((
                url(&format!("https://example.com/token?{query}")),
                format!("spec.tokenURL: Invalid value: …{QUERY}"),
            ));
        }
    }
    rows
}
