//! The probe: the request that tries a new token at its API.

use std::collections::BTreeMap;

use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounds::{
    PROBE_HEADER_NAME, PROBE_RESERVED, expected_statuses, probe_headers, url_rule,
};

/// The request that tries a new token at the API that it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProbeSpec {
    /// The URL that the token is sent to, in the Authorization header. The lists of hosts for the token endpoint apply to this host
    /// too. Redirects are not followed, and nothing of a response is used but its status.
    #[schemars(length(max = 512))]
    #[x_kube(validation = url_rule("probe.url"))]
    pub url: String,

    /// The method of the request.
    #[serde(default)]
    pub method: ProbeMethod,

    /// Further headers of the request, 16 at most.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "probe_headers")]
    #[x_kube(validation = Rule::new(format!("self.all(k, k.matches('^{PROBE_HEADER_NAME}$'))"))
        .message("the name of a header has 1 to 64 letters, digits and !#$%&'*+-.^_`|~"))]
    #[x_kube(validation = Rule::new(format!("self.all(k, !k.matches('^{PROBE_RESERVED}$'))"))
        .message("a header that the operator or HTTP itself sets is reserved, in any case (Authorization, Host, Content-..., \
                  Transfer-Encoding, Connection, Upgrade, Cookie, Proxy-..., ...): remove it"))]
    pub headers: BTreeMap<String, String>,

    /// The HTTP statuses that prove the token, 100 to 599. The default is any of 200 to 299.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "expected_statuses")]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub expect_status: Vec<u16>,
}

/// The method of a probe. Both change nothing at the API (RFC 9110, section 9.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the two methods")]
pub enum ProbeMethod {
    #[default]
    #[serde(rename = "GET")]
    Get,
    #[serde(rename = "HEAD")]
    Head,
}

impl ProbeMethod {
    /// Its name in a request and in the spec.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
        }
    }
}
