//! Which refresh token would be sent, and whether it may be.

use secrecy::SecretString;

use super::Case;
use crate::reconcile::{
    login::{ClaimState, State, StateConflict, StoredLogin},
    plan::Read,
    source::{Source, preflight},
};

/// The login whose refresh token an exchange would send.
#[derive(Debug)]
pub(in crate::reconcile) enum NextLogin {
    /// Something must be read to tell.
    Unconfirmed(Read),
    /// The stored one.
    Stored,
    /// A login that begins, or comes back. It must be stored before its token is sent.
    New(Box<StoredLogin>),
}

impl Case<'_> {
    /// The next login. An initial refresh token that cannot be used begins none: `preflight` says what is wrong with it.
    pub(in crate::reconcile) fn next_login(&self) -> NextLogin {
        let stored = match &self.observed.state {
            State::Unread => return NextLogin::Unconfirmed(Read::state(self.settings)),
            State::Foreign | State::Damaged { .. } => return NextLogin::Stored,
            State::Absent => None,
            State::Present(secret) => Some(&secret.stored),
        };
        let version = self.observed.seed_version();
        if stored.is_some_and(|stored| stored.record.seed_version == version) {
            return NextLogin::Stored;
        }
        if self.observed.seed.is_unread() {
            // A grant without one begins no login.
            let read = Read::seed(self.settings, &self.observed.seed);
            return read.map_or(NextLogin::Stored, NextLogin::Unconfirmed);
        }
        let Some(initial) = preflight::usable_token(&self.observed.seed) else {
            return NextLogin::Stored;
        };
        match stored {
            Some(stored) if stored.knows(initial) => NextLogin::Stored,
            _ => NextLogin::New(Box::new(StoredLogin::begin(initial, version, stored))),
        }
    }

    /// The only hosts that the owner of the initial refresh token allows, as far as known. Another Secret than the one that the
    /// login began with does not speak for its owner.
    pub(in crate::reconcile) fn seed_hosts(&self) -> Option<&str> {
        let stored = self.observed.state.stored();
        let speaks = |initial: &SecretString| {
            stored.is_none_or(|stored| stored.began_with(initial) || !stored.knows(initial))
        };
        match &self.observed.seed {
            Source::Read(found)
                if preflight::usable_token(&self.observed.seed).is_some_and(speaks) =>
            {
                found.token_hosts.as_deref()
            }
            _ => stored?.record.token_hosts.as_deref(),
        }
    }

    /// Why the Secret by the state's name cannot be used, with the grant that has one.
    pub(in crate::reconcile) fn state_conflict(&self) -> Option<StateConflict> {
        self.settings.grant.refresh_token()?;
        let name = self.settings.state_name.clone();
        match self.observed.state {
            State::Foreign => Some(StateConflict::Foreign { name }),
            State::Damaged { .. } => Some(StateConflict::Damaged { name }),
            State::Unread | State::Absent | State::Present(_) => None,
        }
    }

    /// Whether the refresh token was sent before, and may be consumed.
    pub(in crate::reconcile) fn outcome_is_unknown(&self) -> bool {
        let Some(stored) = self.observed.state.stored() else {
            return false;
        };
        matches!(self.next_login(), NextLogin::Stored)
            && (stored.record.outcome_unknown
                || self.claim_state(stored) == ClaimState::OutcomeUnknown)
    }

    pub(in crate::reconcile) fn claim_state(&self, login: &StoredLogin) -> ClaimState {
        let unused = self.observed.memory.login.unused_claim();
        login.claim_state(&self.observed.identity, unused, self.now)
    }

    /// The hash of the current inputs, keyed with the refresh token: it says nothing about a client secret to those who do not
    /// know that token.
    pub(in crate::reconcile) fn inputs_hash(&self, login: &StoredLogin) -> Option<String> {
        let inputs = self.token_inputs().ok()?;
        Some(inputs.hash(&login.refresh_token))
    }
}
