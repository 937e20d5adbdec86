//! The remedies for inputs that the preflight checks reject.

use crate::{
    api::{ClientAuthentication, annotation, label},
    reconcile::{
        settings::Settings,
        source::{CaBundleFlaw, Flaw, Rejection, SecretRole, Withheld, consent, names_no_hosts},
    },
};

const WHEN_IT_IS_THERE: &str = "it is used as soon as it is there";
const WHEN_IT_IS_DONE: &str = "it is used as soon as that is done";
const NOT_SENT: &str = "nothing is sent before that";
const LOOKED_AT: &str = "it is looked at again every minute";

/// The whole sentence about rejected inputs: cause, remedy, and when they are checked again.
pub(super) fn rejected_inputs(rejection: &Rejection, settings: &Settings) -> String {
    let (remedy, when) = match rejection {
        Rejection::SecretAbsent { role, .. } => (create(*role, settings), WHEN_IT_IS_THERE),
        Rejection::NotLabelled { name, .. } => (permit(name, settings), WHEN_IT_IS_DONE),
        Rejection::KeyMissing { role, .. } => (add_key(*role), WHEN_IT_IS_THERE),
        Rejection::Malformed {
            role, key, flaw, ..
        } => {
            let remedy = write_value(*role, key, *flaw, settings);
            (remedy, "it is used as soon as that Secret changes")
        }
        Rejection::HostNotAllowedByOperator { .. }
        | Rejection::HostNotAllowedByOwner { .. }
        | Rejection::HostsNotNamed { .. }
        | Rejection::HostListMalformed { .. }
        | Rejection::CaNotPermitted { .. } => (allow_host(rejection, settings), NOT_SENT),
        Rejection::StoredToken { why, .. } => {
            (format!(": {}", consent_again(why, settings)), NOT_SENT)
        }
        Rejection::RefreshTokenInUse { given, state, .. } => {
            (give_own_token(*given, state.as_deref()), LOOKED_AT)
        }
        Rejection::CaBundle { reference, flaw } => (
            mend_bundle(flaw, &reference.name, settings),
            WHEN_IT_IS_DONE,
        ),
    };
    format!("{rejection}{remedy}; {when}")
}

fn create(role: SecretRole, settings: &Settings) -> String {
    format!(
        ": create it with the {}, the label {}: \"true\" and the annotation {}: {}",
        keys(role, settings),
        label::CREDENTIAL,
        annotation::TOKEN_HOSTS,
        settings.endpoint.authority()
    )
}

/// The annotation comes first, because a Secret with the label alone may be sent anywhere.
fn permit(name: &str, settings: &Settings) -> String {
    format!(
        "; it would be sent to {}: to permit that, run `{} && {}`",
        settings.endpoint.authority(),
        set_hosts(name, settings),
        set_label(name, settings)
    )
}

fn add_key(role: SecretRole) -> String {
    let field = match role {
        SecretRole::Client => "spec.clientSecretRef",
        SecretRole::RefreshToken => "spec.refreshTokenRef",
    };
    format!(": add it, or name the right key in {field}")
}

fn write_value(role: SecretRole, key: &str, flaw: Flaw, settings: &Settings) -> String {
    let without_secret = flaw == Flaw::Empty
        && role == SecretRole::Client
        && settings.authentication == ClientAuthentication::Basic
        && key == settings.source.client_secret_key;
    let remedy = if without_secret {
        "write it, or set spec.clientAuthentication to BasicEmptySecret for a client without one"
    } else {
        write_correctly(flaw)
    };
    format!(": {remedy}")
}

/// How a host, or the CA certificates that prove it, may be allowed.
fn allow_host(rejection: &Rejection, settings: &Settings) -> String {
    match rejection {
        Rejection::HostNotAllowedByOperator { .. } => {
            ": its installer has to add that host to --allowed-token-hosts, or spec.tokenURL has to name another one".into()
        }
        Rejection::HostsNotNamed { secret } => format!(": {}", limit_hosts(secret, settings)),
        Rejection::HostListMalformed { .. } => {
            ": write hosts as host or host:port, separated by commas".into()
        }
        Rejection::CaNotPermitted {
            secret_is_gone: true,
            reference,
            ..
        } => format!(
            ": to permit them, create that Secret again with annotation {}={}",
            annotation::TOKEN_CA,
            consent::annotation_entry(reference)
        ),
        Rejection::CaNotPermitted {
            secret, reference, ..
        } => {
            let entry = consent::annotation_entry(reference);
            let command = annotate(secret, annotation::TOKEN_CA, &entry, settings);
            format!(": to permit them, run `{command}`")
        }
        _ => format!(
            ": its owner has to add that host to its annotation {}, or spec.tokenURL has to name another one",
            annotation::TOKEN_HOSTS
        ),
    }
}

fn give_own_token(given: bool, state: Option<&str>) -> String {
    match state.filter(|_| given) {
        Some(state) => format!(
            ": when that CubeCredential is gone, delete Secret {state:?} to complete the move (docs/backup.md)"
        ),
        None => ": sign in again for this one, or move that login (docs/backup.md)".into(),
    }
}

fn keys(role: SecretRole, settings: &Settings) -> String {
    match role {
        SecretRole::Client => {
            let keys: Vec<_> = settings
                .client_keys()
                .map(|key| format!("{key:?}"))
                .collect();
            let plural = if keys.len() > 1 { "s" } else { "" };
            format!("key{plural} {}", keys.join(" and "))
        }
        SecretRole::RefreshToken => {
            let initial = settings.grant.refresh_token();
            let key = initial.map(|initial| initial.key.as_str());
            let key = key.unwrap_or_default();
            format!("key {key:?} (the refresh token of a sign-in)")
        }
    }
}

/// A Secret names no hosts, and that is no failure.
pub(super) fn unlimited_secret(role: SecretRole, settings: &Settings) -> String {
    let initial = settings.grant.refresh_token();
    let secret = match (role, initial) {
        (SecretRole::RefreshToken, Some(initial)) => &initial.name,
        _ => &settings.source.name,
    };
    format!(
        "{}: {}",
        names_no_hosts(secret),
        limit_hosts(secret, settings)
    )
}

fn limit_hosts(secret: &str, settings: &Settings) -> String {
    let (host, command) = (settings.endpoint.authority(), set_hosts(secret, settings));
    format!("to limit it to {host}, run `{command}`")
}

fn set_hosts(secret: &str, settings: &Settings) -> String {
    let host = settings.endpoint.authority();
    annotate(secret, annotation::TOKEN_HOSTS, &host, settings)
}

/// Without `--overwrite`: a value that the owner has written must not get lost.
fn annotate(secret: &str, name: &str, value: &str, settings: &Settings) -> String {
    let namespace = &settings.namespace;
    format!("kubectl -n {namespace} annotate secret {secret} {name}={value}")
}

/// The way back to a refresh token that may be sent.
fn consent_again(why: &Withheld, settings: &Settings) -> String {
    let initial = settings.grant.refresh_token();
    let (name, key) = initial.map_or(("", ""), |initial| (&initial.name, &initial.key));
    let label = label::CREDENTIAL;
    let hosts = format!(
        "{}={}",
        annotation::TOKEN_HOSTS,
        settings.endpoint.authority()
    );
    match why {
        Withheld::Endpoint { .. } => format!(
            "set spec.tokenURL back to that, or sign in for the new endpoint and write its refresh token into key {key:?} of Secret \
             {name:?}"
        ),
        Withheld::Reference { .. } => format!(
            "name that one again, or create Secret {name:?} with the label {label}=true, the annotation {hosts} and, in key {key:?}, the same refresh token \
             or that of a new sign-in"
        ),
        Withheld::Spent => format!(
            "restore that Secret, or sign in again and write the new one into key {key:?} of Secret {name:?}"
        ),
        Withheld::Owner | Withheld::Unbound => format!(
            "create Secret {name:?} with the label {label}=true, the annotation {hosts} and, in key {key:?}, the refresh token that this login began with or \
             that of a new sign-in"
        ),
    }
}

fn set_label(secret: &str, settings: &Settings) -> String {
    let (label, namespace) = (label::CREDENTIAL, &settings.namespace);
    format!("kubectl -n {namespace} label --overwrite secret {secret} {label}=true")
}

fn write_correctly(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::TrailingNewline => "write it with printf or echo -n",
        Flaw::OuterBlank { .. } => "write the value without that character",
        Flaw::NotText | Flaw::Empty | Flaw::ControlCharacter | Flaw::NotAscii => {
            "write the value as the provider shows it"
        }
    }
}

fn mend_bundle(flaw: &CaBundleFlaw, name: &str, settings: &Settings) -> String {
    match flaw {
        CaBundleFlaw::Unread => String::new(),
        CaBundleFlaw::Absent => ": create it, or name another one".into(),
        CaBundleFlaw::NotLabelled => format!(": run `{}`", set_label(name, settings)),
        CaBundleFlaw::NoKey { .. } => ": add it, or name the right key".into(),
        CaBundleFlaw::AllLeftOut { .. } => "; correct or remove that block".into(),
        CaBundleFlaw::NotPem { .. } => {
            ": write one or more -----BEGIN CERTIFICATE----- blocks".into()
        }
        CaBundleFlaw::TooLarge { .. } => {
            ": write only the CA certificates of the token endpoint: the public ones are trusted without it".into()
        }
    }
}
