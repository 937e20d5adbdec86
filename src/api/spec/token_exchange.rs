//! The exchange of a token, in the spec.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{api_server_rule, audience_rule, exchanged_for, key_rule, name_rule};

/// The exchange of a subject token for another one (RFC 8693).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.subjectTokenRef) != has(self.subjectServiceAccount)")
    .message("exactly one of subjectTokenRef and subjectServiceAccount is required in tokenExchange: name the Secret with the subject \
              token, or the ServiceAccount whose token it is"))]
pub struct TokenExchangeSpec {
    /// The Secret with the token that is exchanged. It must have the label cube-operator.dev/credential: "true". It is read before each
    /// exchange, so a new token is sent from the next one on; if the last exchange failed, it is sent immediately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_token_ref: Option<SubjectTokenRef>,
    /// In place of a Secret: the ServiceAccount whose token is exchanged. The operator requests a new one, which lives ten minutes, for
    /// each exchange. The provider trusts the issuer of this cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_service_account: Option<SubjectServiceAccount>,
    /// The type of the subject token, a URI. The default is `urn:ietf:params:oauth:token-type:access_token` for a token in a Secret, and
    /// `urn:ietf:params:oauth:token-type:jwt` for one of a ServiceAccount.
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

/// The ServiceAccount whose token is the subject token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubjectServiceAccount {
    /// The name of the ServiceAccount, in the same namespace. It must have the label cube-operator.dev/credential: "true".
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = name_rule())]
    pub name: String,
    /// The `aud` claim of its token, as the provider expects it. An audience of the cluster's own API server is refused. The services
    /// that the new token is for stand in `tokenExchange.audience`.
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = audience_rule())]
    #[x_kube(validation = api_server_rule())]
    pub audience: String,
}

fn default_key() -> String {
    "token".into()
}
