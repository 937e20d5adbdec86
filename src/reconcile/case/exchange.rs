//! The facts of the exchange: whether it is due, and the request that it would send.

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;

use super::{Case, NextLogin};
use crate::{
    api::Attempted,
    oauth::{
        grant::{Grant, JwtBearer},
        request::TokenRequest,
    },
    reconcile::{
        login::State,
        memory::Failure,
        observed::Observed,
        pace::{ClientKey, Lesson, schedule},
        plan::{Attempt, Exchange, Read},
        source::{AccountRole, CaBundle, Rejection, SecretRole, Source, UsableClient, preflight},
        token::{TokenInputs, TokenMetadata},
    },
};

/// The agreement of the inputs of a token with the current spec and source Secret.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::reconcile) enum Inputs {
    /// The token was issued for the current inputs.
    Current,
    /// It was issued for other inputs.
    Changed,
    /// Something must be read first.
    Unconfirmed(Read),
    /// The source Secret cannot be used: there are no inputs to compare with.
    Unavailable,
}

/// The delay after a failure may be cut short.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::reconcile) enum BackoffBypass {
    /// The delay runs to its end.
    No,
    /// Something must be read first.
    Unsure(Read),
    /// It is cut short: the inputs of the attempt have changed, or a person asks for another attempt.
    Yes,
}

/// The inputs of a token.
impl Case<'_> {
    pub(in crate::reconcile) fn inputs(&self, token: &TokenMetadata) -> Inputs {
        let observed = self.observed;
        // The stored refresh token has brought no access token yet: the published one belongs to an earlier login.
        if let Some(stored) = observed.state.stored()
            && stored.record.issued.is_none()
        {
            return Inputs::Changed;
        }
        if self.is_forgotten() {
            return Inputs::Changed;
        }
        // Without the provider object there are no inputs: the published token stays what it is.
        if self.settings.provider_flaw().is_some() {
            return Inputs::Unavailable;
        }
        if self.is_confirmed(token) {
            return Inputs::Current;
        }
        if observed.memory.exchange.is_refuted(&observed.versions()) {
            return Inputs::Changed;
        }
        if observed.source.is_unread() {
            return Inputs::Unconfirmed(Read::source(self.settings, &observed.source));
        }
        let Ok(inputs) = self.token_inputs() else {
            return Inputs::Unavailable;
        };
        if token.seed_version != observed.login_version()
            && self.settings.grant.refresh_token().is_some()
        {
            match self.next_login() {
                NextLogin::Unconfirmed(read) => return Inputs::Unconfirmed(read),
                NextLogin::New(_) => return Inputs::Changed,
                NextLogin::Stored | NextLogin::Withheld(_) => {}
            }
        }
        match observed.memory.target.token() {
            None => self
                .read_of_token()
                .map_or(Inputs::Changed, Inputs::Unconfirmed),
            Some(at_hand) if inputs.fit(&at_hand.value, &token.inputs_hash) => Inputs::Current,
            Some(_) => Inputs::Changed,
        }
    }

    pub(in crate::reconcile) fn token_inputs(&self) -> Result<TokenInputs, Rejection> {
        Ok(TokenInputs::new(self.settings, &self.client()?))
    }
}

/// The times of the exchange.
impl Case<'_> {
    /// The time at which the live token is refreshed.
    pub(in crate::reconcile) fn refresh_at(&self, token: &TokenMetadata) -> Timestamp {
        let observed = self.observed;
        if schedule::is_ahead(token.issued_at, self.now) {
            // Nobody knows when it ends.
            return self.now;
        }
        let planned = schedule::refresh_at(token, self.settings, &observed.credential.uid);
        let exchange = &observed.memory.exchange;
        let planned = exchange
            .repeated_before(token)
            .map_or(planned, |over| planned.max(over));
        let last_token_at = exchange.last_token_at();
        let last_token_at = last_token_at.filter(|at| !schedule::is_ahead(*at, self.now));
        last_token_at.map_or(planned, |at| planned.max(schedule::earliest_after(at)))
    }

    /// Returns whether a refresh request waits to be served. The copy that counts is on the target.
    pub(in crate::reconcile) fn requested(&self, token: &TokenMetadata) -> bool {
        let request = &self.observed.credential.refresh_request;
        request.is_some() && *request != token.refresh_request
    }

    /// Returns whether the delay after this failure is cut short.
    pub(in crate::reconcile) fn backoff_bypass(&self, failure: &Failure) -> BackoffBypass {
        let observed = self.observed;
        let attempted = &failure.attempted;
        if self.keeps_its_pause(attempted) {
            return BackoffBypass::No;
        }
        if attempted.generation != observed.credential.generation
            || attempted.provider_version.as_deref() != self.settings.provider_version()
            || self.has_another_provider_ca(attempted)
        {
            return BackoffBypass::Yes;
        }
        if observed.source.version() != Some(&attempted.source_resource_version) {
            // A read with unchanged values has already brought the attempt's version up to date.
            return match &observed.source {
                Source::Unread(_) => {
                    BackoffBypass::Unsure(Read::source(self.settings, &observed.source))
                }
                _ => BackoffBypass::Yes,
            };
        }
        let has_other_seed = observed.seed_version() != attempted.seed_resource_version;
        if has_other_seed && self.settings.grant.token_exchange().is_some() {
            // A read of the same token has already brought the attempt's version up to date.
            return match (&observed.seed, Read::seed(self.settings, &observed.seed)) {
                (Source::Unread(_), Some(read)) => BackoffBypass::Unsure(read),
                _ => BackoffBypass::Yes,
            };
        }
        if has_other_seed {
            match self.next_login() {
                NextLogin::Unconfirmed(read) => return BackoffBypass::Unsure(read),
                NextLogin::New(_) => return BackoffBypass::Yes,
                NextLogin::Stored | NextLogin::Withheld(_) => {}
            }
        }
        let exchange = &observed.memory.exchange;
        if let Some(read) = Read::ca_bundle(self.settings)
            && exchange.is_ca_bundle_touched()
        {
            return match &observed.ca_bundle {
                CaBundle::Unread => BackoffBypass::Unsure(read),
                _ => BackoffBypass::Yes,
            };
        }
        // Otherwise a new process could not distinguish a label edit from a change of the client secret.
        if !exchange.knows_failed_inputs() && observed.source.is_unread() {
            return BackoffBypass::Unsure(Read::source(self.settings, &observed.source));
        }
        self.requested_since(attempted)
    }

    /// Returns whether the provider object has other CA certificates than at this attempt.
    fn has_another_provider_ca(&self, attempted: &Attempted) -> bool {
        let now = preflight::ca_hash(self.settings, &self.observed.ca_bundle);
        self.settings.provider.is_some() && attempted.ca_bundle_hash != now
    }

    fn requested_since(&self, attempted: &Attempted) -> BackoffBypass {
        let request = &self.observed.credential.refresh_request;
        let served = self
            .token()
            .and_then(|token| token.refresh_request.as_ref());
        let fresh = request.is_some()
            && request.as_ref() != served
            && *request != attempted.refresh_request;
        // No refresh request shortens a pause that the provider asked for (429, Retry-After).
        if fresh && attempted.paused_until.is_none() {
            BackoffBypass::Yes
        } else {
            BackoffBypass::No
        }
    }
}

impl<'a> Case<'a> {
    /// The case at the arrival of the response to this attempt.
    pub(in crate::reconcile) fn of_attempt(
        observed: &'a Observed,
        attempt: &'a Attempt,
        now: Timestamp,
    ) -> Self {
        Self::with(observed, &attempt.settings, now)
    }
}

/// The request of the next exchange.
impl Case<'_> {
    /// The exchange, if nothing rejects it. Source and CA bundle must have been read, and the state of a stored refresh token.
    pub(in crate::reconcile) fn exchange(&self) -> Result<Exchange, Rejection> {
        let client = self.preflight()?;
        // A state may be left from another grant.
        let stored = self.observed.state.stored();
        let login = stored.filter(|_| self.settings.grant.refresh_token().is_some());
        let attempt = Attempt {
            owner_uid: self.observed.credential.uid.clone(),
            inputs: TokenInputs::new(self.settings, &client),
            settings: Arc::new(self.settings.clone()),
            attempted: self.attempted(),
            client_id: client.authentication.client_id().to_owned(),
            client: self.key_of(&client),
            secret: self.sent_secret(&client),
            login: login.cloned(),
        };
        let request = TokenRequest {
            endpoint: self.settings.endpoint.clone(),
            authentication: match self.observed.account_tokens.of(AccountRole::Client) {
                Some(token) => client.authentication.with_token(token),
                None => client.authentication,
            },
            grant: match &self.settings.grant {
                Grant::ClientCredentials => Grant::ClientCredentials,
                Grant::AccountCredentials => Grant::AccountCredentials,
                Grant::RefreshToken(_) => Grant::RefreshToken(
                    login
                        .expect("a refresh token is claimed, and so stored, before it is sent")
                        .refresh_token
                        .clone(),
                ),
                Grant::JwtBearer(_) => Grant::JwtBearer(
                    client
                        .bearer
                        .expect("a client that can be used has the assertion of its grant"),
                ),
                Grant::TokenExchange(exchange) => {
                    let token = self
                        .subject_token()
                        .expect("the subject token was read or requested before it is sent");
                    Grant::TokenExchange(Box::new(exchange.with_subject(token.clone())))
                }
            },
            scopes: self.settings.scopes.clone(),
            parameters: self.settings.parameters.clone(),
            ca_bundle: preflight::ca_bundle(self.settings, &self.observed.ca_bundle)?,
        };
        Ok(Exchange { request, attempt })
    }

    /// The checks that need no request, and the client that passed them.
    pub(in crate::reconcile) fn preflight(&self) -> Result<UsableClient, Rejection> {
        self.check_account_tokens()?;
        let client = self.client()?;
        self.check_own_token()?;
        self.check_hosts()?;
        self.check_ca_certificates()?;
        self.check_stored_token()?;
        preflight::ca_bundle(self.settings, &self.observed.ca_bundle)?;
        self.check_templates()?;
        Ok(client)
    }

    /// The token that the next exchange would send as the subject's.
    fn subject_token(&self) -> Option<&SecretString> {
        let observed = self.observed;
        match self.settings.grant.subject_account() {
            Some(_) => observed.account_tokens.of(AccountRole::Subject),
            None => preflight::usable_token(&observed.seed),
        }
    }

    /// Checks that the initial refresh token or the subject token can be used, with the grants that have one. A token of a
    /// ServiceAccount is requested last of all.
    pub(in crate::reconcile) fn check_own_token(&self) -> Result<(), Rejection> {
        let seed = &self.observed.seed;
        if let Some(account) = self.settings.grant.subject_account() {
            return preflight::account(AccountRole::Subject, &account.service_account, seed);
        }
        let Some(token) = self.settings.grant.own_token() else {
            return Ok(());
        };
        if self.settings.grant.token_exchange().is_some() {
            return preflight::own_token(SecretRole::SubjectToken, token, seed, false);
        }
        let begun = !matches!(self.observed.state, State::Absent);
        preflight::own_token(SecretRole::RefreshToken, token, seed, begun)
    }

    /// The client whose budget pays for an exchange, if nothing rejects it.
    pub(in crate::reconcile) fn client_key(&self) -> Option<ClientKey> {
        let client = self.preflight().ok()?;
        Some(self.key_of(&client))
    }

    fn key_of(&self, client: &UsableClient) -> ClientKey {
        let namespace = &self.observed.credential.namespace;
        // An assertion of the grant authenticates a client that sends nothing else.
        let signed = client.bearer.as_ref().map(JwtBearer::evidence);
        let evidence = client.authentication.evidence().or(signed);
        ClientKey::new(
            &self.settings.endpoint,
            &client.authentication,
            evidence.as_ref(),
            namespace,
        )
        .with_interval(self.settings.request_interval(), namespace)
    }

    /// The client that the provider has asked to pause, and until when. After a restart, it is known once the source Secret was
    /// read.
    pub(in crate::reconcile) fn pause(&self) -> Option<(ClientKey, Lesson)> {
        let memory = &self.observed.memory;
        let until = memory.paused_until(self.now)?;
        let failure = memory.exchange.failure()?;
        let attempted = &failure.attempted;
        // With another generation, the spec may name another client.
        let same = self.is_at_the_endpoint_of(attempted)
            && attempted.generation == self.observed.credential.generation
            && self.observed.source.version() == Some(&attempted.source_resource_version);
        let client = same.then(|| self.client().ok())??;
        let lesson = if failure.is_unavailable() {
            Lesson::Unavailable { until }
        } else {
            Lesson::Paused { until }
        };
        Some((self.key_of(&client), lesson))
    }

    /// Returns whether the attempt was sent to the present token endpoint. Only there does its pause hold: the author of a spec
    /// may have named another one before, which asked for a pause. The previous version did not record it.
    fn is_at_the_endpoint_of(&self, attempted: &Attempted) -> bool {
        match &attempted.endpoint {
            Some(endpoint) => *endpoint == self.settings.endpoint.without_query(),
            None => attempted.generation == self.observed.credential.generation,
        }
    }

    /// Returns whether a pause that an earlier process was asked for still holds for this credential, although its spec or its Secret
    /// has changed since: this process does not know whether it was another client that was asked to pause.
    fn keeps_its_pause(&self, attempted: &Attempted) -> bool {
        let version = self.observed.source.version();
        let memory = &self.observed.memory;
        let is_another_spec = attempted.generation != self.observed.credential.generation;
        !memory.exchange.knows_failed_inputs()
            && memory.paused_until(self.now).is_some()
            && self.is_at_the_endpoint_of(attempted)
            && version.is_some_and(|version| {
                is_another_spec || version != attempted.source_resource_version
            })
    }

    /// The inputs of an attempt made now, as the status records them.
    pub(in crate::reconcile) fn attempted(&self) -> Attempted {
        let observed = self.observed;
        Attempted {
            generation: observed.credential.generation,
            source_resource_version: observed.source.version().unwrap_or_default().to_owned(),
            seed_resource_version: observed.seed_version(),
            refresh_request: observed.credential.refresh_request.clone(),
            provider_version: observed.provider_version(),
            endpoint: Some(self.settings.endpoint.without_query()),
            paused_until: None,
            ca_bundle_hash: preflight::ca_hash(self.settings, &observed.ca_bundle),
        }
    }
}
