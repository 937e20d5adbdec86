//! Grants, and the fields and methods that go with each.

use serde_json::{Value, json};

use super::{Refusal, spec};

/// Assertions that are grants.
#[rustfmt::skip]
pub(super) fn jwt_bearers() -> Vec<Refusal> {
    const METHOD: &str = "clientAuthentication with grant JWTBearer is None, Body or Basic: the assertion of the grant is signed by the \
                          client already";
    const PRINTABLE: &str = "has printable ASCII characters";
    let with = |fields: Value| spec(&json!({"grant": "JWTBearer", "jwtBearer": fields}));
    let client = |method: &str| spec(&json!({"grant": "JWTBearer", "clientAuthentication": method}));
    vec![
        (spec(&json!({"jwtBearer": {}})), "jwtBearer is for grant JWTBearer only: remove it, or set grant to JWTBearer".into()),
        (client("BasicEmptySecret"), METHOD.into()),
        (client("PrivateKeyJWT"), METHOD.into()),
        (client("MutualTLS"), METHOD.into()),
        (spec(&json!({"grant": "JWTBearer", "refreshTokenRef": {"name": "seed"}})),
            "refreshTokenRef is required with grant RefreshToken, and only with it".into()),
        (spec(&json!({"grant": "JWTBearer", "clientSecretRef": null})), "clientSecretRef is required".into()),
        (spec(&json!({"grant": "JWTBearer", "clientSecretRef": {"name": "a", "certificateKey": "tls.crt"}})),
            "clientSecretRef.privateKeyKey and certificateKey are for clientAuthentication PrivateKeyJWT and MutualTLS only, and \
             privateKeyKey for grant JWTBearer too".into()),
        (with(json!({"issuer": " a"})), format!("jwtBearer.issuer {PRINTABLE}")),
        (with(json!({"subject": "a\n"})), format!("jwtBearer.subject {PRINTABLE}")),
        (with(json!({"audience": "a b"})), "jwtBearer.audience has printable ASCII characters and no blank".into()),
        (with(json!({"keyID": "\u{e9}"})), format!("jwtBearer.keyID {PRINTABLE}")),
        (with(json!({"issuer": "a".repeat(513)})), "spec.jwtBearer.issuer: Too long: may not be more than 512".into()),
        (with(json!({"subject": ""})), "spec.jwtBearer.subject in body should be at least 1 chars long".into()),
        (with(json!({"algorithm": "HS256"})), "spec.jwtBearer.algorithm: Unsupported value".into()),
    ]
}

/// Exchanges of a subject token.
#[rustfmt::skip]
pub(super) fn token_exchanges() -> Vec<Refusal> {
    const TOGETHER: &str = "tokenExchange is required with grant TokenExchange, and only with it: name the Secret or the ServiceAccount of the \
                            subject token, or set grant to TokenExchange";
    const ONE: &str = "exactly one of subjectTokenRef and subjectServiceAccount is required in tokenExchange: name the Secret with the subject \
                       token, or the ServiceAccount whose token it is";
    const RESERVED: &str = "tokenExchange.subjectTokenRef may not name the target, <metadata.name>-cube-state or \
                            <metadata.name>-cube-record: name another Secret";
    const API_SERVER: &str = "audience is the name that the provider expects: a token for the API server of this cluster would be a login \
                              to it";
    const LISTS: &str = "audience and resource of a token exchange are lists: write them in tokenExchange instead of parameters";
    let subject = json!({"name": "subject"});
    let with = |name: &str, value: Value| {
        let mut exchange = json!({"subjectTokenRef": subject});
        exchange[name] = value;
        spec(&json!({"grant": "TokenExchange", "tokenExchange": exchange}))
    };
    let account = |account: Value| {
        let exchange = json!({"subjectServiceAccount": account});
        spec(&json!({"grant": "TokenExchange", "tokenExchange": exchange}))
    };
    let of = |secret: &str| with("subjectTokenRef", json!({"name": secret}));
    let parameter = |name: &str| {
        let exchange = json!({"subjectTokenRef": subject});
        spec(&json!({"grant": "TokenExchange", "tokenExchange": exchange, "parameters": {name: "a"}}))
    };
    vec![
        (spec(&json!({"grant": "TokenExchange"})), TOGETHER.into()),
        (spec(&json!({"tokenExchange": {"subjectTokenRef": subject}})), TOGETHER.into()),
        (with("subjectTokenRef", json!(null)), ONE.into()),
        (with("subjectServiceAccount", json!({"name": "billing", "audience": "a"})), ONE.into()),
        (account(json!({"name": "billing"})), "spec.tokenExchange.subjectServiceAccount.audience: Required value".into()),
        (account(json!({"audience": "a"})), "spec.tokenExchange.subjectServiceAccount.name: Required value".into()),
        (account(json!({"name": "Billing", "audience": "a"})), "a name has lower-case letters, digits, '-' and '.'".into()),
        (account(json!({"name": "billing", "audience": "a b"})), "audience has printable ASCII characters and no blank".into()),
        (account(json!({"name": "billing", "audience": ""})),
            "spec.tokenExchange.subjectServiceAccount.audience in body should be at least 1 chars long".into()),
        (account(json!({"name": "billing", "audience": "https://kubernetes.default.svc.cluster.local"})), API_SERVER.into()),
        (account(json!({"name": "billing", "audience": "kubernetes.default.svc/"})), API_SERVER.into()),
        (of("Subject"), "spec.tokenExchange.subjectTokenRef.name: Invalid value".into()),
        (of("main-token"), RESERVED.into()),
        (of("main-cube-state"), RESERVED.into()),
        (of("main-cube-record"), RESERVED.into()),
        (with("subjectTokenRef", json!({"name": "a", "key": "a b"})), "a key has letters, digits, '-', '_' and '.'".into()),
        (with("subjectTokenType", json!("jwt")), "subjectTokenType is a URI, for example urn:ietf:params:oauth:token-type:jwt".into()),
        (with("requestedTokenType", json!("access token")), "requestedTokenType is a URI".into()),
        (with("requestedTokenType", json!("urn:ietf:params:oauth:token-type:refresh_token")),
            "requestedTokenType may not be a refresh token, which no API takes: remove it".into()),
        (with("audience", json!(["a b"])), "spec.tokenExchange.audience[0]".into()),
        (with("audience", json!([""])), "spec.tokenExchange.audience[0]".into()),
        (with("audience", json!(["a", "a"])), "spec.tokenExchange.audience[1]: Duplicate value".into()),
        (with("resource", json!(vec!["a"; 17])), "spec.tokenExchange.resource: Too many: 17: must have at most 16 items".into()),
        (parameter("audience"), LISTS.into()),
        (parameter("resource"), LISTS.into()),
    ]
}
