//! The grant in a spec, with the fields that belong to it.

use super::{error::SettingsError, printable::printable};
use crate::{
    api::{self, ClientAuthentication, CubeCredentialSpec, JwtBearerSpec, RefreshTokenRef},
    oauth::{
        endpoint::Endpoint,
        grant::{BearerClaims, Grant},
    },
    providers::Preset,
};

/// A grant, with what a spec says of it.
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
    Ok(match (spec.grant, &spec.refresh_token_ref) {
        (api::Grant::ClientCredentials, _) => Grant::ClientCredentials,
        (api::Grant::AccountCredentials, _) => Grant::AccountCredentials,
        (api::Grant::RefreshToken, Some(initial)) => Grant::RefreshToken(initial.clone()),
        (api::Grant::RefreshToken, None) => return Err(SettingsError::RefreshTokenRefMismatch),
        (api::Grant::JwtBearer, _) => {
            let of_spec = spec.jwt_bearer.as_deref().cloned().unwrap_or_default();
            Grant::JwtBearer(Box::new(claims(of_spec, endpoint)?))
        }
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
        Grant::ClientCredentials | Grant::AccountCredentials | Grant::RefreshToken(_) => {
            Err(SettingsError::PublicClientWithoutLogin)
        }
    }
}
