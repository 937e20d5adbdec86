//! The client in a spec: where its id, its secret or its private key are.

use super::{
    account_token::AccountToken, error::SettingsError, grant::GrantSettings, printable::printable,
};
use crate::api::{ClientAssertion, ClientAuthentication, ClientSecretRef, CubeCredentialSpec};

/// The default of `clientIDKey`.
const CLIENT_ID_KEY: &str = "client-id";
/// The default of `privateKeyKey`.
const PRIVATE_KEY_KEY: &str = "private-key";

/// The keys of a Secret of type `kubernetes.io/tls`.
const TLS_KEY: &str = "tls.key";
const TLS_CERTIFICATE: &str = "tls.crt";

/// The Secret of the client, with the defaults of its method, or the ServiceAccount in its place.
pub(super) fn source(
    spec: &CubeCredentialSpec,
    grant: &GrantSettings,
    method: ClientAuthentication,
    account: Option<&AccountToken>,
) -> Result<ClientSecretRef, SettingsError> {
    let mut source = match (spec.client_secret_ref.clone(), account) {
        (Some(source), None) => source,
        (None, Some(account)) => return Ok(without_secret(account)),
        (None, None) | (Some(_), Some(_)) => return Err(SettingsError::ClientSecretRefMismatch),
    };
    let (key, certificate) = (&mut source.private_key_key, &mut source.certificate_key);
    match method {
        ClientAuthentication::PrivateKeyJwt => {
            key.get_or_insert_with(|| PRIVATE_KEY_KEY.into());
            return Ok(source);
        }
        ClientAuthentication::MutualTls => {
            key.get_or_insert_with(|| TLS_KEY.into());
            certificate.get_or_insert_with(|| TLS_CERTIFICATE.into());
            return Ok(source);
        }
        ClientAuthentication::Body
        | ClientAuthentication::Basic
        | ClientAuthentication::BasicEmptySecret
        | ClientAuthentication::None
        | ClientAuthentication::ServiceAccountToken => {}
    }
    if grant.assertion().is_some() {
        key.get_or_insert_with(|| PRIVATE_KEY_KEY.into());
    } else if key.is_some() {
        return Err(SettingsError::PrivateKeyMismatch("privateKeyKey"));
    }
    if certificate.is_some() {
        return Err(SettingsError::PrivateKeyMismatch("certificateKey"));
    }
    Ok(source)
}

/// A ServiceAccount has no keys.
fn without_secret(account: &AccountToken) -> ClientSecretRef {
    ClientSecretRef {
        name: account.service_account.clone(),
        client_id_key: String::new(),
        client_secret_key: String::new(),
        private_key_key: None,
        certificate_key: None,
    }
}

/// The client id, if the spec has it. An assertion that authenticates the client names its issuer, and nothing else is sent.
pub(super) fn id(
    spec: &CubeCredentialSpec,
    grant: &GrantSettings,
    method: ClientAuthentication,
) -> Result<Option<String>, SettingsError> {
    let claims = grant.assertion();
    let claims = claims.filter(|_| method == ClientAuthentication::None);
    let issuer = claims.and_then(|claims| claims.issuer.clone());
    let Some(id) = &spec.client_id else {
        return Ok(issuer);
    };
    let secret = spec.client_secret_ref.as_ref();
    if secret.is_some_and(|secret| secret.client_id_key != CLIENT_ID_KEY) {
        return Err(SettingsError::TwoClientIds);
    }
    printable("clientID", id)?;
    Ok(Some(issuer.unwrap_or_else(|| id.clone())))
}

pub(super) fn assertion(
    spec: &CubeCredentialSpec,
    method: ClientAuthentication,
) -> Result<Option<Box<ClientAssertion>>, SettingsError> {
    let Some(assertion) = &spec.client_assertion else {
        return Ok(None);
    };
    fields(assertion, method)?;
    for (field, text) in [
        ("clientAssertion.audience", &assertion.audience),
        ("clientAssertion.keyID", &assertion.key_id),
    ] {
        if let Some(text) = text {
            printable(field, text)?;
        }
    }
    Ok((method == ClientAuthentication::PrivateKeyJwt).then(|| assertion.clone()))
}

/// Each field is for one method.
fn fields(assertion: &ClientAssertion, method: ClientAuthentication) -> Result<(), SettingsError> {
    let (other, foreign) = match method {
        ClientAuthentication::PrivateKeyJwt => (
            "ServiceAccountToken",
            [
                (
                    "serviceAccountName",
                    assertion.service_account_name.is_some(),
                ),
                ("", false),
            ],
        ),
        ClientAuthentication::ServiceAccountToken => (
            "PrivateKeyJWT",
            [
                ("keyID", assertion.key_id.is_some()),
                ("algorithm", assertion.algorithm.is_some()),
            ],
        ),
        ClientAuthentication::Body
        | ClientAuthentication::Basic
        | ClientAuthentication::BasicEmptySecret
        | ClientAuthentication::None
        | ClientAuthentication::MutualTls => return Err(SettingsError::AssertionMismatch),
    };
    match foreign.into_iter().find(|(_, is_set)| *is_set) {
        Some((field, _)) => Err(SettingsError::AssertionField {
            field,
            method: other,
        }),
        None => Ok(()),
    }
}
