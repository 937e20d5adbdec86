//! The exchange of a token, in the spec.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{exchanged_for, key_rule, name_rule};

/// The exchange of a subject token for another one (RFC 8693).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenExchangeSpec {
    /// The Secret with the token that is exchanged. It must have the label cube-operator.dev/credential: "true". It is read before each
    /// exchange, so a new token is sent from the next one on; if the last exchange failed, it is sent immediately.
    pub subject_token_ref: SubjectTokenRef,
    /// The type of the subject token, a URI. The default is `urn:ietf:params:oauth:token-type:access_token`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$')")
        .message("subjectTokenType is a URI, for example urn:ietf:params:oauth:token-type:jwt"))]
    pub subject_token_type: Option<String>,
    /// The names of the services that the token is for, as the provider knows them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "exchanged_for")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub audience: Vec<String>,
    /// The URIs of the services that the token is for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "exchanged_for")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub resource: Vec<String>,
    /// The type of the token that is wanted, a URI. Without it the provider issues its default. A refresh token would not be for an API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = Rule::new("self.matches('^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$')")
        .message("requestedTokenType is a URI, for example urn:ietf:params:oauth:token-type:access_token"))]
    #[x_kube(validation = Rule::new("self != 'urn:ietf:params:oauth:token-type:refresh_token'")
        .message("requestedTokenType may not be a refresh token, which no API takes: remove it"))]
    pub requested_token_type: Option<String>,
}

/// The Secret that holds the subject token, in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubjectTokenRef {
    /// The name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = name_rule())]
    pub name: String,
    /// The key of the token.
    #[serde(default = "default_key")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = key_rule())]
    pub key: String,
}

fn default_key() -> String {
    "token".into()
}
