//! The endpoints of a draft: from the flags, the metadata of an issuer, the provider's preset, or the person.

use super::flags::Create;
use crate::{
    oauth::{discovery::Metadata, endpoint::Endpoint},
    plugin::{
        Context,
        error::{PluginError, Result},
    },
    providers::Preset,
};

/// The token endpoint that the spec has to name.
pub(super) async fn token_url(
    context: &Context,
    flags: &Create,
    preset: &Preset,
    metadata: Option<&Metadata>,
) -> Result<Option<String>> {
    if let Some(url) = &flags.token_url {
        return Ok(Some(url.clone()));
    }
    if let Some(metadata) = metadata {
        return Ok(Some(metadata.token_endpoint.url().to_string()));
    }
    if preset.token_url.is_some() {
        return Ok(None);
    }
    let flag = "--token-url, or --issuer to look it up";
    let asked = context.terminal.ask("Token URL", flag, endpoint).await?;
    Ok(Some(asked))
}

/// Where people sign in.
pub(super) async fn authorization_url(
    context: &Context,
    flags: &Create,
    preset: &Preset,
    metadata: Option<&Metadata>,
) -> Result<String> {
    let found = metadata.and_then(|metadata| metadata.authorization_endpoint.as_ref());
    let known = flags
        .authorization_url
        .clone()
        .or_else(|| found.map(|endpoint| endpoint.url().to_string()))
        .or_else(|| preset.authorization_url.map(str::to_owned));
    let url = if let Some(url) = known {
        url
    } else {
        let flag = "--authorization-url, or --issuer to look it up";
        context
            .terminal
            .ask("Authorization URL", flag, endpoint)
            .await?
    };
    endpoint(&url)
        .map_err(|sentence| PluginError::Usage(format!("the authorization URL {sentence}")))?;
    Ok(url)
}

fn endpoint(url: &str) -> std::result::Result<(), String> {
    match Endpoint::parse(url) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}
