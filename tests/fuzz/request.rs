//! A request, for tests that need its secrets and its scopes.

use std::collections::BTreeMap;

use cube_operator::oauth::{
    authentication::{Authentication, Client},
    endpoint::Endpoint,
    grant::Grant,
    request::TokenRequest,
};

pub(crate) const CLIENT_ID: &str = "billing";
pub(crate) const SCOPES: [&str; 2] = ["read", "write"];

pub(crate) fn request(client_secret: Option<&str>, refresh_token: Option<&str>) -> TokenRequest {
    let id = CLIENT_ID.to_owned();
    TokenRequest {
        endpoint: Endpoint::parse("https://login.example/token").expect("a good URL"),
        authentication: match client_secret {
            Some(secret) => Authentication::Body(Client {
                id,
                secret: secret.into(),
            }),
            None => Authentication::None { id },
        },
        grant: match refresh_token {
            Some(token) => Grant::RefreshToken(token.into()),
            None => Grant::ClientCredentials,
        },
        scopes: SCOPES.map(Into::into).into(),
        parameters: BTreeMap::new(),
        ca_bundle: None,
    }
}
