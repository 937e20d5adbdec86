//! The client in the spec: how it authenticates, and the Secret that holds what it needs for that.

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{distinct_keys_rule, key_rule, name_rule, secret_keys_rule};

/// How the client authenticates (RFC 6749, section 2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ClientAuthentication {
    /// `client_id` and `client_secret` in the body.
    Body,
    /// The Authorization header.
    Basic,
    /// The Authorization header with the client id and an empty secret, which some servers want of public clients. The Secret has no
    /// key for it.
    BasicEmptySecret,
    /// `client_id` in the body and no secret: a public client (section 2.1). With grant `JWTBearer`, nothing beside its assertion.
    None,
    /// A JWT that the client signs with its private key (`private_key_jwt`: RFC 7523 section 2.2, `OpenID` Connect Core section 9).
    #[serde(rename = "PrivateKeyJWT")]
    PrivateKeyJwt,
    /// A TLS client certificate, and `client_id` in the body (RFC 8705, section 2).
    #[serde(rename = "MutualTLS")]
    MutualTls,
    /// A token of a ServiceAccount in place of a secret (RFC 7523, section 2.2): the provider trusts the issuer of this cluster.
    ServiceAccountToken,
}

/// The Secret that holds the client id and the client secret, or the client's private key, in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientSecretRef {
    /// The name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = name_rule())]
    pub name: String,
    /// The key of the client id; not used with clientID.
    #[serde(rename = "clientIDKey", default = "default_client_id_key")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = key_rule())]
    pub client_id_key: String,
    /// The key of the client secret, or two keys separated by a comma (`client-secret,client-secret-next`) while the secret is
    /// replaced: the second is sent if the provider refuses the first, and one of them may be missing in the Secret. Only used with
    /// clientAuthentication Body and Basic.
    #[serde(default = "default_client_secret_key")]
    #[schemars(length(min = 1, max = 507))]
    #[x_kube(validation = secret_keys_rule())]
    #[x_kube(validation = distinct_keys_rule())]
    pub client_secret_key: String,
    /// The key of the client's private key: PEM (PKCS#8, SEC1, PKCS#1) or a JWK; RSA of at least 2048 bits, P-256, P-384 or Ed25519.
    /// The default is private-key with clientAuthentication `PrivateKeyJWT` and with grant `JWTBearer`, and tls.key with `MutualTLS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = key_rule())]
    pub private_key_key: Option<String>,
    /// The key of the PEM certificate of that private key. With `MutualTLS` it is presented, with the others of its chain, and the
    /// default is tls.crt. With `PrivateKeyJWT` it is for providers that know the key by it (Entra ID): the assertion then names its
    /// SHA-256 thumbprint (`x5t#S256`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = key_rule())]
    pub certificate_key: Option<String>,
}

impl ClientSecretRef {
    /// The keys of the client secret, in order: one or two.
    pub(crate) fn client_secret_keys(&self) -> impl Iterator<Item = &str> {
        self.client_secret_key.split(',')
    }
}

fn default_client_id_key() -> String {
    "client-id".into()
}
fn default_client_secret_key() -> String {
    "client-secret".into()
}
