//! The reads that a decision needs, with all that they take.

use crate::{
    api::{CaBundleRef, ClientSecretRef, RefreshTokenRef},
    reconcile::{
        settings::Settings,
        source::{Source, SourceValue},
        target::{Target, TargetSecret},
    },
};

/// A read that a decision needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// The Secret by the target's name, with its data if it is ours.
    Target {
        /// The name of the target.
        name: String,
        /// Whether it is known to exist; else its metadata is read first.
        known: bool,
    },
    /// The target before it moved, with its data.
    Previous {
        /// The name that it had.
        name: String,
    },
    /// The Secret with the client.
    Source {
        /// Where it is, and its keys.
        reference: ClientSecretRef,
        /// Whether its consent label is known; else its metadata is read first.
        labelled: bool,
    },
    /// The Secret with the initial refresh token.
    Seed {
        /// Where it is, and its key.
        reference: RefreshTokenRef,
        /// Whether its consent label is known; else its metadata is read first.
        labelled: bool,
    },
    /// The state Secret, live.
    State {
        /// The name of the state.
        name: String,
    },
    /// The CA bundle.
    CaBundle(CaBundleRef),
}

impl Read {
    /// Reads the target.
    #[must_use]
    pub fn target(settings: &Settings, observed: &Target) -> Self {
        Self::Target {
            name: settings.target_name.clone(),
            known: matches!(observed, Target::Present(_)),
        }
    }

    /// Reads the target before it moved.
    pub(in crate::reconcile) fn previous(secret: &TargetSecret) -> Self {
        Self::Previous {
            name: secret.name.clone(),
        }
    }

    /// Reads the Secret with the client.
    #[must_use]
    pub fn source(settings: &Settings, observed: &Source) -> Self {
        Self::Source {
            reference: settings.source.clone(),
            labelled: observed.version().is_some(),
        }
    }

    /// Reads the Secret with the initial refresh token, if the grant has one.
    #[must_use]
    pub fn seed(settings: &Settings, observed: &Source<SourceValue>) -> Option<Self> {
        Some(Self::Seed {
            reference: settings.grant.refresh_token()?.clone(),
            labelled: observed.version().is_some(),
        })
    }

    /// Reads the state.
    #[must_use]
    pub fn state(settings: &Settings) -> Self {
        Self::State {
            name: settings.state_name.clone(),
        }
    }

    /// Reads the CA bundle, if the spec names one.
    #[must_use]
    pub fn ca_bundle(settings: &Settings) -> Option<Self> {
        settings.ca_bundle.clone().map(Self::CaBundle)
    }
}
