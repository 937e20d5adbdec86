//! The reasons why a provider object cannot be used.

use thiserror::Error;

use super::bundle::BundleFlaw;
use crate::{
    api::{ProviderKind, Reason},
    oauth::{ca_bundle::CaBundleError, discovery::DiscoveryError, endpoint::EndpointError},
    reconcile::settings::error::SettingsError,
};

/// The reason why a credential cannot use the provider object that its spec names.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum ProviderFlaw {
    #[error("the provider object is not known yet")]
    Unlisted,
    #[error("the operator cannot list {}s", .0.name())]
    Unwatched(ProviderKind),
    #[error("this operator uses no {}", .0.name())]
    Unused(ProviderKind),
    #[error("{} {name:?} not found", kind.name())]
    Absent { kind: ProviderKind, name: String },
    #[error("{} {name:?} cannot be used: {why}", kind.name())]
    Unusable {
        kind: ProviderKind,
        name: String,
        why: Unusable,
    },
    #[error("{} {name:?} does not fit this object: {why}", kind.name())]
    Unfit {
        kind: ProviderKind,
        name: String,
        why: Box<SettingsError>,
    },
    #[error("the token endpoint of {} {name:?} is not known{}", kind.name(), if *failed { ", because the metadata of its issuer cannot be read or used" } else { " yet" })]
    Undiscovered {
        kind: ProviderKind,
        name: String,
        failed: bool,
    },
    #[error("ClusterCubeProvider {name:?} does not allow namespace {namespace:?}")]
    NotAllowed { name: String, namespace: String },
}

/// The field of a provider object that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the messages are the documentation")]
pub enum Unusable {
    #[error("it has not exactly one of tokenURL and issuer")]
    NoEndpoint,
    #[error("{0}")]
    Issuer(DiscoveryError),
    #[error("its endpointHosts have {0:?}, which is neither host nor host:port")]
    EndpointHost(String),
    #[error("its tokenURL {0}")]
    TokenUrl(#[from] EndpointError),
    #[error("the query of its tokenURL has the reserved parameter {0:?}")]
    QueryReserved(String),
    #[error("its parameters have the name {0:?}, which is reserved or malformed")]
    Parameter(String),
    #[error(
        "its clientAuthentication is ServiceAccountToken, which each CubeCredential sets itself, with its clientAssertion"
    )]
    ServiceAccountToken,
    #[error("its assumedLifetime is {0:?}: write a duration such as 1h or 90m")]
    AssumedLifetime(String),
    #[error(
        "its tokenRequestInterval is {0:?}: write a duration from 1s to 1h, such as 12s or 1m30s"
    )]
    TokenRequestInterval(String),
    #[error("{0}")]
    CaBundle(#[from] CaBundleError),
    #[error("its caBundle and its caBundleRef are two places for the same certificates")]
    TwoBundles,
    #[error("its systemRoots is Replace, and it names no certificates that are trusted instead")]
    ReplaceWithoutBundle,
    #[error(transparent)]
    Bundle(Box<BundleFlaw>),
    /// The text is the JSON parser's, which names the field.
    #[error("this version of the operator cannot read it: {0}")]
    Unreadable(String),
}

impl From<BundleFlaw> for Unusable {
    fn from(flaw: BundleFlaw) -> Self {
        Self::Bundle(Box::new(flaw))
    }
}

impl ProviderFlaw {
    /// The reason that conditions show.
    pub(in crate::reconcile) fn reason(&self) -> Reason {
        match self {
            Self::Absent { .. } => Reason::ProviderNotFound,
            Self::NotAllowed { .. } => Reason::ProviderNotAllowed,
            Self::Unlisted
            | Self::Unwatched(_)
            | Self::Unused(_)
            | Self::Unusable { .. }
            | Self::Unfit { .. }
            | Self::Undiscovered { .. } => Reason::ProviderNotReady,
        }
    }
}
