//! The audiences of the API server. A token of a ServiceAccount with one of them is a login to the cluster, and is sent to nobody.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use kube::Config;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// The audiences of an API server that was configured without others.
const DEFAULTS: [&str; 2] = [
    "https://kubernetes.default.svc",
    "https://kubernetes.default.svc.cluster.local",
];

/// The audiences that this API server takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ApiAudiences(BTreeSet<String>);

impl ApiAudiences {
    /// Those that this process's own token has, which is a login too, with its issuer and the defaults of Kubernetes.
    pub(crate) async fn of_own_token() -> Self {
        let own = match own_token().await {
            Some(token) => claimed(&token),
            None => Vec::new(),
        };
        Self::of(own)
    }

    /// These, with the defaults of Kubernetes.
    pub(crate) fn of(own: impl IntoIterator<Item = String>) -> Self {
        let defaults = DEFAULTS.map(str::to_owned);
        Self(own.into_iter().chain(defaults).collect())
    }

    pub(crate) fn contain(&self, audience: &str) -> bool {
        self.0.contains(audience)
    }
}

/// The bearer token of this process, if it has one: a file that is renewed, or a text in a kubeconfig.
async fn own_token() -> Option<SecretString> {
    let config = Config::infer().await.ok()?;
    if let Some(token) = config.auth_info.token {
        return Some(token);
    }
    let text = std::fs::read_to_string(config.auth_info.token_file?);
    text.ok().map(|text| text.trim().to_owned().into())
}

/// The audiences and the issuer in a JWT. Its signature does not matter: the API server has issued it.
fn claimed(token: &SecretString) -> Vec<String> {
    let payload = token.expose_secret().split('.').nth(1).unwrap_or_default();
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
    let claims: Value = serde_json::from_slice(&payload).unwrap_or_default();
    let audiences = match &claims["aud"] {
        Value::Array(audiences) => audiences.clone(),
        one => vec![one.clone()],
    };
    let texts = audiences.into_iter().chain([claims["iss"].clone()]);
    texts
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_audiences_of_the_own_token_are_those_of_the_api_server() {
        let token = |claims: &Value| -> SecretString {
            format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string())).into()
        };
        let many = token(&json!({"aud": ["https://a", "b"], "iss": "https://issuer"}));
        assert_eq!(claimed(&many), ["https://a", "b", "https://issuer"]);
        assert_eq!(claimed(&token(&json!({"aud": "b"}))), ["b"]);
        for other in ["token", "a.b.c", ""] {
            assert!(claimed(&other.into()).is_empty(), "{other:?}");
        }
    }
}
