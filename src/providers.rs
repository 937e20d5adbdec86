//! The known providers, one row each.

use crate::api::{Grant, Provider};

/// The defaults that a provider sets.
pub(crate) struct Preset {
    /// The token endpoint, from the provider's API documentation; a slash at its end matters. `None`: the spec has to name it.
    pub(crate) token_url: Option<&'static str>,
    /// The scopes to ask for, by grant; other grants ask for none.
    default_scopes: &'static [(Grant, &'static [&'static str])],
}

const CUBEWIRE: Preset = Preset {
    token_url: Some("https://api.cubewire.com/api/v1/oauth2/token"),
    default_scopes: &[],
};

const CUBE_SOFTWARE: Preset = Preset {
    token_url: Some("https://api.cubesoftware.com/o/token/"),
    // Its client credentials must ask for scopes.
    default_scopes: &[(Grant::ClientCredentials, &["read", "write"])],
};

const CUSTOM: Preset = Preset {
    token_url: None,
    default_scopes: &[],
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
}
