//! The objects: as they are written, as they are printed, and as they are described before that.

use base64::{Engine, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::draft::Draft;
use crate::{
    api::{annotation, label},
    oauth::authentication::ClientValue,
    plugin::{
        error::{PluginError, Result},
        output::Format,
    },
    reconcile::{SubjectToken, ca_entry},
};

/// The client Secret as it is written; `None`: an existing one is used.
pub(super) fn client_secret(draft: &Draft) -> Option<Value> {
    let client = draft.client.as_ref()?;
    let mut secret = secret(draft);
    let mut data = json!({});
    if let Some(id) = &client.id {
        data[&draft.settings.source.client_id_key] = json!(STANDARD.encode(id));
    }
    if let Some(value) = &client.secret {
        data[secret_key(draft)] = json!(STANDARD.encode(value.expose_secret()));
    }
    secret["data"] = data;
    Some(secret)
}

/// The key of the client secret. A second one is for the next secret, which there is none of yet.
fn secret_key(draft: &Draft) -> &str {
    let mut keys = draft.settings.source.client_secret_keys();
    keys.next().unwrap_or_default()
}

/// The `CubeCredential`.
pub(super) fn credential(draft: &Draft) -> Value {
    json!({
        "apiVersion": "cube-operator.dev/v1alpha1",
        "kind": "CubeCredential",
        "metadata": {"name": draft.name},
        "spec": draft.spec,
    })
}

/// The Secret without its values. Its owner allows the token endpoint's host only, and the CA bundle of the spec.
fn secret(draft: &Draft) -> Value {
    let mut annotations = json!({annotation::TOKEN_HOSTS: draft.settings.endpoint.authority()});
    if let Some(entry) = ca_entry(&draft.settings) {
        annotations[annotation::TOKEN_CA] = json!(entry);
    }
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": draft.client_secret_name(),
            "labels": {label::CREDENTIAL: label::TRUE},
            "annotations": annotations,
        },
    })
}

/// The objects as they may be shown.
pub(super) fn shown(draft: &Draft, namespace: Option<&str>) -> Vec<Value> {
    let secret = draft.client.as_ref().map(|client| {
        let mut secret = secret(draft);
        let id = client.id.as_deref().unwrap_or("CLIENT-ID");
        secret["stringData"] = json!({&draft.settings.source.client_id_key: id});
        if draft
            .settings
            .authentication
            .values()
            .contains(&ClientValue::Secret)
        {
            secret["stringData"][secret_key(draft)] = json!("CLIENT-SECRET");
        }
        secret
    });
    let objects = secret.into_iter().chain([credential(draft)]);
    let objects = objects.map(|mut object| {
        if let Some(namespace) = namespace {
            object["metadata"]["namespace"] = json!(namespace);
        }
        object
    });
    objects.collect()
}

/// The text of objects.
pub(super) fn print(objects: &[Value], format: Format) -> Result<String> {
    let failed = |error: &dyn std::fmt::Display| {
        PluginError::new(format!("the objects cannot be printed: {error}"))
    };
    match format {
        Format::Json => {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
            serde_json::to_string_pretty(&list).map_err(|error| failed(&error))
        }
        Format::Yaml => {
            let documents = objects.iter().map(serde_saphyr::to_string);
            let documents: std::result::Result<Vec<_>, _> = documents.collect();
            let documents = documents.map_err(|error| failed(&error))?;
            let documents = documents
                .iter()
                .map(|text| text.trim_start_matches("---\n"));
            Ok(documents.collect::<Vec<_>>().join("---\n"))
        }
    }
}

/// The description of the draft that a person confirms.
pub(super) fn summary(draft: &Draft, namespace: &str) -> String {
    let host = draft.settings.endpoint.authority();
    let mut lines = vec![format!("In namespace {namespace}:")];
    let mut add = |object: String, what: String| lines.push(format!("  {object}\n      {what}"));
    let secret = format!("Secret {}", draft.client_secret_name());
    match &draft.client {
        Some(client) => {
            let id = client.id.as_deref().unwrap_or_default();
            let and = if client.secret.is_some() {
                " and its secret"
            } else {
                ""
            };
            add(secret, format!("client {id:?}{and}, for {host} only"));
        }
        None => add(secret, "exists, and holds the client".into()),
    }
    add(
        format!("CubeCredential {}", draft.name),
        format!(
            "grant {} at https://{host}{}",
            draft.settings.grant.spec_name(),
            draft.settings.endpoint.url().path()
        ),
    );
    if let Some(exchange) = draft.settings.grant.token_exchange() {
        match &exchange.subject_token {
            SubjectToken::Secret(token) => add(
                format!("Secret {}", token.name),
                "exists, and holds the subject token".into(),
            ),
            SubjectToken::ServiceAccount(account) => add(
                format!("ServiceAccount {}", account.service_account),
                "exists, and its tokens are exchanged".into(),
            ),
        }
    }
    if let (Some(initial), Some(url)) = (
        draft.settings.grant.refresh_token(),
        &draft.authorization_url,
    ) {
        let url = url.split('?').next().unwrap_or_default();
        add(
            format!("Secret {}", initial.name),
            format!("the refresh token, after you have signed in at {url}"),
        );
    }
    add(
        format!("Secret {}", draft.target()),
        "the token, which the operator keeps fresh".into(),
    );
    lines.join("\n")
}
