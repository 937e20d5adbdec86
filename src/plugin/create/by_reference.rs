//! The draft for a provider object, which says where the token comes from.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    client,
    draft::{Draft, Rest, complete, free_name, parameters},
    flags::Create,
    grant,
};
use crate::{
    api::{Grant, ProviderRef},
    clock::now,
    cluster::{read_operator_bundle, read_provider},
    oauth::client::TokenClient,
    plugin::{
        Context,
        cluster::Cluster,
        error::{PluginError, Result},
        metadata, operator_bundle,
        rights::Right,
    },
    reconcile::{FoundProvider, Settings},
};

/// Reads the provider object and the flags, and asks for the client.
pub(super) async fn by_reference(
    context: &Context,
    flags: &Create,
    reference: &ProviderRef,
) -> Result<Draft> {
    let name = free_name(context, flags).await?;
    let cluster = Cluster::connect(context).await?;
    let found = read_provider(&cluster.client, reference, &cluster.namespace).await;
    let right = Right::to_provider(reference, &cluster.namespace);
    let found = found.map_err(|error| right.explain(error))?;
    let found = with_bundle(context, flags, &cluster, found).await?;
    let found = with_endpoints(context, flags, found).await?;
    let grant = flags.grant.unwrap_or_default();
    let of_grant = grant::field(context, &flags.of_grant, grant).await?;
    let existing = client::existing_secret(context, flags, grant).await?;
    let fields = [
        (
            "description",
            flags.description.as_ref().map(|text| json!(text)),
        ),
        ("grant", flags.grant.map(|grant| json!(grant))),
        (
            "refreshTokenRef",
            (grant == Grant::RefreshToken).then(|| json!({"name": format!("{name}-login")})),
        ),
        (
            "clientAuthentication",
            flags.client_authentication.map(|method| json!(method)),
        ),
        (
            "scopes",
            (!flags.scope.is_empty()).then(|| json!(flags.scope)),
        ),
        ("parameters", parameters(flags).map(Value::from)),
        (
            "target",
            flags.target.as_ref().map(|name| json!({"name": name})),
        ),
    ];
    let mut spec = json!({
        "providerRef": reference,
        "clientSecretRef": {"name": existing.clone().unwrap_or_else(|| format!("{name}-client"))},
    });
    if let Some((field, value)) = of_grant {
        spec[field] = value;
    }
    for (field, value) in fields {
        if let Some(value) = value {
            spec[field] = value;
        }
    }
    let unusable = |error: &dyn std::fmt::Display| PluginError::Usage(error.to_string());
    let read = serde_json::from_value(spec.clone()).map_err(|error| unusable(&error))?;
    let settings = Settings::with_provider(&cluster.namespace, &name, &read, found);
    let settings = settings.map_err(|error| unusable(&error))?;
    if let Some(flaw) = settings.provider_flaw() {
        return Err(PluginError::new(format!("nothing was created: {flaw}")));
    }
    let rest = Rest {
        name,
        spec,
        settings,
        authorization_url: None,
    };
    complete(context, flags, existing.is_some(), rest).await
}

/// The CA certificates in the operator's namespace are needed for a request only, which is one for the metadata of an issuer.
async fn with_bundle(
    context: &Context,
    flags: &Create,
    cluster: &Cluster,
    found: FoundProvider,
) -> Result<FoundProvider> {
    let FoundProvider::Present(Ok(object)) = &found else {
        return Ok(found);
    };
    let (Some(reference), Some(_)) = (object.bundle(), object.undiscovered()) else {
        return Ok(found.without_bundle());
    };
    let flag = flags.browser.operator_namespace.as_deref();
    let namespace = operator_bundle::namespace(context, cluster, flag, reference).await?;
    let read = read_operator_bundle(&cluster.client, &namespace, reference).await;
    let read = read.map_err(|error| operator_bundle::unreadable(error, &namespace, reference))?;
    let read = read.map_err(|flaw| PluginError::new(format!("nothing was created: {flaw}")))?;
    let object = object.with_bundle(&read);
    Ok(FoundProvider::Present(Ok(Arc::new(object))))
}

/// The operator reads the metadata of an issuer once a CubeCredential names the object. The first one does not wait for that.
async fn with_endpoints(
    context: &Context,
    flags: &Create,
    found: FoundProvider,
) -> Result<FoundProvider> {
    let FoundProvider::Present(Ok(object)) = &found else {
        return Ok(found);
    };
    let Some(wanted) = object.undiscovered() else {
        return Ok(found);
    };
    let client = TokenClient::new(flags.browser.networks());
    let (issuer, trusted) = (wanted.issuer().as_str(), wanted.trusted());
    let metadata = metadata::of(context, &client, issuer, trusted).await?;
    let endpoints = wanted.endpoints(&metadata, now());
    let endpoints =
        endpoints.map_err(|failure| PluginError::new(format!("nothing was created: {failure}")))?;
    let object = object.with_endpoints(&endpoints);
    Ok(FoundProvider::Present(Ok(Arc::new(object))))
}
