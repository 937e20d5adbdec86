//! The assertion that is a grant, in the spec.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::assertion::SigningAlgorithm;

/// The assertion that is exchanged for a token (RFC 7523, section 2.1). The client signs one for each request, with the private key
/// under clientSecretRef.privateKeyKey. It is valid for a minute, and the scopes are among its claims.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct JwtBearerSpec {
    /// The `iss` claim: the email address of a service account of Google, the consumer key at Salesforce. The default is the client id;
    /// with clientAuthentication None, no client id is needed beside this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("self.matches('^[!-~]([ -~]*[!-~])?$')")
        .message("jwtBearer.issuer has printable ASCII characters, without a blank at an end"))]
    pub issuer: Option<String>,
    /// The `sub` claim: the user that the token is for. Without it the assertion has none, as Google has it for the service account
    /// itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("self.matches('^[!-~]([ -~]*[!-~])?$')")
        .message("jwtBearer.subject has printable ASCII characters, without a blank at an end"))]
    pub subject: Option<String>,
    /// The `aud` claim, as the provider expects it. The default is the token endpoint as tokenURL has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("self.matches('^[!-~]+$')")
        .message("jwtBearer.audience has printable ASCII characters and no blank"))]
    pub audience: Option<String>,
    /// The `kid` header: the provider's name of the key. The default is the `kid` of a JWK, and otherwise none.
    #[serde(rename = "keyID", default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    #[x_kube(validation = Rule::new("self.matches('^[!-~]([ -~]*[!-~])?$')")
        .message("jwtBearer.keyID has printable ASCII characters, without a blank at an end"))]
    pub key_id: Option<String>,
    /// The signature algorithm. The default is the `alg` of a JWK, and otherwise the key's, as in clientAssertion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<SigningAlgorithm>,
}
