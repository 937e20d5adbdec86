//! The name of a `CubeCredential` that does not exist yet.

use super::flags::Create;
use crate::{
    kubernetes::error::call,
    plugin::{
        Context,
        cluster::Cluster,
        error::{PluginError, Result},
    },
};

/// Returns whether no `CubeCredential` has this name yet, or it may be changed. A person is asked for nothing before that.
pub(super) async fn must_be_free(context: &Context, flags: &Create, name: &str) -> Result {
    if flags.overwrite {
        return Ok(());
    }
    let cluster = Cluster::connect(context).await?;
    let namespace = &cluster.namespace;
    let object = format!("CubeCredential {namespace}/{name}");
    let api = cluster.credentials();
    let found = call("get", object, api.get_metadata_opt(name));
    match found.await? {
        Some(_) => Err(taken(name, namespace)),
        None => Ok(()),
    }
}

/// The error about a `CubeCredential` that exists.
pub(super) fn taken(name: &str, namespace: &str) -> PluginError {
    PluginError::new(format!(
        "CubeCredential \"{name}\" exists in namespace {namespace}: change it with --overwrite, or choose another name; nothing was \
         created"
    ))
}
