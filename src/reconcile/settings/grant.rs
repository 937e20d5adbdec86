//! The grant in a spec, with the fields that belong to it.

use super::{error::SettingsError, printable::printable};
use crate::{
    api::{
        self, ClientAuthentication, CubeCredentialSpec, JwtBearerSpec, RefreshTokenRef,
        TokenExchangeSpec,
    },
    oauth::{
        endpoint::Endpoint,
        grant::{ACCESS_TOKEN, BearerClaims, Grant, TokenExchange},
    },
    providers::Preset,
};

/// A grant, with what a spec says of it: the Secret of its refresh token or subject token, or the claims of its assertion.
pub type GrantSettings = Grant<RefreshTokenRef, Box<BearerClaims>>;

pub(super) fn of(
    spec: &CubeCredentialSpec,
    endpoint: &Endpoint,
) -> Result<GrantSettings, SettingsError> {
    let is = |grant| spec.grant == grant;
    if is(api::Grant::RefreshToken) != spec.refresh_token_ref.is_some() {
        return Err(SettingsError::RefreshTokenRefMismatch);
    }
    if spec.jwt_bearer.is_some() && !is(api::Grant::JwtBearer) {
        return Err(SettingsError::JwtBearerMismatch);
    }
    if is(api::Grant::TokenExchange) != spec.token_exchange.is_some() {
        return Err(SettingsError::TokenExchangeMismatch);
    }
    Ok(match spec.grant {
        api::Grant::ClientCredentials => Grant::ClientCredentials,
        api::Grant::AccountCredentials => Grant::AccountCredentials,
        api::Grant::RefreshToken => {
            let initial = spec.refresh_token_ref.clone();
            Grant::RefreshToken(initial.ok_or(SettingsError::RefreshTokenRefMismatch)?)
        }
        api::Grant::JwtBearer => {
            let of_spec = spec.jwt_bearer.as_deref().cloned().unwrap_or_default();
            Grant::JwtBearer(Box::new(claims(of_spec, endpoint)?))
        }
        api::Grant::TokenExchange => {
            let of_spec = spec.token_exchange.as_deref();
            let of_spec = of_spec.ok_or(SettingsError::TokenExchangeMismatch)?;
            Grant::TokenExchange(Box::new(exchange(of_spec, spec)?))
        }
    })
}

/// A provider takes the first or the last of two parameters.
fn exchange(
    of_spec: &TokenExchangeSpec,
    spec: &CubeCredentialSpec,
) -> Result<TokenExchange<RefreshTokenRef>, SettingsError> {
    for (name, values) in [
        ("audience", &of_spec.audience),
        ("resource", &of_spec.resource),
    ] {
        if !values.is_empty() && spec.parameters.contains_key(name) {
            return Err(SettingsError::ParameterOfExchange(name));
        }
    }
    let sorted = |values: &[String]| {
        let mut values = values.to_vec();
        values.sort();
        values
    };
    let r#type = of_spec.subject_token_type.as_deref();
    Ok(TokenExchange {
        subject_token: RefreshTokenRef {
            name: of_spec.subject_token_ref.name.clone(),
            key: of_spec.subject_token_ref.key.clone(),
        },
        subject_token_type: r#type.unwrap_or(ACCESS_TOKEN).to_owned(),
        audience: sorted(&of_spec.audience),
        resource: sorted(&of_spec.resource),
        requested_token_type: of_spec.requested_token_type.clone(),
    })
}

fn claims(of_spec: JwtBearerSpec, endpoint: &Endpoint) -> Result<BearerClaims, SettingsError> {
    for (field, text) in [
        ("jwtBearer.issuer", &of_spec.issuer),
        ("jwtBearer.subject", &of_spec.subject),
        ("jwtBearer.audience", &of_spec.audience),
        ("jwtBearer.keyID", &of_spec.key_id),
    ] {
        if let Some(text) = text {
            printable(field, text)?;
        }
    }
    Ok(BearerClaims {
        issuer: of_spec.issuer,
        subject: of_spec.subject,
        audience: of_spec
            .audience
            .unwrap_or_else(|| endpoint.url().to_string()),
        key_id: of_spec.key_id,
        algorithm: of_spec.algorithm,
    })
}

/// The client's method of authentication: the spec's or the provider's, if the grant allows it.
pub(super) fn authentication(
    grant: &GrantSettings,
    spec: &CubeCredentialSpec,
    preset: &Preset,
) -> Result<ClientAuthentication, SettingsError> {
    let default = grant.default_authentication(preset.client_authentication);
    let method = spec.client_authentication.unwrap_or(default);
    match grant {
        _ if grant.allows(method) => Ok(method),
        Grant::JwtBearer(_) => Err(SettingsError::JwtBearerAuthentication),
        Grant::ClientCredentials
        | Grant::AccountCredentials
        | Grant::RefreshToken(_)
        | Grant::TokenExchange(_) => Err(SettingsError::PublicClientWithoutLogin),
    }
}
