//! The provider object of a spec that names one, or the reason why it cannot be used.

use std::sync::Arc;

use super::{
    ca::ProviderCa, flaw::ProviderFlaw, found::FoundProvider, interval::RequestInterval,
    object::ProviderObject,
};
use crate::{
    api::{CubeCredentialSpec, Grant, Provider, ProviderRef},
    oauth::ca_bundle::TrustedCa,
    reconcile::settings::error::SettingsError,
};

/// The token endpoint of settings whose provider cannot be used. Nothing is sent there: the name resolves nowhere (RFC 6761).
const UNRESOLVED: &str = "https://provider.invalid/";

/// The provider object of a spec that names one.
#[derive(Clone, Debug)]
pub struct ProviderUse {
    reference: ProviderRef,
    found: Result<Arc<ProviderObject>, ProviderFlaw>,
}

impl ProviderUse {
    /// The use of the provider object that was found for a reference in this namespace.
    pub(in crate::reconcile) fn new(
        reference: &ProviderRef,
        namespace: &str,
        found: FoundProvider,
    ) -> Self {
        let named = || (reference.kind, reference.name.clone());
        let found = match found {
            FoundProvider::Unlisted => Err(ProviderFlaw::Unlisted),
            FoundProvider::Unwatched => Err(ProviderFlaw::Unwatched(reference.kind)),
            FoundProvider::Unused => Err(ProviderFlaw::Unused(reference.kind)),
            FoundProvider::Absent => {
                let (kind, name) = named();
                Err(ProviderFlaw::Absent { kind, name })
            }
            FoundProvider::Present(Err(why)) => {
                let (kind, name) = named();
                Err(ProviderFlaw::Unusable { kind, name, why })
            }
            FoundProvider::Present(Ok(object))
                if object.allows(namespace) && object.waits_for_its_bundle() =>
            {
                Err(ProviderFlaw::Unlisted)
            }
            FoundProvider::Present(Ok(object))
                if object.allows(namespace) && object.token_url.is_none() =>
            {
                let (kind, name) = named();
                let failed = object.discovery_failed;
                Err(ProviderFlaw::Undiscovered { kind, name, failed })
            }
            FoundProvider::Present(Ok(object)) if object.allows(namespace) => Ok(object),
            FoundProvider::Present(Ok(_)) => Err(ProviderFlaw::NotAllowed {
                name: reference.name.clone(),
                namespace: namespace.to_owned(),
            }),
        };
        Self {
            reference: reference.clone(),
            found,
        }
    }

    /// The spec with the provider's fields and defaults in it.
    #[must_use]
    pub(crate) fn effective(&self, spec: &CubeCredentialSpec) -> CubeCredentialSpec {
        let spec = match &self.found {
            Ok(object) => object.merged(spec),
            Err(_) => without_provider(spec),
        };
        CubeCredentialSpec {
            provider: Some(Provider::Custom),
            provider_ref: None,
            ..spec
        }
    }

    /// The reason why it cannot be used, if so.
    pub(crate) fn flaw(&self) -> Option<&ProviderFlaw> {
        self.found.as_ref().err()
    }

    /// The spec with the fields of a provider that can be used does not make sense.
    pub(in crate::reconcile) fn does_not_fit(&mut self, why: SettingsError) {
        let ProviderRef { kind, name } = self.reference.clone();
        let why = Box::new(why);
        self.found = Err(ProviderFlaw::Unfit { kind, name, why });
    }

    /// The version of its fields that a token depends on.
    pub(in crate::reconcile) fn version(&self) -> Option<&str> {
        let object = self.found.as_ref().ok()?;
        Some(&object.version)
    }

    /// The CA certificates that it brings, if they are known.
    pub(in crate::reconcile) fn ca(&self) -> Option<&TrustedCa> {
        self.found.as_ref().ok()?.ca.trusted()
    }

    /// The field with its CA certificates, if it has some.
    pub(in crate::reconcile) fn ca_field(&self) -> Option<&'static str> {
        let object = self.found.as_ref().ok()?;
        match (&object.ca, object.bundle()) {
            (ProviderCa::None, _) => None,
            (_, None) => Some("caBundle"),
            (_, Some(_)) => Some("caBundleRef"),
        }
    }

    /// The ConfigMap with its CA certificates, if it names one.
    pub(in crate::reconcile) fn ca_config_map(&self) -> Option<&str> {
        let bundle = self.found.as_ref().ok()?.bundle()?;
        Some(&bundle.name)
    }

    /// The time between two token requests of one client, if it sets one.
    pub(in crate::reconcile) fn request_interval(&self) -> Option<RequestInterval> {
        self.found.as_ref().ok()?.request_interval
    }

    /// The sentence for people.
    pub(in crate::reconcile) fn description(&self) -> Option<&str> {
        self.found.as_ref().ok()?.description.as_deref()
    }

    /// The field that says where its token endpoint is.
    pub(in crate::reconcile) fn endpoint_field(&self) -> &'static str {
        if self.is_discovered() {
            "issuer"
        } else {
            "tokenURL"
        }
    }

    /// Returns whether the metadata of its issuer named the token endpoint, which nobody has written then.
    pub(in crate::reconcile) fn is_discovered(&self) -> bool {
        let object = self.found.as_ref().ok();
        object.is_some_and(|object| object.discovery.is_some())
    }

    /// Its kind and name.
    pub(in crate::reconcile) fn reference(&self) -> &ProviderRef {
        &self.reference
    }

    /// Its kind and name, for messages.
    pub(crate) fn shown(&self) -> String {
        let ProviderRef { kind, name } = &self.reference;
        format!("{} {name:?}", kind.name())
    }
}

/// The spec alone. Without a method of authentication, nobody knows yet which fields belong to it; the private key belongs to grant
/// `JWTBearer` with any method.
fn without_provider(spec: &CubeCredentialSpec) -> CubeCredentialSpec {
    let mut spec = CubeCredentialSpec {
        token_url: Some(UNRESOLVED.into()),
        ..spec.clone()
    };
    if spec.client_authentication.is_none() {
        spec.client_assertion = None;
        if let Some(source) = &mut spec.client_secret_ref {
            source.certificate_key = None;
            if spec.grant != Grant::JwtBearer {
                source.private_key_key = None;
            }
        }
    }
    spec
}
