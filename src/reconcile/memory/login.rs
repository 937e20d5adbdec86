//! The memory of the stored refresh token. `reconcile::login` has the picture of its states.

mod unstored;

use jiff::Timestamp;

use super::Unwritable;
use crate::{
    oauth::error::TokenError,
    reconcile::{
        login::{Claim, StoredLogin},
        pace::schedule::is_ahead,
        write_error::WriteError,
    },
};
pub(in crate::reconcile) use unstored::{Setback, StorePhase, Unstored};

/// The login's part of the memory. The parts that most credentials do not have are on the heap.
#[derive(Clone, Debug, Default)]
pub(in crate::reconcile) struct LoginMemory {
    /// A response that is in no Secret yet. Nothing else happens before it is stored.
    unstored: Option<Box<Unstored>>,
    claim: OwnClaim,
    /// The claim on the state, and the time at which it was first observed.
    observed_claim: Option<Box<ObservedClaim>>,
    /// The provider rejected the refresh token, and the state must still be read, because another process may have stored a
    /// successor.
    rejected: Option<Box<RejectedHere>>,
    unwritable: Option<Box<Unwritable>>,
    /// The generation for which the state was last read: its owner reference follows the spec.
    read_for: Option<i64>,
    /// The seed of the login in the state, when that was last read or written.
    seed: Option<Box<str>>,
    /// The state says that the login is lost.
    lost: bool,
    /// True if an earlier grant has left a state; `None`: it was not looked for.
    left_behind: Option<bool>,
}

/// A claim of this process with which certainly nothing was consumed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum OwnClaim {
    #[default]
    None,
    /// The request that it was made for follows.
    Ready(Box<Claim>),
    /// The request was not served, or must wait for longer than a claim holds: the claim must be released.
    Idle(Box<Claim>),
}

/// A claim, and the time at which it was first observed: the end that it states is wrong if the clock of its pod is.
#[derive(Clone, Debug)]
struct ObservedClaim {
    claim: Claim,
    since: Timestamp,
}

/// A refresh token that the provider rejected in this process.
#[derive(Clone, Debug)]
pub(in crate::reconcile) struct RejectedHere {
    /// The hash of the token.
    pub(in crate::reconcile) of: String,
    pub(in crate::reconcile) error: TokenError,
    /// The hash of the inputs that it was sent with. The spec may have changed since, and changed back later.
    pub(in crate::reconcile) inputs: String,
}

/// Responses that must be stored.
impl LoginMemory {
    pub(in crate::reconcile) fn unstored(&self) -> Option<&Unstored> {
        self.unstored.as_deref()
    }

    /// A response was received: its login must be stored before anything else happens.
    pub(in crate::reconcile) fn receive(&mut self, login: StoredLogin, sent: &StoredLogin) {
        self.unstored = Some(Box::new(Unstored::new(login, sent)));
    }

    /// A step of storing the response has ended. `step` returns nothing if the response needs no storing any more.
    pub(in crate::reconcile) fn storing(
        &mut self,
        step: impl FnOnce(Unstored) -> Option<Unstored>,
    ) {
        let unstored = self.unstored.take();
        self.unstored = unstored.and_then(|unstored| step(*unstored).map(Box::new));
    }
}

/// Claims.
impl LoginMemory {
    /// A claim of this process with which certainly nothing was consumed.
    pub(in crate::reconcile) fn unused_claim(&self) -> Option<&Claim> {
        match &self.claim {
            OwnClaim::None => None,
            OwnClaim::Ready(claim) | OwnClaim::Idle(claim) => Some(claim),
        }
    }

    /// A claim that must be released.
    pub(in crate::reconcile) fn idle_claim(&self) -> Option<&Claim> {
        match &self.claim {
            OwnClaim::Idle(claim) => Some(claim),
            OwnClaim::None | OwnClaim::Ready(_) => None,
        }
    }

    /// The request will not follow within the time of a claim, or was not served.
    pub(in crate::reconcile) fn release_claim(&mut self) {
        self.claim = match std::mem::take(&mut self.claim) {
            OwnClaim::None => OwnClaim::None,
            OwnClaim::Ready(claim) | OwnClaim::Idle(claim) => OwnClaim::Idle(claim),
        };
    }

    /// The token was sent, and may be consumed: the claim proves nothing any more.
    pub(in crate::reconcile) fn use_claim(&mut self) {
        self.claim = OwnClaim::None;
    }

    /// The state was written. With `claims`, its claim is ours and unused.
    pub(in crate::reconcile) fn stored(&mut self, claim: Option<&Claim>, claims: bool) {
        self.unwritable = None;
        self.unstored = None;
        self.claim = match claim {
            Some(claim) if claims => OwnClaim::Ready(Box::new(claim.clone())),
            Some(claim) if self.unused_claim() == Some(claim) => std::mem::take(&mut self.claim),
            Some(_) | None => OwnClaim::None,
        };
    }

    /// The state was read, with this claim on it.
    pub(in crate::reconcile) fn observe_claim(&mut self, claim: Option<&Claim>, now: Timestamp) {
        let before = self.observed_claim.take();
        self.observed_claim = claim.map(|claim| match before {
            // Otherwise the clock was set back since.
            Some(before) if before.claim == *claim && !is_ahead(before.since, now) => before,
            _ => Box::new(ObservedClaim {
                claim: claim.clone(),
                since: now,
            }),
        });
    }

    /// The latest end of a claim that states this end; `None`: no claim was observed.
    pub(in crate::reconcile) fn claim_ends(&self, until: Timestamp) -> Option<Timestamp> {
        let observed = self.observed_claim.as_ref()?;
        Some(until.min(Claim::latest_end(observed.since)))
    }
}

/// The content of the state.
impl LoginMemory {
    /// The state was read for this generation; `None`: it could not be used.
    pub(in crate::reconcile) fn read_for(&mut self, generation: Option<i64>) {
        self.left_behind = None;
        self.read_for = generation;
    }

    pub(in crate::reconcile) fn was_read_for(&self, generation: i64) -> bool {
        self.read_for == Some(generation)
    }

    /// The state holds the login with this seed. Returns whether it is another login than before.
    #[must_use]
    pub(in crate::reconcile) fn observe_seed(&mut self, seed: &str) -> bool {
        let before = self.seed.replace(seed.into());
        before.is_some_and(|before| *before != *seed)
    }

    pub(in crate::reconcile) fn set_lost(&mut self, lost: bool) {
        self.lost = lost;
    }

    /// Returns whether the state says that the login is lost.
    pub(in crate::reconcile) fn is_lost(&self) -> bool {
        self.lost
    }

    /// The grant has no refresh token, and there is a state with one, or none.
    pub(in crate::reconcile) fn look_left_behind(&mut self, found: bool) {
        self.left_behind = Some(found);
    }

    /// Returns whether a state is left of an earlier grant, if that was looked for.
    pub(in crate::reconcile) fn left_behind(&self) -> Option<bool> {
        self.left_behind
    }

    /// The provider rejected the refresh token.
    pub(in crate::reconcile) fn reject(&mut self, rejected: RejectedHere) {
        self.claim = OwnClaim::None;
        self.rejected = Some(Box::new(rejected));
    }

    pub(in crate::reconcile) fn rejected(&self) -> Option<&RejectedHere> {
        self.rejected.as_deref()
    }

    /// Returns whether there was a rejection to forget.
    pub(in crate::reconcile) fn forget_rejected(&mut self) -> bool {
        self.rejected.take().is_some()
    }

    /// The state holds the token with this hash. If that is not the rejected one, another process stored a successor, and the
    /// request was no more than a replay; or a person deleted the state.
    pub(in crate::reconcile) fn recheck_rejected(&mut self, hash: Option<&String>) {
        if let Some(rejected) = &self.rejected
            && hash != Some(&rejected.of)
        {
            self.rejected = None;
        }
    }

    pub(in crate::reconcile) fn unwritable(&self) -> Option<&Unwritable> {
        self.unwritable.as_deref()
    }

    /// The API server refused the state.
    pub(in crate::reconcile) fn refused(
        &mut self,
        why: WriteError,
        of: (i64, &str),
        now: Timestamp,
    ) {
        let earlier = self.unwritable.as_deref();
        let unwritable = Unwritable::again(earlier, why, of, now);
        self.unwritable = Some(Box::new(unwritable));
    }
}
