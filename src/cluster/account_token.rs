//! Requests tokens of ServiceAccounts, which prove clients and subjects to their providers.

use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::ServiceAccount,
};
use kube::{Api, api::PostParams};
use secrecy::SecretString;

use super::context::Context;
use crate::{
    kubernetes::error::call,
    reconcile::{AccountToken, NoAccountToken},
};

/// The shortest lifetime that the API server grants. The token is sent once, within seconds.
const LIFETIME: i64 = 600;

impl Context {
    /// A token of this ServiceAccount for the provider. It is never one for the API server.
    pub(super) async fn request_account_token(
        &self,
        namespace: &str,
        account: &AccountToken,
    ) -> Result<SecretString, NoAccountToken> {
        let (name, audience) = (&account.service_account, &account.audience);
        let Some(api_audiences) = &self.parts.api_audiences else {
            return Err(NoAccountToken::NotEnabled);
        };
        if api_audiences.contain(audience) {
            return Err(NoAccountToken::ApiServerAudience(audience.clone()));
        }
        let api: Api<ServiceAccount> = Api::namespaced(self.parts.client.clone(), namespace);
        let request = TokenRequest {
            spec: TokenRequestSpec {
                audiences: vec![audience.clone()],
                expiration_seconds: Some(LIFETIME),
                bound_object_ref: None,
            },
            ..TokenRequest::default()
        };
        let parameters = PostParams::default();
        let response = api.create_token_request(name, &parameters, &request);
        let object = format!("a token of ServiceAccount {namespace}/{name}");
        let response = call("create", object, response).await;
        let response = response.map_err(NoAccountToken::Refused)?;
        let token = response.status.map(|status| status.token);
        let token = token.filter(|token| !token.is_empty());
        token.map(Into::into).ok_or(NoAccountToken::Empty)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use secrecy::ExposeSecret;
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        cluster::tests::context_of,
        kubernetes::{audiences::ApiAudiences, stub},
        lock::lock,
    };

    /// The paths and bodies of requests.
    type Requests = Arc<Mutex<Vec<(String, Value)>>>;

    /// The requests of a context whose API server issues this token.
    fn context(token: &'static str) -> (Context, Requests) {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let client = stub::client(move |request| {
            let seen = Arc::clone(&seen);
            async move {
                let path = request.uri().path().to_owned();
                let body = stub::object(request).await;
                lock(&seen).push((path, body));
                let response = json!({
                    "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {},
                    "spec": {"audiences": []},
                    "status": {"token": token, "expirationTimestamp": "2026-11-29T10:00:00Z"},
                });
                (200, response)
            }
        });
        let mut context = context_of(client, Vec::new());
        let own = ApiAudiences::of(["https://cluster.example.com".to_owned()]);
        context.parts.api_audiences = Some(Arc::new(own));
        (context, requests)
    }

    fn account(audience: &str) -> AccountToken {
        AccountToken {
            service_account: "billing".into(),
            audience: audience.into(),
        }
    }

    #[tokio::test]
    async fn no_token_for_the_api_server_is_requested() {
        let (context, requests) = context("t0ken");
        for audience in [
            "https://cluster.example.com",
            "https://kubernetes.default.svc",
        ] {
            let refused = context
                .request_account_token("treasury", &account(audience))
                .await;
            let why = NoAccountToken::ApiServerAudience(audience.into());
            assert_eq!(refused.unwrap_err(), why);
        }
        assert!(lock(&requests).is_empty());
    }

    #[tokio::test]
    async fn a_token_for_the_provider_alone_is_requested_for_ten_minutes() {
        let (context, requests) = context("t0ken");
        let wanted = account("https://login.example.com");
        let token = context.request_account_token("treasury", &wanted).await;
        assert_eq!(token.unwrap().expose_secret(), "t0ken");
        let (path, body) = lock(&requests).pop().unwrap();
        assert_eq!(
            path,
            "/api/v1/namespaces/treasury/serviceaccounts/billing/token"
        );
        let spec = json!({"audiences": ["https://login.example.com"], "expirationSeconds": 600});
        assert_eq!(body["spec"], spec);
    }

    #[tokio::test]
    async fn without_the_flag_and_without_a_token_nothing_is_sent() {
        let (mut context, requests) = context("");
        let wanted = account("https://login.example.com");
        let empty = context.request_account_token("treasury", &wanted).await;
        assert_eq!(empty.unwrap_err(), NoAccountToken::Empty);
        context.parts.api_audiences = None;
        let off = context.request_account_token("treasury", &wanted).await;
        assert_eq!(off.unwrap_err(), NoAccountToken::NotEnabled);
        assert_eq!(lock(&requests).len(), 1);
    }
}
