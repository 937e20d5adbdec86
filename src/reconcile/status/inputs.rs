//! The remedies for inputs that the preflight checks reject.

use crate::{
    api::{ClientAuthentication, annotation, label},
    reconcile::{
        provider::{ProviderFlaw, Unusable},
        settings::Settings,
        source::{
            AccountRole, CaBundleFlaw, ClientKeyFlaw, Flaw, Holder, NoAccountToken, Rejection,
            SecretRole, Withheld,
        },
    },
};

use super::message::shortened;

/// The whole message about rejected inputs: the cause and the remedy.
pub(super) fn rejected_inputs(rejection: &Rejection, settings: &Settings) -> String {
    let remedy = match rejection {
        Rejection::SecretAbsent { role, .. } => create(*role, settings),
        Rejection::NotLabelled { .. } => permit(settings),
        Rejection::KeyMissing { role, .. } => add_key(*role),
        Rejection::Malformed {
            role, key, flaw, ..
        } => write_value(*role, key, *flaw, settings),
        Rejection::ClientKey { flaw, .. } => write_key(*flaw).into(),
        Rejection::HostNotAllowedByOperator { .. }
        | Rejection::HostNotAllowedByOwner { .. }
        | Rejection::ProbeHost { .. }
        | Rejection::HostsNotNamed { .. }
        | Rejection::HostListMalformed { .. }
        | Rejection::CaNotPermitted { .. } => allow_host(rejection, settings),
        Rejection::AccountToken { role, name, why } => {
            obtain_account_token(*role, name, why, settings)
        }
        Rejection::StoredToken { why, .. } => consent_again(why, settings),
        Rejection::RefreshTokenInUse { given, state, .. } => {
            give_own_token(*given, state.as_deref())
        }
        Rejection::Provider(flaw) => mend_provider(flaw).into(),
        Rejection::Template(_) => "correct spec.target.data".into(),
        Rejection::CaBundle { reference, flaw } => mend_bundle(flaw, &reference.name, settings),
    };
    format!("{rejection}: {remedy}")
}

/// The provider object cannot be used, with the remedy.
pub(super) fn unusable_provider(settings: &Settings) -> String {
    let flaw = settings.provider_flaw();
    let flaw = flaw.map(|flaw| format!("{flaw}: {}", mend_provider(flaw)));
    flaw.unwrap_or_default()
}

fn mend_provider(flaw: &ProviderFlaw) -> &'static str {
    match flaw {
        ProviderFlaw::Undiscovered { failed: false, .. } => {
            "no action needed while its issuer's metadata is being read; if this persists, see `cube-operator check` and its log"
        }
        ProviderFlaw::Undiscovered { failed: true, .. } => {
            "its condition Ready says why, and what its author can do"
        }
        ProviderFlaw::Unlisted => "no action needed",
        ProviderFlaw::Unwatched(_) => "its log and `cube-operator check` say what is missing",
        ProviderFlaw::Unused(_) => {
            "ask the installer to set chart value clusterProviders to true, or name a CubeProvider"
        }
        ProviderFlaw::Absent { .. } => "create it, or correct spec.providerRef",
        ProviderFlaw::Unusable {
            why: Unusable::Bundle(_),
            ..
        } => "its condition Ready says what to do",
        ProviderFlaw::Unusable { .. } => "ask its author to correct it",
        ProviderFlaw::Unfit { .. } => "correct the spec, or ask the provider's author",
        ProviderFlaw::NotAllowed { .. } => {
            "ask its owner to add this namespace to its spec.namespaces"
        }
    }
}

fn create(role: SecretRole, settings: &Settings) -> String {
    match role {
        SecretRole::RefreshToken => format!("sign in with {}", sign_in_command(settings)),
        SecretRole::Client => {
            let marks = consent(settings);
            let create = format!("create it with {}, {marks}", needed_keys(settings));
            match settings
                .provider
                .as_ref()
                .and_then(|used| used.description())
            {
                // Its author says who gives a team its client.
                Some(note) => format!("{create}; about its provider: {}", shortened(note)),
                None => create,
            }
        }
        SecretRole::SubjectToken => {
            let token = settings.grant.own_token();
            let key = token.map_or("", |token| &token.key);
            format!("create it with key {key}, {}", consent(settings))
        }
        SecretRole::ServiceAccount(_) => {
            format!("create it with {}", consent(settings))
        }
    }
}

/// The keys that the client's Secret must have. Of two client secrets, one is enough.
fn needed_keys(settings: &Settings) -> String {
    let spare = settings.two_secret_keys().map(|(_, second)| second);
    let keys: Vec<_> = settings
        .client_keys()
        .filter(|key| Some(*key) != spare)
        .collect();
    match keys.as_slice() {
        [last] => format!("key {last}"),
        [others @ .., last] => format!("keys {} and {last}", others.join(", ")),
        [] => String::new(),
    }
}

/// How the operator gets a token of the ServiceAccount.
fn obtain_account_token(
    role: AccountRole,
    name: &str,
    why: &NoAccountToken,
    settings: &Settings,
) -> String {
    match why {
        NoAccountToken::NotEnabled => {
            "ask the installer to set chart value serviceAccountTokens to true".into()
        }
        NoAccountToken::ApiServerAudience(_) => {
            let field = role.field();
            format!("set {field}.audience to the one that the provider expects")
        }
        NoAccountToken::Refused(error) if error.is_refusal() => format!(
            "ask the installer for create on serviceaccounts/token of {name:?} in namespace {:?}",
            settings.namespace
        ),
        NoAccountToken::Refused(_) | NoAccountToken::Empty => {
            "no action needed; if this persists, check the API server".into()
        }
    }
}

/// The command that brings a refresh token, and writes it into its Secret.
pub(super) fn sign_in_command(settings: &Settings) -> String {
    format!(
        "`kubectl cube login {} -n {}`",
        settings.name, settings.namespace
    )
}

/// The label alone would let the Secret be sent anywhere.
fn permit(settings: &Settings) -> String {
    let hosts = hosts(settings);
    format!(
        "its owner must set annotation {hosts}, then label {}=true",
        label::CREDENTIAL
    )
}

/// The marks that the owner of a Secret sets to allow its use at this endpoint.
fn consent(settings: &Settings) -> String {
    format!(
        "label {}=true and annotation {}",
        label::CREDENTIAL,
        hosts(settings)
    )
}

fn hosts(settings: &Settings) -> String {
    format!(
        "{}={}",
        annotation::TOKEN_HOSTS,
        settings.endpoint.authority()
    )
}

fn add_key(role: SecretRole) -> String {
    let field = match role {
        SecretRole::Client => "spec.clientSecretRef",
        SecretRole::RefreshToken => "spec.refreshTokenRef",
        SecretRole::SubjectToken => "spec.tokenExchange.subjectTokenRef",
        SecretRole::ServiceAccount(role) => role.field(),
    };
    format!("add it, or name the right key in {field}")
}

fn write_value(role: SecretRole, key: &str, flaw: Flaw, settings: &Settings) -> String {
    let without_secret = flaw == Flaw::Empty
        && role == SecretRole::Client
        && settings.authentication == ClientAuthentication::Basic
        && settings
            .source
            .client_secret_keys()
            .any(|secret| secret == key);
    if without_secret {
        return "write it, or set spec.clientAuthentication to BasicEmptySecret if there is none"
            .into();
    }
    write_correctly(flaw).into()
}

fn write_key(flaw: ClientKeyFlaw) -> &'static str {
    match flaw {
        ClientKeyFlaw::Key(flaw) => flaw.remedy(),
        ClientKeyFlaw::NoCertificate => "write the PEM certificate of the private key",
        ClientKeyFlaw::Expired { .. } => "renew it, and write the new certificate and its key",
        ClientKeyFlaw::NotYetValid { .. } => {
            "no action needed if that is soon; else write the certificate that is valid now"
        }
        ClientKeyFlaw::OtherCertificate => {
            "write the certificate of the private key that stands beside it"
        }
    }
}

/// How a host, or the CA certificates that prove it, may be allowed.
fn allow_host(rejection: &Rejection, settings: &Settings) -> String {
    match rejection {
        Rejection::HostNotAllowedByOperator { .. } => {
            let url = settings.url_field();
            format!("correct {url}, or ask the installer to add the host to --allowed-token-hosts")
        }
        Rejection::ProbeHost { holder: None, .. } => {
            "correct it, or ask the installer to add that host to --allowed-token-hosts".into()
        }
        Rejection::ProbeHost {
            holder: Some(holder),
            ..
        } => format!(
            "correct it, or ask the owner of {holder} to add that host to annotation {}",
            annotation::TOKEN_HOSTS
        ),
        Rejection::HostsNotNamed { holder } => set_hosts(holder, settings),
        Rejection::HostListMalformed { .. } => {
            "its owner must write host or host:port, separated by commas".into()
        }
        Rejection::CaNotPermitted {
            secret_is_gone: true,
            ca,
            ..
        } => format!(
            "create it again with annotation {}={}",
            annotation::TOKEN_CA,
            ca.entry()
        ),
        Rejection::CaNotPermitted { holder, ca, .. } => {
            let entry = ca.entry();
            annotate(holder, annotation::TOKEN_CA, &entry, settings)
        }
        _ => format!(
            "correct {}, or ask its owner to add that host to annotation {}",
            settings.url_field(),
            annotation::TOKEN_HOSTS
        ),
    }
}

fn give_own_token(given: bool, state: Option<&str>) -> String {
    match state.filter(|_| given) {
        Some(state) => format!(
            "to complete the move, delete Secret {state:?} once that CubeCredential is gone (docs/backup.md)"
        ),
        None => "sign in again for this one, or move that login (docs/backup.md)".into(),
    }
}

/// A Secret names no hosts, and that is no failure.
pub(super) fn unlimited_secret(role: SecretRole, settings: &Settings) -> String {
    let seed = Holder::of_seed(settings).filter(|_| SecretRole::of_seed(settings) == Some(role));
    let holder = seed.unwrap_or_else(|| Holder::of_client(settings));
    let annotation = annotation::TOKEN_HOSTS;
    format!("{holder} may be sent to any host: its owner can limit it with annotation {annotation}")
}

fn set_hosts(holder: &Holder, settings: &Settings) -> String {
    let host = settings.endpoint.authority();
    annotate(holder, annotation::TOKEN_HOSTS, &host, settings)
}

/// Without `--overwrite`: a value that the owner has written must not get lost.
fn annotate(holder: &Holder, name: &str, value: &str, settings: &Settings) -> String {
    let namespace = &settings.namespace;
    let (kind, object) = (holder.kubectl_kind(), holder.name());
    format!("its owner can run `kubectl annotate {kind} {object} -n {namespace} {name}={value}`")
}

/// The name and the key of the Secret with the initial refresh token; empty where the grant has none.
pub(super) fn initial(settings: &Settings) -> (&str, &str) {
    let initial = settings.grant.refresh_token();
    initial.map_or(("", ""), |initial| (&initial.name, &initial.key))
}

/// The way back to a refresh token that may be sent.
fn consent_again(why: &Withheld, settings: &Settings) -> String {
    let (name, _) = initial(settings);
    match why {
        Withheld::Endpoint { .. } if settings.discovered_by().is_some() => format!(
            "the issuer's metadata names another endpoint now: sign in again and write the new one to Secret {name:?}"
        ),
        Withheld::Endpoint { .. } => format!(
            "set {} back, or sign in again and write the new one to Secret {name:?}",
            settings.url_field()
        ),
        Withheld::Reference { .. } => {
            format!("set it back, or write a refresh token to Secret {name:?}")
        }
        Withheld::Consumed => {
            format!("restore it, or sign in again and write a new one to Secret {name:?}")
        }
        Withheld::Owner | Withheld::Unbound => {
            format!("create Secret {name:?} with its initial refresh token, or with a new one")
        }
    }
}

fn write_correctly(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::TrailingNewline => "rewrite the value with `printf %s`",
        Flaw::PrivateKey => {
            "replace it: a private key is for spec.clientAuthentication PrivateKeyJWT, under its own key"
        }
        Flaw::OuterBlank { .. } => "write the value without that character",
        Flaw::NotText | Flaw::Empty | Flaw::ControlCharacter | Flaw::NotAscii => {
            "write the value as the provider shows it"
        }
    }
}

fn mend_bundle(flaw: &CaBundleFlaw, name: &str, settings: &Settings) -> String {
    let fixed = match flaw {
        CaBundleFlaw::Unread => "no action needed",
        CaBundleFlaw::Absent => "create it, or correct spec.caBundleRef",
        CaBundleFlaw::NotLabelled => {
            let (label, namespace) = (label::CREDENTIAL, &settings.namespace);
            return format!("`kubectl label secret {name} -n {namespace} {label}=true`");
        }
        CaBundleFlaw::NoKey { .. } => "add it, or name the right key",
        CaBundleFlaw::AllLeftOut { .. } => "correct or remove that block",
        CaBundleFlaw::NotPem { .. } => "write one or more -----BEGIN CERTIFICATE----- blocks",
        CaBundleFlaw::TooLarge { .. } | CaBundleFlaw::TooMuchKept { .. } => {
            "write only the CA certificates of the token endpoint; public CAs are trusted anyway"
        }
    };
    fixed.into()
}
