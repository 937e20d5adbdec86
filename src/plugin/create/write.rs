//! Writes the objects, after everything that can be refused was tried.

use std::{collections::BTreeSet, fmt::Debug};

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{Patch, PatchParams},
    core::ObjectMeta,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{consent, draft::Draft, free::taken, objects, rights};
use crate::{
    api::{CubeCredential, CubeCredentialSpec, CubeCredentialStatus, annotation},
    api_error::ApiError,
    clock::precisely,
    cluster::convert::request_hash,
    kubernetes::{MUST_NOT_EXIST, error::call},
    plugin::{
        Context,
        cluster::{Cluster, MANAGER},
        error::{PluginError, Result},
    },
    reconcile::Holder,
};

/// The result of writing the objects.
pub(super) struct Written {
    /// The generation of the `CubeCredential`.
    pub(super) generation: i64,
    /// The status of the `CubeCredential` before the change.
    pub(super) before: CubeCredentialStatus,
    /// The hash of the refresh request that was written with a change, as the status repeats it.
    pub(super) request: Option<String>,
}

impl Written {
    /// The sentence that says it.
    pub(super) fn sentence(&self, draft: &Draft, namespace: &str) -> String {
        let done = if self.request.is_some() {
            "Changed"
        } else {
            "Created"
        };
        let secret = match &draft.client {
            Some(_) => format!("Secret \"{}\" and ", draft.client_secret_name()),
            None => String::new(),
        };
        format!(
            "{done} {secret}CubeCredential \"{}\" in namespace {namespace}.",
            draft.name
        )
    }
}

/// One object, and the way to write it.
struct Write<K> {
    api: Api<K>,
    kind: &'static str,
    name: String,
    namespace: String,
    object: Value,
    /// True if the object exists, and may be changed.
    exists: bool,
}

/// Everything that will be written, after everything that can be refused was tried.
pub(super) struct Plan {
    secret: Option<Write<Secret>>,
    credential: Write<CubeCredential>,
    /// The `CubeCredential` that exists, which will be changed.
    found: Option<CubeCredential>,
    /// The `CubeCredential` as it will be.
    result: CubeCredential,
    /// The refresh request that is written with a change.
    request: Option<String>,
    /// The hosts to which the owner of the client's Secret allows it to be sent, if there is a list.
    client_hosts: Option<String>,
}

/// The Secret of the client.
enum ClientSecret {
    /// It exists, and stays as it is.
    Existing(ObjectMeta),
    Planned(Write<Secret>),
}

/// Looks at what exists, and tries both writes without carrying them out.
pub(super) async fn plan(cluster: &Cluster, draft: &Draft, overwrite: bool) -> Result<Plan> {
    rights::check(cluster, draft).await?;
    let secret = client_secret(cluster, draft, overwrite).await?;
    consent::subject(cluster, draft).await?;
    if draft.needs_sign_in() && !overwrite {
        login_secret_must_be_free(cluster, draft).await?;
    }
    let (credentials, name) = (cluster.credentials(), &draft.name);
    let object = format!("CubeCredential {}/{name}", cluster.namespace);
    let found = call("get", object, credentials.get_opt(name)).await?;
    if found.is_some() && !overwrite {
        return Err(taken(name, &cluster.namespace));
    }
    let mut object = objects::credential(draft);
    // A token that was published before is no proof that the new client works. Two changes in one second are two requests.
    let request = found.as_ref().map(|_| precisely().to_string());
    if let Some(request) = &request {
        object["metadata"]["annotations"] = json!({annotation::REFRESH_REQUESTED_AT: request});
    }
    let credential = Write {
        api: credentials,
        kind: "CubeCredential",
        name: name.clone(),
        namespace: cluster.namespace.clone(),
        object,
        exists: found.is_some(),
    };
    let (secret, meta) = match secret {
        ClientSecret::Existing(meta) => (None, meta),
        ClientSecret::Planned(secret) => {
            let tried = secret.apply(true).await.map_err(nothing_created)?;
            (Some(secret), tried.metadata)
        }
    };
    let result = credential.apply(true).await.map_err(nothing_created)?;
    must_be_as_wanted(draft, &result)?;
    Ok(Plan {
        secret,
        credential,
        found,
        result,
        request,
        client_hosts: meta
            .annotations
            .and_then(|mut annotations| annotations.remove(annotation::TOKEN_HOSTS)),
    })
}

pub(super) fn nothing_created(error: PluginError) -> PluginError {
    error.with("nothing was created")
}

/// Others may have set fields that this command does not, and the API server keeps those: what was shown would not be what is done.
fn must_be_as_wanted(draft: &Draft, result: &CubeCredential) -> Result {
    let wanted = serde_json::from_value(draft.spec.clone());
    let wanted: CubeCredentialSpec =
        wanted.map_err(|error| PluginError::Usage(error.to_string()))?;
    let other = differing(&wanted, &result.spec);
    if other.is_empty() {
        return Ok(());
    }
    Err(PluginError::new(format!(
        "CubeCredential \"{}\" has other values, which this command does not set, in {}: remove them with `kubectl edit`, or choose \
         another name; nothing was changed",
        draft.name,
        other.join(", ")
    )))
}

/// The fields of two specs that differ, with their defaults.
fn differing(one: &CubeCredentialSpec, other: &CubeCredentialSpec) -> Vec<String> {
    let (one, other) = (json!(one), json!(other));
    let names = |value: &Value| -> BTreeSet<String> {
        value
            .as_object()
            .map_or_else(BTreeSet::new, |fields| fields.keys().cloned().collect())
    };
    let all = names(&one).into_iter().chain(names(&other));
    let all: BTreeSet<_> = all.collect();
    all.into_iter()
        .filter(|name| one.get(name) != other.get(name))
        .map(|name| format!("spec.{name}"))
        .collect()
}

impl Plan {
    /// The spec as it will be.
    pub(super) fn spec(&self) -> &CubeCredentialSpec {
        &self.result.spec
    }

    /// The hosts to which the owner of the client's Secret allows it to be sent, if there is a list.
    pub(super) fn client_hosts(&self) -> Option<&str> {
        self.client_hosts.as_deref()
    }

    /// The changes of a `CubeCredential` that exists.
    pub(super) fn changes(&self) -> Option<String> {
        let found = self.found.as_ref()?;
        let changed = differing(&found.spec, &self.result.spec);
        if changed.is_empty() {
            return Some("It exists, and its spec stays as it is.".into());
        }
        let lacks = |field: &&String| {
            let name = field.trim_start_matches("spec.");
            json!(self.result.spec).get(name).is_none()
        };
        let (removed, changed): (Vec<_>, Vec<_>) = changed.iter().partition(lacks);
        let list = |verb: &str, fields: Vec<&String>| {
            let fields: Vec<_> = fields.into_iter().map(String::as_str).collect();
            (!fields.is_empty()).then(|| format!(" This {verb} {}.", fields.join(", ")))
        };
        Some(format!(
            "The CubeCredential exists.{}{}",
            list("changes", changed).unwrap_or_default(),
            list("removes", removed).unwrap_or_default()
        ))
    }

    /// Creates the Secret and the `CubeCredential`, or changes those that exist.
    pub(super) async fn carry_out(self, context: &Context) -> Result<Written> {
        let applied = context
            .writes
            .all(apply(self.secret, self.credential))
            .await?;
        Ok(Written {
            generation: applied.metadata.generation.unwrap_or_default(),
            before: self
                .found
                .and_then(|found| found.status)
                .unwrap_or_default(),
            request: self.request.as_deref().map(request_hash),
        })
    }
}

/// The Secret of the client. An existing one that the flags name must be usable.
async fn client_secret(cluster: &Cluster, draft: &Draft, overwrite: bool) -> Result<ClientSecret> {
    let api: Api<Secret> = Api::namespaced(cluster.client.clone(), &cluster.namespace);
    let (name, namespace) = (draft.client_secret_name(), &cluster.namespace);
    let object = format!("Secret {namespace}/{name}");
    let found = call("get", object, api.get_metadata_opt(name)).await?;
    let Some(object) = objects::client_secret(draft) else {
        let found = found.ok_or_else(|| {
            PluginError::new(format!(
                "Secret \"{name}\" not found in namespace {namespace}: create it, or leave --from-secret out"
            ))
        })?;
        let holder = Holder::Secret(name.to_owned());
        consent::must_be_usable(draft, namespace, &holder, &found.metadata)?;
        return Ok(ClientSecret::Existing(found.metadata));
    };
    if found.is_some() && !overwrite {
        return Err(PluginError::new(format!(
            "Secret \"{name}\" exists in namespace {namespace}: use its client with --from-secret {name}, replace it with \
             --overwrite, or choose another name; nothing was created"
        )));
    }
    Ok(ClientSecret::Planned(Write {
        api,
        kind: "Secret",
        name: name.to_owned(),
        namespace: namespace.clone(),
        object,
        exists: found.is_some(),
    }))
}

/// The sign-in that follows would have to replace what another program wrote.
async fn login_secret_must_be_free(cluster: &Cluster, draft: &Draft) -> Result {
    let Some(initial) = draft.settings.grant.refresh_token() else {
        return Ok(());
    };
    let (name, namespace) = (&initial.name, &cluster.namespace);
    let api: Api<Secret> = Api::namespaced(cluster.client.clone(), namespace);
    let found = call(
        "get",
        format!("Secret {namespace}/{name}"),
        api.get_metadata_opt(name),
    );
    if found.await?.is_none() {
        return Ok(());
    }
    Err(PluginError::new(format!(
        "Secret \"{name}\" exists in namespace {namespace}, and the sign-in would write the refresh token into it: allow that with \
         --overwrite, or choose another name; nothing was created"
    )))
}

/// Both writes, or an error that says what was written.
async fn apply(
    secret: Option<Write<Secret>>,
    credential: Write<CubeCredential>,
) -> Result<CubeCredential> {
    let Some(secret) = secret else {
        return credential.apply(false).await;
    };
    secret.apply(false).await?;
    let applied = credential.apply(false).await;
    applied.map_err(|error| {
        PluginError::new(format!(
            "{error}; Secret \"{}\" is written: correct that, and repeat the command with --overwrite",
            secret.name
        ))
    })
}

impl<K: Clone + Debug + DeserializeOwned> Write<K> {
    /// Writes the object, or tries it. An object that was created in the meantime is not overwritten.
    async fn apply(&self, try_only: bool) -> Result<K> {
        let mut parameters = PatchParams::apply(MANAGER);
        parameters.dry_run = try_only;
        parameters.force = self.exists;
        let mut object = self.object.clone();
        if !self.exists {
            object["metadata"]["resourceVersion"] = json!(MUST_NOT_EXIST);
        }
        let verb = if self.exists { "change" } else { "create" };
        let about = format!("{} {}/{}", self.kind, self.namespace, self.name);
        let patch = Patch::Apply(&object);
        let applied = call(verb, about, self.api.patch(&self.name, &parameters, &patch)).await;
        applied.map_err(|error| self.explain(error))
    }

    fn explain(&self, error: ApiError) -> PluginError {
        if self.exists || !error.is_conflict() {
            return error.into();
        }
        PluginError::new(format!(
            "{} \"{}\" was created in the meantime in namespace {}: run the command again",
            self.kind, self.name, self.namespace
        ))
    }
}
