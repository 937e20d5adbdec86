//! The assertion that a client authenticates with, in the spec.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The assertion of clientAuthentication `PrivateKeyJWT`. Issuer and subject are the client id; it is valid for a minute.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientAssertion {
    /// The `aud` claim. The default is the token endpoint as tokenURL has it; some providers want their issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("self.matches('^[!-~]+$')")
        .message("audience has printable ASCII characters and no blank"))]
    pub audience: Option<String>,
    /// The `kid` header: the provider's name of the key. The default is the `kid` of a JWK, and otherwise none.
    #[serde(rename = "keyID", default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    #[x_kube(validation = Rule::new("self.matches('^[!-~]([ -~]*[!-~])?$')")
        .message("keyID has printable ASCII characters, without a blank at an end"))]
    pub key_id: Option<String>,
    /// The signature algorithm. The default is the `alg` of a JWK, and otherwise the key's: RS256 for RSA, ES256 for P-256, ES384 for
    /// P-384 and `EdDSA` for Ed25519. Only RSA has a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<SigningAlgorithm>,
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
