//! The part of the settings that a provider object brings.

use super::{Settings, SettingsError};
use crate::{
    api::{CubeCredentialSpec, ProviderRef},
    oauth::ca_bundle::TrustedCa,
    reconcile::provider::{FoundProvider, ProviderFlaw, ProviderUse, RequestInterval},
};

impl Settings {
    /// Reads a spec, with the provider object that was found if it names one.
    ///
    /// # Errors
    /// Names the field and says what to write.
    pub fn with_provider(
        namespace: &str,
        name: &str,
        spec: &CubeCredentialSpec,
        found: FoundProvider,
    ) -> Result<Self, SettingsError> {
        let Some(reference) = &spec.provider_ref else {
            return Self::of_effective(namespace, name, spec);
        };
        no_field_of_provider(spec)?;
        let mut used = ProviderUse::new(reference, namespace, found);
        let read = |used: &ProviderUse| Self::of_effective(namespace, name, &used.effective(spec));
        let settings = match read(&used) {
            Err(error) if used.flaw().is_none() => {
                // The spec's own error comes first. Otherwise the two do not fit together, and a change of either may mend it.
                used.does_not_fit(error);
                read(&used)?
            }
            settings => settings?,
        };
        Ok(Self {
            provider: Some(Box::new(used)),
            ..settings
        })
    }

    /// The reason why the provider object cannot be used, if the spec names one and it cannot.
    pub(crate) fn provider_flaw(&self) -> Option<&ProviderFlaw> {
        self.provider.as_ref()?.flaw()
    }

    /// The version of the provider object's fields that a token depends on, if the spec names one.
    pub(in crate::reconcile) fn provider_version(&self) -> Option<&str> {
        self.provider.as_ref()?.version()
    }

    /// The CA certificates of the provider object, if it has some and they are known.
    pub(in crate::reconcile) fn provider_ca(&self) -> Option<&TrustedCa> {
        self.provider.as_ref()?.ca()
    }

    /// The time between two token requests of one client, if the provider object sets one.
    pub(in crate::reconcile) fn request_interval(&self) -> Option<RequestInterval> {
        self.provider.as_ref()?.request_interval()
    }

    /// The field that sets the time between two token requests of one client, with its value.
    pub(crate) fn interval_field(&self) -> String {
        let set = self.provider.as_ref().zip(self.request_interval());
        match set {
            Some((used, interval)) => {
                let (provider, own) = (used.shown(), interval.duration());
                format!("tokenRequestInterval {own:#} of {provider}")
            }
            None => "the operator's tokenRequestInterval".into(),
        }
    }

    /// The field of the provider object with its CA certificates, if it has some.
    pub(in crate::reconcile) fn provider_ca_field(&self) -> Option<&'static str> {
        self.provider.as_ref()?.ca_field()
    }

    /// The field that has the token endpoint, for remedies.
    pub(crate) fn url_field(&self) -> String {
        match &self.provider {
            Some(used) => format!("{} of {}", used.endpoint_field(), used.shown()),
            None => "spec.tokenURL".into(),
        }
    }

    /// The provider object whose issuer's metadata named the token endpoint, for remedies.
    pub(crate) fn discovered_by(&self) -> Option<String> {
        self.discovered().map(ProviderUse::shown)
    }

    /// The provider object whose issuer's metadata named the token endpoint.
    pub(in crate::reconcile) fn discovery_of(&self) -> Option<&ProviderRef> {
        self.discovered().map(ProviderUse::reference)
    }

    fn discovered(&self) -> Option<&ProviderUse> {
        let used = self.provider.as_deref();
        used.filter(|used| used.is_discovered())
    }

    /// The field that has the CA certificates, for remedies.
    pub(crate) fn ca_field(&self) -> String {
        match &self.provider {
            Some(used) => match used.ca_config_map() {
                Some(name) => format!("ConfigMap {name:?} of {}", used.shown()),
                None => format!("caBundle of {}", used.shown()),
            },
            None => "spec.caBundleRef".into(),
        }
    }
}

/// A provider's endpoints and CAs are its own: otherwise a spec could send a client that was given for one provider elsewhere.
fn no_field_of_provider(spec: &CubeCredentialSpec) -> Result<(), SettingsError> {
    if spec.provider.is_some() {
        return Err(SettingsError::ProviderMismatch);
    }
    let fields = [
        ("tokenURL", spec.token_url.is_some()),
        ("authorizationURL", spec.authorization_url.is_some()),
        ("caBundleRef", spec.ca_bundle_ref.is_some()),
    ];
    match fields.into_iter().find(|(_, is_set)| *is_set) {
        Some((field, _)) => Err(SettingsError::FieldOfProvider(field)),
        None => Ok(()),
    }
}
