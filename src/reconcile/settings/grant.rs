//! The grant in a spec, with the fields that belong to it.

use super::{account_token::AccountToken, error::SettingsError, printable::printable};
use crate::{
    api::{
        self, ClientAuthentication, CubeCredentialSpec, JwtBearerSpec, RefreshTokenRef,
        SubjectTokenRef, TokenExchangeSpec,
    },
    oauth::{
        endpoint::Endpoint,
        grant::{ACCESS_TOKEN, BearerClaims, Grant, JWT, TokenExchange},
    },
    providers::Preset,
};

/// A grant, with what a spec says of it: the Secret of its refresh token, the claims of its assertion, or the origin of its subject
/// token.
pub type GrantSettings = Grant<RefreshTokenRef, Box<BearerClaims>, SubjectToken>;

/// Where the token that is exchanged comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubjectToken {
    /// A Secret has it.
    Secret(RefreshTokenRef),
    /// The API server issues it for each exchange.
    ServiceAccount(AccountToken),
}

impl GrantSettings {
    /// The token that a Secret of its own has: the initial refresh token, or the subject token.
    #[must_use]
    pub(crate) fn own_token(&self) -> Option<&RefreshTokenRef> {
        match self.subject_token() {
            Some(SubjectToken::Secret(token)) => Some(token),
            Some(SubjectToken::ServiceAccount(_)) => None,
            None => self.refresh_token(),
        }
    }

    /// The ServiceAccount whose token is exchanged.
    #[must_use]
    pub(crate) fn subject_account(&self) -> Option<&AccountToken> {
        match self.subject_token()? {
            SubjectToken::Secret(_) => None,
            SubjectToken::ServiceAccount(account) => Some(account),
        }
    }

    fn subject_token(&self) -> Option<&SubjectToken> {
        self.token_exchange()
            .map(|exchange| &exchange.subject_token)
    }
}

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
) -> Result<TokenExchange<SubjectToken>, SettingsError> {
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
    let (subject_token, default_type) = subject(of_spec)?;
    Ok(TokenExchange {
        subject_token,
        subject_token_type: r#type.unwrap_or(default_type).to_owned(),
        audience: sorted(&of_spec.audience),
        resource: sorted(&of_spec.resource),
        requested_token_type: of_spec.requested_token_type.clone(),
    })
}

/// Where the subject token comes from, and its type where the spec names none: a Secret may have any, and a ServiceAccount has JWTs.
fn subject(of_spec: &TokenExchangeSpec) -> Result<(SubjectToken, &'static str), SettingsError> {
    match (&of_spec.subject_token_ref, &of_spec.subject_service_account) {
        (Some(SubjectTokenRef { name, key }), None) => {
            let (name, key) = (name.clone(), key.clone());
            Ok((
                SubjectToken::Secret(RefreshTokenRef { name, key }),
                ACCESS_TOKEN,
            ))
        }
        (None, Some(account)) => {
            let account = AccountToken::of_subject(account)?;
            Ok((SubjectToken::ServiceAccount(account), JWT))
        }
        (None, None) | (Some(_), Some(_)) => Err(SettingsError::SubjectTokenMismatch),
    }
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
