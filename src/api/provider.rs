//! The provider objects: an OAuth 2 server that an administrator defines once, and that `spec.providerRef` of a `CubeCredential` names.

mod bundle;
mod status;

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

use super::spec::{
    ClientAuthentication, SystemRoots,
    bounds::{
        RESERVED, SET_BY_LOGIN, duration_rule, endpoint_hosts, endpoint_hosts_rule,
        namespace_patterns, one_endpoint_rule, parameter_name_rule, parameters, query_rule, scopes,
        url_rule,
    },
};
pub use bundle::ConfigMapBundleRef;
pub use status::{
    ProviderCondition, ProviderConditionType, ProviderEndpoints, ProviderReason, ProviderStatus,
};

/// An OAuth 2 server, with the defaults for its clients.
#[derive(
    CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize,
)]
#[kube(
    group = "cube-operator.dev",
    version = "v1alpha1",
    kind = "CubeProvider",
    plural = "cubeproviders",
    namespaced,
    shortname = "cubeprov",
    category = "cube",
    status = "ProviderStatus",
    derive = "PartialEq",
    validation = bundle::replace_rule("has(self.spec.caBundle)", "caBundle"),
    doc = "A CubeProvider is an OAuth 2 server that the CubeCredentials of its namespace can name in spec.providerRef.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].status"
    ),
    printcolumn(name = "Token URL", type_ = "string", json_path = ".spec.tokenURL"),
    printcolumn(name = "Issuer", type_ = "string", json_path = ".spec.issuer"),
    printcolumn(
        name = "Credentials",
        type_ = "integer",
        json_path = ".status.credentials"
    ),
    printcolumn(
        name = "Description",
        type_ = "string",
        json_path = ".spec.description",
        priority = 1
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = one_endpoint_rule())]
#[x_kube(validation = endpoint_hosts_rule())]
pub struct CubeProviderSpec {
    /// A sentence for people: who gives a team its client. The remedy for a missing client Secret shows its first 60 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub description: Option<String>,

    /// The token endpoint (RFC 6749, section 3.2). The query and a trailing slash are kept as written. Either it or issuer is required.
    #[serde(rename = "tokenURL", default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    #[x_kube(validation = url_rule("tokenURL"))]
    #[x_kube(validation = query_rule(RESERVED)
        .message("the query of tokenURL may not have a parameter that the operator sets itself (grant_type, client_id, scope, \
                  ...): use the fields of the spec"))]
    pub token_url: Option<String>,

    /// The issuer, in place of tokenURL, exactly as the provider writes it: the operator reads its metadata (RFC 8414, `OpenID` Connect
    /// Discovery) and takes the token endpoint from there, and the authorization endpoint if the spec has none. It reads them while a
    /// `CubeCredential` names the object, and once a day from then on, or an hour after the last time if the token endpoint is gone.
    /// Endpoints on other hosts than the issuer's are refused unless endpointHosts lists these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512))]
    #[x_kube(validation = url_rule("issuer"))]
    #[x_kube(validation = Rule::new("!self.contains('?')")
        .message("an issuer has no query: write it as the field issuer of the provider's metadata has it"))]
    pub issuer: Option<String>,

    /// The other hosts that the issuer's metadata may name for its endpoints: host or host:port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "endpoint_hosts")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub endpoint_hosts: Vec<String>,

    /// The authorization endpoint (RFC 6749, section 3.1), where `kubectl cube login` sends a person to sign in.
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

    /// The client authentication of a `CubeCredential` that has none of its own. The default is Body. It may not be
    /// `ServiceAccountToken`, which a `CubeCredential` sets itself, with its clientAssertion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[x_kube(validation = Rule::new("self != 'ServiceAccountToken'")
        .message("clientAuthentication ServiceAccountToken is set in each CubeCredential, with its clientAssertion: remove it here"))]
    pub client_authentication: Option<ClientAuthentication>,

    /// The scopes of a `CubeCredential` that has none of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "scopes")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub scopes: Vec<String>,

    /// Further form fields of each request, for example audience. A field of the same name in a `CubeCredential` replaces one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "parameters")]
    #[x_kube(validation = parameter_name_rule())]
    #[x_kube(validation = Rule::new(format!("self.all(k, !k.matches('^{RESERVED}$'))"))
        .message("a parameter that the operator sets itself is reserved, in upper case too (grant_type, client_id, \
                  client_secret, refresh_token, scope, client_assertion..., ...): use the fields of the spec"))]
    pub parameters: BTreeMap<String, String>,

    /// PEM CA certificates that are trusted for this provider, its issuer included. If a list of hosts applies to a Secret, its owner
    /// must allow them with the annotation cube-operator.dev/token-ca, for example `CubeProvider/okta`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 32768))]
    #[x_kube(validation = Rule::new("self.contains('-----BEGIN CERTIFICATE-----')")
        .message("caBundle must have PEM certificates: write one or more -----BEGIN CERTIFICATE----- blocks"))]
    pub ca_bundle: Option<String>,

    /// The use of the system's CA certificates, where the object names others. The default is Keep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_roots: Option<SystemRoots>,

    /// The lifetime of a token whose response states none, 1m to 87600h, for a `CubeCredential` that does not say. The default is 1h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[x_kube(validation = duration_rule("1m", "87600h")
        .message("assumedLifetime must be a duration from 1m to 87600h, for example 1h or 10h"))]
    pub assumed_lifetime: Option<String>,

    /// The time between two token requests of one client, 1s to 1h. A `ClusterCubeProvider`'s takes the place of the operator's
    /// (chart value tokenRequestInterval); a `CubeProvider`'s holds besides it, so that only a longer one has an effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    #[x_kube(validation = duration_rule("1s", "1h")
        .message("tokenRequestInterval must be a duration from 1s to 1h, for example 12s or 1m"))]
    pub token_request_interval: Option<String>,
}

/// An OAuth 2 server for the namespaces that it allows.
#[derive(
    CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize,
)]
#[kube(
    group = "cube-operator.dev",
    version = "v1alpha1",
    kind = "ClusterCubeProvider",
    plural = "clustercubeproviders",
    shortname = "ccubeprov",
    category = "cube",
    status = "ProviderStatus",
    derive = "PartialEq",
    validation = bundle::one_bundle_rule(),
    validation = bundle::replace_rule("has(self.spec.caBundle) || has(self.spec.caBundleRef)", "caBundle or caBundleRef"),
    doc = "A ClusterCubeProvider is an OAuth 2 server that the CubeCredentials of the namespaces that it allows can name in \
           spec.providerRef.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type=='Ready')].status"
    ),
    printcolumn(name = "Token URL", type_ = "string", json_path = ".spec.tokenURL"),
    printcolumn(name = "Issuer", type_ = "string", json_path = ".spec.issuer"),
    printcolumn(
        name = "Namespaces",
        type_ = "string",
        json_path = ".spec.namespaces",
        priority = 1
    ),
    printcolumn(
        name = "Description",
        type_ = "string",
        json_path = ".spec.description",
        priority = 1
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
pub struct ClusterCubeProviderSpec {
    /// The namespaces whose `CubeCredentials` may use it: names, of which the last character may be a `*` for any end, such as
    /// `team-*`. `*` alone allows every namespace.
    #[schemars(schema_with = "namespace_patterns")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub namespaces: Vec<String>,

    /// The `ConfigMap` with PEM CA certificates that are trusted for this provider, in place of caBundle. It is in the namespace of the
    /// operator, and each operator reads the one of its own. It is followed: a changed bundle needs no change here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle_ref: Option<ConfigMapBundleRef>,

    /// The fields of a `CubeProvider`.
    #[serde(flatten)]
    pub provider: CubeProviderSpec,
}
