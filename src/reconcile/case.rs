//! One case to decide: what was observed, with the questions that the checks ask of it.

use jiff::Timestamp;
use secrecy::SecretString;

use super::{
    attempt::Failure,
    budget::ClientKey,
    inputs, local,
    observed::{CaBundle, Observed, Source, Target, TargetSecret},
    plan::Read,
    schedule,
    settings::Settings,
    state::{State, Stored},
    target::{Owner, Record},
};

/// What was observed of a `CubeCredential` whose spec can be read.
pub(super) struct Case<'a> {
    pub(super) observed: &'a Observed,
    pub(super) settings: &'a Settings,
    pub(super) now: Timestamp,
}

/// Whether the token was issued for what the spec and the source Secret say now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inputs {
    /// It was.
    Current,
    /// It was not.
    Changed,
    /// Something has to be read to tell.
    Unconfirmed(Read),
    /// The source Secret cannot be used: there are no inputs to compare with.
    Unavailable,
}

/// Which refresh token an exchange now would send.
#[derive(Debug)]
pub(super) enum Login {
    /// Something has to be read to tell.
    Unconfirmed(Read),
    /// The stored one.
    Stored,
    /// That of a login which begins, or comes back: it has to be stored before it is sent.
    New(Box<Stored>),
}

/// Whether a failure's delay is cut short.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BackoffBypass {
    /// It is not.
    No,
    /// Something has to be read to tell.
    Unsure(Read),
    /// What the attempt was made with has changed, or a person asks for a try.
    Yes,
}

impl<'a> Case<'a> {
    /// The Secret by the target's name, if it is ours or was left by a predecessor.
    pub(super) fn target(&self) -> Option<&'a TargetSecret> {
        match &self.observed.target {
            // Of two rivals only the older one speaks of it.
            Target::Present(secret)
                if self.observed.older_rival.is_none()
                    && secret.owner(&self.observed.credential) != Owner::Foreign =>
            {
                Some(secret)
            }
            _ => None,
        }
    }

    /// What is known of the token to judge: the one in hand, else the one on the target.
    pub(super) fn record(&self) -> Option<Record> {
        if let Some(holding) = &self.observed.memory.holding {
            return Some(holding.record.clone());
        }
        self.target()?.confirmed_record()
    }

    /// The record of a token that has not expired.
    pub(super) fn live_record(&self) -> Option<Record> {
        self.record().filter(|record| record.expires_at > self.now)
    }

    /// The record of a token that has not expired and was issued for the current inputs, as far as these are known.
    pub(super) fn good_record(&self) -> Option<Record> {
        if self.published_token_is_dead() {
            return None;
        }
        self.live_record()
            .filter(|record| match self.inputs(record) {
                Inputs::Changed => false,
                Inputs::Unavailable => record.owner_uid == self.observed.credential.uid,
                Inputs::Current | Inputs::Unconfirmed(_) => true,
            })
    }

    /// The same of the token that consumers see: not one that could not be published yet.
    pub(super) fn published_record(&self) -> Option<Record> {
        if !self.observed.memory.unpublished {
            return self.good_record();
        }
        let published = self.target()?.confirmed_record()?;
        (published.expires_at > self.now && self.is_confirmed(&published)).then_some(published)
    }

    /// The published token, if it has not expired and is no good any more only because what it was issued for has changed.
    pub(super) fn outdated_record(&self) -> Option<Record> {
        let published = self.target()?.confirmed_record()?;
        let outdated = published.expires_at > self.now
            && published.owner_uid == self.observed.credential.uid
            && !self.published_token_is_dead();
        outdated.then_some(published)
    }

    /// A provider kills the published token when it rotates the refresh token.
    fn published_token_is_dead(&self) -> bool {
        self.observed.memory.login_lost && self.settings.seed.is_some()
    }

    /// Whether the inputs are the ones that this record was last confirmed for.
    fn is_confirmed(&self, record: &Record) -> bool {
        record.owner_uid == self.observed.credential.uid
            && record.generation == self.observed.credential.generation
            && Some(record.source_version.as_str()) == self.observed.source.version()
            && record.seed_version == self.seed_version()
    }

    /// The version of the seed that is current, with the grant that has one; empty: there is none to be read.
    pub(super) fn seed_version(&self) -> Option<String> {
        self.observed.seed_version()
    }

    /// The only hosts that the owner of the seed permits, as far as known. Another Secret than the one that the login began with
    /// does not speak for its owner.
    pub(super) fn seed_hosts(&self) -> Option<&str> {
        let stored = self.observed.state.stored();
        let speaks = |seed: &SecretString| {
            stored.is_none_or(|stored| stored.began_with(seed) || !stored.knows(seed))
        };
        match &self.observed.seed {
            Source::Read(found) if local::seed_token(&self.observed.seed).is_some_and(speaks) => {
                found.token_hosts.as_deref()
            }
            _ => stored?.record.token_hosts.as_deref(),
        }
    }

    /// Which refresh token is next. A seed that cannot be used begins nothing: `local` says what is wrong with it.
    pub(super) fn login(&self) -> Login {
        let stored = match &self.observed.state {
            State::Unread => return Login::Unconfirmed(Read::state(self.settings)),
            State::Foreign | State::Damaged { .. } => return Login::Stored,
            State::Absent => None,
            State::Present(secret) => Some(&secret.stored),
        };
        let version = self.seed_version();
        if stored.is_some_and(|stored| stored.record.seed_version == version) {
            return Login::Stored;
        }
        if matches!(self.observed.seed, Source::Unread(_)) {
            // A grant without a seed begins no login.
            let read = Read::seed(self.observed, self.settings);
            return read.map_or(Login::Stored, Login::Unconfirmed);
        }
        let Some(seed) = local::seed_token(&self.observed.seed) else {
            return Login::Stored;
        };
        match stored {
            Some(stored) if stored.knows(seed) => Login::Stored,
            _ => Login::New(Box::new(Stored::begin(seed, version, stored))),
        }
    }

    /// Whose budget pays for an exchange, if nothing refuses it.
    pub(super) fn client_key(&self) -> Option<ClientKey> {
        local::check(self).ok()?;
        let client = local::client(self.settings, &self.observed.source).ok()?;
        Some(ClientKey::new(&self.settings.endpoint, &client.id))
    }

    pub(super) fn inputs(&self, record: &Record) -> Inputs {
        // The stored refresh token has brought no access token yet: the published one is of a login before it.
        let fresh = |stored: &Stored| stored.record.issued.is_none();
        if self.observed.state.stored().is_some_and(fresh) {
            return Inputs::Changed;
        }
        if self.is_confirmed(record) {
            return Inputs::Current;
        }
        if self.observed.memory.refuted == Some(self.observed.versions()) {
            return Inputs::Changed;
        }
        if matches!(self.observed.source, Source::Unread(_)) {
            return Inputs::Unconfirmed(Read::source(self.observed, self.settings));
        }
        let Ok(client) = local::client(self.settings, &self.observed.source) else {
            return Inputs::Unavailable;
        };
        if record.seed_version != self.seed_version() && self.settings.seed.is_some() {
            match self.login() {
                Login::Unconfirmed(what) => return Inputs::Unconfirmed(what),
                Login::New(_) => return Inputs::Changed,
                Login::Stored => {}
            }
        }
        match &self.observed.memory.holding {
            None => Inputs::Unconfirmed(Read::target(self.observed, self.settings)),
            Some(holding)
                if inputs::hash(&holding.token, self.settings, &client) == record.inputs_hash =>
            {
                Inputs::Current
            }
            Some(_) => Inputs::Changed,
        }
    }

    /// When the live token is refreshed.
    pub(super) fn refresh_at(&self, record: &Record) -> Timestamp {
        let planned = schedule::refresh_at(record, self.settings, &self.observed.credential.uid);
        let answered_at = self.observed.memory.answered_at;
        answered_at.map_or(planned, |time| planned.max(schedule::at_least_after(time)))
    }

    /// Whether a refresh request waits to be served. The copy that counts is on the target.
    pub(super) fn requested(&self, record: &Record) -> bool {
        let request = &self.observed.credential.refresh_request;
        request.is_some() && *request != record.refresh_request
    }

    /// Whether the delay after this failure is cut short.
    pub(super) fn woken(&self, failure: &Failure) -> BackoffBypass {
        let (credential, attempted) = (&self.observed.credential, &failure.attempted);
        if attempted.generation != credential.generation {
            return BackoffBypass::Yes;
        }
        if self.observed.source.version() != Some(&attempted.source_resource_version) {
            // A read with unchanged values has already brought the attempt's version up to date.
            return match &self.observed.source {
                Source::Unread(_) => {
                    BackoffBypass::Unsure(Read::source(self.observed, self.settings))
                }
                _ => BackoffBypass::Yes,
            };
        }
        if self.seed_version() != attempted.seed_resource_version {
            match self.login() {
                Login::Unconfirmed(what) => return BackoffBypass::Unsure(what),
                Login::New(_) => return BackoffBypass::Yes,
                Login::Stored => {}
            }
        }
        if let Some(read) = Read::ca_bundle(self.settings)
            && self.observed.memory.ca_touched
        {
            return match &self.observed.ca_bundle {
                CaBundle::Unread => BackoffBypass::Unsure(read),
                _ => BackoffBypass::Yes,
            };
        }
        // Else a new process could not tell a label edit from a change of the client secret.
        if self.observed.memory.tried.is_none() && matches!(self.observed.source, Source::Unread(_))
        {
            return BackoffBypass::Unsure(Read::source(self.observed, self.settings));
        }
        let request = &credential.refresh_request;
        let served = self.record().and_then(|record| record.refresh_request);
        let fresh =
            request.is_some() && *request != served && *request != attempted.refresh_request;
        // A pause that the provider asked for (429, Retry-After) is cut short by nobody's wish.
        if fresh && attempted.paused_until.is_none() {
            BackoffBypass::Yes
        } else {
            BackoffBypass::No
        }
    }
}
