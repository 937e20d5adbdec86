//! The observation of one `CubeCredential` and the objects around it, in the types of the domain.

use secrecy::SecretString;

use super::{
    credential::Credential,
    digest,
    login::{State, TokenUse},
    memory::{Memory, Versions},
    pace::{Permit, PermitRequest, Slot},
    record::Record,
    settings::{Settings, SettingsError},
    source::{AccountTokens, CaBundle, SecretRole, Source, SourceValue, preflight},
    target::{Target, TargetSecret},
};
use crate::{consumers::ConsumerAccess, oauth::hosts::HostList};

/// Everything that a decision is made from, besides the time.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The object itself.
    pub credential: Credential,
    /// Its settings, or the reason why the spec cannot be read.
    pub settings: Result<Settings, SettingsError>,
    /// The name of another, older `CubeCredential` with the same target.
    pub older_rival: Option<String>,
    /// The Secret by the target's name.
    pub target: Target,
    /// The Secrets by other names that were written for this object: its targets before `target.name` changed.
    pub previous: Vec<TargetSecret>,
    /// The key of the hashes on the target, if it was read and templates made it.
    pub target_key: Option<SecretString>,
    /// The record of the token beside the target, with templates.
    pub record: Record,
    /// The version of that Secret that the watch shows.
    pub watched_record: Option<String>,
    /// The rights of this operator on the pods that use them, and on workloads.
    pub access: ConsumerAccess,
    /// The Secret with the client id and the client secret.
    pub source: Source,
    /// The Secret with the initial refresh token or the subject token, for the grants that have one, or the ServiceAccount of the
    /// subject.
    pub seed: Source<SourceValue>,
    /// The name of an older `CubeCredential` that is given the same initial refresh token.
    pub older_login: Option<String>,
    /// The Secret with the current refresh token.
    pub state: State,
    /// The version of that Secret that the watch shows.
    pub watched_state: Option<String>,
    /// The use of the refresh token that would be sent by another state.
    pub token_use: TokenUse,
    /// The name of this process in claims: the uid of its pod.
    pub identity: String,
    /// The further CA certificates.
    pub ca_bundle: CaBundle,
    /// The tokens of ServiceAccounts for the next request.
    pub account_tokens: AccountTokens,
    /// True if the operator may request such tokens.
    pub account_tokens_enabled: bool,
    /// The permit of this client for a token request; `None`: no permit was requested in this reconcile.
    pub permit: Option<(PermitRequest, Permit)>,
    /// The slot for an exchange in progress; `None`: no slot was asked for in this reconcile.
    pub slot: Option<Slot>,
    /// The only hosts that the operator may send to; `None`: any.
    pub allowed_hosts: Option<HostList>,
    /// True if conditions and events leave out how far a request got, for whom the inner network is none of their business.
    pub hides_network_detail: bool,
    /// True if each Secret has to name the hosts that it may be sent to.
    pub token_hosts_required: bool,
    /// The memory of earlier reconciles.
    pub memory: Memory,
}

impl Observed {
    /// The versions of a token's inputs.
    pub(super) fn versions(&self) -> Versions {
        Versions {
            generation: self.credential.generation,
            source_version: self.source.version().unwrap_or_default().to_owned(),
            seed_version: self.seed_version(),
            provider_version: self.provider_version(),
        }
    }

    /// The version of the provider object's fields, if the spec names one.
    pub(super) fn provider_version(&self) -> Option<String> {
        let settings = self.settings.as_ref().ok()?;
        settings.provider_version().map(str::to_owned)
    }

    /// The current version of the object with the initial refresh token or the subject token, with the grants that have one; empty:
    /// there is none to be read.
    pub(super) fn seed_version(&self) -> Option<String> {
        let settings = self.settings.as_ref().ok()?;
        SecretRole::of_seed(settings)?;
        Some(self.seed.version().unwrap_or_default().to_owned())
    }

    /// A hash of the subject token that was read, with the grant that exchanges one. A ServiceAccount has none before it is requested:
    /// the account itself is what an edit of its labels leaves as it was.
    pub(super) fn subject_hash(&self) -> Option<String> {
        let settings = self.settings.as_ref().ok()?;
        settings.grant.token_exchange()?;
        if let Some(account) = settings.grant.subject_account() {
            return Some(account.service_account.clone());
        }
        let token = preflight::usable_token(&self.seed)?;
        Some(digest::keyed(token, b"subject"))
    }

    /// The version of the Secret with the initial refresh token, with the grant that has one. A subject token's version is not an
    /// input of the access token: the next subject token makes it no worse.
    pub(super) fn login_version(&self) -> Option<String> {
        let settings = self.settings.as_ref().ok()?;
        settings.grant.refresh_token()?;
        self.seed_version()
    }
}
