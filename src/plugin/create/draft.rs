//! The draft of what will be created: from the flags, the metadata of an issuer, and the person.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    client::{self, Client},
    discover,
    endpoints::{authorization_url, token_url},
    flags::Create,
    free::must_be_free,
    grant,
    values::credential_name,
};
use crate::{
    api::{ClientAuthentication, CubeCredentialSpec, Grant, Provider},
    oauth::discovery::Metadata,
    plugin::{
        Context,
        error::{PluginError, Result},
    },
    providers::Preset,
    reconcile::Settings,
};

/// A `CubeCredential` and its client Secret that are not created yet.
pub(super) struct Draft {
    pub(super) name: String,
    /// The fields that the flags set, and no defaults.
    pub(super) spec: Value,
    pub(super) settings: Settings,
    /// The authorization endpoint, where people sign in.
    pub(super) authorization_url: Option<String>,
    /// The client that a Secret is created for; `None`: the client is in a Secret that exists.
    pub(super) client: Option<Client>,
}

impl Draft {
    pub(super) fn client_secret_name(&self) -> &str {
        &self.settings.source.name
    }

    pub(super) fn target(&self) -> &str {
        &self.settings.target_name
    }

    pub(super) fn needs_sign_in(&self) -> bool {
        self.settings.grant.refresh_token().is_some()
    }
}

/// Reads the flags, and asks for what they lack.
pub(super) async fn draft(context: &Context, flags: &Create) -> Result<Draft> {
    let name = free_name(context, flags).await?;
    let provider = provider(context, flags).await?;
    let preset = Preset::of(provider);
    let grant = grant(context, flags, provider).await?;
    let metadata = match &flags.issuer {
        Some(issuer) => Some(Box::pin(discover::look_up(context, flags, issuer)).await?),
        None => None,
    };
    let metadata = metadata.as_ref();
    let token_url = token_url(context, flags, preset, metadata).await?;
    let authorization_url = if grant == Grant::RefreshToken {
        Some(authorization_url(context, flags, preset, metadata).await?)
    } else {
        None
    };
    if grant != Grant::RefreshToken && flags.authorization_url.is_some() {
        return Err(PluginError::Usage(format!(
            "--authorization-url is for grant RefreshToken, and the grant is {grant:?}: leave it out, or add --grant RefreshToken"
        )));
    }
    let of_grant = grant::field(context, &flags.of_grant, grant).await?;
    let existing = client::existing_secret(context, flags, grant).await?;
    let method = client_authentication(flags, grant, metadata)?;
    let scopes = scopes(flags, grant, metadata);
    let mut spec = json!({
        "provider": format!("{provider:?}"),
        "clientSecretRef": {"name": existing.clone().unwrap_or_else(|| format!("{name}-client"))},
    });
    let mut set = |field: &str, value: Option<Value>| {
        if let Some(value) = value {
            spec[field] = value;
        }
    };
    let of_preset = |url: &String, known: Option<&str>| known == Some(url.as_str());
    let authorization = authorization_url.as_ref();
    set(
        "description",
        flags.description.as_ref().map(|text| json!(text)),
    );
    set("tokenURL", token_url.map(Value::from));
    set(
        "authorizationURL",
        authorization
            .filter(|url| !of_preset(url, preset.authorization_url))
            .map(|url| json!(url)),
    );
    set("grant", (grant != Grant::default()).then(|| json!(grant)));
    set(
        "refreshTokenRef",
        (grant == Grant::RefreshToken).then(|| json!({"name": format!("{name}-login")})),
    );
    if let Some((field, value)) = of_grant {
        set(field, Some(value));
    }
    set("clientAuthentication", method.map(|method| json!(method)));
    set("scopes", (!scopes.is_empty()).then(|| json!(scopes)));
    set("parameters", parameters(flags).map(Value::from));
    set("caBundleRef", ca_bundle(flags));
    set(
        "target",
        flags.target.as_ref().map(|name| json!({"name": name})),
    );
    let settings = settings(context, &name, &spec)?;
    let rest = Rest {
        name,
        spec,
        settings,
        authorization_url,
    };
    complete(context, flags, existing.is_some(), rest).await
}

/// A draft without the client.
pub(super) struct Rest {
    pub(super) name: String,
    pub(super) spec: Value,
    pub(super) settings: Settings,
    pub(super) authorization_url: Option<String>,
}

/// The draft with the client, which is read last.
pub(super) async fn complete(
    context: &Context,
    flags: &Create,
    client_exists: bool,
    rest: Rest,
) -> Result<Draft> {
    let method = rest.settings.authentication;
    let client = if client_exists {
        None
    } else {
        Some(client::read(context, flags, method).await?)
    };
    let Rest {
        name,
        spec,
        settings,
        authorization_url,
    } = rest;
    Ok(Draft {
        name,
        spec,
        settings,
        authorization_url,
        client,
    })
}

/// The name of what will be created.
pub(super) async fn free_name(context: &Context, flags: &Create) -> Result<String> {
    let name = name(context, flags).await?;
    // A person must not learn after all the questions that the name is taken.
    if context.terminal.interactive && flags.dry_run.is_none() {
        must_be_free(context, flags, &name).await?;
    }
    Ok(name)
}

async fn name(context: &Context, flags: &Create) -> Result<String> {
    match &flags.name {
        None => {
            context
                .terminal
                .ask("Name", "a name", credential_name)
                .await
        }
        Some(name) => match credential_name(name) {
            Ok(()) => Ok(name.clone()),
            Err(sentence) => Err(PluginError::Usage(sentence)),
        },
    }
}

async fn provider(context: &Context, flags: &Create) -> Result<Provider> {
    if let Some(provider) = flags.provider {
        if flags.issuer.is_some() && provider != Provider::Custom {
            return Err(PluginError::Usage(format!(
                "--issuer is for provider Custom: the endpoints of {provider:?} are known"
            )));
        }
        return Ok(provider);
    }
    if flags.issuer.is_some() || flags.token_url.is_some() {
        return Ok(Provider::Custom);
    }
    let choices = &["Cube Software", "Cubewire", "Another OAuth 2 server"];
    let chosen = context
        .terminal
        .choose("Provider", "--provider", choices)
        .await?;
    Ok([Provider::CubeSoftware, Provider::Cubewire, Provider::Custom][chosen])
}

async fn grant(context: &Context, flags: &Create, provider: Provider) -> Result<Grant> {
    if let Some(grant) = flags.grant {
        return Ok(grant);
    }
    match provider {
        // At Cube Software, a token belongs to a person.
        Provider::CubeSoftware => return Ok(Grant::RefreshToken),
        Provider::Cubewire => return Ok(Grant::ClientCredentials),
        Provider::Custom if flags.authorization_url.is_some() => return Ok(Grant::RefreshToken),
        Provider::Custom if !context.terminal.interactive => return Ok(Grant::default()),
        Provider::Custom => {}
    }
    let choices = &[
        "the client itself (ClientCredentials)",
        "a person who signs in (RefreshToken)",
        "a service account whose private key signs (JWTBearer)",
        "the subject of another token (TokenExchange)",
    ];
    let chosen = context
        .terminal
        .choose("The token is for", "--grant", choices)
        .await?;
    Ok([
        Grant::ClientCredentials,
        Grant::RefreshToken,
        Grant::JwtBearer,
        Grant::TokenExchange,
    ][chosen])
}

/// The method that the spec has to name. The default of a provider need not be named.
fn client_authentication(
    flags: &Create,
    grant: Grant,
    metadata: Option<&Metadata>,
) -> Result<Option<ClientAuthentication>> {
    // An assertion of the grant authenticates the client, and a secret beside it is an exception that nobody announces.
    let metadata = metadata.filter(|_| grant != Grant::JwtBearer);
    let (None, Some(metadata)) = (flags.client_authentication, metadata) else {
        return Ok(flags.client_authentication);
    };
    let method = metadata.client_authentication();
    let method = method.map_err(|error| {
        PluginError::new(format!(
            "issuer {} {error}",
            flags.issuer.as_deref().unwrap_or_default()
        ))
    })?;
    Ok(Some(method))
}

/// A scope may also come with others, as providers write them.
fn scopes(flags: &Create, grant: Grant, metadata: Option<&Metadata>) -> Vec<String> {
    let given = flags
        .scope
        .iter()
        .flat_map(|scopes| scopes.split_whitespace());
    let given: Vec<_> = given.map(str::to_owned).collect();
    match metadata {
        Some(metadata) if given.is_empty() && grant == Grant::RefreshToken => {
            metadata.offline_scopes()
        }
        _ => given,
    }
}

pub(super) fn parameters(flags: &Create) -> Option<Map<String, Value>> {
    let parameters: BTreeMap<_, _> = flags.parameter.iter().cloned().collect();
    let parameters = parameters
        .into_iter()
        .map(|(name, value)| (name, json!(value)));
    (!flags.parameter.is_empty()).then(|| parameters.collect())
}

/// The reference without its defaults.
fn ca_bundle(flags: &Create) -> Option<Value> {
    let reference = flags.ca_bundle.as_ref()?;
    let mut value = json!({"kind": reference.kind, "name": reference.name});
    if reference.key != "ca.crt" {
        value["key"] = json!(reference.key);
    }
    Some(value)
}

/// The spec as the operator reads it. What it would reject is rejected here.
fn settings(context: &Context, name: &str, spec: &Value) -> Result<Settings> {
    let unusable = |error: &dyn std::fmt::Display| PluginError::Usage(error.to_string());
    let spec: CubeCredentialSpec =
        serde_json::from_value(spec.clone()).map_err(|error| unusable(&error))?;
    let namespace = context.global.namespace.as_deref().unwrap_or_default();
    Settings::read(namespace, name, &spec).map_err(|error| unusable(&error))
}
