//! A request, for what only wants to know its secrets.

use std::collections::BTreeMap;

use cube_operator::{
    api::ClientAuthentication,
    oauth::{
        endpoint::Endpoint,
        request::{Client, TokenRequest},
    },
};

pub(crate) fn request(client_secret: Option<&str>, refresh_token: Option<&str>) -> TokenRequest {
    TokenRequest {
        endpoint: Endpoint::parse("https://login.example/token").expect("a good URL"),
        client: Client {
            id: "billing".into(),
            secret: client_secret.map(Into::into),
        },
        authentication: ClientAuthentication::Body,
        refresh_token: refresh_token.map(Into::into),
        scopes: vec![],
        parameters: BTreeMap::new(),
        ca_bundle: None,
    }
}
