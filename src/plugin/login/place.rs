//! The Secret that `spec.refreshTokenRef` names, before the refresh token goes there: whether it may.
//!
//! The author of the spec chooses the name and the key, and the person who signs in has the rights. So a value that another program
//! wrote is replaced only if that is meant, and the values of other `CubeCredential` objects never.

use k8s_openapi::api::core::v1::Secret;
use kube::{ResourceExt, api::ListParams, core::ObjectMeta};
use serde_json::Value;

use super::{flags::Request, prepare::Prepared};
use crate::{
    api::label,
    kubernetes::error::call,
    plugin::{
        Context,
        cluster::MANAGER,
        error::{PluginError, Result},
        object::Object,
    },
    reconcile::Settings,
};

/// The Secret as it was when the person allowed the refresh token to go there.
pub(super) struct Allowed {
    /// Any value may be replaced.
    overwrite: bool,
    /// The resource version of the Secret, if there was one.
    version: Option<String>,
}

/// Checks that the refresh token may go into this Secret, if there is one.
pub(super) async fn check(
    context: &Context,
    request: &Request<'_>,
    prepared: &Prepared,
    found: Option<&Secret>,
) -> Result<Allowed> {
    let allowed = Allowed {
        overwrite: request.overwrite,
        version: found.and_then(ResourceExt::resource_version),
    };
    if !has_value_of_another(prepared, found).await? || request.overwrite {
        return Ok(allowed);
    }
    let (name, key) = (&prepared.initial.name, &prepared.initial.key);
    let question = format!(
        "Replace key \"{key}\" of Secret \"{name}\", which `kubectl cube login` has not written?"
    );
    if context.terminal.is_meant(&question, "--overwrite").await? {
        return Ok(allowed);
    }
    Err(PluginError::new(format!(
        "nobody was signed in: name another Secret in spec.refreshTokenRef than \"{name}\""
    )))
}

/// Checks once more, after the person has signed in and before the code is sent. A value that the person has not seen is not
/// replaced.
pub(super) async fn check_again(
    allowed: &Allowed,
    prepared: &Prepared,
    found: Option<&Secret>,
) -> Result {
    let is_foreign = has_value_of_another(prepared, found).await?;
    let version = found.and_then(ResourceExt::resource_version);
    if !is_foreign || allowed.overwrite || version == allowed.version {
        return Ok(());
    }
    Err(PluginError::new(format!(
        "Secret \"{}\" was changed while you signed in, and `kubectl cube login` has not written its key \"{}\", so no token was \
         requested: {}",
        prepared.initial.name,
        prepared.initial.key,
        prepared.again()
    )))
}

/// Returns whether the Secret has a value that no sign-in has written, or the error that the token must not go there at all.
async fn has_value_of_another(prepared: &Prepared, found: Option<&Secret>) -> Result<bool> {
    must_belong_to_this_one(prepared).await?;
    let Some(secret) = found else {
        return Ok(false);
    };
    must_be_for_this(prepared, secret)?;
    let key = &prepared.initial.key;
    let mut keys = secret.data.iter().flatten().map(|(key, _)| key);
    Ok(keys.any(|found| found == key) && !was_written_here(&secret.metadata, key))
}

/// The client, and the sign-ins of others, must not be replaced by a refresh token.
async fn must_belong_to_this_one(prepared: &Prepared) -> Result {
    let (name, key) = (&prepared.initial.name, &prepared.initial.key);
    let namespace = &prepared.cluster.namespace;
    let api: kube::Api<Object> = kube::Api::namespaced(prepared.cluster.client.clone(), namespace);
    let parameters = ListParams::default();
    let place = format!("CubeCredentials in namespace {namespace}");
    let listed = call("list", place, api.list(&parameters));
    for object in listed.await?.items {
        let other = object.name().to_owned();
        // The operator does not use an object that cannot be read either.
        let Ok(settings) = object.settings() else {
            continue;
        };
        let Some(what) = uses(&settings, name, key, other == prepared.name()) else {
            continue;
        };
        return Err(PluginError::new(format!(
            "key \"{key}\" of Secret \"{name}\" is {what} of CubeCredential \"{other}\": name another Secret in spec.refreshTokenRef"
        )));
    }
    Ok(())
}

/// The use of this key of this Secret for a `CubeCredential`. The refresh token of the one that is signed in is no obstacle.
fn uses(settings: &Settings, name: &str, key: &str, own: bool) -> Option<&'static str> {
    let client = &settings.source;
    let is_used = client.client_id_key == key
        || client.client_secret_keys().any(|secret| secret == key)
        || settings.client_keys().any(|used| used == key);
    if client.name == name && is_used {
        return Some("the client");
    }
    let token = settings.grant.own_token().filter(|_| !own)?;
    let what = match settings.grant.token_exchange() {
        None => "the refresh token",
        Some(_) => "the subject token",
    };
    (token.name == name && token.key == key).then_some(what)
}

/// A Secret without the owner's consent that has other keys belongs to another owner: the consent would hold for them too.
fn must_be_for_this(prepared: &Prepared, secret: &Secret) -> Result {
    let labelled = label::is_set(secret.labels(), label::CREDENTIAL);
    let mut keys = secret.data.iter().flatten().map(|(key, _)| key);
    if labelled || keys.all(|key| *key == prepared.initial.key) {
        return Ok(());
    }
    let (name, namespace) = (&prepared.initial.name, &prepared.cluster.namespace);
    Err(PluginError::new(format!(
        "Secret \"{name}\" holds other keys and has no label that allows its use: name another Secret in spec.refreshTokenRef, or run \
         `kubectl label secret {name} -n {namespace} {}={}`",
        label::CREDENTIAL,
        label::TRUE
    )))
}

/// Returns whether a sign-in wrote the value of this key.
fn was_written_here(meta: &ObjectMeta, key: &str) -> bool {
    owners(meta, &["data", key]).any(|manager| manager.starts_with(MANAGER))
}

/// The field managers of a field.
pub(super) fn owners<'a>(
    meta: &'a ObjectMeta,
    path: &'a [&'a str],
) -> impl Iterator<Item = &'a str> {
    let entries = meta.managed_fields.iter().flatten();
    entries.filter_map(move |entry| {
        let fields: &Value = &entry.fields_v1.as_ref()?.0;
        let found = path
            .iter()
            .try_fold(fields, |fields, name| fields.get(format!("f:{name}")));
        found?;
        entry.manager.as_deref()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_tokens_and_clients_of_others_are_in_the_way_and_no_own_refresh_token() {
        let settings = |spec: Value| {
            let mut spec = spec;
            spec["provider"] = json!("CubeSoftware");
            spec["clientSecretRef"] = json!({"name": "client"});
            Settings::read("treasury", "main", &serde_json::from_value(spec).unwrap()).unwrap()
        };
        let login = settings(json!({
            "grant": "RefreshToken", "refreshTokenRef": {"name": "tokens", "key": "token"},
        }));
        let exchange = settings(json!({
            "grant": "TokenExchange", "tokenExchange": {"subjectTokenRef": {"name": "tokens"}},
        }));
        let account = settings(json!({
            "grant": "TokenExchange",
            "tokenExchange": {"subjectServiceAccount": {"name": "tokens", "audience": "a"}},
        }));
        for (settings, use_of_token) in [
            (&login, Some("the refresh token")),
            (&exchange, Some("the subject token")),
            (&account, None),
        ] {
            assert_eq!(uses(settings, "tokens", "token", false), use_of_token);
            assert_eq!(uses(settings, "tokens", "other", false), None);
            assert_eq!(uses(settings, "other", "token", false), None);
            assert_eq!(
                uses(settings, "client", "client-id", false),
                Some("the client")
            );
        }
        assert_eq!(uses(&login, "tokens", "token", true), None);
    }

    #[test]
    fn the_writer_of_a_key_is_known_by_its_field_manager() {
        let meta: ObjectMeta = serde_json::from_value(json!({"managedFields": [
            {"manager": "kubectl-cube-1f", "operation": "Apply", "fieldsV1": {"f:data": {"f:refresh-token": {}}}},
            {"manager": "helm", "operation": "Update", "fieldsV1": {"f:data": {"f:other": {}}, "f:type": {}}},
            {"manager": "nobody", "operation": "Update"},
        ]}))
        .unwrap();
        assert!(was_written_here(&meta, "refresh-token"));
        assert!(!was_written_here(&meta, "other"));
        assert!(!was_written_here(&meta, "absent"));
        assert!(!was_written_here(&ObjectMeta::default(), "refresh-token"));
    }
}
