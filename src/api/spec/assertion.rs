//! The assertion that a client authenticates with, in the spec.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{api_server_rule, audience_rule, name_rule};

/// The assertion that a client authenticates with (RFC 7523, section 2.2).
///
/// With clientAuthentication `PrivateKeyJWT` the client signs it for each request: issuer and subject are the client id, and it is valid
/// for a minute. With `ServiceAccountToken` it is a token of a ServiceAccount, and its subject is the ServiceAccount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientAssertion {
    /// The `aud` claim, as the provider expects it (its issuer, `api://AzureADTokenExchange`, ...). The default with `PrivateKeyJWT` is
    /// the token endpoint as tokenURL has it. With `ServiceAccountToken` it is required, and an audience of the cluster's own API
    /// server is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = audience_rule())]
    #[x_kube(validation = api_server_rule())]
    pub audience: Option<String>,
    /// The `kid` header, with `PrivateKeyJWT`: the provider's name of the key. The default is the `kid` of a JWK, and otherwise none.
    #[serde(rename = "keyID", default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    #[x_kube(validation = Rule::new("self.matches('^[!-~]([ -~]*[!-~])?$')")
        .message("keyID has printable ASCII characters, without a blank at an end"))]
    pub key_id: Option<String>,
    /// The signature algorithm, with `PrivateKeyJWT`. The default is the `alg` of a JWK, and otherwise the key's: RS256 for RSA, ES256 for P-256, ES384 for
    /// P-384 and `EdDSA` for Ed25519. Only RSA has a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<SigningAlgorithm>,
    /// The ServiceAccount, in the same namespace, whose token is the assertion, with `ServiceAccountToken`. It must have the label
    /// cube-operator.dev/credential: "true".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = name_rule())]
    pub service_account_name: Option<String>,
}

/// A signature algorithm (RFC 7518 section 3.1, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// ECDSA with P-256.
    ES256,
    /// ECDSA with P-384.
    ES384,
    /// Ed25519.
    EdDSA,
}
