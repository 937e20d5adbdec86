//! Rejections of inputs that cannot be used, so that no request is sent. The messages are the causes; `status` adds the remedies.

use jiff::Timestamp;
use thiserror::Error;

use super::holder::{AccountRole, Holder, SecretRole};
use crate::{
    api::{CaBundleKind, CaBundleRef, Reason, annotation, label},
    api_error::ApiError,
    oauth::{
        ca_bundle::{LARGEST, LeftOut, MOST_KEPT},
        private_key::KeyFlaw,
    },
    reconcile::provider::ProviderFlaw,
    template::TemplateError,
};

/// The reason why the preflight checks reject an exchange.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Rejection {
    /// A Secret is missing.
    #[error("{} not found", role.holder(name))]
    SecretAbsent { role: SecretRole, name: String },
    /// A Secret has no consent label.
    #[error("{} is not labelled for use", role.holder(name))]
    NotLabelled { role: SecretRole, name: String },
    /// A Secret lacks a key.
    #[error("Secret {name:?} has no key {}", keys_shown(key))]
    KeyMissing {
        role: SecretRole,
        name: String,
        key: String,
    },
    /// A value cannot be sent.
    #[error("key {key:?} of Secret {name:?} {flaw}")]
    Malformed {
        role: SecretRole,
        name: String,
        key: String,
        flaw: Flaw,
    },
    /// The private key of the client, or its certificate, cannot be used.
    #[error("key {key:?} of Secret {name:?} {flaw}")]
    ClientKey {
        name: String,
        key: String,
        flaw: ClientKeyFlaw,
    },
    /// There is no token of a ServiceAccount.
    #[error("no token of ServiceAccount {name:?}: {why}")]
    AccountToken {
        role: AccountRole,
        name: String,
        why: Box<NoAccountToken>,
    },
    /// The operator's own list of hosts lacks this one.
    #[error("the operator must not send credentials to {host}")]
    HostNotAllowedByOperator {
        /// The host of the token endpoint, with its port if that is not 443.
        host: String,
    },
    /// The list of hosts on a Secret lacks this one.
    #[error("{holder} must not be sent to {host}")]
    HostNotAllowedByOwner {
        holder: Holder,
        /// The host of the token endpoint, with its port if that is not 443.
        host: String,
    },
    /// A list of hosts lacks the host of the probe.
    #[error("the token must not be sent to {host}, the host of spec.probe.url")]
    ProbeHost {
        /// With its port if that is not 443.
        host: String,
        /// The object with the list; `None`: it is the operator's own.
        holder: Option<Holder>,
    },
    /// The list of hosts on a Secret cannot be read. Its entry is not shown: the author of the spec may not read that Secret.
    #[error(
        "annotation {} of {holder} has an invalid entry",
        annotation::TOKEN_HOSTS
    )]
    HostListMalformed { holder: Holder },
    /// A Secret has no list of hosts, and the operator requires one.
    #[error("{holder} names no hosts, which is required")]
    HostsNotNamed { holder: Holder },
    /// The owner of a Secret to which a list of hosts applies has not allowed the CA certificates.
    #[error("{holder} does not allow the CAs of {ca}")]
    CaNotPermitted {
        holder: Holder,
        /// True if the Secret was deleted after its owner's annotation was recorded.
        secret_is_gone: bool,
        ca: CaOrigin,
    },
    /// The stored refresh token was given for another use.
    #[error("the refresh token in Secret {state:?} {why}")]
    StoredToken { state: String, why: Withheld },
    /// Another login knows the refresh token.
    #[error(
        "Secret {secret:?} holds the refresh token of CubeCredential {owner:?}{}",
        stored_in(state.as_deref())
    )]
    RefreshTokenInUse {
        secret: String,
        /// True if it is a state that a person gave to this object.
        given: bool,
        owner: String,
        /// The state of the other login, if there is one.
        state: Option<String>,
    },
    /// The provider object that the spec names cannot be used.
    #[error("{0}")]
    Provider(ProviderFlaw),
    /// A template of the target cannot be used.
    #[error("{0}")]
    Template(TemplateError),
    /// The CA bundle cannot be used.
    #[error("CA bundle {} {flaw}", ca_bundle_name(reference))]
    CaBundle {
        reference: CaBundleRef,
        flaw: CaBundleFlaw,
    },
}

/// The object that CA certificates come from.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind} {name:?}")]
pub struct CaOrigin {
    pub(in crate::reconcile) kind: &'static str,
    pub(in crate::reconcile) name: String,
}

/// Why a stored refresh token is not sent with the present spec.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Withheld {
    /// The spec names another endpoint.
    #[error("is for {endpoint} only")]
    Endpoint {
        /// Scheme, authority and path of the endpoint that it is for.
        endpoint: String,
    },
    /// The spec names another Secret, which does not prove that its owner may use this login.
    #[error(
        "came from key {key:?} of Secret {secret:?}, which spec.refreshTokenRef no longer names"
    )]
    #[expect(missing_docs, reason = "the names say it")]
    Reference { secret: String, key: String },
    /// Its Secret is missing, or older than the last sign-in, and the provider has replaced the initial one.
    #[error("is gone or outdated, and the initial one is consumed")]
    Consumed,
    /// It was left by another object.
    #[error("was left by a deleted CubeCredential of this name")]
    Owner,
    /// An earlier version stored it, and the spec has changed since.
    #[error("was stored by an earlier version without its token endpoint")]
    Unbound,
}

/// Why there is no token of a ServiceAccount.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoAccountToken {
    /// The operator was started without it.
    #[error("this operator may not request one")]
    NotEnabled,
    /// The token would be a login to this cluster.
    #[error("audience {0:?} is one of the API server")]
    ApiServerAudience(String),
    /// The API server refuses, or could not be reached.
    #[error("{0}")]
    Refused(ApiError),
    /// The API server issued none.
    #[error("the API server's response has none")]
    Empty,
}

/// The flaw of a private key, or of its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum ClientKeyFlaw {
    #[error("{0}")]
    Key(KeyFlaw),
    #[error("has no PEM certificate that can be read")]
    NoCertificate,
    #[error("has the certificate of another private key")]
    OtherCertificate,
    #[error("has a certificate that expired at {at}")]
    Expired { at: Timestamp },
    #[error("has a certificate that is not valid before {from}")]
    NotYetValid { from: Timestamp },
}

impl ClientKeyFlaw {
    fn reason(self) -> Reason {
        match self {
            Self::Key(_) | Self::NoCertificate | Self::OtherCertificate => Reason::ClientKeyInvalid,
            Self::Expired { .. } | Self::NotYetValid { .. } => Reason::ClientCertificateExpired,
        }
    }
}

/// The flaw of a value that cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum Flaw {
    #[error("is not UTF-8 text")]
    NotText,
    #[error("is empty")]
    Empty,
    #[error("has a trailing newline")]
    TrailingNewline,
    #[error("contains a control character")]
    ControlCharacter,
    #[error("{place} with {}", character_shown(*character))]
    OuterBlank { place: Outer, character: char },
    #[error("contains a character that is not ASCII")]
    NotAscii,
    #[error("is a private key, which must not be sent")]
    PrivateKey,
}

/// An end of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum Outer {
    #[error("begins")]
    Start,
    #[error("ends")]
    End,
}

/// The name of a character that is not seen, with its code point.
fn character_shown(character: char) -> String {
    let name = match character {
        ' ' => "a space",
        '\u{a0}' => "a no-break space",
        '\u{feff}' => "a byte order mark",
        c if c.is_whitespace() => "a Unicode space",
        _ => "an invisible character",
    };
    format!("{name} (U+{:04X})", u32::from(character))
}

/// The flaw of a CA bundle that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum CaBundleFlaw {
    #[error("was not read")]
    Unread,
    #[error("not found")]
    Absent,
    #[error("is missing label {}=true", label::CREDENTIAL)]
    NotLabelled,
    #[error("has no key {key:?}")]
    NoKey { key: String },
    #[error("has no valid PEM certificate in key {key:?}")]
    NotPem { key: String },
    #[error("has no usable CA certificate in key {key:?}: {why}")]
    AllLeftOut { key: String, why: LeftOut },
    #[error("has more than {} KiB in key {key:?}", LARGEST / 1024)]
    TooLarge { key: String },
    #[error("has certificates whose names and keys take more than {} KiB in key {key:?}", MOST_KEPT / 1024)]
    TooMuchKept { key: String },
}

impl Rejection {
    /// The reason that conditions show.
    #[must_use]
    pub(crate) fn reason(&self) -> Reason {
        use SecretRole::{Client, RefreshToken, ServiceAccount, SubjectToken};
        match self {
            Self::SecretAbsent {
                role: ServiceAccount(_),
                ..
            }
            | Self::KeyMissing {
                role: ServiceAccount(_),
                ..
            } => Reason::ServiceAccountNotFound,
            Self::NotLabelled {
                role: ServiceAccount(_),
                ..
            } => Reason::ServiceAccountNotLabelled,
            Self::AccountToken { .. }
            | Self::Malformed {
                role: ServiceAccount(_),
                ..
            } => Reason::ServiceAccountTokenFailed,
            Self::SecretAbsent { role: Client, .. } => Reason::ClientSecretNotFound,
            Self::NotLabelled { role: Client, .. } => Reason::ClientSecretNotLabelled,
            Self::KeyMissing { role: Client, .. } => Reason::ClientSecretKeyMissing,
            Self::Malformed { role: Client, .. } => Reason::ClientSecretMalformed,
            Self::ClientKey { flaw, .. } => flaw.reason(),
            Self::SecretAbsent {
                role: RefreshToken, ..
            }
            | Self::KeyMissing {
                role: RefreshToken, ..
            } => Reason::RefreshTokenNotFound,
            Self::NotLabelled {
                role: RefreshToken, ..
            } => Reason::RefreshTokenNotLabelled,
            Self::Malformed {
                role: RefreshToken, ..
            } => Reason::RefreshTokenMalformed,
            Self::SecretAbsent {
                role: SubjectToken, ..
            }
            | Self::KeyMissing {
                role: SubjectToken, ..
            } => Reason::SubjectTokenNotFound,
            Self::NotLabelled {
                role: SubjectToken, ..
            } => Reason::SubjectTokenNotLabelled,
            Self::Malformed {
                role: SubjectToken, ..
            } => Reason::SubjectTokenMalformed,
            Self::HostNotAllowedByOperator { .. }
            | Self::HostNotAllowedByOwner { .. }
            | Self::ProbeHost { .. }
            | Self::HostListMalformed { .. }
            | Self::HostsNotNamed { .. }
            | Self::CaNotPermitted { .. } => Reason::HostNotAllowed,
            Self::StoredToken { .. } => Reason::StateConflict,
            Self::RefreshTokenInUse { .. } => Reason::RefreshTokenInUse,
            Self::Template(_) => Reason::TemplateInvalid,
            Self::Provider(flaw) => flaw.reason(),
            Self::CaBundle { .. } => Reason::CABundleInvalid,
        }
    }

    /// The same for the host of the probe, where it is about a host.
    #[must_use]
    pub(in crate::reconcile) fn of_probe(self) -> Self {
        match self {
            Self::HostNotAllowedByOperator { host } => Self::ProbeHost { host, holder: None },
            Self::HostNotAllowedByOwner { host, holder } => Self::ProbeHost {
                host,
                holder: Some(holder),
            },
            other => other,
        }
    }

    /// Returns whether no watch reports when the cause is removed: missing and unlabelled Secrets are not watched.
    pub(in crate::reconcile) fn is_unwatched(&self) -> bool {
        match self {
            // Only so many ConfigMaps with a CA bundle are watched.
            Self::SecretAbsent { .. }
            | Self::NotLabelled { .. }
            | Self::AccountToken { .. }
            | Self::StoredToken { .. }
            | Self::RefreshTokenInUse { .. }
            | Self::CaBundle { .. } => true,
            // These have one reason for a missing key and a missing Secret.
            Self::KeyMissing { role, .. } => {
                matches!(role, SecretRole::RefreshToken | SecretRole::SubjectToken)
            }
            // It becomes valid by itself.
            Self::ClientKey { flaw, .. } => matches!(flaw, ClientKeyFlaw::NotYetValid { .. }),
            Self::Template(_)
            | Self::Provider(_)
            | Self::Malformed { .. }
            | Self::HostNotAllowedByOperator { .. }
            | Self::HostNotAllowedByOwner { .. }
            | Self::ProbeHost { .. }
            | Self::HostListMalformed { .. }
            | Self::HostsNotNamed { .. }
            | Self::CaNotPermitted { .. } => false,
        }
    }
}

/// One key, or both that would do.
fn keys_shown(keys: &str) -> String {
    let keys: Vec<_> = keys.split(',').map(|key| format!("{key:?}")).collect();
    keys.join(" or ")
}

fn stored_in(state: Option<&str>) -> String {
    state.map_or_else(String::new, |state| format!(" (Secret {state:?})"))
}

/// Kind and name of a CA bundle.
pub(in crate::reconcile) fn ca_bundle_name(reference: &CaBundleRef) -> String {
    format!("{} {:?}", ca_bundle_kind(reference), reference.name)
}

/// The kind of a CA bundle.
pub(super) fn ca_bundle_kind(reference: &CaBundleRef) -> &'static str {
    match reference.kind {
        CaBundleKind::ConfigMap => "ConfigMap",
        CaBundleKind::Secret => "Secret",
    }
}
