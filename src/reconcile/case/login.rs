//! The facts of the login: which refresh token would be sent, and whether it may be.

use secrecy::SecretString;

use super::Case;
use crate::api::{ConditionStatus, ConditionType};
use crate::reconcile::{
    credential::Credential,
    login::{self, Binding, ClaimState, SeedNow, State, StateConflict, StoredLogin, TokenUse},
    plan::Read,
    source::{Rejection, Source, Withheld, preflight},
    target::TargetSecret,
    token::LAST_ROTATION,
};

/// The login whose refresh token an exchange would send.
#[derive(Debug)]
pub(in crate::reconcile) enum NextLogin {
    /// Something must be read first.
    Unconfirmed(Read),
    /// The stored one.
    Stored,
    /// A login that begins, or comes back. It must be stored before its token is sent.
    New(Box<StoredLogin>),
    /// None: the stored token was not given for what the spec says now.
    Withheld(Withheld),
}

/// Which refresh token is next.
impl Case<'_> {
    /// Returns whether the state is the one with which the status says that all is well.
    pub(in crate::reconcile) fn state_is_as_reported(&self) -> bool {
        let Credential {
            status, generation, ..
        } = &self.observed.credential;
        let refreshed = status.condition(ConditionType::Refreshed);
        status.state_version.is_some()
            && status.state_version == self.observed.watched_state
            && status.observed_generation == Some(*generation)
            && refreshed.is_some_and(|refreshed| refreshed.status == ConditionStatus::True)
    }

    /// The next login. An initial refresh token that cannot be used begins none: `preflight` says what is wrong with it.
    pub(in crate::reconcile) fn next_login(&self) -> NextLogin {
        let stored = match &self.observed.state {
            State::Unread => return NextLogin::Unconfirmed(Read::state(self.settings)),
            State::Foreign | State::Elsewhere(_) | State::Damaged { .. } => {
                return NextLogin::Stored;
            }
            State::Absent => None,
            State::Present(secret) => Some(&secret.stored),
        };
        // A grant without one begins no login, and a subject token is none.
        if self.settings.grant.refresh_token().is_none() {
            return NextLogin::Stored;
        }
        let withheld = self.departure();
        let version = self.observed.seed_version();
        if withheld.is_none() && stored.is_some_and(|stored| stored.record.seed_version == version)
        {
            return NextLogin::Stored;
        }
        if self.observed.seed.is_unread() {
            let read = Read::seed(self.settings, &self.observed.seed);
            return read.map_or(NextLogin::Stored, NextLogin::Unconfirmed);
        }
        let Some(initial) = preflight::usable_token(&self.observed.seed) else {
            return withheld.map_or(NextLogin::Stored, NextLogin::Withheld);
        };
        match stored {
            Some(stored) if stored.knows(initial) => {
                self.with_known_seed(stored, initial, withheld)
            }
            _ => self.begun(StoredLogin::begin(initial, version, stored), initial),
        }
    }

    /// Returns whether the provider has replaced this initial refresh token, as the target records: the state with its successor
    /// was deleted, or not restored with the rest. To send it would end the login for good. The record is keyed with the token
    /// that it is beside.
    fn is_consumed(&self, initial: &SecretString) -> Result<bool, Read> {
        let at_hand = self.observed.memory.target.token();
        // A target under an earlier name says the same.
        let marked = self.target().or_else(|| self.newest_earlier_target());
        let recorded = marked.and_then(TargetSecret::metadata);
        let consumed = at_hand.is_some_and(|token| login::has_consumed(token, initial));
        let Some(mark) = recorded.and_then(|token| token.consumed_seed) else {
            return Ok(consumed);
        };
        // The mark is keyed with what the templates made.
        let rendered = marked.is_some_and(TargetSecret::is_rendered);
        let key = self.observed.target_key.as_ref();
        match (rendered, at_hand, key) {
            (false, Some(_), _) => Ok(consumed),
            (true, _, Some(key)) => Ok(consumed || login::is_mark_of(&mark, initial, key)),
            (false, None, _) | (true, _, None) => Err(match self.target() {
                None => marked.map(Read::previous),
                Some(_) => None,
            }
            .unwrap_or_else(|| Read::target(self.settings, &self.observed.target))),
        }
    }

    /// The next login where its owner provides an initial refresh token that the stored one knows. That proves who consents, but
    /// not to which endpoint.
    fn with_known_seed(
        &self,
        stored: &StoredLogin,
        initial: &SecretString,
        withheld: Option<Withheld>,
    ) -> NextLogin {
        match withheld {
            Some(Withheld::Endpoint { .. }) if stored.holds(initial) => {
                NextLogin::New(Box::new(stored.unbound()))
            }
            Some(endpoint @ Withheld::Endpoint { .. }) => NextLogin::Withheld(endpoint),
            // In another Secret, an earlier initial token only proves whose login was over before this one began.
            Some(other)
                if self.names_another_secret(stored)
                    && !stored.began_with(initial)
                    && !stored.holds(initial) =>
            {
                NextLogin::Withheld(other)
            }
            Some(
                Withheld::Reference { .. }
                | Withheld::Owner
                | Withheld::Unbound
                | Withheld::Consumed,
            )
            | None => NextLogin::Stored,
        }
    }

    /// Returns whether the initial refresh token is expected in another Secret than the one that this login began with.
    fn names_another_secret(&self, stored: &StoredLogin) -> bool {
        let binding = stored.record.binding.as_deref();
        let asked_for = Binding::asked_for(self.settings);
        binding
            .zip(asked_for)
            .is_some_and(|(binding, asked_for)| !binding.has_reference_of(&asked_for))
    }

    /// A login that begins with this initial refresh token. One that comes back keeps its endpoint, and sends its own.
    fn begun(&self, login: StoredLogin, initial: &SecretString) -> NextLogin {
        if let Some(withheld) = self.other_endpoint(login.record.binding.as_deref()) {
            return NextLogin::Withheld(withheld);
        }
        if login.holds(initial) {
            match self.is_consumed(initial) {
                Ok(false) => {}
                Ok(true) => return NextLogin::Withheld(Withheld::Consumed),
                Err(unconfirmed) => return NextLogin::Unconfirmed(unconfirmed),
            }
        }
        NextLogin::New(Box::new(login))
    }

    /// How the spec differs from what the stored refresh token was given for.
    fn departure(&self) -> Option<Withheld> {
        self.settings.grant.refresh_token()?;
        let State::Present(secret) = &self.observed.state else {
            return None;
        };
        let binding = secret.stored.record.binding.as_deref();
        if let Some(withheld) = self.other_endpoint(binding) {
            return Some(withheld);
        }
        if secret.given {
            // A person who may read the Secret vouches for it. Its endpoint still counts.
            return None;
        }
        if !self.has_own_state() {
            return Some(Withheld::Owner);
        }
        match binding {
            None => (!self.is_of_this_spec(&secret.stored)).then_some(Withheld::Unbound),
            Some(binding) => {
                self.names_another_secret(&secret.stored)
                    .then(|| Withheld::Reference {
                        secret: binding.secret.clone(),
                        key: binding.key.clone(),
                    })
            }
        }
    }

    fn other_endpoint(&self, binding: Option<&Binding>) -> Option<Withheld> {
        let endpoint = &binding?.endpoint;
        let other = *endpoint != self.settings.endpoint.without_query();
        other.then(|| Withheld::Endpoint {
            endpoint: endpoint.clone(),
        })
    }

    /// Returns whether the last token of this login was issued for the present generation of the spec, which proves the endpoint
    /// and the reference of a login that an earlier version stored.
    fn is_of_this_spec(&self, stored: &StoredLogin) -> bool {
        let credential = &self.observed.credential;
        let issued = stored.record.issued.as_ref();
        issued.is_some_and(|issued| {
            issued.owner_uid == credential.uid && issued.generation == credential.generation
        })
    }

    /// The hash of the refresh token that would be sent, if nothing proves yet that it is this object's alone: it has brought no
    /// response here. A copy of a state may be older than its original, which does not know the token any more, but the login's
    /// beginning.
    pub(in crate::reconcile) fn unproven_tokens(&self) -> Option<Vec<String>> {
        let login = match self.next_login() {
            NextLogin::New(login) => *login,
            NextLogin::Stored => match &self.observed.state {
                State::Present(secret) if secret.given => {
                    let login = &secret.stored;
                    return Some(vec![login.token_hash(), login.record.seed.clone()]);
                }
                state => state.stored()?.clone(),
            },
            NextLogin::Unconfirmed(_) | NextLogin::Withheld(_) => return None,
        };
        (!login.has_worked()).then(|| vec![login.token_hash()])
    }

    /// The other login that the refresh token belongs to, as far as that is known.
    pub(in crate::reconcile) fn other_login(&self) -> Option<Rejection> {
        self.unproven_tokens()?;
        let given = matches!(&self.observed.state, State::Present(secret) if secret.given);
        let initial = self.settings.grant.refresh_token()?;
        let secret = if given {
            self.settings.state_name.clone()
        } else {
            initial.name.clone()
        };
        let in_use = |owner: &String, state| Rejection::RefreshTokenInUse {
            secret: secret.clone(),
            given,
            owner: owner.clone(),
            state,
        };
        match (&self.observed.older_login, &self.observed.token_use) {
            (_, TokenUse::Elsewhere { secret, owner }) => Some(in_use(owner, Some(secret.clone()))),
            (Some(owner), _) if !given => Some(in_use(owner, None)),
            _ => None,
        }
    }

    /// The stored login, if it is this object's or may be adopted.
    pub(in crate::reconcile) fn adoptable_login(&self) -> Option<&StoredLogin> {
        let State::Present(secret) = &self.observed.state else {
            return None;
        };
        (self.has_own_state() || matches!(self.next_login(), NextLogin::Stored))
            .then_some(&secret.stored)
    }
}

/// The limits that the owner of the initial refresh token has set.
impl Case<'_> {
    /// Checks that the stored refresh token, if it is the next one, was given for what the spec says now.
    pub(in crate::reconcile) fn check_stored_token(&self) -> Result<(), Rejection> {
        match self.next_login() {
            NextLogin::Withheld(why) => Err(Rejection::StoredToken {
                state: self.settings.state_name.clone(),
                why,
            }),
            NextLogin::Unconfirmed(_) | NextLogin::Stored | NextLogin::New(_) => Ok(()),
        }
    }

    /// The lists of hosts that apply to the next refresh token: the present list of its owner, and the recorded one. Both must
    /// allow the endpoint, so that no change of the spec avoids the narrower one.
    pub(in crate::reconcile) fn seed_hosts(&self) -> [Option<String>; 2] {
        let next = self.next_login();
        let recorded = match &next {
            NextLogin::New(login) => Some(login.as_ref()),
            _ => self.observed.state.stored(),
        };
        let recorded = recorded.and_then(|login| login.record.token_hosts.clone());
        let current = self.observed.seed.token_hosts().map(Into::into);
        [current, recorded]
    }

    /// The Secret with the initial refresh token at the moment of a claim of this login. Only the Secret that the login began with
    /// changes its lists of hosts and CA bundles.
    pub(in crate::reconcile) fn seed_now(&self, login: &StoredLogin) -> SeedNow {
        let seed = &self.observed.seed;
        let began = preflight::usable_token(seed).is_some_and(|initial| login.began_with(initial));
        let (token_hosts, token_ca) = match seed {
            Source::Read(secret) if began => (
                secret.token_hosts.clone(),
                Some(secret.token_ca.clone().unwrap_or_default()),
            ),
            _ => (
                login.record.token_hosts.clone(),
                login.record.token_ca.clone(),
            ),
        };
        SeedNow {
            version: self.observed.seed_version(),
            token_hosts,
            token_ca,
            binding: Binding::asked_for(self.settings),
        }
    }
}

/// The state.
impl Case<'_> {
    /// Why the Secret by the state's name cannot be used, with the grant that has one.
    pub(in crate::reconcile) fn state_conflict(&self) -> Option<StateConflict> {
        self.settings.grant.refresh_token()?;
        let name = self.settings.state_name.clone();
        match &self.observed.state {
            State::Foreign => Some(StateConflict::Foreign { name }),
            State::Elsewhere(origin) => Some(StateConflict::Elsewhere {
                name,
                namespace: self.settings.namespace.clone(),
                uid: self.observed.credential.uid.clone(),
                origin: origin.clone(),
            }),
            State::Damaged { .. } => Some(StateConflict::Damaged { name }),
            State::Present(secret) if secret.stored.record.rotation >= LAST_ROTATION => {
                Some(StateConflict::Damaged { name })
            }
            State::Unread | State::Absent | State::Present(_) => None,
        }
    }

    /// Returns whether the refresh token was sent before, and may be consumed.
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
        // An earlier object by this name may still be sending the token, from this pod.
        let identity = self.has_own_state().then_some(&*self.observed.identity);
        login.claim_state(identity, unused, self.now)
    }

    /// Returns whether the state that was read is this object's.
    pub(in crate::reconcile) fn has_own_state(&self) -> bool {
        let uid = &self.observed.credential.uid;
        matches!(&self.observed.state, State::Present(secret) if secret.owner_uid.as_ref() == Some(uid))
    }

    /// The hash of the current inputs, keyed with the refresh token: it says nothing about a client secret to those who do not
    /// know that token.
    pub(in crate::reconcile) fn inputs_hash(&self, login: &StoredLogin) -> Option<String> {
        let inputs = self.token_inputs().ok()?;
        Some(inputs.evidence(&login.refresh_token))
    }
}
