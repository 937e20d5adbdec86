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
