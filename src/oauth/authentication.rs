//! Client authentication (RFC 6749, section 2.3.1): everything that differs between the methods.

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded::{Serializer, byte_serialize};

use super::{
    assertion::{self, Signer},
    identity::CertifiedClient,
};
use crate::{api::ClientAuthentication, scrub::Scrubber};

/// A value in the Secret of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientValue {
    /// The client id; not a secret.
    Id,
    /// The client secret.
    Secret,
    /// The private key.
    PrivateKey,
    /// The certificate of the private key, where the spec names one; not a secret.
    Certificate,
}

impl ClientAuthentication {
    /// The values that this method needs.
    pub(crate) fn values(self) -> &'static [ClientValue] {
        match self {
            Self::Body | Self::Basic => &[ClientValue::Id, ClientValue::Secret],
            Self::BasicEmptySecret | Self::None => &[ClientValue::Id],
            Self::PrivateKeyJwt | Self::MutualTls => &[
                ClientValue::Id,
                ClientValue::PrivateKey,
                ClientValue::Certificate,
            ],
            Self::ServiceAccountToken => &[],
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
    /// Nothing but the assertion of the grant, whose issuer is the client (RFC 7521, section 4.1).
    ByGrant {
        /// The client id, which is not sent.
        id: String,
    },
    /// The client signs an assertion. It has not yet: it is signed when the request is sent.
    PrivateKeyJwt(Signer),
    /// The client presents a certificate in the TLS handshake.
    MutualTls(CertifiedClient),
    /// The client has signed an assertion for this request.
    Assertion {
        /// The client.
        signer: Signer,
        /// The assertion.
        assertion: SecretString,
    },
    /// A token of a ServiceAccount is the assertion (RFC 7523, section 2.2).
    ServiceAccountToken {
        /// The client id, if the provider wants it beside the token.
        id: Option<String>,
        /// The subject of the token, which names the client.
        subject: String,
        /// The token; empty before it was requested.
        token: SecretString,
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
    /// The client id.
    #[must_use]
    pub fn client_id(&self) -> &str {
        match self {
            Self::Body(client) | Self::Basic(client) => &client.id,
            Self::BasicEmptySecret { id } | Self::None { id } | Self::ByGrant { id } => id,
            Self::PrivateKeyJwt(signer) | Self::Assertion { signer, .. } => &signer.id,
            Self::MutualTls(client) => &client.id,
            Self::ServiceAccountToken { id, subject, .. } => id.as_ref().unwrap_or(subject),
        }
    }

    /// The secret that the client shares with the provider.
    #[must_use]
    pub fn client_secret(&self) -> Option<&SecretString> {
        match self {
            Self::Body(client) | Self::Basic(client) => Some(&client.secret),
            Self::BasicEmptySecret { .. }
            | Self::None { .. }
            | Self::ByGrant { .. }
            | Self::PrivateKeyJwt(_)
            | Self::MutualTls(_)
            | Self::Assertion { .. }
            | Self::ServiceAccountToken { .. } => None,
        }
    }

    /// The certificate that the client presents.
    pub(super) fn certified(&self) -> Option<&CertifiedClient> {
        match self {
            Self::MutualTls(client) => Some(client),
            Self::Body(_)
            | Self::Basic(_)
            | Self::BasicEmptySecret { .. }
            | Self::None { .. }
            | Self::ByGrant { .. }
            | Self::PrivateKeyJwt(_)
            | Self::Assertion { .. }
            | Self::ServiceAccountToken { .. } => None,
        }
    }

    /// A hash of the private key, and of the certificate that names it. It is for this process alone: a private key may change
    /// while the client stays the same, so what is stored about a token does not depend on it.
    pub(crate) fn evidence(&self) -> Option<[u8; 32]> {
        match self {
            Self::PrivateKeyJwt(signer) | Self::Assertion { signer, .. } => Some(signer.evidence()),
            Self::MutualTls(client) => Some(client.evidence()),
            Self::Body(_)
            | Self::Basic(_)
            | Self::BasicEmptySecret { .. }
            | Self::None { .. }
            | Self::ByGrant { .. }
            | Self::ServiceAccountToken { .. } => None,
        }
    }

    /// The same client with this token, if it authenticates with one.
    pub(crate) fn with_token(self, token: &SecretString) -> Self {
        match self {
            Self::ServiceAccountToken { id, subject, .. } => Self::ServiceAccountToken {
                id,
                subject,
                token: token.clone(),
            },
            other => other,
        }
    }

    /// The same client with another secret, if it has one.
    pub(crate) fn with_client_secret(self, secret: SecretString) -> Self {
        match self {
            Self::Body(client) => Self::Body(Client { secret, ..client }),
            Self::Basic(client) => Self::Basic(Client { secret, ..client }),
            other @ (Self::BasicEmptySecret { .. }
            | Self::None { .. }
            | Self::ByGrant { .. }
            | Self::PrivateKeyJwt(_)
            | Self::MutualTls(_)
            | Self::Assertion { .. }
            | Self::ServiceAccountToken { .. }) => other,
        }
    }

    /// The name in a spec, and in the hash of a token's inputs: another name would replace every token.
    pub(crate) fn spec_name(&self) -> &'static str {
        match self {
            Self::Body(_) => "Body",
            Self::Basic(_) => "Basic",
            Self::BasicEmptySecret { .. } => "BasicEmptySecret",
            Self::None { .. } | Self::ByGrant { .. } => "None",
            Self::PrivateKeyJwt(_) | Self::Assertion { .. } => "PrivateKeyJWT",
            Self::MutualTls(_) => "MutualTLS",
            Self::ServiceAccountToken { .. } => "ServiceAccountToken",
        }
    }

    /// Adds the form fields of a request.
    pub(super) fn add_fields(&self, form: &mut Serializer<'_, String>) {
        match self {
            Self::Body(client) => {
                form.append_pair("client_id", &client.id)
                    .append_pair("client_secret", client.secret.expose_secret());
            }
            Self::Basic(_) | Self::BasicEmptySecret { .. } | Self::ByGrant { .. } => {}
            // A public client names itself (RFC 6749, section 3.2.1).
            Self::None { id } => {
                form.append_pair("client_id", id);
            }
            // Without an assertion, a provider takes nobody for this client.
            Self::PrivateKeyJwt(signer) => {
                form.append_pair("client_id", &signer.id);
            }
            // RFC 8705, section 2: the certificate proves what this names.
            Self::MutualTls(client) => {
                form.append_pair("client_id", &client.id);
            }
            Self::Assertion { signer, assertion } => {
                form.append_pair("client_id", &signer.id);
                add_assertion(form, assertion);
            }
            // The subject of the token is the client. Some servers refuse it as a `client_id` too, so only the spec's is sent.
            Self::ServiceAccountToken { id, token, .. } => {
                if let Some(id) = id {
                    form.append_pair("client_id", id);
                }
                add_assertion(form, token);
            }
        }
    }

    /// The value of the Authorization header.
    pub(super) fn header(&self) -> Option<SecretString> {
        match self {
            Self::Basic(client) => Some(client.header()),
            Self::BasicEmptySecret { id } => Some(Client::without_secret(id).header()),
            Self::Body(_)
            | Self::None { .. }
            | Self::ByGrant { .. }
            | Self::PrivateKeyJwt(_)
            | Self::MutualTls(_)
            | Self::Assertion { .. }
            | Self::ServiceAccountToken { .. } => None,
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
            Self::None { .. } | Self::ByGrant { .. } => {}
            Self::PrivateKeyJwt(signer) => signer.key.add_parts(scrubber),
            Self::MutualTls(client) => client.key.add_parts(scrubber),
            Self::Assertion { signer, assertion } => {
                signer.key.add_parts(scrubber);
                scrubber.add(assertion.expose_secret());
            }
            Self::ServiceAccountToken { token, .. } => scrubber.add(token.expose_secret()),
        }
    }
}

/// Adds an assertion (RFC 7521, section 4.2).
fn add_assertion(form: &mut Serializer<'_, String>, assertion: &SecretString) {
    form.append_pair("client_assertion_type", assertion::TYPE)
        .append_pair("client_assertion", assertion.expose_secret());
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
    fn a_token_of_a_service_account_is_sent_as_an_assertion_and_scrubbed() {
        let assertion = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion=t0ken.of.an-account";
        for (id, named, expected) in [
            (None, "system:serviceaccount:a:b", assertion.to_owned()),
            (
                Some("MY-ID"),
                "MY-ID",
                format!("client_id=MY-ID&{assertion}"),
            ),
        ] {
            let client = Authentication::ServiceAccountToken {
                id: id.map(str::to_owned),
                subject: "system:serviceaccount:a:b".into(),
                token: SecretString::default(),
            };
            let client = client.with_token(&"t0ken.of.an-account".into());
            let mut form = Serializer::new(String::new());
            client.add_fields(&mut form);
            assert_eq!(form.finish(), expected);
            assert_eq!(client.client_id(), named);
            assert!(client.header().is_none());
            let mut scrubber = Scrubber::default();
            client.add_secrets(&mut scrubber);
            let cleaned = scrubber.clean("it was t0ken.of.an-account");
            assert!(!cleaned.contains("t0ken"));
            assert!(!format!("{client:?}").contains("t0ken"));
        }
    }
}
