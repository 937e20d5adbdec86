//! The rights that `create` needs, asked for before anything is written.

use futures::future::try_join_all;
use k8s_openapi::api::authorization::v1::ResourceAttributes;

use super::draft::Draft;
use crate::{
    api::GROUP,
    kubernetes::access::may,
    plugin::{
        cluster::Cluster,
        error::{PluginError, Result},
    },
};

/// Checks the rights of the person.
///
/// # Errors
/// Names the verbs and the resource that the person has no right to.
pub(super) async fn check(cluster: &Cluster, draft: &Draft) -> Result {
    let secrets: &[&str] = if draft.client.is_some() || draft.needs_sign_in() {
        &["get", "create", "patch"]
    } else {
        &["get"]
    };
    let secrets = secrets.iter().map(|verb| ("", "secrets", *verb));
    let credentials = ["get", "create", "patch"].map(|verb| (GROUP, "cubecredentials", verb));
    let asked = secrets
        .chain(credentials)
        .map(async |(group, resource, verb)| {
            let right = ResourceAttributes {
                group: Some(group.to_owned()),
                resource: Some(resource.to_owned()),
                verb: Some(verb.to_owned()),
                namespace: Some(cluster.namespace.clone()),
                ..ResourceAttributes::default()
            };
            let allowed = may(&cluster.client, right).await;
            allowed.map(|allowed| (!allowed).then_some((resource, verb)))
        });
    let missing = match try_join_all(asked).await {
        Ok(missing) => missing,
        // A person who may not ask learns it from the request itself.
        Err(error) if error.is_refusal() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let missing: Vec<_> = missing.into_iter().flatten().collect();
    let Some((resource, _)) = missing.first() else {
        return Ok(());
    };
    let verbs = missing
        .iter()
        .filter(|(of, _)| of == resource)
        .map(|(_, verb)| *verb);
    Err(PluginError::new(format!(
        "you may not {} {resource} in namespace {}: ask for the role edit there; nothing was created",
        verbs.collect::<Vec<_>>().join(", "),
        cluster.namespace
    )))
}
