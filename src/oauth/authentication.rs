//! Client authentication (RFC 6749, section 2.3.1): everything that differs between the methods.

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded::{Serializer, byte_serialize};

use super::grant::Grant;
use crate::{api::ClientAuthentication, scrub::Scrubber};

/// A value in the Secret of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientValue {
    /// The client id; not a secret.
    Id,
    /// The client secret.
    Secret,
}

impl ClientAuthentication {
    /// The values that this method needs.
    pub(crate) fn values(self) -> &'static [ClientValue] {
        match self {
            Self::Body | Self::Basic => &[ClientValue::Id, ClientValue::Secret],
            Self::BasicEmptySecret | Self::None => &[ClientValue::Id],
        }
    }

    /// Returns whether a client may authenticate like this with this grant.
    pub(crate) fn is_allowed_with<T>(self, grant: &Grant<T>) -> bool {
        match self {
            // RFC 6749, section 2.3.1, knows clients whose secret is empty. Whether one may use a grant is up to the provider.
            Self::Body | Self::Basic | Self::BasicEmptySecret => true,
            Self::None => grant.allows_public_clients(),
        }
    }
}

/// A client, and its method of authentication.
#[derive(Clone, Debug)]
pub enum Authentication {
    /// The secret is in the form.
    Body(Client),
    /// The secret is in the Authorization header.
    Basic(Client),
    /// The id is in the Authorization header, with an empty secret.
    BasicEmptySecret {
        /// The client id.
        id: String,
    },
    /// A public client does not authenticate.
    None {
        /// The client id.
        id: String,
    },
}

/// A client that has a secret.
#[derive(Clone, Debug)]
pub struct Client {
    /// The client id; not a secret.
    pub id: String,
    /// The client secret.
    pub secret: SecretString,
}

impl Authentication {
    /// Reads the values that the method needs, and no others.
    ///
    /// # Errors
    /// The first error of `value`.
    pub(crate) fn read<E>(
        method: ClientAuthentication,
        mut value: impl FnMut(ClientValue) -> Result<SecretString, E>,
    ) -> Result<Self, E> {
        let id = value(ClientValue::Id)?.expose_secret().to_owned();
        let mut client = |id| {
            let secret = value(ClientValue::Secret)?;
            Ok(Client { id, secret })
        };
        match method {
            ClientAuthentication::Body => client(id).map(Self::Body),
            ClientAuthentication::Basic => client(id).map(Self::Basic),
            ClientAuthentication::BasicEmptySecret => Ok(Self::BasicEmptySecret { id }),
            ClientAuthentication::None => Ok(Self::None { id }),
        }
    }

    /// The client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        match self {
            Self::Body(client) | Self::Basic(client) => &client.id,
            Self::BasicEmptySecret { id } | Self::None { id } => id,
        }
    }

    /// The client secret.
    #[must_use]
    pub fn client_secret(&self) -> Option<&SecretString> {
        match self {
            Self::Body(client) | Self::Basic(client) => Some(&client.secret),
            Self::BasicEmptySecret { .. } | Self::None { .. } => None,
        }
    }

    /// The same client with another secret, if it has one.
    pub(crate) fn with_client_secret(self, secret: SecretString) -> Self {
        match self {
            Self::Body(client) => Self::Body(Client { secret, ..client }),
            Self::Basic(client) => Self::Basic(Client { secret, ..client }),
            other @ (Self::BasicEmptySecret { .. } | Self::None { .. }) => other,
        }
    }

    /// The name in a spec, and in the hash of a token's inputs: another name would replace every token.
    pub(crate) fn spec_name(&self) -> &'static str {
        match self {
            Self::Body(_) => "Body",
            Self::Basic(_) => "Basic",
            Self::BasicEmptySecret { .. } => "BasicEmptySecret",
            Self::None { .. } => "None",
        }
    }

    /// Adds the form fields of a request.
    pub(super) fn add_fields(&self, form: &mut Serializer<'_, String>) {
        match self {
            Self::Body(client) => {
                form.append_pair("client_id", &client.id)
                    .append_pair("client_secret", client.secret.expose_secret());
            }
            Self::Basic(_) | Self::BasicEmptySecret { .. } => {}
            // A public client names itself (RFC 6749, section 3.2.1).
            Self::None { id } => {
                form.append_pair("client_id", id);
            }
        }
    }

    /// The value of the Authorization header.
    pub(super) fn header(&self) -> Option<SecretString> {
        match self {
            Self::Basic(client) => Some(client.header()),
            Self::BasicEmptySecret { id } => Some(Client::without_secret(id).header()),
            Self::Body(_) | Self::None { .. } => None,
        }
    }

    /// Adds the client id and the secrets that a response may repeat, also as a header encodes them.
    pub(super) fn add_secrets(&self, scrubber: &mut Scrubber) {
        scrubber.add_client_id(self.client_id());
        match self {
            Self::Body(client) | Self::Basic(client) => {
                scrubber.add(client.secret.expose_secret());
                client.add_header(scrubber);
            }
            Self::BasicEmptySecret { id } => Client::without_secret(id).add_header(scrubber),
            Self::None { .. } => {}
        }
    }
}

impl Client {
    fn without_secret(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            secret: String::new().into(),
        }
    }

    fn header(&self) -> SecretString {
        format!("Basic {}", self.basic()).into()
    }

    /// Adds the header to what is removed from texts, also as a server might encode it.
    fn add_header(&self, scrubber: &mut Scrubber) {
        scrubber.add_form(self.basic());
        scrubber.add_form(STANDARD.encode(self.pair(ToOwned::to_owned)));
    }

    /// Id and secret are form-urlencoded before base64 (RFC 6749, section 2.3.1).
    fn basic(&self) -> String {
        STANDARD.encode(self.pair(|text| byte_serialize(text.as_bytes()).collect()))
    }

    fn pair(&self, encode: impl Fn(&str) -> String) -> String {
        let (id, secret) = (encode(&self.id), encode(self.secret.expose_secret()));
        format!("{id}:{secret}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_reads_the_values_that_it_needs_and_keeps_its_name() {
        for (method, name) in [
            (ClientAuthentication::Body, "Body"),
            (ClientAuthentication::Basic, "Basic"),
            (ClientAuthentication::BasicEmptySecret, "BasicEmptySecret"),
            (ClientAuthentication::None, "None"),
        ] {
            let mut read = Vec::new();
            let authentication = Authentication::read(method, |value| {
                read.push(value);
                Ok::<_, ()>(format!("{value:?}").into())
            });
            let authentication = authentication.unwrap();
            assert_eq!(read, method.values());
            assert_eq!(authentication.spec_name(), name);
            assert_eq!(authentication.client_id(), "Id");
            let secret = authentication
                .client_secret()
                .map(ExposeSecret::expose_secret);
            assert_eq!(
                secret,
                method
                    .values()
                    .contains(&ClientValue::Secret)
                    .then_some("Secret")
            );
        }
    }

    #[test]
    fn a_client_without_a_secret_needs_a_refresh_token() {
        let none = ClientAuthentication::None;
        assert!(none.is_allowed_with(&Grant::RefreshToken(())));
        assert!(!none.is_allowed_with(&Grant::<()>::ClientCredentials));
    }
}
