//! The checks that are made before anything is sent. Their refusals say what to change; nothing else is needed.

use secrecy::{ExposeSecret, SecretString};

use super::{
    case::Case,
    inputs,
    observed::{CaBundle, Source, SourceSecret, SourceValue},
    settings::Settings,
};
use crate::{
    api::{Attempted, CaBundleKind, Reason, annotation, label},
    oauth::{
        answer::Refusal,
        authorities,
        endpoint::HostList,
        request::{Client, Grant, TokenRequest},
    },
};

type Checked<T> = Result<T, Refusal>;

/// The request that is to be sent. Source and CA bundle must have been read.
pub(super) fn request(case: &Case<'_>) -> Checked<TokenRequest> {
    let settings = case.settings;
    let client = client(settings, &case.seen.source)?;
    hosts(case)?;
    Ok(TokenRequest {
        endpoint: settings.endpoint.clone(),
        client,
        authentication: settings.authentication,
        grant: Grant::ClientCredentials,
        scopes: settings.scopes.clone(),
        parameters: settings.parameters.clone(),
        ca_bundle: ca_bundle(settings, &case.seen.ca_bundle)?,
    })
}

/// What an attempt now would be made with.
pub(super) fn attempted(case: &Case<'_>) -> Attempted {
    let ca_bundle_hash = match &case.seen.ca_bundle {
        CaBundle::Pem(pem) => Some(ca_hash(pem)),
        _ => None,
    };
    Attempted {
        generation: case.seen.credential.generation,
        source_resource_version: case.seen.source.version().unwrap_or_default().to_owned(),
        refresh_request: case.seen.credential.refresh_request.clone(),
        ca_bundle_hash,
    }
}

/// Certificates are public, so a plain hash may be stored.
pub(super) fn ca_hash(pem: &str) -> String {
    use sha2::{Digest, Sha256};
    inputs::hex(&Sha256::digest(pem)[..8])
}

/// The client id and secret, if they are there and can be sent.
pub(super) fn client(settings: &Settings, source: &Source) -> Checked<Client> {
    let name = &settings.source.name;
    let (id, secret) = (
        &settings.source.client_id_key,
        &settings.source.client_secret_key,
    );
    match source {
        Source::Absent => Err(Refusal::new(
            Reason::ClientSecretNotFound,
            format!(
                "Secret {name:?} does not exist: create it with the keys {id:?} and {secret:?} and the label {}: \"true\"; \
                 it is used as soon as it is there",
                label::CREDENTIAL
            ),
        )),
        // Its content may not be read, and without the label no watch tells about it either.
        Source::NotLabelled | Source::Unread(_) => Err(Refusal::new(
            Reason::ClientSecretNotLabelled,
            format!(
                "Secret {name:?} lacks the label {label}: \"true\", by which its owner permits its use: run \
                 kubectl label secret {name} {label}=true; it is used as soon as it has it",
                label = label::CREDENTIAL
            ),
        )),
        Source::Read(found) => {
            let id = text(name, id, &found.client_id)?.expose_secret().to_owned();
            Ok(Client {
                id,
                secret: text(name, secret, &found.client_secret)?.clone(),
            })
        }
    }
}

fn text<'a>(name: &str, key: &str, value: &'a SourceValue) -> Checked<&'a SecretString> {
    let malformed = |what: &str| {
        let message = format!(
            "key {key:?} of Secret {name:?} {what}; it is used as soon as that Secret changes"
        );
        Err(Refusal::new(Reason::ClientSecretMalformed, message))
    };
    match value {
        SourceValue::Absent => Err(Refusal::new(
            Reason::ClientSecretKeyMissing,
            format!(
                "Secret {name:?} has no key {key:?}: add it, or name the right key in spec.clientSecretRef"
            ),
        )),
        SourceValue::NotText => {
            malformed("is not UTF-8 text: write the value as the provider shows it")
        }
        SourceValue::Text(text) => match text.expose_secret() {
            "" => malformed("is empty: write the value as the provider shows it"),
            text if text.ends_with('\n') => {
                malformed("ends with a line break: write it with printf or echo -n")
            }
            text if text.contains(char::is_control) => {
                malformed("contains a control character: write the value as the provider shows it")
            }
            _ => Ok(text),
        },
    }
}

fn hosts(case: &Case<'_>) -> Checked<()> {
    let endpoint = &case.settings.endpoint;
    let refuse = |message: String| Err(Refusal::new(Reason::HostNotAllowed, message));
    if case
        .seen
        .allowed_hosts
        .as_ref()
        .is_some_and(|hosts| !hosts.permits(endpoint))
    {
        return refuse(format!(
            "the operator may not send to {}: its installer has to add that host to --allowed-token-hosts, or \
             spec.tokenURL has to name another one",
            endpoint.authority()
        ));
    }
    let Source::Read(SourceSecret {
        token_hosts: Some(hosts),
        ..
    }) = &case.seen.source
    else {
        return Ok(());
    };
    let (name, note) = (&case.settings.source.name, annotation::TOKEN_HOSTS);
    match HostList::parse(hosts) {
        Err(entry) => refuse(format!(
            "annotation {note} of Secret {name:?} has the entry {entry:?}: write hosts as host or host:port, separated by commas"
        )),
        Ok(list) if list.permits(endpoint) => Ok(()),
        Ok(_) => refuse(format!(
            "Secret {name:?} may not be sent to {}: its owner has to add that host to its annotation {note}, or \
             spec.tokenURL has to name another one",
            endpoint.authority()
        )),
    }
}

fn ca_bundle(settings: &Settings, found: &CaBundle) -> Checked<Option<String>> {
    let Some(reference) = &settings.ca_bundle else {
        return Ok(None);
    };
    let kind = match reference.kind {
        CaBundleKind::ConfigMap => "ConfigMap",
        CaBundleKind::Secret => "Secret",
    };
    let invalid = |why: &str| {
        let message = format!("spec.caBundleRef: {kind} {:?} {why}", reference.name);
        Refusal::new(Reason::CABundleInvalid, message)
    };
    match found {
        CaBundle::Unread => Err(invalid("was not read")),
        CaBundle::Unusable(why) => Err(invalid(why)),
        CaBundle::Pem(pem) => match authorities::read(pem) {
            Ok(_) => Ok(Some(pem.clone())),
            Err(_) => Err(invalid(&format!(
                "has no valid PEM certificate in key {:?}: write one or more -----BEGIN CERTIFICATE----- blocks",
                reference.key
            ))),
        },
    }
}
