//! The `CubeCredential` objects of a cluster, whichever version wrote them, and those that the arguments of a command name.

use std::future::Future;

use clap::Args;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use serde_json::Value;

use super::{
    Context,
    cluster::{Cluster, MANAGER},
    error::{PluginError, Result},
    names::names,
    object::Object,
    rights::Right,
};
use crate::{
    api_error::{ApiError, Cause},
    kubernetes::{error::call, list},
};

/// The end of a command in a cluster without the definition.
pub(super) const NOT_SERVED: &str =
    "this cluster has no CubeCredentials: install the chart, or apply the CustomResourceDefinition";

/// The `CubeCredentials` that a command is about.
#[derive(Debug, Args)]
pub(super) struct Selection {
    /// The CubeCredentials
    #[arg(value_name = "NAME", required_unless_present = "all", add = names())]
    names: Vec<String>,
    /// All CubeCredentials of the namespace
    #[arg(long, conflicts_with = "names")]
    all: bool,
}

impl Selection {
    /// The names, each once.
    pub(super) async fn names(&self, context: &Context, cluster: &Cluster) -> Result<Vec<String>> {
        let mut names = self.names.clone();
        if self.all {
            let all = cluster.objects(Some(&cluster.namespace)).await?;
            names = all.iter().map(|object| object.name().to_owned()).collect();
            if names.is_empty() {
                let namespace = &cluster.namespace;
                let none = format!("no CubeCredential in namespace {namespace:?}");
                context.terminal.note(&none);
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }
}

/// Does the same with each name, and says of each what became of it.
pub(super) async fn each<F: Future<Output = Result<String>>>(
    context: &Context,
    names: &[String],
    mut act: impl FnMut(String) -> F,
) -> Result {
    let mut failed = 0;
    for name in names {
        match act(name.clone()).await {
            Ok(done) => {
                let line = format!("CubeCredential {name:?} {done}");
                context.terminal.print(&line);
            }
            Err(error) => {
                failed += 1;
                context.terminal.fail(&error);
            }
        }
    }
    // Each failure has been reported already.
    if failed == 0 {
        Ok(())
    } else {
        Err(PluginError::Exit(1))
    }
}

impl Cluster {
    /// The objects of a namespace, or of all, page by page.
    pub(super) async fn objects(&self, namespace: Option<&str>) -> Result<Vec<Object>> {
        let client = self.client.clone();
        let (api, place): (Api<Object>, _) = match namespace {
            Some(namespace) => (
                Api::namespaced(client, namespace),
                format!("in namespace {namespace}"),
            ),
            None => (Api::all(client), "in all namespaces".to_owned()),
        };
        let listed = list::all(&api, &format!("CubeCredentials {place}")).await;
        listed.map_err(|error| explain(error, "list", namespace))
    }

    /// The object of this name.
    pub(super) async fn object(&self, name: &str) -> Result<Object> {
        let api: Api<Object> = Api::namespaced(self.client.clone(), &self.namespace);
        let what = format!("CubeCredential {}/{name}", self.namespace);
        let got = call("get", what, api.get(name)).await;
        got.map_err(|error| self.explain_one(error, "get", name))
    }

    /// Changes these fields of an object and no others.
    pub(super) async fn change(&self, name: &str, fields: &Value) -> Result<Object> {
        let api: Api<Object> = Api::namespaced(self.client.clone(), &self.namespace);
        let what = format!("CubeCredential {}/{name}", self.namespace);
        let parameters = PatchParams {
            field_manager: Some(MANAGER.into()),
            ..PatchParams::default()
        };
        let patch = Patch::Merge(fields);
        let changed = call("patch", what, api.patch(name, &parameters, &patch)).await;
        changed.map_err(|error| self.explain_one(error, "patch", name))
    }

    fn explain_one(&self, error: ApiError, verb: &'static str, name: &str) -> PluginError {
        if error.is_not_found() {
            return self.explain_absent(name, error);
        }
        explain(error, verb, Some(&self.namespace))
    }
}

/// Why a request for objects failed.
fn explain(error: ApiError, verb: &'static str, namespace: Option<&str>) -> PluginError {
    if is_not_served(&error) {
        return PluginError::new(NOT_SERVED);
    }
    Right::new(verb, "cubecredentials", namespace).explain(error)
}

/// Returns whether the kind, or a path, does not exist. The API server gives a code and no reason then.
pub(super) fn is_not_served(error: &ApiError) -> bool {
    matches!(&error.cause, Cause::Status(status) if status.code == 404)
}
