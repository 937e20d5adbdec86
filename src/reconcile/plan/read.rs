//! The reads that a decision needs, with their arguments.

use crate::{
    api::{CaBundleRef, ClientSecretRef, RefreshTokenRef, WorkloadRef},
    reconcile::{
        login::knows_label,
        settings::Settings,
        source::{AccountRole, Source, SourceValue},
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
        /// True if it is known to exist; otherwise its metadata is read first.
        known: bool,
    },
    /// The target before it moved, with its data.
    Previous {
        /// The name that it had.
        name: String,
    },
    /// The pods that use these Secrets.
    Consumers {
        /// The names of the Secrets.
        secrets: Vec<String>,
    },
    /// The Secret with the client.
    Source {
        /// The name and the keys of the Secret.
        reference: Box<ClientSecretRef>,
        /// True if its consent label is known; otherwise its metadata is read first.
        labelled: bool,
    },
    /// The consent on a ServiceAccount, which takes the place of a Secret.
    ServiceAccount {
        /// The name of the ServiceAccount.
        name: String,
        /// The use of its token.
        role: AccountRole,
    },
    /// The Secret with the initial refresh token or the subject token.
    Seed {
        /// The name and the key of the Secret.
        reference: RefreshTokenRef,
        /// True if its consent label is known; otherwise its metadata is read first.
        labelled: bool,
    },
    /// The state Secret, live.
    State {
        /// The name of the state.
        name: String,
    },
    /// The record of the token.
    Record {
        /// The name of the record.
        name: String,
    },
    /// The states of the namespace, other than this object's, that may know one of these refresh tokens.
    OtherStates {
        /// The name of this object's state.
        state: String,
        /// The labels of the states that may know one of them.
        labels: Vec<String>,
        /// The SHA-256 of the tokens.
        token_hashes: Vec<String>,
    },
    /// The CA bundle.
    CaBundle(CaBundleRef),
    /// The workloads that are restarted.
    Workloads {
        /// The token, as marks name it.
        mark: String,
        /// The kinds and names of the workloads.
        workloads: Vec<WorkloadRef>,
    },
}

impl Read {
    /// Returns whether it may take seconds, and so holds no worker.
    #[must_use]
    pub(crate) fn is_slow(&self) -> bool {
        matches!(self, Self::Workloads { .. })
    }

    #[must_use]
    pub(crate) fn target(settings: &Settings, observed: &Target) -> Self {
        Self::Target {
            name: settings.target_name.clone(),
            known: matches!(observed, Target::Present(_)),
        }
    }

    pub(in crate::reconcile) fn previous(secret: &TargetSecret) -> Self {
        Self::Previous {
            name: secret.name.clone(),
        }
    }

    #[must_use]
    pub(crate) fn source(settings: &Settings, observed: &Source) -> Self {
        if let Some(account) = Self::account(settings, AccountRole::Client) {
            return account;
        }
        Self::Source {
            reference: Box::new(settings.source.clone()),
            labelled: observed.version().is_some(),
        }
    }

    fn account(settings: &Settings, role: AccountRole) -> Option<Self> {
        let account = settings.account_token(role)?;
        Some(Self::ServiceAccount {
            name: account.service_account.clone(),
            role,
        })
    }

    /// Reads the object with the initial refresh token or the subject token, if the grant has one.
    #[must_use]
    pub(crate) fn seed(settings: &Settings, observed: &Source<SourceValue>) -> Option<Self> {
        if let Some(account) = Self::account(settings, AccountRole::Subject) {
            return Some(account);
        }
        Some(Self::Seed {
            reference: settings.grant.own_token()?.clone(),
            labelled: observed.version().is_some(),
        })
    }

    #[must_use]
    pub(crate) fn state(settings: &Settings) -> Self {
        Self::State {
            name: settings.state_name.clone(),
        }
    }

    #[must_use]
    pub(crate) fn record(settings: &Settings) -> Self {
        Self::Record {
            name: settings.record_name.clone(),
        }
    }

    #[must_use]
    pub(in crate::reconcile) fn other_states(
        settings: &Settings,
        token_hashes: Vec<String>,
    ) -> Self {
        Self::OtherStates {
            state: settings.state_name.clone(),
            labels: token_hashes.iter().map(|hash| knows_label(hash)).collect(),
            token_hashes,
        }
    }

    /// Reads the CA bundle, if the spec names one.
    #[must_use]
    pub(crate) fn ca_bundle(settings: &Settings) -> Option<Self> {
        settings.ca_bundle.clone().map(Self::CaBundle)
    }
}
