//! The provider object that a spec names: its content, and the spec that follows from both.
//!
//! Everything behind [`Settings`](super::settings::Settings) sees the effective spec only, so a change of a provider is what a
//! change of the spec's own fields is. Where the object cannot be used, the settings say so ([`ProviderFlaw`]), and no request is
//! made: the published token stays as it is, and so does a stored refresh token.

mod discovery;
mod flaw;

use std::{collections::BTreeMap, sync::Arc};

use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use super::{
    digest::{Fields, hex},
    settings::error::SettingsError,
};
#[cfg(feature = "plugin")]
use crate::api::ProviderEndpoints;
use crate::{
    api::{
        ClientAuthentication, ClusterCubeProviderSpec, CubeCredentialSpec, CubeProviderSpec, Grant,
        Provider, ProviderReason, ProviderRef, ProviderStatus,
    },
    oauth::{ca_bundle::CaCertificates, endpoint::Endpoint, parameters},
};
pub use discovery::{Discovery, DiscoveryFailure};
pub use flaw::{ProviderFlaw, Unusable};

/// The token endpoint of settings whose provider cannot be used. Nothing is sent there: the name resolves nowhere (RFC 6761).
const UNRESOLVED: &str = "https://provider.invalid/";

/// A provider object that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderObject {
    /// `None`: the metadata of the issuer was not read yet.
    token_url: Option<String>,
    /// The way to the endpoints of an object with an issuer.
    discovery: Option<Discovery>,
    /// True if no endpoint is known because of a failure.
    discovery_failed: bool,
    authorization_url: Option<String>,
    client_authentication: Option<ClientAuthentication>,
    scopes: Vec<String>,
    parameters: BTreeMap<String, String>,
    ca: Option<Arc<CaCertificates>>,
    assumed_lifetime: Option<String>,
    description: Option<String>,
    /// The namespaces that a `ClusterCubeProvider` allows.
    namespaces: Option<Vec<String>>,
    /// A hash of the fields that a token depends on. Two objects with the same fields have the same, so that neither another name
    /// nor a new object in place of a deleted one replaces a token.
    version: String,
}

/// A provider object as the API server has it.
#[derive(Clone, Debug)]
pub struct ShownProvider {
    /// The generation of its spec.
    pub generation: i64,
    /// The object, if it can be used.
    pub object: Result<Arc<ProviderObject>, Unusable>,
    /// The status that it has.
    pub status: ProviderStatus,
}

/// The provider object that a reference leads to, as far as it is known.
#[derive(Clone, Debug)]
pub enum FoundProvider {
    /// The objects were not listed yet.
    Unlisted,
    /// The objects cannot be listed.
    Unwatched,
    /// This operator does not use objects of this kind.
    Unused,
    /// There is no such object.
    Absent,
    /// There is one.
    Present(Result<Arc<ProviderObject>, Unusable>),
}

/// The provider object of a spec that names one.
#[derive(Clone, Debug)]
pub struct ProviderUse {
    reference: ProviderRef,
    found: Result<Arc<ProviderObject>, ProviderFlaw>,
}

impl ProviderObject {
    /// Reads a `CubeProvider`.
    ///
    /// # Errors
    /// Names the field that cannot be used. The API server checks most of it at admission.
    pub fn of_namespace(spec: CubeProviderSpec, status: &ProviderStatus) -> Result<Self, Unusable> {
        Self::read(spec, status, None)
    }

    /// Reads a `ClusterCubeProvider`.
    ///
    /// # Errors
    /// The same.
    pub fn of_cluster(
        spec: ClusterCubeProviderSpec,
        status: &ProviderStatus,
    ) -> Result<Self, Unusable> {
        Self::read(spec.provider, status, Some(spec.namespaces))
    }

    fn read(
        spec: CubeProviderSpec,
        status: &ProviderStatus,
        namespaces: Option<Vec<String>>,
    ) -> Result<Self, Unusable> {
        if let Some(url) = &spec.token_url {
            check_token_url(url)?;
        }
        let bad = |name: &&String| !parameters::is_name(name) || parameters::is_reserved(name);
        if let Some(name) = spec.parameters.keys().find(bad) {
            return Err(Unusable::Parameter(name.clone()));
        }
        // A CubeCredential without a Secret says so itself, or the API server would refuse it.
        if spec.client_authentication == Some(ClientAuthentication::ServiceAccountToken) {
            return Err(Unusable::ServiceAccountToken);
        }
        if let Some(text) = &spec.assumed_lifetime
            && text.parse::<SignedDuration>().is_err()
        {
            return Err(Unusable::AssumedLifetime(text.clone()));
        }
        let ca = spec.ca_bundle.as_deref().map(str::as_bytes);
        let ca = ca.map(CaCertificates::read).transpose()?.map(Arc::new);
        let discovery = match (&spec.token_url, &spec.issuer) {
            (Some(_), None) => None,
            (None, Some(issuer)) => Some(Discovery::of(issuer, &spec, ca.as_ref())?),
            (Some(_), Some(_)) | (None, None) => return Err(Unusable::NoEndpoint),
        };
        let found = discovery.as_ref();
        let found = found.and_then(|discovery| discovery.known(status.endpoints.as_ref()));
        let (token_url, authorization_url) = match found {
            Some(found) => (Some(found.token), found.authorization),
            None => (spec.token_url, None),
        };
        let mut scopes = spec.scopes;
        scopes.sort();
        let mut fields = Fields::default();
        fields.push(token_url.as_deref().unwrap_or_default());
        fields.push(&format!("{:?}", spec.client_authentication));
        fields.push(&scopes.join(" "));
        for (name, value) in &spec.parameters {
            fields.push(name);
            fields.push(value);
        }
        Ok(Self {
            discovery_failed: token_url.is_none() && status.says(ProviderReason::DiscoveryFailed),
            token_url,
            discovery,
            authorization_url: spec.authorization_url.or(authorization_url),
            client_authentication: spec.client_authentication,
            scopes,
            parameters: spec.parameters,
            ca,
            assumed_lifetime: spec.assumed_lifetime,
            description: spec.description,
            namespaces,
            version: hex(&Sha256::digest(fields.into_bytes())[..8]),
        })
    }

    /// The way to its endpoints, if it has an issuer.
    #[must_use]
    pub(crate) fn discovery(&self) -> Option<&Discovery> {
        self.discovery.as_ref()
    }

    /// The way to its endpoints, if they are not known.
    #[cfg(feature = "plugin")]
    pub(crate) fn undiscovered(&self) -> Option<&Discovery> {
        let discovery = self.discovery.as_ref();
        discovery.filter(|_| self.token_url.is_none())
    }

    /// The object with endpoints that were found, for a person who does not wait for the operator.
    #[cfg(feature = "plugin")]
    pub(crate) fn with_endpoints(&self, found: &ProviderEndpoints) -> Self {
        Self {
            token_url: Some(found.token_url.clone()),
            authorization_url: self
                .authorization_url
                .clone()
                .or_else(|| found.authorization_url.clone()),
            ..self.clone()
        }
    }

    /// The token endpoint without its query, if it is known.
    pub(in crate::reconcile) fn shown_endpoint(&self) -> Option<String> {
        let endpoint = Endpoint::parse(self.token_url.as_ref()?);
        Some(endpoint.ok()?.without_query())
    }

    /// Returns whether the `CubeCredentials` of this namespace may use it.
    fn allows(&self, namespace: &str) -> bool {
        let matches = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => namespace.starts_with(start),
            None => pattern == namespace,
        };
        let namespaces = self.namespaces.as_ref();
        namespaces.is_none_or(|patterns| patterns.iter().any(matches))
    }

    /// The spec with this object's defaults.
    fn merged(&self, spec: &CubeCredentialSpec) -> CubeCredentialSpec {
        let mut parameters = self.parameters.clone();
        parameters.extend(spec.parameters.clone());
        let scopes = if spec.scopes.is_empty() {
            &self.scopes
        } else {
            &spec.scopes
        };
        // The assertion of this grant authenticates its client, unless the spec says more.
        let of_provider = self
            .client_authentication
            .filter(|_| spec.grant != Grant::JwtBearer);
        CubeCredentialSpec {
            token_url: self.token_url.clone(),
            authorization_url: self.authorization_url.clone(),
            client_authentication: spec.client_authentication.or(of_provider),
            scopes: scopes.clone(),
            parameters,
            assumed_lifetime: spec
                .assumed_lifetime
                .clone()
                .or(self.assumed_lifetime.clone()),
            ..spec.clone()
        }
    }
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

    /// The CA certificates that it brings.
    pub(in crate::reconcile) fn ca(&self) -> Option<&Arc<CaCertificates>> {
        self.found.as_ref().ok()?.ca.as_ref()
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

fn check_token_url(url: &str) -> Result<(), Unusable> {
    let endpoint = Endpoint::parse(url)?;
    let mut query = endpoint.url().query_pairs().map(|(name, _)| name);
    match query.find(|name| parameters::is_reserved(name)) {
        Some(name) => Err(Unusable::QueryReserved(name.into_owned())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
