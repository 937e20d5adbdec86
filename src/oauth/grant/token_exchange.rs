//! Token exchange: the provider issues a token for another one (RFC 8693).

use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded::Serializer;

use crate::scrub::Scrubber;

/// The type of an access token (RFC 8693, section 3).
pub(crate) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The type of a token that is a JWT.
pub(crate) const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// The exchange of a subject token. `S` is the token, or where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenExchange<S = SecretString> {
    /// The token that names for whom the new one is.
    pub subject_token: S,
    /// The type of the subject token.
    pub subject_token_type: String,
    /// The names of the services that the token is for.
    pub audience: Vec<String>,
    /// The URIs of the services that the token is for.
    pub resource: Vec<String>,
    /// The type of the token that is wanted.
    pub requested_token_type: Option<String>,
}

impl<S> TokenExchange<S> {
    /// The same exchange with this subject token.
    pub(crate) fn with_subject<U>(&self, subject_token: U) -> TokenExchange<U> {
        TokenExchange {
            subject_token,
            subject_token_type: self.subject_token_type.clone(),
            audience: self.audience.clone(),
            resource: self.resource.clone(),
            requested_token_type: self.requested_token_type.clone(),
        }
    }

    /// Returns whether a token of this type is sent to APIs (section 2.2.1). A provider that states no type has issued an access token.
    pub(crate) fn accepts(&self, issued: Option<&str>) -> bool {
        let requested = self.requested_token_type.as_deref();
        issued
            .is_none_or(|issued| [Some(ACCESS_TOKEN), Some(JWT), requested].contains(&Some(issued)))
    }
}

impl TokenExchange {
    pub(super) fn add_fields(&self, form: &mut Serializer<'_, String>) {
        form.append_pair("subject_token", self.subject_token.expose_secret())
            .append_pair("subject_token_type", &self.subject_token_type);
        // Each of them may be repeated (section 2.1).
        for audience in &self.audience {
            form.append_pair("audience", audience);
        }
        for resource in &self.resource {
            form.append_pair("resource", resource);
        }
        if let Some(requested) = &self.requested_token_type {
            form.append_pair("requested_token_type", requested);
        }
    }

    pub(super) fn add_secrets(&self, scrubber: &mut Scrubber) {
        scrubber.add(self.subject_token.expose_secret());
    }
}
