//! The checks that are made before anything is sent. Their refusals say what to change; nothing else is needed.

use secrecy::{ExposeSecret, SecretString};

use super::{
    case::Case,
    inputs,
    observed::{CaBundle, Source, SourceValue},
    settings::Settings,
    state::State,
};
use crate::{
    api::{Attempted, CaBundleKind, CaBundleRef, Reason, annotation, label},
    oauth::{
        authentication::{Authentication, ClientValue},
        ca_bundle,
        hosts::HostList,
        request::TokenRequest,
    },
};

/// Why nothing is sent: a check that is made before.
#[derive(Debug)]
pub(super) struct PreflightError {
    pub(super) reason: Reason,
    pub(super) message: String,
}

impl PreflightError {
    fn new(reason: Reason, message: String) -> Self {
        Self { reason, message }
    }
}

type Checked<T> = Result<T, PreflightError>;

/// The request that is to be sent. Source and CA bundle must have been read; of a stored refresh token also the state.
pub(super) fn request(case: &Case<'_>) -> Checked<TokenRequest> {
    let settings = case.settings;
    check(case)?;
    let stored = case.observed.state.stored();
    let token = stored.map(|stored| stored.refresh_token.clone());
    Ok(TokenRequest {
        endpoint: settings.endpoint.clone(),
        authentication: client(settings, &case.observed.source)?,
        grant: settings
            .grant
            .try_map(|_| token)
            .expect("the refresh token is claimed, and so stored, before this check"),
        scopes: settings.scopes.clone(),
        parameters: settings.parameters.clone(),
        ca_bundle: ca_bundle(settings, &case.observed.ca_bundle)?,
    })
}

/// Everything that can be refused without asking anybody.
pub(super) fn check(case: &Case<'_>) -> Checked<()> {
    client(case.settings, &case.observed.source)?;
    seed(case)?;
    hosts(case)?;
    ca_bundle(case.settings, &case.observed.ca_bundle).map(drop)
}

/// What an attempt now would be made with.
pub(super) fn attempted(case: &Case<'_>) -> Attempted {
    let ca_bundle_hash = match &case.observed.ca_bundle {
        CaBundle::Pem(pem) => Some(ca_hash(pem)),
        _ => None,
    };
    Attempted {
        generation: case.observed.credential.generation,
        source_resource_version: case
            .observed
            .source
            .version()
            .unwrap_or_default()
            .to_owned(),
        seed_resource_version: case.seed_version(),
        refresh_request: case.observed.credential.refresh_request.clone(),
        client: case.client_key().map(|client| client.text()),
        paused_until: None,
        ca_bundle_hash,
    }
}

/// Certificates are public, so a plain hash may be stored.
pub(super) fn ca_hash(pem: &str) -> String {
    use sha2::{Digest, Sha256};
    inputs::hex(&Sha256::digest(pem)[..8])
}

/// The client id and secret, if they are there and can be sent.
pub(super) fn client(settings: &Settings, source: &Source) -> Checked<Authentication> {
    let name = &settings.source.name;
    match source {
        Source::Absent => {
            let s = if settings.authentication.values().len() > 1 {
                "s"
            } else {
                ""
            };
            let keys = format!("key{s} {}", client_keys(settings));
            Err(absent(Reason::ClientSecretNotFound, name, &keys))
        }
        // Its content may not be read, and without the label no watch tells about it either.
        Source::NotLabelled | Source::Unread(_) => Err(not_labelled(
            Reason::ClientSecretNotLabelled,
            settings,
            name,
        )),
        Source::Read(found) => {
            let value = |value| {
                let key = client_key(settings, value);
                let found = match value {
                    ClientValue::Id => &found.values.id,
                    ClientValue::Secret => &found.values.secret,
                };
                text(found)
                    .map_err(|what| malformed(Reason::ClientSecretMalformed, name, key, what))?
                    .cloned()
                    .ok_or_else(|| {
                        let field = "spec.clientSecretRef";
                        key_missing(Reason::ClientSecretKeyMissing, name, key, field)
                    })
            };
            Authentication::read(settings.authentication, value)
        }
    }
}

/// The keys of the client's Secret that are used, in quotes.
pub(super) fn client_keys(settings: &Settings) -> String {
    let values = settings.authentication.values().iter();
    let keys = values.map(|value| format!("{:?}", client_key(settings, *value)));
    keys.collect::<Vec<_>>().join(" and ")
}

fn client_key(settings: &Settings, value: ClientValue) -> &str {
    match value {
        ClientValue::Id => &settings.source.client_id_key,
        ClientValue::Secret => &settings.source.client_secret_key,
    }
}

/// Whether the seed is as it should be. Once a login has begun with it, it may be deleted.
pub(super) fn seed(case: &Case<'_>) -> Checked<()> {
    let Some(reference) = case.settings.seed() else {
        return Ok(());
    };
    let (name, key) = (&reference.name, &reference.key);
    let begun = !matches!(case.observed.state, State::Absent);
    match &case.observed.seed {
        Source::Unread(_) => Ok(()),
        Source::NotLabelled => Err(not_labelled(
            Reason::RefreshTokenNotLabelled,
            case.settings,
            name,
        )),
        Source::Absent if begun => Ok(()),
        Source::Absent => {
            let key = format!("key {key:?}, the refresh token of a sign-in,");
            Err(absent(Reason::RefreshTokenNotFound, name, &key))
        }
        Source::Read(found) => match token(&found.values) {
            Ok(Some(_)) => Ok(()),
            Ok(None) if begun => Ok(()),
            Ok(None) => {
                let field = "spec.refreshTokenRef";
                Err(key_missing(Reason::RefreshTokenNotFound, name, key, field))
            }
            Err(what) => Err(malformed(Reason::RefreshTokenMalformed, name, key, what)),
        },
    }
}

/// The seed, if it is there and can be sent.
pub(super) fn seed_token(source: &Source<SourceValue>) -> Option<&SecretString> {
    match source {
        Source::Read(found) => token(&found.values).ok().flatten(),
        _ => None,
    }
}

fn absent(reason: Reason, name: &str, keys: &str) -> PreflightError {
    let label = label::CREDENTIAL;
    let message = format!(
        "Secret {name:?} does not exist: create it with the {keys} and the label {label}: \"true\"; it is used as soon as it \
         is there"
    );
    PreflightError::new(reason, message)
}

fn not_labelled(reason: Reason, settings: &Settings, name: &str) -> PreflightError {
    let message = format!(
        "Secret {name:?} {}; it is used as soon as it has it",
        lacks_label(settings, name)
    );
    PreflightError::new(reason, message)
}

fn lacks_label(settings: &Settings, name: &str) -> String {
    let (label, namespace) = (label::CREDENTIAL, &settings.namespace);
    format!(
        "lacks the label {label}: \"true\", by which its owner permits its use: run kubectl label --overwrite secret {name} \
         -n {namespace} {label}=true"
    )
}

fn key_missing(reason: Reason, name: &str, key: &str, field: &str) -> PreflightError {
    let message = format!(
        "Secret {name:?} has no key {key:?}: add it, or name the right key in {field}; it is used as soon as it is there"
    );
    PreflightError::new(reason, message)
}

fn malformed(reason: Reason, name: &str, key: &str, what: &str) -> PreflightError {
    let message =
        format!("key {key:?} of Secret {name:?} {what}; it is used as soon as that Secret changes");
    PreflightError::new(reason, message)
}

/// The text of a value that is there, or what is wrong with it.
fn text(value: &SourceValue) -> Result<Option<&SecretString>, &'static str> {
    match value {
        SourceValue::Absent => Ok(None),
        SourceValue::NotText => Err("is not UTF-8 text: write the value as the provider shows it"),
        SourceValue::Text(text) => match text.expose_secret() {
            "" => Err("is empty: write the value as the provider shows it"),
            text if text.ends_with('\n') => {
                Err("ends with a line break: write it with printf or echo -n")
            }
            text if text.contains(char::is_control) => {
                Err("contains a control character: write the value as the provider shows it")
            }
            _ => Ok(Some(text)),
        },
    }
}

/// The same of a token, which is printable ASCII (RFC 6749, appendix A.17).
fn token(value: &SourceValue) -> Result<Option<&SecretString>, &'static str> {
    match text(value)? {
        Some(text) if !text.expose_secret().is_ascii() => {
            Err("has a character that no token has: write the value as the provider shows it")
        }
        text => Ok(text),
    }
}

/// Whether the operator and the owners of the Secrets permit the host.
pub(super) fn hosts(case: &Case<'_>) -> Checked<()> {
    let endpoint = &case.settings.endpoint;
    let refuse = |message: String| Err(PreflightError::new(Reason::HostNotAllowed, message));
    if case
        .observed
        .allowed_hosts
        .as_ref()
        .is_some_and(|hosts| !hosts.allows(endpoint))
    {
        return refuse(format!(
            "the operator may not send to {}: its installer has to add that host to --allowed-token-hosts, or \
             spec.tokenURL has to name another one; nothing is sent before that",
            endpoint.authority()
        ));
    }
    let seed = case.settings.seed().map(|seed| &seed.name);
    let limits = [
        (
            Some(&case.settings.source.name),
            case.observed.source.token_hosts(),
        ),
        (seed, case.seed_hosts()),
    ];
    for (name, hosts) in limits {
        let (Some(name), Some(hosts)) = (name, hosts) else {
            continue;
        };
        let note = annotation::TOKEN_HOSTS;
        match HostList::parse(hosts) {
            Err(entry) => {
                return refuse(format!(
                    "annotation {note} of Secret {name:?} has the entry {entry:?}: write hosts as host or host:port, separated by \
                     commas; nothing is sent before that"
                ));
            }
            Ok(list) if list.allows(endpoint) => {}
            Ok(_) => {
                return refuse(format!(
                    "Secret {name:?} may not be sent to {}: its owner has to add that host to its annotation {note}, or \
                     spec.tokenURL has to name another one; nothing is sent before that",
                    endpoint.authority()
                ));
            }
        }
    }
    Ok(())
}

/// The further authorities, if they can be used.
pub(super) fn ca_bundle(settings: &Settings, found: &CaBundle) -> Checked<Option<String>> {
    let Some(reference) = &settings.ca_bundle else {
        return Ok(None);
    };
    let key = &reference.key;
    let why = match found {
        CaBundle::Unread => "was not read".into(),
        CaBundle::Absent => "does not exist: create it, or name another one".into(),
        CaBundle::NotLabelled => lacks_label(settings, &reference.name),
        CaBundle::NoText => format!("has no text in key {key:?}: add it, or name the right key"),
        CaBundle::Pem(pem) if ca_bundle::read(pem).is_ok() => return Ok(Some(pem.clone())),
        CaBundle::Pem(_) => format!(
            "has no valid PEM certificate in key {key:?}: write one or more -----BEGIN CERTIFICATE----- blocks"
        ),
    };
    let message = format!(
        "spec.caBundleRef: {} {why}; it is used as soon as that is done",
        ca_bundle_name(reference)
    );
    Err(PreflightError::new(Reason::CABundleInvalid, message))
}

/// For messages.
pub(super) fn ca_bundle_name(reference: &CaBundleRef) -> String {
    let kind = match reference.kind {
        CaBundleKind::ConfigMap => "ConfigMap",
        CaBundleKind::Secret => "Secret",
    };
    format!("{kind} {:?}", reference.name)
}
