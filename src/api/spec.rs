//! The spec of a `CubeCredential`: fields, defaults, bounds and the rules that the API server enforces.

mod assertion;
pub(super) mod bounds;
mod ca_bundle;
mod client;
mod consumers;
mod jwt_bearer;
mod probe;
mod provider_ref;
mod target;
mod token_exchange;

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::CubeCredentialStatus;
pub use assertion::{ClientAssertion, SigningAlgorithm};
use bounds::{
    RESERVED, SET_BY_LOGIN, client_id_rule, duration_rule, key_rule, name_rule,
    parameter_name_rule, parameters, query_rule, scopes, url_rule,
};
pub use ca_bundle::{CaBundleKind, CaBundleRef, SystemRoots};
pub use client::{ClientAuthentication, ClientSecretRef};
pub use consumers::{ConsumersSpec, WorkloadKind, WorkloadRef};
pub use jwt_bearer::JwtBearerSpec;
pub use probe::{ProbeMethod, ProbeSpec};
pub use provider_ref::{ProviderKind, ProviderRef};
pub use target::{DeletionPolicy, TargetSpec};
pub use token_exchange::{SubjectServiceAccount, SubjectTokenRef, TokenExchangeSpec};

/// The token to keep fresh, and the Secret to keep it in.
#[derive(CustomResource, KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[kube(
    group = "cube-operator.dev",
    version = "v1alpha1",
    kind = "CubeCredential",
    plural = "cubecredentials",
    namespaced,
    shortname = "cubecred",
    category = "cube",
    status = "CubeCredentialStatus",
    derive = "PartialEq",
    doc = "A CubeCredential keeps a live OAuth 2 access token in a Secret.",
    validation = Rule::new("self.metadata.name.size() <= 242")
        .message("metadata.name may have at most 242 characters: names of Secrets are derived from it"),
    validation = Rule::new(
        "!has(self.spec.clientSecretRef) || (has(self.spec.target.name) ? self.spec.target.name : self.metadata.name + '-token') != \
         self.spec.clientSecretRef.name")
        .message("the target may not be the Secret that clientSecretRef names: set spec.target.name to another name"),
    validation = Rule::new(
        "!has(self.spec.refreshTokenRef) || (has(self.spec.target.name) ? self.spec.target.name : self.metadata.name + \
         '-token') != self.spec.refreshTokenRef.name")
        .message("the target may not be the Secret that refreshTokenRef names: set spec.target.name to another name"),
    validation = Rule::new(
        "!has(self.spec.tokenExchange) || !has(self.spec.tokenExchange.subjectTokenRef) || !((has(self.spec.target.name) ? self.spec.target.name : self.metadata.name + '-token') == \
         self.spec.tokenExchange.subjectTokenRef.name || self.spec.tokenExchange.subjectTokenRef.name in [self.metadata.name + \
         '-cube-state', self.metadata.name + '-cube-record'])")
        .message("tokenExchange.subjectTokenRef may not name the target, <metadata.name>-cube-state or <metadata.name>-cube-record: \
                  name another Secret"),
    validation = Rule::new(
        "!has(self.spec.target.name) || !(self.spec.target.name in [self.metadata.name + '-cube-state', self.metadata.name + \
         '-cube-record'])")
        .message("the names <metadata.name>-cube-state and <metadata.name>-cube-record are reserved for the operator: set \
                  spec.target.name to another name"),
    validation = Rule::new("!has(self.spec.target.data) || self.metadata.name.size() <= 241")
        .message("metadata.name may have at most 241 characters with spec.target.data: the name of a Secret is derived from it"),
    validation = Rule::new(
        "[self.metadata.name + '-cube-state', self.metadata.name + '-cube-record'].all(own, (!has(self.spec.clientSecretRef) || \
         self.spec.clientSecretRef.name != own) && (!has(self.spec.refreshTokenRef) || self.spec.refreshTokenRef.name != own))")
        .message("the Secrets <metadata.name>-cube-state and <metadata.name>-cube-record are the operator's own: name another \
                  Secret in clientSecretRef and refreshTokenRef"),
    printcolumn(name = "Ready", type_ = "string", json_path = ".status.conditions[?(@.type==\"Ready\")].status"),
    printcolumn(name = "Status", type_ = "string", json_path = ".status.reason"),
    printcolumn(name = "Expires", type_ = "string", json_path = ".status.expiresAt"),
    printcolumn(name = "Secret", type_ = "string", json_path = ".status.target.name"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(name = "Provider", type_ = "string", json_path = ".spec.provider", priority = 1),
    printcolumn(name = "Provider Ref", type_ = "string", json_path = ".spec.providerRef.name", priority = 1),
    printcolumn(name = "Grant", type_ = "string", json_path = ".spec.grant", priority = 1),
    printcolumn(name = "Next Refresh", type_ = "string", json_path = ".status.refreshAt", priority = 1),
    printcolumn(name = "Failures", type_ = "integer", json_path = ".status.failures", priority = 1)
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.provider) != has(self.providerRef)")
    .message("exactly one of provider and providerRef is required: write provider: Custom with a tokenURL, or the name of a \
              CubeProvider in providerRef"))]
#[x_kube(validation = Rule::new("!has(self.providerRef) || (!has(self.tokenURL) && !has(self.authorizationURL) && \
                                 !has(self.caBundleRef))")
    .message("tokenURL, authorizationURL and caBundleRef come from the provider that providerRef names: remove them"))]
#[x_kube(validation = Rule::new("!has(self.provider) || self.provider != 'Custom' || has(self.tokenURL)")
    .message("tokenURL is required with provider Custom: write the token endpoint, for example \
              https://login.example.com/oauth2/token"))]
#[x_kube(validation = Rule::new("(self.grant == 'RefreshToken') == has(self.refreshTokenRef)")
    .message("refreshTokenRef is required with grant RefreshToken, and only with it: name the Secret with the first refresh \
              token, or set grant to RefreshToken"))]
#[x_kube(validation = Rule::new("!has(self.clientAuthentication) || self.clientAuthentication != 'None' || self.grant in \
                                 ['RefreshToken', 'JWTBearer', 'TokenExchange']")
    .message("clientAuthentication None is for public clients, which have grant RefreshToken, JWTBearer or TokenExchange: use Body \
              or Basic"))]
#[x_kube(validation = Rule::new("(self.grant == 'TokenExchange') == has(self.tokenExchange)")
    .message("tokenExchange is required with grant TokenExchange, and only with it: name the Secret or the ServiceAccount of the \
              subject token, or set grant to TokenExchange"))]
#[x_kube(validation = Rule::new("!has(self.tokenExchange) || !has(self.parameters) || !['audience', 'resource'].exists(name, name in \
                                 self.parameters)")
    .message("audience and resource of a token exchange are lists: write them in tokenExchange instead of parameters"))]
#[x_kube(validation = Rule::new("!has(self.clientAuthentication) || self.grant != 'JWTBearer' || self.clientAuthentication in \
                                 ['None', 'Body', 'Basic']")
    .message("clientAuthentication with grant JWTBearer is None, Body or Basic: the assertion of the grant is signed by the client \
              already"))]
#[x_kube(validation = Rule::new("!has(self.jwtBearer) || self.grant == 'JWTBearer'")
    .message("jwtBearer is for grant JWTBearer only: remove it, or set grant to JWTBearer"))]
#[x_kube(validation = Rule::new("!has(self.clientAssertion) || (has(self.clientAuthentication) ? self.clientAuthentication in \
                                 ['PrivateKeyJWT', 'ServiceAccountToken'] : has(self.providerRef))")
    .message("clientAssertion is for clientAuthentication PrivateKeyJWT and ServiceAccountToken only: remove it, or set \
              clientAuthentication"))]
#[x_kube(validation = Rule::new("!has(self.clientAssertion) || !has(self.clientAuthentication) || self.clientAuthentication != \
                                 'PrivateKeyJWT' || !has(self.clientAssertion.serviceAccountName)")
    .message("clientAssertion.serviceAccountName is for clientAuthentication ServiceAccountToken only: remove it"))]
#[x_kube(validation = Rule::new("!has(self.clientAuthentication) || self.clientAuthentication != 'ServiceAccountToken' || \
                                 (has(self.clientAssertion) && has(self.clientAssertion.audience) && \
                                 has(self.clientAssertion.serviceAccountName))")
    .message("clientAuthentication ServiceAccountToken needs clientAssertion with audience and serviceAccountName"))]
#[x_kube(validation = Rule::new("!has(self.clientAuthentication) || self.clientAuthentication != 'ServiceAccountToken' || \
                                 !has(self.clientAssertion) || !(has(self.clientAssertion.keyID) || \
                                 has(self.clientAssertion.algorithm))")
    .message("clientAssertion.keyID and algorithm are for clientAuthentication PrivateKeyJWT only: remove them"))]
#[x_kube(validation = Rule::new("(has(self.clientAuthentication) && self.clientAuthentication == 'ServiceAccountToken') != \
                                 has(self.clientSecretRef)")
    .message("clientSecretRef is required: name the Secret of the client; only clientAuthentication ServiceAccountToken has none"))]
#[x_kube(validation = Rule::new("!has(self.clientSecretRef) || !(has(self.clientSecretRef.privateKeyKey) || \
                                 has(self.clientSecretRef.certificateKey)) || (has(self.clientAuthentication) ? \
                                 self.clientAuthentication in ['PrivateKeyJWT', 'MutualTLS'] : has(self.providerRef)) || \
                                 (self.grant == 'JWTBearer' && !has(self.clientSecretRef.certificateKey))")
    .message("clientSecretRef.privateKeyKey and certificateKey are for clientAuthentication PrivateKeyJWT and MutualTLS only, and \
              privateKeyKey for grant JWTBearer too: remove them, or set clientAuthentication"))]
#[x_kube(validation = Rule::new("!has(self.clientID) || !has(self.clientSecretRef) || self.clientSecretRef.clientIDKey == 'client-id'")
    .message("clientID and clientSecretRef.clientIDKey name two client ids: remove one of them"))]
#[x_kube(validation = Rule::new("!has(self.refreshScopes) || self.refreshScopes.size() == 0 || self.grant == 'RefreshToken'")
    .message("refreshScopes is for grant RefreshToken only: use scopes"))]
#[x_kube(validation = Rule::new("!has(self.authorizationURL) || self.grant == 'RefreshToken'")
    .message("authorizationURL is for grant RefreshToken only: remove it, or set grant to RefreshToken"))]
pub struct CubeCredentialSpec {
    /// A note for people: the purpose of this credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub description: Option<String>,

    /// The provider that issues the token. It sets the defaults of tokenURL, authorizationURL, clientAuthentication
    /// and scopes. Each `CubeCredential` has either this field or providerRef.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Provider>,

    /// The object that defines the provider, in place of provider, tokenURL, authorizationURL and caBundleRef. Fields of this spec win
    /// over its defaults; parameters are merged by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_ref: Option<ProviderRef>,

    /// The token endpoint (RFC 6749, section 3.2). The query and a trailing slash are kept as written.
    #[serde(rename = "tokenURL", default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    #[x_kube(validation = url_rule("tokenURL"))]
    #[x_kube(validation = query_rule(RESERVED)
        .message("the query of tokenURL may not have a parameter that the operator sets itself (grant_type, client_id, scope, \
                  ...): use the fields of the spec"))]
    pub token_url: Option<String>,

    /// The authorization endpoint (RFC 6749, section 3.1), where `kubectl cube login` sends a person to sign in; only with grant
    /// `RefreshToken`. The operator does not use it, so a change of it requests no token. The default with provider `CubeSoftware` is
    /// `https://portal.cubesoftware.com/o/authorize/`.
    #[serde(
        rename = "authorizationURL",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(length(max = 512))]
    #[x_kube(validation = url_rule("authorizationURL"))]
    #[x_kube(validation = query_rule(&format!("({RESERVED}|{SET_BY_LOGIN})"))
        .message("the query of authorizationURL may not have a parameter that a sign-in sets itself (response_type, client_id, \
                  redirect_uri, scope, state, code_challenge, ...): use the fields of the spec"))]
    pub authorization_url: Option<String>,

    /// The Secret with the client id and the client secret. It must have the label cube-operator.dev/credential: "true". It is
    /// required, but with clientAuthentication `ServiceAccountToken`, which needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_ref: Option<ClientSecretRef>,

    /// The client id, which is no secret. With it, the Secret needs no key for the client id. With `ServiceAccountToken` it is sent
    /// only if it is set: some providers want it (Entra ID), others refuse it beside the subject of the token (Keycloak).
    #[serde(rename = "clientID", default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512))]
    #[x_kube(validation = client_id_rule())]
    pub client_id: Option<String>,

    /// The OAuth 2 grant that the token is requested with.
    #[serde(default)]
    pub grant: Grant,

    /// The Secret with the initial refresh token, from a sign-in. The operator only reads it. It must have the label
    /// cube-operator.dev/credential: "true". A new initial refresh token is adopted immediately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token_ref: Option<RefreshTokenRef>,

    /// The assertion that is the grant; only with grant `JWTBearer`, where all of its fields have defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwt_bearer: Option<Box<JwtBearerSpec>>,

    /// The token that is exchanged, and for whom the new one is; only with grant `TokenExchange`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_exchange: Option<Box<TokenExchangeSpec>>,

    /// The client authentication at the token endpoint. A public client has no secret: it sends its id in the body (None), or in the
    /// Authorization header with an empty secret (`BasicEmptySecret`). With `PrivateKeyJWT` and `MutualTLS` no shared secret exists: the
    /// client signs a short-lived assertion with its private key, or presents a certificate. The default is Basic with provider `CubeSoftware`, whose
    /// metadata lists `client_secret_basic` only, and otherwise Body. With grant `JWTBearer` it is None by default: the assertion of the
    /// grant names the client, and nothing else is sent; only Body and Basic can be set in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_authentication: Option<ClientAuthentication>,

    /// The assertion that authenticates the client: with `PrivateKeyJWT` the client signs it, and all fields have defaults; with
    /// `ServiceAccountToken` it is a token of a ServiceAccount, and audience and serviceAccountName are required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_assertion: Option<Box<ClientAssertion>>,

    /// The scopes to request. Without them the request has no scope parameter, and the provider grants its default; with
    /// `CubeSoftware` and `ClientCredentials` the default is read and write. A refresh does not send them: see refreshScopes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "scopes")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub scopes: Vec<String>,

    /// The scopes of a refresh, for the few providers that demand them there. Leave it empty otherwise: a refresh without scopes
    /// keeps the scopes of the sign-in, and some providers make a narrower list permanent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "scopes")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub refresh_scopes: Vec<String>,

    /// Further form fields of the request, for example audience or resource.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "parameters")]
    #[x_kube(validation = parameter_name_rule())]
    #[x_kube(validation = Rule::new(format!("self.all(k, !k.matches('^{RESERVED}$'))"))
        .message("a parameter that the operator sets itself is reserved, in upper case too (grant_type, client_id, \
                  client_secret, refresh_token, scope, client_assertion..., subject_token..., actor_token..., requested_..., \
                  response_type, username, password, code, code_verifier, redirect_uri, assertion, device_code): use the fields \
                  of the spec"))]
    pub parameters: BTreeMap<String, String>,

    /// The time before its expiry at which a token is refreshed, 5s to 24h. At most a third of its lifetime is used. Less than 90s is
    /// for providers that do not replace a token earlier: pods that mount the token see the new one too late.
    #[serde(default = "default_refresh_before")]
    #[schemars(length(max = 32))]
    #[x_kube(validation = duration_rule("5s", "24h")
        .message("refreshBefore must be a duration from 5s to 24h, for example 5m or 1h30m"))]
    pub refresh_before: String,

    /// The lifetime of a token whose response states none, 1m to 87600h. The default is the provider object's, or else 1h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[x_kube(validation = duration_rule("1m", "87600h")
        .message("assumedLifetime must be a duration from 1m to 87600h, for example 1h or 10h"))]
    pub assumed_lifetime: Option<String>,

    /// The longest lifetime of a token, 30s to 87600h, although its response states a longer one: for providers that end tokens
    /// earlier, or state milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[x_kube(validation = duration_rule("30s", "87600h")
        .message("maximumLifetime must be a duration from 30s to 87600h, for example 1h or 30m"))]
    pub maximum_lifetime: Option<String>,

    /// PEM CA certificates that are trusted for this token endpoint besides the system's, or in their place. If a list of hosts
    /// applies (the annotation cube-operator.dev/token-hosts of a Secret, or the operator's own list), the owner of each such Secret
    /// must allow them with the annotation cube-operator.dev/token-ca.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle_ref: Option<CaBundleRef>,

    /// The target: the Secret that the token is published in.
    #[serde(default)]
    pub target: TargetSpec,

    /// The pods that use the token, and what is done so that they see a refresh.
    #[serde(default, skip_serializing_if = "ConsumersSpec::is_default")]
    pub consumers: ConsumersSpec,
    /// A request that tries a new token before it is published: one that its API does not accept is not published while the one
    /// before lives. It is no input of the token: a change of it requests none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<Box<ProbeSpec>>,

    /// Begin no exchange, and keep the published token.
    #[serde(default)]
    pub suspend: bool,
}

/// The provider that issues the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Provider {
    /// Its token endpoint is `https://api.cubewire.com/api/v1/oauth2/token`.
    Cubewire,
    /// Its token endpoint is `https://api.cubesoftware.com/o/token/`, and people sign in at
    /// `https://portal.cubesoftware.com/o/authorize/`.
    CubeSoftware,
    /// Any OAuth 2 server; tokenURL is required.
    Custom,
}

/// The OAuth 2 grant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Grant {
    /// Client credentials (RFC 6749, section 4.4).
    #[default]
    ClientCredentials,
    /// A stored refresh token (RFC 6749, section 6).
    RefreshToken,
    /// Client credentials by the name that Zoom gives them, `account_credentials`. The account is a parameter: `account_id`.
    AccountCredentials,
    /// A JWT that the client signs with its private key, for a service account or a user (RFC 7523, section 2.1): Google, Salesforce.
    #[serde(rename = "JWTBearer")]
    JwtBearer,
    /// The token of a subject, from a Secret or of a ServiceAccount, for one that another service takes (RFC 8693).
    TokenExchange,
}

/// The Secret that holds the seed, in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefreshTokenRef {
    /// The name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = name_rule())]
    pub name: String,
    /// The key of the refresh token.
    #[serde(default = "default_refresh_token_key")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = key_rule())]
    pub key: String,
}

fn default_refresh_before() -> String {
    "5m".into()
}
fn default_refresh_token_key() -> String {
    "refresh-token".into()
}
