//! The spec with its defaults filled in and its texts read.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::{
    api::{
        self, CaBundleRef, ClientAuthentication, ClientSecretRef, CubeCredentialSpec,
        DeletionPolicy, RefreshTokenRef, TargetSpec,
    },
    oauth::{endpoint::Endpoint, grant::Grant},
    providers::Preset,
};

/// What a `CubeCredential` asks for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is, with all that it names.
    pub namespace: String,
    /// Where tokens are issued.
    pub endpoint: Endpoint,
    /// Where the client id and secret are.
    pub source: ClientSecretRef,
    /// How a token is obtained, and where the initial refresh token is.
    pub grant: Grant<RefreshTokenRef>,
    /// How the client authenticates.
    pub authentication: ClientAuthentication,
    /// The scopes to ask for.
    pub scopes: Vec<String>,
    /// Further form fields.
    pub parameters: BTreeMap<String, String>,
    /// How long before its expiry a token is refreshed at the earliest.
    pub refresh_before: SignedDuration,
    /// The lifetime of a token whose answer states none.
    pub assumed_lifetime: SignedDuration,
    /// Where further trusted authorities are.
    pub ca_bundle: Option<CaBundleSource>,
    /// The name of the target Secret.
    pub target_name: String,
    /// The name of the Secret with the current refresh token.
    pub state_name: String,
    /// The rest of what it should be.
    pub target: TargetSpec,
    /// Whether no exchange is to be made.
    pub suspend: bool,
}

/// The reference to a CA bundle.
pub type CaBundleSource = CaBundleRef;

impl Settings {
    /// Reads a spec. The API server has checked all of it at admission, unless its CRD is older than this program.
    ///
    /// # Errors
    /// Names the field and says what to write.
    pub fn read(namespace: &str, name: &str, spec: &CubeCredentialSpec) -> Result<Self, String> {
        let preset = Preset::of(spec.provider);
        let url = spec.token_url.as_deref().or(preset.token_url);
        let url = url.ok_or("spec.tokenURL is required with provider Custom")?;
        let grant = grant(spec)?;
        if !spec.client_authentication.is_allowed_with(&grant) {
            return Err("spec.clientAuthentication None needs grant RefreshToken".into());
        }
        Ok(Self {
            namespace: namespace.to_owned(),
            endpoint: Endpoint::parse(url).map_err(|error| format!("spec.{error}"))?,
            source: spec.client_secret_ref.clone(),
            scopes: scopes(spec, preset),
            grant,
            authentication: spec.client_authentication,
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

    /// Where the seed is, with the grant that has one.
    #[must_use]
    pub fn seed(&self) -> Option<&RefreshTokenRef> {
        self.grant.refresh_token()
    }

    /// Whether the target goes with the `CubeCredential`.
    #[must_use]
    pub fn owns_target(&self) -> bool {
        self.target.deletion_policy == DeletionPolicy::Delete
    }
}

fn grant(spec: &CubeCredentialSpec) -> Result<Grant<RefreshTokenRef>, &'static str> {
    let wrong = "spec.refreshTokenRef is required with grant RefreshToken, and only with it";
    match (spec.grant, &spec.refresh_token_ref) {
        (api::Grant::ClientCredentials, None) => Ok(Grant::ClientCredentials),
        (api::Grant::RefreshToken, Some(seed)) => Ok(Grant::RefreshToken(seed.clone())),
        (api::Grant::ClientCredentials, Some(_)) | (api::Grant::RefreshToken, None) => Err(wrong),
    }
}

fn scopes(spec: &CubeCredentialSpec, preset: &Preset) -> Vec<String> {
    if spec.scopes.is_empty() {
        let scopes = preset.default_scopes(spec.grant).iter();
        return scopes.map(|scope| (*scope).to_owned()).collect();
    }
    let mut scopes = spec.scopes.clone();
    scopes.sort();
    scopes
}

fn duration(field: &str, text: &str) -> Result<SignedDuration, String> {
    let parsed = text
        .parse::<SignedDuration>()
        .ok()
        .filter(|duration| *duration >= SignedDuration::from_secs(1));
    parsed
        .map(|duration| SignedDuration::from_secs(duration.as_secs()))
        .ok_or_else(|| format!("spec.{field} is {text:?}: write a duration such as 5m or 1h30m"))
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
            duration("refreshBefore", "soon"),
            Err("spec.refreshBefore is \"soon\": write a duration such as 5m or 1h30m".into())
        );
    }
}
