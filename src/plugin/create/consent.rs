//! The consent of the owners of objects that exist: the Secret of a client, and the Secret or the ServiceAccount of a subject.

use std::fmt::Debug;

use k8s_openapi::{
    NamespaceResourceScope,
    api::core::v1::{Secret, ServiceAccount},
};
use kube::{Api, Resource, core::ObjectMeta};
use serde::de::DeserializeOwned;

use super::draft::Draft;
use crate::{
    api::{annotation, label},
    kubernetes::error::call,
    oauth::hosts::HostList,
    plugin::{
        cluster::Cluster,
        error::{PluginError, Result},
    },
    reconcile::{Holder, SubjectToken, ca_entry},
};

/// Returns whether the subject's token can be used, with the grant that exchanges one.
pub(super) async fn subject(cluster: &Cluster, draft: &Draft) -> Result {
    let Some(exchange) = draft.settings.grant.token_exchange() else {
        return Ok(());
    };
    let (holder, found) = match &exchange.subject_token {
        SubjectToken::Secret(token) => {
            let found = metadata::<Secret>(cluster, "Secret", &token.name);
            (Holder::Secret(token.name.clone()), found.await?)
        }
        SubjectToken::ServiceAccount(account) => {
            let name = &account.service_account;
            let found = metadata::<ServiceAccount>(cluster, "ServiceAccount", name);
            (Holder::ServiceAccount(name.clone()), found.await?)
        }
    };
    let found = found.ok_or_else(|| {
        PluginError::new(format!(
            "{holder} not found in namespace {}: create it, or name the one with the subject token; nothing was created",
            cluster.namespace
        ))
    })?;
    must_be_usable(draft, &cluster.namespace, &holder, &found)
}

async fn metadata<K>(cluster: &Cluster, kind: &str, name: &str) -> Result<Option<ObjectMeta>>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + Debug
        + DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let object = format!("{kind} {}/{name}", cluster.namespace);
    let found = call("get the metadata of", object, api.get_metadata_opt(name)).await?;
    Ok(found.map(|found| found.metadata))
}

/// The consent of the owner of an existing object.
pub(super) fn must_be_usable(
    draft: &Draft,
    namespace: &str,
    holder: &Holder,
    meta: &ObjectMeta,
) -> Result {
    let labels = meta.labels.as_ref();
    if !labels.is_some_and(|labels| label::is_set(labels, label::CREDENTIAL)) {
        return Err(PluginError::new(format!(
            "{holder} is missing label {label}=true; its owner can add it: `kubectl label {kind} {name} -n {namespace} {label}=true`",
            label = label::CREDENTIAL,
            kind = holder.kubectl_kind(),
            name = holder.name(),
        )));
    }
    let annotation = |name| meta.annotations.as_ref()?.get(name).map(String::as_str);
    let Some(hosts) = annotation(annotation::TOKEN_HOSTS) else {
        return Ok(());
    };
    let endpoint = &draft.settings.endpoint;
    match HostList::parse(hosts) {
        Ok(hosts) if hosts.allows(endpoint) => {}
        _ => {
            return Err(PluginError::new(format!(
                "{holder} may not be sent to {}: its owner can add that host to its annotation {}",
                endpoint.authority(),
                annotation::TOKEN_HOSTS
            )));
        }
    }
    let permitted = annotation(annotation::TOKEN_CA);
    must_permit_ca(draft, namespace, holder, permitted)
}

/// Where a list of hosts applies, the author's CA would decide which server may pose as a host on it.
fn must_permit_ca(
    draft: &Draft,
    namespace: &str,
    holder: &Holder,
    permitted: Option<&str>,
) -> Result {
    let Some(entry) = ca_entry(&draft.settings) else {
        return Ok(());
    };
    let mut entries = permitted.unwrap_or_default().split(',').map(str::trim);
    if entries.any(|permitted| permitted == entry) {
        return Ok(());
    }
    let remedy = match permitted {
        Some(_) => format!("add {entry} to its annotation {}", annotation::TOKEN_CA),
        None => format!(
            "run `kubectl annotate {} {} -n {namespace} {}={entry}`",
            holder.kubectl_kind(),
            holder.name(),
            annotation::TOKEN_CA
        ),
    };
    Err(PluginError::new(format!(
        "{holder} does not allow the CAs of {entry}: its owner can {remedy}"
    )))
}
