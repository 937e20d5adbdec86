//! The needs of a sign-in, read before the person signs in.

use kube::Api;
use secrecy::SecretString;

use super::flags::Request;
use crate::{
    api::{CubeCredential, CubeCredentialSpec, ProviderKind, RefreshTokenRef},
    clock::now,
    cluster::{Context as ClusterContext, Watched},
    oauth::{
        authorization::{CodeRequest, ExpectedIssuer},
        client::TokenClient,
        discovery::Metadata,
        endpoint::Endpoint,
        parameters,
    },
    plugin::{
        Context,
        cluster::Cluster,
        error::{PluginError, Result},
        metadata, operator_bundle,
        rights::Right,
    },
    providers::Preset,
    reconcile::{Inspection, Memory, Observed, Read, Settings, SignIn, absorb},
};

/// The source of the authorization endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The person named it, or its issuer.
    Person,
    /// It is the endpoint of a known provider.
    Preset,
    /// The author of the spec named it.
    Spec,
}

/// A sign-in that only the person and the provider can refuse.
pub(super) struct Prepared {
    pub(super) cluster: Cluster,
    pub(super) credential: CubeCredential,
    pub(super) settings: Settings,
    pub(super) sign_in: SignIn,
    /// The key that the refresh token goes into.
    pub(super) initial: RefreshTokenRef,
    pub(super) authorization: Endpoint,
    /// The source of the authorization endpoint.
    pub(super) origin: Origin,
    pub(super) issuer: ExpectedIssuer,
    pub(super) scopes: Vec<String>,
    pub(super) tokens: TokenClient,
}

/// Reads the `CubeCredential`, the Secrets that it names, and the metadata of the issuer.
pub(super) async fn prepare(
    context: &Context,
    cluster: &Cluster,
    request: &Request<'_>,
) -> Result<Prepared> {
    let name = request.name;
    let credential = cluster.credential(name).await?;
    let tokens = TokenClient::new(request.browser.networks());
    let observed = observe(context, cluster, &credential, (request, &tokens)).await?;
    let inspection = Inspection::of(&observed, now());
    let inspection = inspection.map_err(|unusable| PluginError::new(unusable.to_string()))?;
    let settings = inspection.settings().clone();
    let Some(initial) = settings.grant.refresh_token().cloned() else {
        return Err(PluginError::new(format!(
            "CubeCredential \"{name}\" has grant {}, which needs no sign-in: a sign-in is for grant RefreshToken",
            settings.grant.spec_name()
        )));
    };
    let sign_in = inspection.sign_in();
    let sign_in = sign_in.map_err(|finding| PluginError::new(finding.to_string()))?;
    no_parameter_is_set_by_login(&settings)?;
    let metadata = match request.issuer {
        Some(issuer) => {
            let trusted = sign_in.ca_bundle.as_ref();
            let found = metadata::of(context, &tokens, issuer, trusted).await?;
            Some(of_this_endpoint(found, issuer, &settings)?)
        }
        None => None,
    };
    let spec = effective(&settings, &credential.spec);
    let (authorization, origin) = authorization_endpoint(&spec, metadata.as_ref(), request)?;
    let issuer = match (request.issuer, &metadata) {
        (Some(issuer), Some(metadata)) => ExpectedIssuer::Known {
            issuer: issuer.to_owned(),
            always: metadata.redirects_name_issuer,
        },
        _ => ExpectedIssuer::OnHostOf(vec![authorization.clone(), settings.endpoint.clone()]),
    };
    Ok(Prepared {
        cluster: cluster.clone(),
        issuer,
        origin,
        scopes: scopes(&spec),
        credential,
        settings,
        sign_in,
        initial,
        authorization,
        tokens,
    })
}

/// The spec with the fields of the provider object that it names, if it names one.
pub(super) fn effective(settings: &Settings, spec: &CubeCredentialSpec) -> CubeCredentialSpec {
    match &settings.provider {
        Some(used) => used.effective(spec),
        None => spec.clone(),
    }
}

async fn observe(
    context: &Context,
    cluster: &Cluster,
    credential: &CubeCredential,
    (request, tokens): (&Request<'_>, &TokenClient),
) -> Result<Observed> {
    let object = Watched(Ok(credential.clone()));
    let snapshot = vec![object.clone()];
    let client = cluster.client.clone();
    let seen = ClusterContext::snapshot(client, snapshot, tokens.clone(), None, false);
    let errors = seen.read_providers(ProviderKind::ALL).await;
    // Only a provider that the spec names is read.
    if let (Some(error), Some(named)) = (errors.into_iter().next(), &credential.spec.provider_ref) {
        return Err(Right::to_provider(named, &cluster.namespace).explain(error));
    }
    let flag = request.browser.operator_namespace.as_deref();
    read_bundle(context, cluster, &seen, flag).await?;
    let mut observed = seen.observe(&object, Memory::default());
    let Ok(settings) = &observed.settings else {
        return Ok(observed);
    };
    if settings.service_account.is_some() {
        return Err(PluginError::new(format!(
            "CubeCredential \"{}\" authenticates with a token of a ServiceAccount, which only the operator requests: `kubectl cube login` \
             cannot sign in with it",
            settings.name
        )));
    }
    let mut reads = vec![Read::source(settings, &observed.source)];
    reads.extend(Read::ca_bundle(settings));
    reads.extend(Read::seed(settings, &observed.seed));
    for read in reads {
        let outcome = seen.read(read, &observed.credential).await?;
        absorb(&mut observed, outcome, now());
    }
    Ok(observed)
}

/// Reads the ConfigMap with the CA certificates of the provider object, if it names one.
async fn read_bundle(
    context: &Context,
    cluster: &Cluster,
    seen: &ClusterContext,
    flag: Option<&str>,
) -> Result {
    let unread = seen.unread_bundles();
    let Some(reference) = unread.first() else {
        return Ok(());
    };
    let namespace = operator_bundle::namespace(context, cluster, flag, reference).await?;
    let mut errors = seen
        .read_operator_bundles(Some(&namespace))
        .await
        .into_iter();
    match errors.next() {
        Some(error) => Err(operator_bundle::unreadable(error, &namespace, reference)),
        None => Ok(()),
    }
}

/// The metadata, if the server that it describes issues the tokens: the code must not go to another one.
fn of_this_endpoint(found: Metadata, issuer: &str, settings: &Settings) -> Result<Metadata> {
    let named = found.token_endpoint.without_query();
    if named == settings.endpoint.without_query() {
        return Ok(found);
    }
    Err(PluginError::new(format!(
        "issuer {issuer} has token endpoint {named}, and the spec names another one: correct {}, or leave --issuer out",
        settings.url_field()
    )))
}

/// The place of the sign-in. If the person and the spec name two, one of them is a mistake.
pub(super) fn authorization_endpoint(
    spec: &CubeCredentialSpec,
    metadata: Option<&Metadata>,
    request: &Request<'_>,
) -> Result<(Endpoint, Origin)> {
    let of_spec = spec.authorization_url.as_deref();
    let of_spec = of_spec.map(|url| (url, Origin::Spec));
    let preset = spec
        .provider
        .map(Preset::of)
        .and_then(|preset| preset.authorization_url);
    let of_spec = of_spec.or(preset.map(|url| (url, Origin::Preset)));
    let found = metadata.and_then(|found| found.authorization_endpoint.as_ref());
    let named = match (found, request.authorization_url) {
        (Some(found), _) => Some(found.clone()),
        (None, Some(url)) => Some(parsed(url)?),
        (None, None) => None,
    };
    match (named, of_spec) {
        (Some(named), None) => Ok((named, Origin::Person)),
        // The query of the spec's is kept: some providers need a parameter there.
        (Some(named), Some((url, _))) if parsed(url)?.without_query() == named.without_query() => {
            Ok((parsed(url)?, Origin::Person))
        }
        (Some(named), Some((url, _))) => Err(PluginError::new(format!(
            "CubeCredential \"{}\" signs in at {}, and you have named {}: correct spec.authorizationURL, or leave the flag out",
            request.name,
            parsed(url)?.without_query(),
            named.without_query()
        ))),
        (None, Some((url, origin))) => Ok((parsed(url)?, origin)),
        (None, None) => Err(PluginError::new(format!(
            "CubeCredential \"{}\" has no spec.authorizationURL, and its provider has no known one: set the field, or add --issuer or \
             --login-url",
            request.name
        ))),
    }
}

fn parsed(url: &str) -> Result<Endpoint> {
    let bad = |error: &str| {
        PluginError::new(format!(
            "the sign-in cannot begin: the authorization URL {error}"
        ))
    };
    let endpoint = Endpoint::parse(url).map_err(|error| bad(&error.to_string()))?;
    let mut names = endpoint.url().query_pairs().map(|(name, _)| name);
    match names.find(|name| parameters::is_set_by_login(name)) {
        Some(name) => Err(bad(&format!(
            "has parameter {name:?}, which a sign-in sets itself"
        ))),
        None => Ok(endpoint),
    }
}

/// A server may take the last of two parameters.
pub(super) fn no_parameter_is_set_by_login(settings: &Settings) -> Result {
    let mut names = settings.parameters.keys();
    match names.find(|name| parameters::is_set_by_login(name)) {
        Some(name) => Err(PluginError::new(format!(
            "the sign-in cannot begin: spec.parameters has {name:?}, which a sign-in sets itself; remove it"
        ))),
        None => Ok(()),
    }
}

fn scopes(spec: &CubeCredentialSpec) -> Vec<String> {
    if !spec.scopes.is_empty() {
        return spec.scopes.clone();
    }
    let preset = spec.provider.map(Preset::of);
    let preset = preset.map_or(&[][..], |preset| preset.sign_in_scopes);
    preset.iter().map(|&scope| scope.to_owned()).collect()
}

impl Prepared {
    /// The name of the `CubeCredential`.
    pub(super) fn name(&self) -> &str {
        self.credential.metadata.name.as_deref().unwrap_or_default()
    }

    /// The remedy of a sign-in that has to be repeated.
    pub(super) fn again(&self) -> String {
        let (name, namespace) = (self.name(), &self.cluster.namespace);
        format!("run `kubectl cube login {name} -n {namespace}` again")
    }

    /// Checks that this is the `CubeCredential` that was prepared, with the same spec: another one may send the token elsewhere.
    pub(super) fn must_be_of(&self, current: &CubeCredential) -> Result {
        let (before, current) = (&self.credential.metadata, &current.metadata);
        if before.uid == current.uid && before.generation == current.generation {
            return Ok(());
        }
        Err(PluginError::new(format!(
            "CubeCredential \"{}\" was changed while you signed in, so no token was requested: {}",
            self.name(),
            self.again()
        )))
    }

    /// The Secrets of the namespace.
    pub(super) fn secrets(&self) -> Api<k8s_openapi::api::core::v1::Secret> {
        Api::namespaced(self.cluster.client.clone(), &self.cluster.namespace)
    }

    /// The request for the tokens of this code.
    pub(super) fn code_request(
        &self,
        code: SecretString,
        verifier: SecretString,
        redirect_uri: &str,
    ) -> CodeRequest {
        CodeRequest {
            endpoint: self.settings.endpoint.clone(),
            authentication: self.sign_in.authentication.clone(),
            code,
            redirect_uri: redirect_uri.to_owned(),
            verifier,
            parameters: self.settings.parameters.clone(),
            ca_bundle: self.sign_in.ca_bundle.clone(),
        }
    }
}
