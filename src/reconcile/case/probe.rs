//! The facts of the probe: which token has to be tried, when, and whether it stays unpublished until then.

use std::sync::Arc;

use jiff::Timestamp;

use super::Case;
use crate::{
    oauth::probe::{Probe, ProbeRequest},
    reconcile::{
        memory::ProbeFailure,
        pace::{delays, schedule::is_early},
        plan::{Probing, Read},
        source::{CaBundle, Rejection, preflight},
        target::TargetSecret,
        time::later,
        token::{Token, TokenMetadata, fingerprint},
    },
};

/// Which token.
impl<'a> Case<'a> {
    /// The live token that the API has not accepted yet: a new one, or one that was published unproven.
    pub(in crate::reconcile) fn token_to_probe(&self) -> Option<&TokenMetadata> {
        self.settings.probe.as_ref()?;
        let memory = &self.observed.memory;
        let token = self.live_token()?;
        if memory.probe.is_accepted(&token.inputs_hash) || self.is_proven_on_target(token) {
            return None;
        }
        let at_hand = memory.target.unpublished();
        let is_new = at_hand.is_some_and(|token| !self.was_published(token));
        let has_failed = memory.probe.failure(&token.inputs_hash).is_some();
        (is_new || has_failed || self.is_marked(token)).then_some(token)
    }

    /// Returns whether the target says that this token was accepted, maybe by another process: two that disagree would write in turns.
    fn is_proven_on_target(&self, token: &TokenMetadata) -> bool {
        let on_target = self.token_on_target();
        on_target.is_some_and(|other| other.inputs_hash == token.inputs_hash && !other.unproven)
    }

    /// Returns whether this token was published unproven, according to the Secret that has it, or to the status if that is gone.
    fn is_marked(&self, token: &TokenMetadata) -> bool {
        let same = |other: &TokenMetadata| other.inputs_hash == token.inputs_hash;
        if let Some(found) = self.token_on_target().filter(|other| same(other)) {
            return found.unproven;
        }
        let earlier = self.observed.previous.iter();
        let mut earlier = earlier.filter_map(|secret| secret.metadata().filter(same));
        let found = earlier.next().map(|found| found.unproven);
        found.unwrap_or_else(|| self.was_reported_unproven())
    }

    fn was_reported_unproven(&self) -> bool {
        let memory = &self.observed.memory.target;
        let status = memory.missing().unwrap_or(&self.observed.credential.status);
        let at_hand = memory.token().map(|token| fingerprint(&token.value));
        status.unproven && status.token_fingerprint == at_hand
    }

    /// Returns whether consumers have had this token: it is written again, because its target was deleted or edited.
    fn was_published(&self, token: &Token) -> bool {
        let status = &self.observed.credential.status;
        let missing = self.observed.memory.target.missing();
        let published = missing.unwrap_or(status).token_fingerprint.as_ref();
        published == Some(&fingerprint(&token.value))
            || self.published_hash().as_ref() == Some(&token.metadata.inputs_hash)
    }

    /// The hash of the token on the target, beside which a new one is tried.
    pub(in crate::reconcile) fn published_hash(&self) -> Option<String> {
        self.token_on_target()
            .map(|token| token.inputs_hash.clone())
    }

    /// The new token that stays unpublished for now: until the third probe has failed, and while another one lives, if the API has
    /// refused it. An API that is down says nothing about a token.
    pub(in crate::reconcile) fn held_back(&self) -> Option<&TokenMetadata> {
        let token = self.token_to_probe()?;
        let at_hand = self.observed.memory.target.unpublished()?;
        if self.was_published(at_hand) {
            return None;
        }
        let beside = self.published_hash();
        let row = self.observed.memory.probe.row(beside.as_deref());
        let is_tried = row.suffices();
        let waits = !is_tried && self.probe_rejection().is_none();
        let is_spared = (row.is_refused() || !is_tried) && self.lives_beside(token).is_some();
        (waits || is_spared).then_some(token)
    }

    /// The time until which consumers can use the published token in place of this new one. Its successor takes a while to arrive.
    ///
    /// A provider that replaces refresh tokens has mostly revoked the access token before, so that one is not worth waiting for.
    pub(in crate::reconcile) fn lives_beside(&self, token: &TokenMetadata) -> Option<Timestamp> {
        if token.consumed_seed.is_some() {
            return None;
        }
        let others = self.tokens_of_consumers().into_iter();
        let others =
            others.filter(|other| !other.unproven && other.inputs_hash != token.inputs_hash);
        let ends = others.map(|other| later(other.expires_at, -delays::PROPAGATION));
        ends.filter(|end| *end > self.now).max()
    }

    /// The tokens that consumers may have: after a change of `target.name`, those under the earlier names.
    fn tokens_of_consumers(&self) -> Vec<TokenMetadata> {
        if self.target().is_some() {
            return self.token_on_target().into_iter().cloned().collect();
        }
        let earlier = self
            .earlier_targets()
            .filter_map(TargetSecret::confirmed_metadata);
        earlier
            .map(|token| token.limited_to(self.settings.maximum_lifetime))
            .collect()
    }

    /// The last failed probe of this token.
    pub(in crate::reconcile) fn probe_failure(
        &self,
        token: &TokenMetadata,
    ) -> Option<&'a ProbeFailure> {
        self.settings.probe.as_ref()?;
        let failure = self.observed.memory.probe.failure(&token.inputs_hash);
        failure.filter(|_| !self.is_proven_on_target(token))
    }

    /// Returns whether the API has not accepted the published token.
    pub(in crate::reconcile) fn published_is_unproven(&self) -> bool {
        let published = self.token_on_target();
        self.settings.probe.is_some() && published.is_some_and(|token| token.unproven)
    }
}

/// When, and with what.
impl Case<'_> {
    /// The time of the next probe of this token. A changed spec and a refresh request do not wait for the delay of the last failure.
    pub(in crate::reconcile) fn probe_at(&self, token: &TokenMetadata) -> Timestamp {
        let Some(failure) = self.probe_failure(token) else {
            return self.now;
        };
        let is_changed = self.probe().is_some_and(|probe| *probe != failure.probe);
        let request = &self.observed.credential.refresh_request;
        if is_changed || *request != failure.refresh_request {
            return later(failure.at, delays::BETWEEN_PROBES);
        }
        if !is_early(failure.next_attempt, self.now) {
            return self.now;
        }
        failure.next_attempt
    }

    /// The time of the next probe, if one is planned, or of the end of what consumers have meanwhile.
    pub(in crate::reconcile) fn probe_wakes_at(&self) -> Option<Timestamp> {
        let token = self.token_to_probe()?;
        let wakes = [Some(self.probe_at(token)), self.lives_beside(token)];
        // A probe that is due now waits for something else.
        let wakes = wakes.into_iter().flatten().filter(|at| *at > self.now);
        wakes.min()
    }

    /// The read that a probe needs: it obeys the same rules as a token request.
    pub(in crate::reconcile) fn probe_needs(&self) -> Option<Read> {
        if self.observed.memory.target.token().is_none()
            && let Some(read) = self.read_of_token()
        {
            return Some(read);
        }
        self.unread_rules()
    }

    fn unread_rules(&self) -> Option<Read> {
        let (observed, settings) = (self.observed, self.settings);
        if observed.source.is_unread() {
            return Some(Read::source(settings, &observed.source));
        }
        if matches!(observed.ca_bundle, CaBundle::Unread)
            && let Some(bundle) = Read::ca_bundle(settings)
        {
            return Some(bundle);
        }
        let seed = Read::seed(settings, &observed.seed)?;
        if settings.grant.refresh_token().is_some() && observed.state.is_unread() {
            return Some(Read::state(settings));
        }
        observed.seed.is_unread().then_some(seed)
    }

    /// Why the token may not be sent to the API, as far as that is known.
    pub(in crate::reconcile) fn probe_rejection(&self) -> Option<Rejection> {
        if self.unread_rules().is_some() {
            return None;
        }
        self.preflight().err()
    }

    /// The probe of this token.
    pub(in crate::reconcile) fn probing(&self, token: &TokenMetadata) -> Option<Probing> {
        let at_hand = self.observed.memory.target.token()?;
        self.preflight().ok()?;
        let request = ProbeRequest {
            probe: Arc::clone(self.probe()?),
            token: at_hand.value.clone(),
            ca_bundle: preflight::ca_bundle(self.settings, &self.observed.ca_bundle).ok()?,
        };
        let hash = token.inputs_hash.clone();
        Some(Probing { hash, request })
    }

    fn probe(&self) -> Option<&Arc<Probe>> {
        self.settings.probe.as_ref()
    }
}
