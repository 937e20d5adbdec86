//! The OAuth 2 grants: everything that differs between them.

mod jwt_bearer;
mod token_exchange;

use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded::Serializer;

use crate::{
    api::{ClientAuthentication, Reason},
    scrub::Scrubber,
};
pub use jwt_bearer::{BearerClaims, JwtBearer};
pub use token_exchange::TokenExchange;
pub(crate) use token_exchange::{ACCESS_TOKEN, JWT};

/// The grant of a token request. `T` is the refresh token, or a reference to it; `A` the assertion, or the claims for it; `S` the
/// subject token, or where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant<T = SecretString, A = JwtBearer, S = T> {
    /// With the client's own credentials (RFC 6749, section 4.4).
    ClientCredentials,
    /// The same by the name that Zoom gives it.
    AccountCredentials,
    /// With a refresh token (RFC 6749, section 6).
    RefreshToken(T),
    /// With an assertion that the client signs (RFC 7523, section 2.1).
    JwtBearer(A),
    /// With the token of a subject (RFC 8693).
    TokenExchange(Box<TokenExchange<S>>),
}

impl<T, A, S> Grant<T, A, S> {
    /// The value of `grant_type`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::AccountCredentials => "account_credentials",
            Self::RefreshToken(_) => "refresh_token",
            Self::JwtBearer(_) => "urn:ietf:params:oauth:grant-type:jwt-bearer",
            Self::TokenExchange(_) => "urn:ietf:params:oauth:grant-type:token-exchange",
        }
    }

    /// The name in a spec, and in the hash of a token's inputs: another name would replace every token.
    #[must_use]
    pub(crate) fn spec_name(&self) -> &'static str {
        match self {
            Self::ClientCredentials => "ClientCredentials",
            Self::AccountCredentials => "AccountCredentials",
            Self::RefreshToken(_) => "RefreshToken",
            Self::JwtBearer(_) => "JWTBearer",
            Self::TokenExchange(_) => "TokenExchange",
        }
    }

    /// Returns whether the request names the scopes of the token. A refresh does not, unless the spec lists some for it: some servers
    /// make a narrowed scope permanent.
    #[must_use]
    pub(crate) fn sends_scopes(&self) -> bool {
        match self {
            Self::ClientCredentials
            | Self::AccountCredentials
            | Self::JwtBearer(_)
            | Self::TokenExchange(_) => true,
            Self::RefreshToken(_) => false,
        }
    }

    /// Returns whether the form has a parameter with the scopes. An assertion has them among its claims, where Google wants them.
    fn has_scope_field(&self) -> bool {
        self.sends_scopes() && !matches!(self, Self::JwtBearer(_))
    }

    /// Returns whether the client may authenticate like this with this grant.
    #[must_use]
    pub(crate) fn allows(&self, method: ClientAuthentication) -> bool {
        use ClientAuthentication::{Basic, Body, None};
        match self {
            // RFC 6749, section 2.3.1, knows clients whose secret is empty. Whether one may use a grant is up to the provider.
            Self::ClientCredentials | Self::AccountCredentials => method != None,
            // The refresh token, or the subject token, proves for whom the token is.
            Self::RefreshToken(_) | Self::TokenExchange(_) => true,
            // So does the assertion. Some providers want a client secret besides.
            Self::JwtBearer(_) => matches!(method, None | Body | Basic),
        }
    }

    /// The client's method of authentication where neither a spec nor a provider object names one. `preset`: the provider's.
    #[must_use]
    pub(crate) fn default_authentication(
        &self,
        preset: ClientAuthentication,
    ) -> ClientAuthentication {
        match self {
            Self::ClientCredentials
            | Self::AccountCredentials
            | Self::RefreshToken(_)
            | Self::TokenExchange(_) => preset,
            Self::JwtBearer(_) => ClientAuthentication::None,
        }
    }

    /// Returns whether a response may bring a refresh token that replaces the one that was sent.
    #[must_use]
    pub(crate) fn has_successor(&self) -> bool {
        match self {
            Self::ClientCredentials
            | Self::AccountCredentials
            | Self::JwtBearer(_)
            | Self::TokenExchange(_) => false,
            Self::RefreshToken(_) => true,
        }
    }

    /// The meaning of the error code `invalid_grant` (RFC 6749, section 5.2).
    #[must_use]
    pub(crate) fn invalid_grant(&self) -> Reason {
        match self {
            Self::ClientCredentials
            | Self::AccountCredentials
            | Self::JwtBearer(_)
            | Self::TokenExchange(_) => Reason::InvalidGrant,
            Self::RefreshToken(_) => Reason::RefreshTokenRejected,
        }
    }

    /// The meaning of an error code for a token that was sent, and is dead or unknown; `None`: none was sent.
    #[must_use]
    pub(crate) fn invalid_token(&self) -> Option<Reason> {
        match self {
            Self::ClientCredentials | Self::AccountCredentials | Self::JwtBearer(_) => None,
            Self::RefreshToken(_) | Self::TokenExchange(_) => Some(self.invalid_grant()),
        }
    }

    /// The refresh token, or the reference to it.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&T> {
        match self {
            Self::ClientCredentials
            | Self::AccountCredentials
            | Self::JwtBearer(_)
            | Self::TokenExchange(_) => None,
            Self::RefreshToken(token) => Some(token),
        }
    }

    /// The exchange of a subject token.
    #[must_use]
    pub fn token_exchange(&self) -> Option<&TokenExchange<S>> {
        match self {
            Self::ClientCredentials
            | Self::AccountCredentials
            | Self::RefreshToken(_)
            | Self::JwtBearer(_) => None,
            Self::TokenExchange(exchange) => Some(exchange),
        }
    }

    /// The assertion, or the claims for it.
    #[must_use]
    pub fn assertion(&self) -> Option<&A> {
        match self {
            Self::ClientCredentials
            | Self::AccountCredentials
            | Self::RefreshToken(_)
            | Self::TokenExchange(_) => None,
            Self::JwtBearer(assertion) => Some(assertion),
        }
    }
}

impl Grant {
    /// Adds the form fields of a request.
    pub(super) fn add_fields(&self, form: &mut Serializer<'_, String>) {
        form.append_pair("grant_type", self.name());
        match self {
            Self::ClientCredentials | Self::AccountCredentials => {}
            Self::RefreshToken(token) => {
                form.append_pair("refresh_token", token.expose_secret());
            }
            Self::JwtBearer(bearer) => bearer.add_fields(form),
            Self::TokenExchange(exchange) => exchange.add_fields(form),
        }
    }

    /// Adds the scopes, if they are in the form.
    pub(super) fn add_scopes(&self, scopes: &[String], form: &mut Serializer<'_, String>) {
        if self.has_scope_field() && !scopes.is_empty() {
            form.append_pair("scope", &scopes.join(" "));
        }
    }

    /// Adds the secrets that a response may repeat.
    pub(super) fn add_secrets(&self, scrubber: &mut Scrubber) {
        match self {
            Self::ClientCredentials | Self::AccountCredentials => {}
            Self::RefreshToken(token) => scrubber.add(token.expose_secret()),
            Self::JwtBearer(bearer) => bearer.add_secrets(scrubber),
            Self::TokenExchange(exchange) => exchange.add_secrets(scrubber),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> [Grant<(), ()>; 5] {
        let exchange = TokenExchange {
            subject_token: (),
            subject_token_type: ACCESS_TOKEN.into(),
            audience: Vec::new(),
            resource: Vec::new(),
            requested_token_type: None,
        };
        [
            Grant::ClientCredentials,
            Grant::AccountCredentials,
            Grant::RefreshToken(()),
            Grant::JwtBearer(()),
            Grant::TokenExchange(Box::new(exchange)),
        ]
    }

    #[test]
    fn each_grant_keeps_its_name() {
        let names = all().map(|grant| grant.spec_name());
        assert_eq!(
            names,
            [
                "ClientCredentials",
                "AccountCredentials",
                "RefreshToken",
                "JWTBearer",
                "TokenExchange"
            ]
        );
    }

    #[test]
    fn a_client_without_a_secret_needs_a_grant_that_proves_it() {
        use ClientAuthentication::{Basic, BasicEmptySecret, Body, MutualTls, None, PrivateKeyJwt};
        let allowed = |method| all().map(|grant| grant.allows(method));
        assert_eq!(allowed(None), [false, false, true, true, true]);
        for method in [Body, Basic] {
            assert_eq!(allowed(method), [true; 5]);
        }
        for method in [
            BasicEmptySecret,
            PrivateKeyJwt,
            MutualTls,
            ClientAuthentication::ServiceAccountToken,
        ] {
            assert_eq!(allowed(method), [true, true, true, false, true]);
        }
    }

    #[test]
    fn only_an_assertion_needs_no_authentication_by_default() {
        let basic = ClientAuthentication::Basic;
        let of = all().map(|grant| grant.default_authentication(basic));
        let none = ClientAuthentication::None;
        assert_eq!(of, [basic, basic, basic, none, basic]);
    }
}
