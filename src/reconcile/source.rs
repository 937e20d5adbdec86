//! The objects that users provide besides the spec: the Secrets with the client and the initial refresh token, and the CA bundle.

mod account;
pub(super) mod client;
pub(super) mod consent;
mod holder;
pub(super) mod preflight;
mod rejection;
mod secrets;

use std::sync::Arc;

use secrecy::SecretString;

use crate::oauth::{
    ca_bundle::{CaBundleError, CaCertificates, LeftOut},
    identity::ClientCertificate,
    private_key::{KeyFlaw, PrivateKey},
};

pub use account::AccountTokens;
pub use holder::{AccountRole, Holder, SecretRole};
pub(super) use rejection::CaOrigin;
pub(super) use rejection::ca_bundle_name;
pub use rejection::{
    CaBundleFlaw, ClientKeyFlaw, Flaw, NoAccountToken, Outer, Rejection, Withheld,
};
pub(super) use secrets::{SecretKey, SentSecret, UsableClient};

/// A user's Secret, which may be read only with its consent label.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Source<T = ClientValues> {
    /// Its content was not read yet. The version comes from the watch on labelled Secrets; `None`: the watch does not show the
    /// Secret.
    Unread(Option<String>),
    /// There is no Secret by that name.
    Absent,
    /// It has no consent label, so its content was not read.
    NotLabelled,
    Read(SourceSecret<T>),
}

/// The used part of such a Secret.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub struct SourceSecret<T = ClientValues> {
    pub version: String,
    /// The hosts that its owner allows (`token-hosts`).
    pub token_hosts: Option<String>,
    /// The CA bundles that its owner allows (`token-ca`).
    pub token_ca: Option<String>,
    /// The values of the used keys.
    pub values: T,
}

/// The used part of the Secret with the client.
#[derive(Clone, Debug)]
pub struct ClientValues {
    /// The client id.
    pub id: SourceValue,
    /// The client secret.
    pub secret: SourceValue,
    /// The second client secret, if the spec names two.
    pub next_secret: SourceValue,
    /// The private key.
    pub key: SourceKey,
    /// The SHA-256 of the private key's certificate.
    pub certificate: SourceCertificate,
}

impl ClientValues {
    /// The values of a client that has a secret.
    #[must_use]
    pub fn with_secret(id: SourceValue, secret: SourceValue) -> Self {
        Self {
            id,
            secret,
            next_secret: SourceValue::Absent,
            key: SourceKey::Absent,
            certificate: SourceCertificate::Absent,
        }
    }
}

/// The private key under one key. It is read once, because that takes a moment.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SourceKey {
    /// There is no such key, or none is used.
    Absent,
    Unusable(KeyFlaw),
    Read(Arc<PrivateKey>),
}

/// The certificate under one key.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SourceCertificate {
    /// There is no such key, or none is used.
    Absent,
    Unusable,
    Read(Arc<ClientCertificate>),
}

impl SourceKey {
    /// The private key in a value; `None`: the value is absent.
    #[must_use]
    pub fn of(value: Option<&[u8]>) -> Self {
        let Some(bytes) = value else {
            return Self::Absent;
        };
        let read = str::from_utf8(bytes).map_err(|_| KeyFlaw::NotText);
        match read.and_then(PrivateKey::read) {
            Ok(key) => Self::Read(Arc::new(key)),
            Err(flaw) => Self::Unusable(flaw),
        }
    }
}

impl SourceCertificate {
    /// The certificate in a value; `None`: the value is absent.
    #[must_use]
    pub fn of(value: Option<&[u8]>) -> Self {
        match value.map(ClientCertificate::read) {
            None => Self::Absent,
            Some(None) => Self::Unusable,
            Some(Some(certificate)) => Self::Read(Arc::new(certificate)),
        }
    }
}

/// The value of one key.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SourceValue {
    /// There is no such key.
    Absent,
    /// It is not UTF-8.
    NotText,
    Text(SecretString),
}

/// The CA bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaBundle {
    /// It was not read yet.
    Unread,
    /// There is no such object.
    Absent,
    /// It is a Secret without consent label, so its content was not read.
    NotLabelled,
    /// It has no such key.
    NoKey,
    /// Its text cannot be used.
    Unusable(CaBundleError),
    /// Its certificates.
    Read(Arc<CaCertificates>),
}

impl CaBundle {
    /// The certificates of a PEM text, if it has any.
    #[must_use]
    pub fn of(pem: &[u8]) -> Self {
        match CaCertificates::read(pem) {
            Ok(read) => Self::Read(Arc::new(read)),
            Err(error) => Self::Unusable(error),
        }
    }

    /// The part that cannot be used, if another part can.
    pub(super) fn left_out(&self) -> Option<LeftOut> {
        match self {
            Self::Read(certificates) => certificates.left_out(),
            _ => None,
        }
    }
}

impl<T> Source<T> {
    /// The current version, as far as it is known.
    #[must_use]
    pub(crate) fn version(&self) -> Option<&str> {
        match self {
            Self::Unread(version) => version.as_deref(),
            Self::Read(secret) => Some(&secret.version),
            Self::Absent | Self::NotLabelled => None,
        }
    }

    /// The hosts that its owner allows, if its content was read.
    pub(super) fn token_hosts(&self) -> Option<&str> {
        match self {
            Self::Read(secret) => secret.token_hosts.as_deref(),
            Self::Unread(_) | Self::Absent | Self::NotLabelled => None,
        }
    }

    pub(super) fn is_unread(&self) -> bool {
        matches!(self, Self::Unread(_))
    }

    /// Its owner may have taken the consent back since it was read: it is read again before the next request.
    pub(super) fn read_again(&mut self) {
        if let Self::Read(secret) = self {
            *self = Self::Unread(Some(std::mem::take(&mut secret.version)));
        }
    }
}
