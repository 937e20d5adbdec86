//! The client in a spec: where its id, its secret or its private key are.

use super::error::SettingsError;
use crate::api::{ClientAssertion, ClientAuthentication, ClientSecretRef, CubeCredentialSpec};

/// The default of `clientIDKey`.
const CLIENT_ID_KEY: &str = "client-id";
/// The default of `privateKeyKey`.
const PRIVATE_KEY_KEY: &str = "private-key";

/// The keys of a Secret of type `kubernetes.io/tls`.
const TLS_KEY: &str = "tls.key";
const TLS_CERTIFICATE: &str = "tls.crt";

/// The Secret of the client, with the defaults of its method.
pub(super) fn source(
    spec: &CubeCredentialSpec,
    method: ClientAuthentication,
) -> Result<ClientSecretRef, SettingsError> {
    let mut source = spec.client_secret_ref.clone();
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
        | ClientAuthentication::None => {}
    }
    if source.private_key_key.is_some() {
        return Err(SettingsError::PrivateKeyMismatch("privateKeyKey"));
    }
    if source.certificate_key.is_some() {
        return Err(SettingsError::PrivateKeyMismatch("certificateKey"));
    }
    Ok(source)
}

pub(super) fn id(spec: &CubeCredentialSpec) -> Result<Option<String>, SettingsError> {
    let Some(id) = &spec.client_id else {
        return Ok(None);
    };
    if spec.client_secret_ref.client_id_key != CLIENT_ID_KEY {
        return Err(SettingsError::TwoClientIds);
    }
    printable("clientID", id)?;
    Ok(Some(id.clone()))
}

pub(super) fn assertion(
    spec: &CubeCredentialSpec,
    method: ClientAuthentication,
) -> Result<Option<Box<ClientAssertion>>, SettingsError> {
    let Some(assertion) = &spec.client_assertion else {
        return Ok(None);
    };
    if method != ClientAuthentication::PrivateKeyJwt {
        return Err(SettingsError::AssertionMismatch);
    }
    for (field, text) in [
        ("clientAssertion.audience", &assertion.audience),
        ("clientAssertion.keyID", &assertion.key_id),
    ] {
        if let Some(text) = text {
            printable(field, text)?;
        }
    }
    Ok(Some(assertion.clone()))
}

fn printable(field: &'static str, text: &str) -> Result<(), SettingsError> {
    let is_printable = text.bytes().all(|b| matches!(b, b' '..=b'~'));
    if is_printable && !text.is_empty() && text.trim() == text {
        return Ok(());
    }
    Err(SettingsError::Unprintable(field))
}
