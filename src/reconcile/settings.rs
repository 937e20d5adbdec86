//! The spec with its defaults filled in and its texts read.

mod account_token;
mod client;
pub(in crate::reconcile) mod error;
mod grant;
mod printable;
mod provided;
mod rendering;

use std::{collections::BTreeMap, sync::Arc};

use jiff::SignedDuration;

use super::provider::{FoundProvider, ProviderUse};
use crate::{
    api::{
        self, CaBundleRef, ClientAssertion, ClientAuthentication, ClientSecretRef,
        CubeCredentialSpec, DeletionPolicy, TargetSpec, WorkloadRef,
    },
    oauth::{authentication::ClientValue, endpoint::Endpoint, parameters, probe::Probe},
    providers::Preset,
    template::{SecretType, TemplateError, Templates},
};
pub use account_token::AccountToken;
pub use error::SettingsError;
pub use grant::{GrantSettings, SubjectToken};
pub use rendering::Rendering;
pub(in crate::reconcile) use rendering::fits;

/// The lifetime of a token for which neither a response nor a spec states one.
const ASSUMED_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// The settings of a `CubeCredential`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of the `CubeCredential`.
    pub name: String,
    /// The namespace of all objects that it names.
    pub namespace: String,
    /// The token endpoint.
    pub endpoint: Endpoint,
    /// The Secret of the client, and the keys of its values. Those of a private key have their defaults. With a token of a
    /// ServiceAccount, it names the ServiceAccount.
    pub source: ClientSecretRef,
    /// The client id, if the spec has it.
    pub client_id: Option<String>,
    /// The assertion that the client signs, as far as the spec has it.
    pub assertion: Option<Box<ClientAssertion>>,
    /// The token of a ServiceAccount that takes the place of a client secret.
    pub service_account: Option<AccountToken>,
    /// The grant, with the Secret of the initial refresh token, the claims of the assertion or the subject token if it has one.
    pub grant: GrantSettings,
    /// The provider's name, if its OAuth metadata does not list the grant.
    pub grant_unlisted_by: Option<&'static str>,
    /// The client's method of authentication.
    pub authentication: ClientAuthentication,
    /// The scopes that the token should have. A refresh requests none, but its response is compared with them too.
    pub scopes: Vec<String>,
    /// Further form fields. The scope of a refresh is one of them: only a few providers want it.
    pub parameters: BTreeMap<String, String>,
    /// The longest time before its expiry at which a token is refreshed.
    pub refresh_before: SignedDuration,
    /// The lifetime of a token whose response states none.
    pub assumed_lifetime: SignedDuration,
    /// The longest lifetime of a token, whatever its response states.
    pub maximum_lifetime: Option<SignedDuration>,
    /// The object with further CA certificates.
    pub ca_bundle: Option<CaBundleRef>,
    /// The provider object, if the spec names one.
    pub provider: Option<Box<ProviderUse>>,
    /// The name of the target Secret.
    pub target_name: String,
    /// The name of the Secret with the current refresh token.
    pub state_name: String,
    /// The name of the Secret with the record of the token, with templates.
    pub record_name: String,
    /// The templates of the target, if the spec has some.
    pub rendering: Option<Rendering>,
    /// The other properties of the target.
    pub target: TargetSpec,
    /// True if the pods that mount the target are annotated after each refresh.
    pub refresh_mounted_pods: bool,
    /// The workloads that are restarted after each refresh.
    pub restart: Vec<WorkloadRef>,
    /// The minimum time between two restarts of a workload.
    pub restart_interval: SignedDuration,
    /// The request that tries a new token at its API.
    pub probe: Option<Arc<Probe>>,
    /// True if no exchange may be made.
    pub suspend: bool,
}

impl Settings {
    /// Reads a spec. A provider object that it names counts as not known yet.
    ///
    /// # Errors
    /// Names the field and says what to write.
    pub fn read(
        namespace: &str,
        name: &str,
        spec: &CubeCredentialSpec,
    ) -> Result<Self, SettingsError> {
        Self::with_provider(namespace, name, spec, FoundProvider::Unlisted)
    }

    fn of_effective(
        namespace: &str,
        name: &str,
        spec: &CubeCredentialSpec,
    ) -> Result<Self, SettingsError> {
        let preset = Preset::of(spec.provider.ok_or(SettingsError::ProviderMismatch)?);
        let url = spec.token_url.as_deref().or(preset.token_url);
        let url = url.ok_or(SettingsError::TokenUrlMissing)?;
        let endpoint = endpoint(url)?;
        let grant = grant::of(spec, &endpoint)?;
        let authentication = grant::authentication(&grant, spec, preset)?;
        let service_account = AccountToken::of_client(authentication, spec)?;
        Ok(Self {
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            endpoint,
            source: client::source(spec, &grant, authentication, service_account.as_ref())?,
            client_id: client::id(spec, &grant, authentication)?,
            assertion: client::assertion(spec, authentication)?,
            service_account,
            grant,
            grant_unlisted_by: preset.without(spec.grant),
            authentication,
            scopes: scopes(spec, preset),
            parameters: parameters(spec)?,
            refresh_before: duration("refreshBefore", &spec.refresh_before)?,
            assumed_lifetime: match &spec.assumed_lifetime {
                Some(text) => duration("assumedLifetime", text)?,
                None => ASSUMED_LIFETIME,
            },
            maximum_lifetime: match &spec.maximum_lifetime {
                Some(text) => Some(duration("maximumLifetime", text)?),
                None => None,
            },
            ca_bundle: spec.ca_bundle_ref.clone(),
            provider: None,
            target_name: Self::target_name(name, spec),
            state_name: Self::state_name(name),
            record_name: Self::record_name(name),
            rendering: Rendering::of(&spec.target.data),
            target: target(spec)?,
            refresh_mounted_pods: spec.consumers.refresh_mounted_pods,
            restart: spec.consumers.restart.clone(),
            restart_interval: duration("consumers.minInterval", &spec.consumers.min_interval)?,
            probe: match &spec.probe {
                Some(probe) => Some(Arc::new(Probe::read(probe)?)),
                None => None,
            },
            suspend: spec.suspend,
        })
    }

    /// The templates of the target, or the reason why they cannot be used; `None`: the spec has none.
    pub(in crate::reconcile) fn templates(&self) -> Option<Result<&Templates, &TemplateError>> {
        let rendering = self.rendering.as_ref()?;
        Some(rendering.templates(&self.namespace, &self.name, &self.scopes, &self.target))
    }

    /// The settings without the templates, which take far more memory than the rest. No message shows them.
    pub(in crate::reconcile) fn without_templates(&self) -> Self {
        Self {
            rendering: None,
            target: TargetSpec {
                data: BTreeMap::new(),
                ..self.target.clone()
            },
            ..self.clone()
        }
    }

    /// The keys of a value in the client's Secret: none, if the value does not come from there, or two for a client secret.
    fn keys_of(&self, value: ClientValue) -> Vec<&str> {
        match value {
            ClientValue::Secret => self.source.client_secret_keys().collect(),
            _ => self.client_key(value).into_iter().collect(),
        }
    }

    /// The key of a value in the client's Secret; `None`: the value does not come from there.
    pub(in crate::reconcile) fn client_key(&self, value: ClientValue) -> Option<&str> {
        let source = &self.source;
        match value {
            ClientValue::Id => {
                let is_in_spec = self.client_id.is_some();
                (!is_in_spec).then_some(&source.client_id_key)
            }
            ClientValue::Secret => Some(&source.client_secret_key),
            ClientValue::PrivateKey => source.private_key_key.as_ref(),
            ClientValue::Certificate => source.certificate_key.as_ref(),
        }
        .map(String::as_str)
    }

    /// The values of the client's Secret that are used.
    fn client_values(&self) -> impl Iterator<Item = ClientValue> {
        let signed = self.grant.assertion().map(|_| ClientValue::PrivateKey);
        let values = self.authentication.values().iter();
        values.copied().chain(signed)
    }

    /// The keys in the client's Secret that are used. Of two client secrets, one may be missing.
    pub(crate) fn client_keys(&self) -> impl Iterator<Item = &str> {
        self.client_values().flat_map(|value| self.keys_of(value))
    }

    /// The keys of the client secret, if the client has one and the spec names two keys for it.
    pub(crate) fn two_secret_keys(&self) -> Option<(&str, &str)> {
        let has_secret = self.authentication.values().contains(&ClientValue::Secret);
        let keys = self.source.client_secret_key.split_once(',');
        keys.filter(|_| has_secret)
    }

    /// The name of the target of a `CubeCredential` with this name.
    #[must_use]
    pub(crate) fn target_name(name: &str, spec: &CubeCredentialSpec) -> String {
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

    /// The name of the record of a `CubeCredential` with this name. No default name of a target or state ends like it.
    #[must_use]
    pub(crate) fn record_name(name: &str) -> String {
        format!("{name}-cube-record")
    }

    /// Returns whether the target is deleted with the `CubeCredential`.
    #[must_use]
    pub(crate) fn owns_target(&self) -> bool {
        self.target.deletion_policy != Some(DeletionPolicy::Retain)
    }

    /// Returns whether the state is deleted with the `CubeCredential`. Its refresh token is all that is left of a sign-in, so the
    /// spec has to say so: neither a new name nor an uninstalled CRD may cost a login.
    #[must_use]
    pub(crate) fn owns_state(&self) -> bool {
        self.target.deletion_policy == Some(DeletionPolicy::Delete)
    }
}

/// A server may take a parameter from the query or from the form.
fn endpoint(url: &str) -> Result<Endpoint, SettingsError> {
    let endpoint = Endpoint::parse(url)?;
    let mut names = endpoint.url().query_pairs().map(|(name, _)| name);
    match names.find(|name| parameters::is_reserved(name)) {
        Some(name) => Err(SettingsError::QueryReserved(name.into_owned())),
        None => Ok(endpoint),
    }
}

fn parameters(spec: &CubeCredentialSpec) -> Result<BTreeMap<String, String>, SettingsError> {
    for name in spec.parameters.keys() {
        if !parameters::is_name(name) {
            return Err(SettingsError::ParameterName(name.clone()));
        }
        if parameters::is_reserved(name) {
            return Err(SettingsError::ParameterReserved(name.clone()));
        }
    }
    let mut parameters = spec.parameters.clone();
    parameters.extend(refresh_scope(spec)?.map(|scopes| ("scope".to_owned(), scopes)));
    Ok(parameters)
}

/// The scope parameter of a refresh. The order of the list does not matter.
fn refresh_scope(spec: &CubeCredentialSpec) -> Result<Option<String>, SettingsError> {
    let mut scopes = spec.refresh_scopes.clone();
    if scopes.is_empty() {
        return Ok(None);
    }
    if spec.grant != api::Grant::RefreshToken {
        return Err(SettingsError::RefreshScopesMismatch);
    }
    scopes.sort();
    Ok(Some(scopes.join(" ")))
}

/// Kubernetes itself, and its add-ons, act on Secrets of their own types: a token in one of them could become a credential of the
/// cluster. The types for other credentials are allowed with the keys that they demand, which only templates can bring.
fn target(spec: &CubeCredentialSpec) -> Result<TargetSpec, SettingsError> {
    let target = &spec.target;
    let r#type = &target.r#type;
    let domain = r#type.split_once('/').map_or("", |(domain, _)| domain);
    let of_kubernetes = domain == "kubernetes.io" || domain.ends_with(".kubernetes.io");
    match SecretType::named(r#type) {
        None if of_kubernetes => Err(SettingsError::TargetType(r#type.clone())),
        None => Ok(target.clone()),
        Some(of) => match of.missing_key(|key| target.data.contains_key(key)) {
            Some(key) => Err(SettingsError::TargetData { of, key }),
            None => Ok(target.clone()),
        },
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
