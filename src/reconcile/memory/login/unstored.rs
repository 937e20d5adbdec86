//! A response that is in no Secret yet. It is written again and again until a Secret holds it, or something newer.

use jiff::SignedDuration;

use crate::reconcile::{
    login::{State, StoredLogin},
    pace::delays,
    write_error::WriteError,
};

/// How often a response is written again, 0.2 s to 3 s apart, before people are told.
const ATTEMPTS_BEFORE_REPORT: u32 = 5;

/// A response that must be stored.
#[derive(Clone, Debug)]
pub(in crate::reconcile) struct Unstored {
    /// The content that the state must get.
    login: StoredLogin,
    /// The generation of the state, and the hash of the refresh token, that it follows.
    follows_generation: u64,
    follows_token: String,
    /// How often it could not be written.
    attempts: u32,
    phase: StorePhase,
}

/// What happens next to the response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reconcile) enum StorePhase {
    /// It is written.
    Write,
    /// The API server refuses it for this reason, which people must know.
    Report(WriteError),
    /// A pause, and then the next attempt.
    Wait,
}

/// Why the state was not written, as far as storing a response is concerned.
pub(in crate::reconcile) enum Setback {
    /// It changed in between, or whether it was written is not known.
    Passing,
    /// Whether it was written is not known, and the API server may be away.
    Unanswered(WriteError),
    /// The API server refuses it.
    Refused(WriteError),
}

impl Unstored {
    pub(super) fn new(login: StoredLogin, sent: &StoredLogin) -> Self {
        Self {
            login,
            follows_generation: sent.record.generation,
            follows_token: sent.token_hash(),
            attempts: 0,
            phase: StorePhase::Write,
        }
    }

    pub(in crate::reconcile) fn login(&self) -> &StoredLogin {
        &self.login
    }

    pub(in crate::reconcile) fn phase(&self) -> &StorePhase {
        &self.phase
    }

    /// The pause before the next attempt: 0.2 s, doubling to 5 s.
    pub(in crate::reconcile) fn pause(&self) -> SignedDuration {
        let last = delays::STORE.len() - 1;
        let index = usize::try_from(self.attempts.saturating_sub(1)).unwrap_or(last);
        SignedDuration::from_millis(delays::STORE[index.min(last)])
    }

    /// An attempt failed.
    pub(in crate::reconcile) fn failed(self, setback: Setback) -> Self {
        let phase = match setback {
            Setback::Passing => StorePhase::Wait,
            // An API server that is away for a moment needs no person.
            Setback::Unanswered(_) if self.attempts < ATTEMPTS_BEFORE_REPORT => StorePhase::Wait,
            Setback::Unanswered(why) | Setback::Refused(why) => StorePhase::Report(why),
        };
        Self {
            attempts: self.attempts.saturating_add(1),
            phase,
            ..self
        }
    }

    /// People know.
    pub(in crate::reconcile) fn reported(self) -> Self {
        let phase = match self.phase {
            StorePhase::Report(_) => StorePhase::Wait,
            phase => phase,
        };
        Self { phase, ..self }
    }

    /// The pause is over.
    pub(in crate::reconcile) fn waited(self) -> Self {
        Self {
            phase: StorePhase::Write,
            ..self
        }
    }

    /// The state was read. Where its token is no longer the one that was sent, the stored one wins: it is ours, if the response to
    /// the write was lost, or the successor that another process received.
    pub(in crate::reconcile) fn compared_with(self, state: &State) -> Option<Self> {
        if matches!(state, State::Foreign) {
            return Some(self.failed(Setback::Refused(WriteError::ForeignState)));
        }
        let Some(stored) = state.stored() else {
            return Some(self);
        };
        if stored.token_hash() != self.follows_token {
            return None;
        }
        let generation = stored.record.generation;
        if generation == self.follows_generation {
            return Some(self);
        }
        if self.login.token_hash() == self.follows_token {
            // Nothing was rotated, so the later response is as good.
            return None;
        }
        // Another process got a response without a new refresh token: ours has the one that lives on.
        Some(Self {
            login: self.login.renumbered(generation.saturating_add(1)),
            follows_generation: generation,
            ..self
        })
    }
}
