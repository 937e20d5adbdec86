//! The cluster that the kubeconfig names, and the calls that several commands make.

use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};

use super::{
    Context,
    context::Global,
    error::{PluginError, Result},
    kubeconfig,
};
use crate::{api::CubeCredential, api_error::ApiError, kubernetes::error::call};

/// The field manager of what this program writes.
pub(super) const MANAGER: &str = "kubectl-cube";

/// The most changes of others between a look at an object and a change of it. The operator writes a few in a row.
const MOST_CONFLICTS: usize = 10;

/// A cluster, and the namespace to work in.
#[derive(Clone)]
pub(super) struct Cluster {
    pub(super) client: Client,
    pub(super) namespace: String,
}

impl Cluster {
    /// Connects to the context of the kubeconfig. Nothing is sent yet.
    pub(super) async fn connect(context: &Context) -> Result<Self> {
        Self::of(&context.global).await
    }

    /// Connects to what these flags name.
    pub(super) async fn of(global: &Global) -> Result<Self> {
        let config = kubeconfig::config(global).await?;
        let namespace = global.namespace.clone();
        let namespace = namespace.unwrap_or_else(|| config.default_namespace.clone());
        let client = Client::try_from(config)
            .map_err(|error| PluginError::new(format!("the kubeconfig cannot be used: {error}")))?;
        Ok(Self { client, namespace })
    }

    /// The `CubeCredential` objects of the namespace.
    pub(super) fn credentials(&self) -> Api<CubeCredential> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The `CubeCredential` of this name.
    pub(super) async fn credential(&self, name: &str) -> Result<CubeCredential> {
        let object = format!("CubeCredential {}/{name}", self.namespace);
        let got = call("get", object, self.credentials().get(name)).await;
        got.map_err(|error| self.explain_absent(name, error))
    }

    pub(super) fn explain_absent(&self, name: &str, error: ApiError) -> PluginError {
        if !error.is_not_found() {
            return error.into();
        }
        PluginError::new(format!(
            "CubeCredential \"{name}\" not found in namespace \"{0}\": list them with `kubectl get cubecredentials -n {0}`, or \
             create it with `kubectl cube create {name} -n {0}`",
            self.namespace
        ))
    }

    /// Sets the annotations that `change` returns for the present `CubeCredential`, if any. If another client changes the object in
    /// between, `change` is asked again.
    pub(super) async fn annotate_credential(
        &self,
        name: &str,
        change: impl Fn(&CubeCredential) -> Result<Option<Value>>,
    ) -> Result {
        for _ in 0..MOST_CONFLICTS {
            let credential = self.credential(name).await?;
            let Some(annotations) = change(&credential)? else {
                return Ok(());
            };
            let version = credential.metadata.resource_version;
            let metadata = json!({"resourceVersion": version, "annotations": annotations});
            match self.patch(name, &json!({"metadata": metadata})).await {
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(self.explain_absent(name, error)),
                Ok(_) => return Ok(()),
            }
        }
        Err(PluginError::new(format!(
            "CubeCredential \"{name}\" changes all the time: run the command again"
        )))
    }

    async fn patch(
        &self,
        name: &str,
        fields: &Value,
    ) -> std::result::Result<CubeCredential, ApiError> {
        let object = format!("CubeCredential {}/{name}", self.namespace);
        let parameters = PatchParams {
            field_manager: Some(MANAGER.into()),
            ..PatchParams::default()
        };
        let api = self.credentials();
        let patch = Patch::Merge(fields);
        call("patch", object, api.patch(name, &parameters, &patch)).await
    }
}
