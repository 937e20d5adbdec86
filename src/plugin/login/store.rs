//! Stores the refresh token in the Secret that `spec.refreshTokenRef` names: its key only, and the owner's consent.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Secret;
use kube::{
    api::{Patch, PatchParams},
    core::ObjectMeta,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::sleep;

use super::{
    flags::Request,
    place::{self, Allowed},
    prepare::Prepared,
};
use crate::{
    api::{ConditionStatus, ConditionType, CubeCredential, CubeCredentialStatus, label},
    api_error::ApiError,
    clock::now,
    kubernetes::error::call,
    plugin::{
        Context,
        cluster::{Cluster, MANAGER},
        error::{PluginError, Result},
        wait::Wait,
    },
    reconcile::hex,
    scrub::visible,
};

/// The time for which a write is repeated while the API server cannot be reached. The provider has already issued the token.
const PATIENCE: SignedDuration = SignedDuration::from_secs(300);

/// A refresh token that is stored.
pub(in crate::plugin) struct Stored {
    /// The name of its Secret.
    pub(super) name: String,
    credential: String,
    suspended: bool,
    generation: i64,
    before: CubeCredentialStatus,
}

/// Tries to write the Secret, without writing it: a right that is missing, a policy, a quota or an immutable Secret is better known
/// before the person signs in.
pub(super) async fn try_out(
    context: &Context,
    request: &Request<'_>,
    prepared: &Prepared,
) -> Result<Allowed> {
    let found = read(prepared).await?;
    let allowed = place::check(context, request, prepared, found.as_ref()).await?;
    let placeholder = SecretString::from("placeholder");
    let parameters = parameters(prepared).dry_run();
    let meta = found.map(|secret| secret.metadata);
    let tried = apply(prepared, &parameters, meta.as_ref(), &placeholder).await;
    tried.map_err(|error| denied(prepared, "patch (and create)", &error))?;
    Ok(allowed)
}

/// Checks that the refresh token may still go into the Secret, which others may have changed while the person signed in.
pub(super) async fn check_again(prepared: &Prepared, allowed: &Allowed) -> Result {
    let found = read(prepared).await?;
    place::check_again(allowed, prepared, found.as_ref()).await
}

async fn read(prepared: &Prepared) -> Result<Option<Secret>> {
    let api = prepared.secrets();
    let found = call("get", object(prepared), api.get_opt(&prepared.initial.name));
    found.await.map_err(|error| denied(prepared, "get", &error))
}

/// Stores the refresh token. What the operator does then shows by comparison with the `CubeCredential` from before.
pub(super) async fn store(
    prepared: &Prepared,
    before: &CubeCredential,
    token: &SecretString,
) -> Result<Stored> {
    let until = now() + PATIENCE;
    let mut pause = Duration::from_millis(200);
    while let Err(error) = write(prepared, token).await {
        let is_final = error.is_refusal() && !error.is_conflict();
        if is_final || now() >= until {
            return Err(PluginError::new(format!(
                "the sign-in worked, but its refresh token is lost: {error}; correct that, and {}",
                prepared.again()
            )));
        }
        sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
    Ok(Stored {
        name: prepared.initial.name.clone(),
        credential: prepared.name().to_owned(),
        suspended: before.spec.suspend,
        generation: before.metadata.generation.unwrap_or_default(),
        before: before.status.clone().unwrap_or_default(),
    })
}

/// Writes the Secret as it is now: its owner may have changed it while the person signed in.
async fn write(prepared: &Prepared, token: &SecretString) -> std::result::Result<(), ApiError> {
    let api = prepared.secrets();
    let found = api.get_metadata_opt(&prepared.initial.name);
    let found = call("get", object(prepared), found).await?;
    let meta = found.map(|found| found.metadata);
    apply(prepared, &parameters(prepared), meta.as_ref(), token).await
}

async fn apply(
    prepared: &Prepared,
    parameters: &PatchParams,
    meta: Option<&ObjectMeta>,
    token: &SecretString,
) -> std::result::Result<(), ApiError> {
    let api = prepared.secrets();
    let patch = Patch::Apply(secret(prepared, meta, token));
    let applied = api.patch_metadata(&prepared.initial.name, parameters, &patch);
    call("patch", object(prepared), applied).await.map(drop)
}

fn object(prepared: &Prepared) -> String {
    format!(
        "Secret {}/{}",
        prepared.cluster.namespace, prepared.initial.name
    )
}

/// Each key has a field manager of its own. Otherwise a sign-in for one key would remove the other keys that this program applied
/// earlier. The new refresh token wins over whatever wrote that key before.
fn manager(prepared: &Prepared) -> String {
    let key = hex(&Sha256::digest(&prepared.initial.key)[..4]);
    format!("{MANAGER}-{key}")
}

fn parameters(prepared: &Prepared) -> PatchParams {
    PatchParams::apply(&manager(prepared)).force()
}

/// The Secret with the key, and with the marks of consent that it lacks. Marks of its owner are not touched, so that the owner can
/// change them; those that an earlier sign-in has set are kept, as server-side apply removes what is left out.
fn secret(prepared: &Prepared, meta: Option<&ObjectMeta>, token: &SecretString) -> Value {
    let manager = manager(prepared);
    let mark = |kind: &str, set: Option<&BTreeMap<String, String>>, name: &str, wanted: &str| {
        let present = set.and_then(|set| set.get(name));
        let is_ours = meta.is_some_and(|meta| {
            place::owners(meta, &["metadata", kind, name]).any(|owner| owner == manager)
        });
        match present {
            Some(present) if is_ours => Some(present.clone()),
            Some(_) => None,
            None => Some(wanted.to_owned()),
        }
    };
    let labels = meta.and_then(|meta| meta.labels.as_ref());
    let label = mark("labels", labels, label::CREDENTIAL, label::TRUE);
    let annotations = meta.and_then(|meta| meta.annotations.as_ref());
    let consent = prepared.sign_in.consent.iter();
    let consent: BTreeMap<_, _> = consent
        .filter_map(|(name, wanted)| Some((*name, mark("annotations", annotations, name, wanted)?)))
        .collect();
    let mut secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": prepared.initial.name,
            "namespace": prepared.cluster.namespace,
            "annotations": consent,
        },
        "data": {&prepared.initial.key: STANDARD.encode(token.expose_secret())},
    });
    if let Some(label) = label {
        secret["metadata"]["labels"] = json!({label::CREDENTIAL: label});
    }
    if let Some(version) = meta.and_then(|meta| meta.resource_version.as_ref()) {
        secret["metadata"]["resourceVersion"] = json!(version);
    }
    secret
}

fn denied(prepared: &Prepared, verbs: &str, error: &ApiError) -> PluginError {
    if !error.is_refusal() {
        return PluginError::new(error.to_string());
    }
    PluginError::new(format!(
        "{error}: a sign-in needs the right to {verbs} Secret \"{}\" in namespace {}",
        prepared.initial.name, prepared.cluster.namespace
    ))
}

impl Stored {
    /// Waits until the operator has made its first refresh.
    pub(in crate::plugin) async fn wait(
        self,
        context: &Context,
        cluster: &Cluster,
        limit: SignedDuration,
    ) -> Result {
        let terminal = &context.terminal;
        let name = &self.credential;
        if self.suspended {
            terminal.print(&format!(
                "Signed in. CubeCredential \"{name}\" is suspended: run `kubectl cube resume {name} -n {}`.",
                cluster.namespace
            ));
            return Ok(());
        }
        let wait = Wait {
            name,
            generation: self.generation,
            before: &self.before,
            demands_action: true,
            limit,
        };
        let what = "Waiting for the operator's first refresh";
        let refreshed = wait.until(context, cluster, what, |status| self.first_refresh(status));
        let sentence = refreshed.await.map_err(|error| {
            PluginError::new(format!(
                "the refresh token is stored in Secret \"{}\", but {error}",
                self.name
            ))
        })?;
        terminal.print(&visible(&sentence));
        Ok(())
    }

    /// The sentence about the first refresh, once the status reports it.
    fn first_refresh(&self, status: &CubeCredentialStatus) -> Option<String> {
        let token = status.token_fingerprint.as_ref()?;
        let ready = status.condition(ConditionType::Ready)?;
        if self.before.token_fingerprint.as_ref() == Some(token)
            || ready.status != ConditionStatus::True
        {
            return None;
        }
        let target = &status.target.as_ref()?.name;
        let expires_at = status.expires_at?;
        Some(format!(
            "Signed in; the first refresh worked; Secret \"{target}\" is valid until {expires_at}."
        ))
    }
}
