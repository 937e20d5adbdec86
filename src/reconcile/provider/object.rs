//! A provider object as far as it is known: its content, and the spec that follows from it.

use std::{collections::BTreeMap, sync::Arc};

use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use super::{
    bundle::ConfigMapPlace, ca::ProviderCa, discovery::Discovery, flaw::Unusable,
    interval::RequestInterval,
};
#[cfg(feature = "plugin")]
use crate::api::ProviderEndpoints;
use crate::{
    api::{
        ClientAuthentication, ClusterCubeProviderSpec, ConfigMapBundleRef, CubeCredentialSpec,
        CubeProviderSpec, Grant, ProviderReason, ProviderStatus, SystemRoots,
    },
    oauth::{
        ca_bundle::{CaCertificates, TrustedCa},
        endpoint::Endpoint,
        parameters,
    },
    reconcile::digest::{Fields, hex},
};

/// A provider object that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderObject {
    /// `None`: the metadata of the issuer was not read yet.
    pub(super) token_url: Option<String>,
    /// The way to the endpoints of an object with an issuer.
    pub(super) discovery: Option<Discovery>,
    /// True if no endpoint is known because of a failure.
    pub(super) discovery_failed: bool,
    pub(super) authorization_url: Option<String>,
    client_authentication: Option<ClientAuthentication>,
    scopes: Vec<String>,
    parameters: BTreeMap<String, String>,
    pub(super) ca: ProviderCa,
    /// The ConfigMap with its CA certificates, if it names one.
    bundle: Option<ConfigMapBundleRef>,
    system_roots: SystemRoots,
    assumed_lifetime: Option<String>,
    pub(super) request_interval: Option<RequestInterval>,
    pub(super) description: Option<String>,
    /// The namespaces that a `ClusterCubeProvider` allows.
    namespaces: Option<Vec<String>>,
    /// A hash of the fields that a token depends on. Two objects with the same fields have the same, so that neither another name
    /// nor a new object in place of a deleted one replaces a token.
    pub(super) version: String,
}

/// A provider object that was read, or the reason why it cannot be used.
pub type ReadProvider = Result<Arc<ProviderObject>, Unusable>;

/// A provider object as the API server has it.
#[derive(Clone, Debug)]
pub struct ShownProvider {
    /// The uid of the object: another one may have the same name later.
    pub uid: String,
    /// The resourceVersion that it was shown in.
    pub version: String,
    /// The generation of its spec.
    pub generation: i64,
    /// The object, if it can be used.
    pub object: ReadProvider,
    /// The ConfigMap that it names, in the namespace of this operator.
    pub bundle: Option<ConfigMapPlace>,
    /// The status that it has.
    pub status: ProviderStatus,
}

impl ProviderObject {
    /// Reads a `CubeProvider`.
    ///
    /// # Errors
    /// Names the field that cannot be used. The API server checks most of it at admission.
    pub fn of_namespace(spec: CubeProviderSpec, status: &ProviderStatus) -> Result<Self, Unusable> {
        Self::read(spec, status, None, None)
    }

    /// Reads a `ClusterCubeProvider`.
    ///
    /// # Errors
    /// The same.
    pub fn of_cluster(
        spec: ClusterCubeProviderSpec,
        status: &ProviderStatus,
    ) -> Result<Self, Unusable> {
        let (namespaces, bundle) = (Some(spec.namespaces), spec.ca_bundle_ref);
        Self::read(spec.provider, status, namespaces, bundle)
    }

    fn read(
        spec: CubeProviderSpec,
        status: &ProviderStatus,
        namespaces: Option<Vec<String>>,
        bundle: Option<ConfigMapBundleRef>,
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
        let interval = spec.token_request_interval.as_ref();
        let interval = interval.map(|text| RequestInterval::read(text, namespaces.is_some()));
        let ca = ProviderCa::of(&spec, bundle.as_ref())?;
        let discovery = match (&spec.token_url, &spec.issuer) {
            (Some(_), None) => None,
            (None, Some(issuer)) => Some(Discovery::of(issuer, &spec, ca.trusted())?),
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
            bundle,
            system_roots: spec.system_roots.unwrap_or_default(),
            assumed_lifetime: spec.assumed_lifetime,
            request_interval: interval.transpose()?,
            description: spec.description,
            namespaces,
            version: hex(&Sha256::digest(fields.into_bytes())[..8]),
        })
    }

    /// The ConfigMap with its CA certificates, if it names one.
    #[must_use]
    pub(crate) fn bundle(&self) -> Option<&ConfigMapBundleRef> {
        self.bundle.as_ref()
    }

    /// The field for its CA certificates, for remedies.
    pub(in crate::reconcile) fn ca_field(&self) -> &'static str {
        match self.bundle {
            Some(_) => "the ConfigMap of spec.caBundleRef",
            None => "spec.caBundle",
        }
    }

    /// Returns whether the ConfigMap with its CA certificates was not read yet. Nothing may be sent before that.
    #[must_use]
    pub(crate) fn waits_for_its_bundle(&self) -> bool {
        self.ca == ProviderCa::Unread
    }

    /// The object with the certificates of its ConfigMap.
    #[must_use]
    pub(crate) fn with_bundle(&self, certificates: &Arc<CaCertificates>) -> Self {
        let trusted = TrustedCa {
            certificates: Arc::clone(certificates),
            system_roots: self.system_roots,
        };
        let discovery = self.discovery.clone();
        Self {
            discovery: discovery.map(|way| way.trusting(&trusted)),
            ca: ProviderCa::Trusted(trusted),
            ..self.clone()
        }
    }

    #[cfg(feature = "plugin")]
    pub(super) fn without_bundle(&self) -> Self {
        Self {
            ca: ProviderCa::Unseen,
            ..self.clone()
        }
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

    /// Its interval, if it is one of a namespace that has no effect because this one of the operator is longer.
    pub(in crate::reconcile) fn shorter_interval_than(
        &self,
        operator: SignedDuration,
    ) -> Option<SignedDuration> {
        match self.request_interval? {
            RequestInterval::Besides(own) if own < operator => Some(own),
            RequestInterval::Besides(_) | RequestInterval::InPlace(_) => None,
        }
    }

    /// Returns whether the `CubeCredentials` of this namespace may use it.
    pub(super) fn allows(&self, namespace: &str) -> bool {
        let matches = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => namespace.starts_with(start),
            None => pattern == namespace,
        };
        let namespaces = self.namespaces.as_ref();
        namespaces.is_none_or(|patterns| patterns.iter().any(matches))
    }

    /// The spec with this object's defaults.
    pub(super) fn merged(&self, spec: &CubeCredentialSpec) -> CubeCredentialSpec {
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

fn check_token_url(url: &str) -> Result<(), Unusable> {
    let endpoint = Endpoint::parse(url)?;
    let mut query = endpoint.url().query_pairs().map(|(name, _)| name);
    match query.find(|name| parameters::is_reserved(name)) {
        Some(name) => Err(Unusable::QueryReserved(name.into_owned())),
        None => Ok(()),
    }
}
