//! A response that is in no Secret yet. It is written again and again until a Secret holds it, or something newer.

use jiff::SignedDuration;

use crate::{
    api_error::ApiError,
    reconcile::{
        login::{State, StoredLogin},
        pace::delays,
        write_error::WriteError,
    },
};

/// The number of failed attempts, 0.2 s to 3 s apart, that precede a report.
const ATTEMPTS_BEFORE_REPORT: u32 = 5;
/// The number of attempts, over about 40 s, after which a refused response is given up if its object is gone.
const ATTEMPTS_FOR_A_DELETED_OBJECT: u32 = 8;

/// A response that must be stored.
#[derive(Clone, Debug)]
pub(in crate::reconcile) struct Unstored {
    /// The content that the state must get.
    login: StoredLogin,
    /// The number of the response, and the hash of the refresh token, that it follows.
    follows_rotation: u64,
    follows_token: String,
    /// The number of failed attempts to write it.
    attempts: u32,
    /// True if the API server refused the last write.
    refused: bool,
    phase: StorePhase,
}

/// The next step of storing the response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reconcile) enum StorePhase {
    /// It is written.
    Write,
    /// The refusal of the API server is reported, because people must act.
    Report(WriteError),
    /// A pause, and then the next attempt.
    Wait,
}

/// The result of a failed attempt to store a response.
pub(in crate::reconcile) enum Setback {
    /// The state changed in between, or could not be read.
    Passing,
    /// The state may have been written, and the API server may be unavailable.
    NoResponse(WriteError),
    /// The API server refuses it.
    Refused(WriteError),
}

impl Unstored {
    pub(super) fn new(login: StoredLogin, sent: &StoredLogin) -> Self {
        Self {
            login,
            follows_rotation: sent.record.rotation,
            follows_token: sent.token_hash(),
            attempts: 0,
            refused: false,
            phase: StorePhase::Write,
        }
    }

    pub(in crate::reconcile) fn login(&self) -> &StoredLogin {
        &self.login
    }

    pub(in crate::reconcile) fn phase(&self) -> &StorePhase {
        &self.phase
    }

    /// The pause before the next attempt.
    pub(in crate::reconcile) fn pause(&self) -> SignedDuration {
        let last = delays::STORE.len() - 1;
        let index = usize::try_from(self.attempts.saturating_sub(1)).unwrap_or(last);
        SignedDuration::from_millis(delays::STORE[index.min(last)])
    }

    /// An attempt failed.
    pub(in crate::reconcile) fn failed(self, setback: Setback) -> Self {
        let refused = match &setback {
            Setback::Passing => self.refused,
            Setback::NoResponse(_) => false,
            Setback::Refused(_) => true,
        };
        let phase = match setback {
            Setback::Passing => StorePhase::Wait,
            // A short outage of the API server needs no person.
            Setback::NoResponse(_) if self.attempts < ATTEMPTS_BEFORE_REPORT => StorePhase::Wait,
            Setback::NoResponse(why) | Setback::Refused(why) => StorePhase::Report(why),
        };
        Self {
            attempts: self.attempts.saturating_add(1),
            refused,
            phase,
            ..self
        }
    }

    /// A read or a report in between failed. A refusal that lasts is reported, unless the report itself failed.
    pub(in crate::reconcile) fn interrupted(self, error: ApiError) -> Self {
        let reporting = matches!(self.phase, StorePhase::Report(_));
        if error.is_refusal() && !reporting {
            return self.failed(Setback::NoResponse(error.into()));
        }
        self.failed(Setback::Passing)
    }

    /// The refusal was reported.
    pub(in crate::reconcile) fn reported(self) -> Self {
        let phase = match self.phase {
            StorePhase::Report(_) => StorePhase::Wait,
            phase => phase,
        };
        Self { phase, ..self }
    }

    /// The pause is over. A refused response of an object that is gone is given up: there is no status that would tell people
    /// the cause, and an attacker who replaces Secrets of the state's name could pile up such responses without end.
    pub(in crate::reconcile) fn waited(self, object_is_gone: bool) -> Option<Self> {
        if object_is_gone && self.refused && self.attempts >= ATTEMPTS_FOR_A_DELETED_OBJECT {
            return None;
        }
        Some(Self {
            phase: StorePhase::Write,
            ..self
        })
    }

    /// The state was read. Where its token is no longer the one that was sent, the stored one wins: it is ours, if the response to
    /// the write was lost, or the successor that another process received.
    pub(in crate::reconcile) fn compared_with(self, state: &State) -> Option<Self> {
        if matches!(state, State::Foreign | State::Elsewhere(_)) {
            return Some(self.failed(Setback::Refused(WriteError::ForeignState)));
        }
        let Some(stored) = state.stored() else {
            return Some(self);
        };
        if stored.token_hash() != self.follows_token {
            return None;
        }
        let rotation = stored.record.rotation;
        if rotation == self.follows_rotation {
            return Some(self);
        }
        if self.login.token_hash() == self.follows_token {
            // Nothing was rotated, so the later response is as good.
            return None;
        }
        // Another process got a response without a new refresh token: ours has the one that stays valid.
        Some(Self {
            login: self.login.renumbered(rotation.saturating_add(1)),
            follows_rotation: rotation,
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_error::Cause;

    fn unstored() -> Unstored {
        let sent = StoredLogin::begin(&"r1".into(), None, None);
        Unstored::new(sent.succeeded(Some("r2".into()), None, None), &sent)
    }

    fn refused() -> ApiError {
        let object = "Secret treasury/main-cube-state";
        ApiError::forbidden("read", object, "secrets is forbidden")
    }

    #[test]
    fn a_read_that_is_refused_again_and_again_is_reported() {
        let mut unstored = unstored();
        for _ in 0..ATTEMPTS_BEFORE_REPORT {
            unstored = unstored.interrupted(refused());
            assert_eq!(*unstored.phase(), StorePhase::Wait);
            unstored = unstored.waited(false).unwrap();
        }
        let unstored = unstored.interrupted(refused());
        assert_eq!(*unstored.phase(), StorePhase::Report(refused().into()));
        // The report fails too: there is a pause all the same.
        let unstored = unstored.interrupted(refused());
        assert_eq!(*unstored.phase(), StorePhase::Wait);
    }

    #[test]
    fn a_refused_response_is_given_up_only_when_its_object_is_gone() {
        for object_is_gone in [false, true] {
            let mut unstored = Some(unstored());
            for _ in 0..2 * ATTEMPTS_FOR_A_DELETED_OBJECT {
                let foreign = unstored.and_then(|unstored| unstored.compared_with(&State::Foreign));
                unstored = foreign.and_then(|unstored| unstored.waited(object_is_gone));
            }
            assert_eq!(unstored.is_none(), object_is_gone);
        }
    }

    #[test]
    fn an_api_server_that_is_away_is_waited_for_without_a_report() {
        let mut unstored = unstored();
        for _ in 0..2 * ATTEMPTS_BEFORE_REPORT {
            unstored = unstored.interrupted(ApiError {
                cause: Cause::Timeout(30),
                ..refused()
            });
            assert_eq!(*unstored.phase(), StorePhase::Wait);
            unstored = unstored.waited(true).unwrap();
        }
    }
}
