//! The request of one exchange (RFC 6749, sections 2.3.1, 4.4.2 and 6).

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

use super::endpoint::Endpoint;
use crate::api::{ClientAuthentication, Grant};

/// The client of a provider: who asks for the token.
#[derive(Clone, Debug)]
pub struct Client {
    /// The client id; not a secret.
    pub id: String,
    /// The client secret; `None` for a public client.
    pub secret: Option<SecretString>,
}

/// One request to a token endpoint.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// Where it goes.
    pub endpoint: Endpoint,
    /// Who asks.
    pub client: Client,
    /// How the client proves who it is.
    pub authentication: ClientAuthentication,
    /// The refresh token that it exchanges; `None`: the client's own credentials.
    pub refresh_token: Option<SecretString>,
    /// The scopes it asks for. A refresh sends none: some servers make a narrowed scope permanent.
    pub scopes: Vec<String>,
    /// Further form fields.
    pub parameters: BTreeMap<String, String>,
    /// PEM certificates trusted besides the system's.
    pub ca_bundle: Option<String>,
}

impl TokenRequest {
    /// The grant.
    #[must_use]
    pub fn grant(&self) -> Grant {
        match self.refresh_token {
            Some(_) => Grant::RefreshToken,
            None => Grant::ClientCredentials,
        }
    }

    /// The urlencoded body. Every parameter once, none empty: some servers answer `invalid_scope` to `scope=`.
    #[must_use]
    pub fn body(&self) -> SecretString {
        let mut form = form_urlencoded::Serializer::new(String::new());
        match &self.refresh_token {
            Some(token) => form
                .append_pair("grant_type", "refresh_token")
                .append_pair("refresh_token", token.expose_secret()),
            None => form.append_pair("grant_type", "client_credentials"),
        };
        // A public client names itself (RFC 6749, section 3.2.1).
        if self.authentication != ClientAuthentication::Basic {
            form.append_pair("client_id", &self.client.id);
        }
        if let (ClientAuthentication::Body, Some(secret)) =
            (self.authentication, &self.client.secret)
        {
            form.append_pair("client_secret", secret.expose_secret());
        }
        if !self.scopes.is_empty() && self.refresh_token.is_none() {
            form.append_pair("scope", &self.scopes.join(" "));
        }
        for (name, value) in &self.parameters {
            form.append_pair(name, value);
        }
        form.finish().into()
    }

    /// The value of the Authorization header. Id and secret are form-urlencoded before base64 (RFC 6749, 2.3.1).
    #[must_use]
    pub fn authorization(&self) -> Option<SecretString> {
        (self.authentication == ClientAuthentication::Basic).then(|| basic(&self.client).into())
    }
}

/// A token is one or more printable ASCII characters (RFC 6749, appendix A). Anything else could break out of a header.
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| (0x20..=0x7e).contains(&b))
}

pub(super) fn basic(client: &Client) -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!(
        "{}:{}",
        encode(&client.id),
        encode(
            client
                .secret
                .as_ref()
                .map_or("", ExposeSecret::expose_secret)
        )
    );
    format!("Basic {}", STANDARD.encode(pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(authentication: ClientAuthentication) -> TokenRequest {
        TokenRequest {
            endpoint: Endpoint::parse("https://example.com/token").unwrap(),
            client: Client {
                id: "my client".into(),
                secret: Some("s3cret:ä&".into()),
            },
            authentication,
            refresh_token: None,
            scopes: vec!["read".into(), "write".into()],
            parameters: BTreeMap::from([("audience".into(), "https://api".into())]),
            ca_bundle: None,
        }
    }

    #[test]
    fn body_authentication_sends_id_and_secret_in_the_form_only() {
        let request = request(ClientAuthentication::Body);
        assert_eq!(
            request.body().expose_secret(),
            "grant_type=client_credentials&client_id=my+client&client_secret=s3cret%3A%C3%A4%26&scope=read+write\
             &audience=https%3A%2F%2Fapi"
        );
        assert!(request.authorization().is_none());
    }

    #[test]
    fn basic_authentication_form_encodes_id_and_secret_before_base64() {
        let request = request(ClientAuthentication::Basic);
        assert_eq!(
            request.body().expose_secret(),
            "grant_type=client_credentials&scope=read+write&audience=https%3A%2F%2Fapi"
        );
        let header = request.authorization().unwrap();
        let pair = STANDARD
            .decode(header.expose_secret().strip_prefix("Basic ").unwrap())
            .unwrap();
        assert_eq!(
            String::from_utf8(pair).unwrap(),
            "my+client:s3cret%3A%C3%A4%26"
        );
    }

    #[test]
    fn a_refresh_sends_the_refresh_token_and_no_scope() {
        let request = TokenRequest {
            refresh_token: Some("r/1".into()),
            ..request(ClientAuthentication::Body)
        };
        assert_eq!(
            request.body().expose_secret(),
            "grant_type=refresh_token&refresh_token=r%2F1&client_id=my+client&client_secret=s3cret%3A%C3%A4%26\
             &audience=https%3A%2F%2Fapi"
        );
        assert_eq!(request.grant(), Grant::RefreshToken);
    }

    #[test]
    fn a_public_client_sends_its_id_and_no_secret() {
        let request = TokenRequest {
            refresh_token: Some("r".into()),
            parameters: BTreeMap::new(),
            ..request(ClientAuthentication::None)
        };
        assert_eq!(
            request.body().expose_secret(),
            "grant_type=refresh_token&refresh_token=r&client_id=my+client"
        );
        assert!(request.authorization().is_none());
    }

    #[test]
    fn an_empty_scope_is_left_out() {
        let request = TokenRequest {
            scopes: vec![],
            ..request(ClientAuthentication::Basic)
        };
        assert!(!request.body().expose_secret().contains("scope"));
    }

    #[test]
    fn debug_shows_no_secret() {
        assert!(!format!("{:?}", request(ClientAuthentication::Body)).contains("s3cret"));
    }
}
