//! The spec with its defaults filled in and its texts read.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use thiserror::Error;

use crate::{
    api::{
        self, CaBundleRef, ClientAuthentication, ClientSecretRef, CubeCredentialSpec,
        DeletionPolicy, Provider, RefreshTokenRef, TargetSpec,
    },
    oauth::endpoint::{Endpoint, EndpointError},
};

/// Cubewire's token endpoint, from its API documentation.
const CUBEWIRE: &str = "https://api.cubewire.com/api/v1/oauth2/token";

/// Cube Software's token endpoint, from its API documentation; the slash at its end matters.
const CUBE_SOFTWARE: &str = "https://api.cubesoftware.com/o/token/";

/// What a `CubeCredential` asks for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The namespace of all objects that it names.
    pub namespace: String,
    /// The token endpoint.
    pub endpoint: Endpoint,
    /// Where the client id and secret are.
    pub source: ClientSecretRef,
    /// How the token is obtained.
    pub grant: Grant,
    /// How the client authenticates.
    pub authentication: ClientAuthentication,
    /// The scopes that the token should have. A refresh asks for none, and its response is compared with them all the same.
    pub scopes: Vec<String>,
    /// Further form fields.
    pub parameters: BTreeMap<String, String>,
    /// How long before its expiry a token is refreshed at the earliest.
    pub refresh_before: SignedDuration,
    /// The lifetime of a token whose response states none.
    pub assumed_lifetime: SignedDuration,
    /// Where further CA certificates are.
    pub ca_bundle: Option<CaBundleRef>,
    /// The name of the target Secret.
    pub target_name: String,
    /// The name of the Secret with the current refresh token.
    pub state_name: String,
    /// The rest of what the target should be.
    pub target: TargetSpec,
    /// Whether no exchange may be made.
    pub suspend: bool,
}

/// The OAuth 2 grant with what only it needs.
#[derive(Clone, Debug)]
pub enum Grant {
    /// The client's own credentials.
    ClientCredentials,
    /// A stored refresh token.
    RefreshToken {
        /// Where the first refresh token is, which the user writes after a sign-in: the seed.
        initial: RefreshTokenRef,
    },
}

/// Why a spec cannot be used. The API server has checked all of it at admission, unless its CRD is older than this program.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum SettingsError {
    #[error("spec.tokenURL is required with provider Custom")]
    TokenUrlMissing,
    #[error("spec.refreshTokenRef is required with grant RefreshToken, and only with it")]
    RefreshTokenRefMismatch,
    #[error("spec.clientAuthentication None needs grant RefreshToken")]
    PublicClientWithoutLogin,
    #[error("spec.{0}")]
    Endpoint(#[from] EndpointError),
    #[error("spec.{field} is {text:?}: write a duration such as 5m or 1h30m")]
    Duration { field: &'static str, text: String },
    /// The text is the JSON parser's, which names the field.
    #[error("this version of the operator cannot read the object: {0}")]
    Unreadable(String),
}

impl Grant {
    /// Where the first refresh token is, with the grant that has one.
    #[must_use]
    pub fn initial(&self) -> Option<&RefreshTokenRef> {
        match self {
            Self::ClientCredentials => None,
            Self::RefreshToken { initial } => Some(initial),
        }
    }

    /// The grant's name in the spec.
    #[must_use]
    pub fn kind(&self) -> api::Grant {
        match self {
            Self::ClientCredentials => api::Grant::ClientCredentials,
            Self::RefreshToken { .. } => api::Grant::RefreshToken,
        }
    }
}

impl Settings {
    /// Reads a spec.
    ///
    /// # Errors
    /// Names the field and says what to write.
    pub fn read(
        namespace: &str,
        name: &str,
        spec: &CubeCredentialSpec,
    ) -> Result<Self, SettingsError> {
        let url = match (spec.provider, &spec.token_url) {
            (_, Some(url)) => url,
            (Provider::Cubewire, None) => CUBEWIRE,
            (Provider::CubeSoftware, None) => CUBE_SOFTWARE,
            (Provider::Custom, None) => return Err(SettingsError::TokenUrlMissing),
        };
        let grant = grant(spec)?;
        let public = spec.client_authentication == ClientAuthentication::None;
        if public && grant.initial().is_none() {
            return Err(SettingsError::PublicClientWithoutLogin);
        }
        Ok(Self {
            namespace: namespace.to_owned(),
            endpoint: Endpoint::parse(url)?,
            source: spec.client_secret_ref.clone(),
            grant,
            authentication: spec.client_authentication,
            scopes: scopes(spec),
            parameters: spec.parameters.clone(),
            refresh_before: duration("refreshBefore", &spec.refresh_before)?,
            assumed_lifetime: duration("assumedLifetime", &spec.assumed_lifetime)?,
            ca_bundle: spec.ca_bundle_ref.clone(),
            target_name: Self::target_name(name, spec),
            state_name: Self::state_name(name),
            target: spec.target.clone(),
            suspend: spec.suspend,
        })
    }

    /// The name of the target of a `CubeCredential` with this name.
    #[must_use]
    pub fn target_name(name: &str, spec: &CubeCredentialSpec) -> String {
        spec.target
            .name
            .clone()
            .unwrap_or_else(|| format!("{name}-token"))
    }

    /// The name of the state of a `CubeCredential` with this name.
    #[must_use]
    pub fn state_name(name: &str) -> String {
        format!("{name}-cube-state")
    }

    /// Whether the target is deleted with the `CubeCredential`.
    #[must_use]
    pub fn owns_target(&self) -> bool {
        self.target.deletion_policy == DeletionPolicy::Delete
    }
}

fn grant(spec: &CubeCredentialSpec) -> Result<Grant, SettingsError> {
    match (spec.grant, &spec.refresh_token_ref) {
        (api::Grant::ClientCredentials, None) => Ok(Grant::ClientCredentials),
        (api::Grant::RefreshToken, Some(initial)) => Ok(Grant::RefreshToken {
            initial: initial.clone(),
        }),
        (api::Grant::ClientCredentials, Some(_)) | (api::Grant::RefreshToken, None) => {
            Err(SettingsError::RefreshTokenRefMismatch)
        }
    }
}

/// Cube Software's client credentials need scopes to be asked for.
fn scopes(spec: &CubeCredentialSpec) -> Vec<String> {
    let preset = spec.provider == Provider::CubeSoftware
        && spec.grant == api::Grant::ClientCredentials
        && spec.scopes.is_empty();
    if preset {
        return vec!["read".into(), "write".into()];
    }
    let mut scopes = spec.scopes.clone();
    scopes.sort();
    scopes
}

fn duration(field: &'static str, text: &str) -> Result<SignedDuration, SettingsError> {
    let parsed = text
        .parse::<SignedDuration>()
        .ok()
        .filter(|duration| *duration >= SignedDuration::from_secs(1));
    parsed
        .map(|duration| SignedDuration::from_secs(duration.as_secs()))
        .ok_or_else(|| SettingsError::Duration {
            field,
            text: text.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_in_go() {
        for (text, seconds) in [
            ("5m", 300),
            ("1h30m", 5400),
            ("90m", 5400),
            ("1h0m30s", 3630),
            ("1.5h", 5400),
        ] {
            assert_eq!(
                duration("refreshBefore", text),
                Ok(SignedDuration::from_secs(seconds)),
                "{text}"
            );
        }
        assert_eq!(
            duration("refreshBefore", "soon").unwrap_err().to_string(),
            "spec.refreshBefore is \"soon\": write a duration such as 5m or 1h30m"
        );
    }
}
