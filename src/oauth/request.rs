//! The request of one exchange (RFC 6749, sections 4.4.2 and 6).

use std::collections::BTreeMap;

use secrecy::SecretString;
use url::form_urlencoded::Serializer;

use super::{
    authentication::Authentication, ca_bundle::TrustedCa, endpoint::Endpoint, grant::Grant,
    response::RequestContext,
};
use crate::scrub::Scrubber;

/// One request to a token endpoint.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// The token endpoint.
    pub endpoint: Endpoint,
    /// The client, and its method of authentication.
    pub authentication: Authentication,
    /// The grant, with the refresh token if it has one.
    pub grant: Grant,
    /// The scopes that the token should have.
    pub scopes: Vec<String>,
    /// Further form fields.
    pub parameters: BTreeMap<String, String>,
    /// The trusted CA certificates; `None`: the system's.
    pub ca_bundle: Option<TrustedCa>,
}

impl TokenRequest {
    /// The form. It has every field once and none that is empty: some servers respond to `scope=` with `invalid_scope`.
    #[must_use]
    pub fn body(&self) -> SecretString {
        let mut form = Serializer::new(String::new());
        self.grant.add_fields(&mut form);
        self.authentication.add_fields(&mut form);
        self.grant.add_scopes(&self.scopes, &mut form);
        for (name, value) in &self.parameters {
            form.append_pair(name, value);
        }
        form.finish().into()
    }

    /// The value of the Authorization header.
    #[must_use]
    pub fn authorization(&self) -> Option<SecretString> {
        self.authentication.header()
    }

    /// The parts that the response is compared with.
    #[must_use]
    pub fn context(&self) -> RequestContext<'_> {
        RequestContext {
            grant: &self.grant,
            scopes: &self.scopes,
        }
    }

    /// A scrubber that knows all secrets of this request.
    #[must_use]
    pub fn scrubber(&self) -> Scrubber {
        let mut scrubber = Scrubber::default();
        self.authentication.add_secrets(&mut scrubber);
        self.grant.add_secrets(&mut scrubber);
        scrubber
    }
}

#[cfg(test)]
mod tests;
