//! The known providers, one row each.

use crate::api::{ClientAuthentication, Grant, Provider};

/// The defaults that a provider sets.
pub(crate) struct Preset {
    /// The provider's own name.
    name: &'static str,
    /// The token endpoint, from the provider's API documentation; a slash at its end matters. `None`: the spec has to name it.
    pub(crate) token_url: Option<&'static str>,
    /// The authorization endpoint, where people sign in. `None`: the spec has to name it.
    #[cfg_attr(
        not(feature = "plugin"),
        expect(dead_code, reason = "people sign in with the plugin")
    )]
    pub(crate) authorization_url: Option<&'static str>,
    /// The scopes of a sign-in for which the spec has none. A refresh keeps what the person granted.
    #[cfg_attr(
        not(feature = "plugin"),
        expect(dead_code, reason = "people sign in with the plugin")
    )]
    pub(crate) sign_in_scopes: &'static [&'static str],
    /// The client's method of authentication.
    pub(crate) client_authentication: ClientAuthentication,
    /// The scopes to ask for, by grant; other grants ask for none.
    default_scopes: &'static [(Grant, &'static [&'static str])],
    /// The grants that the provider's OAuth metadata (RFC 8414) does not list, although its documentation may describe them.
    unlisted_grants: &'static [Grant],
}

const CUBEWIRE: Preset = Preset {
    name: "Cubewire",
    token_url: Some("https://api.cubewire.com/api/v1/oauth2/token"),
    // It has client credentials only.
    authorization_url: None,
    sign_in_scopes: &[],
    client_authentication: ClientAuthentication::Body,
    default_scopes: &[],
    unlisted_grants: &[],
};

const CUBE_SOFTWARE: Preset = Preset {
    name: "Cube Software",
    token_url: Some("https://api.cubesoftware.com/o/token/"),
    // People sign in on another host than the one that issues tokens.
    authorization_url: Some("https://portal.cubesoftware.com/o/authorize/"),
    sign_in_scopes: &["read", "write"],
    // Its metadata lists `client_secret_basic` only.
    client_authentication: ClientAuthentication::Basic,
    // Its client credentials must ask for scopes.
    default_scopes: &[(Grant::ClientCredentials, &["read", "write"])],
    // Its metadata lists `authorization_code` and `refresh_token`.
    unlisted_grants: &[Grant::ClientCredentials],
};

const CUSTOM: Preset = Preset {
    name: "the provider",
    token_url: None,
    authorization_url: None,
    sign_in_scopes: &[],
    client_authentication: ClientAuthentication::Body,
    default_scopes: &[],
    unlisted_grants: &[],
};

impl Preset {
    /// The row of a provider.
    pub(crate) fn of(provider: Provider) -> &'static Self {
        match provider {
            Provider::Cubewire => &CUBEWIRE,
            Provider::CubeSoftware => &CUBE_SOFTWARE,
            Provider::Custom => &CUSTOM,
        }
    }

    /// The scopes to ask for where the spec has none.
    pub(crate) fn default_scopes(&self, grant: Grant) -> &'static [&'static str] {
        let row = self.default_scopes.iter().find(|(of, _)| *of == grant);
        row.map_or(&[], |(_, scopes)| scopes)
    }

    /// The provider's name, if its metadata does not list this grant.
    pub(crate) fn without(&self, grant: Grant) -> Option<&'static str> {
        self.unlisted_grants.contains(&grant).then_some(self.name)
    }
}
