//! What came of a look at the state, or of a write of it.

use jiff::Timestamp;

use super::{exchange, unwritable};
use crate::{
    api::Reason,
    reconcile::{
        attempt::Memory,
        observed::{Observed, Target},
        plan::{Unstored, WriteError},
        state::{State, StateReading, StateSecret, Stored},
        target::{Holding, Record},
    },
};

/// How often an answer is written again, 0.2 s to 3 s apart, before people are told.
const TRIES_BEFORE_TELLING: u32 = 5;

pub(super) fn looked_at(observed: &mut Observed, reading: Option<StateReading>, now: Timestamp) {
    observed.state = State::of(reading, &observed.credential);
    observed.memory.state_seen = match observed.state {
        State::Foreign | State::Damaged { .. } => None,
        _ => Some(observed.credential.generation),
    };
    notice_another_login(observed);
    notice_another_claim(observed, now);
    settle_pending(observed);
    if let Some(rejected) = &observed.memory.rejection {
        let of = observed.state.stored().map(Stored::of);
        if of.as_ref() != Some(&rejected.of) {
            // Somebody stored a successor, so it was no more than a replay; or a person deleted the state.
            observed.memory.rejection = None;
        }
    }
    notice_a_lost_login(observed);
    take_token(observed);
}

/// Since when it stands: the clock of its pod may be wrong, and with it the end that it states.
fn notice_another_claim(observed: &mut Observed, now: Timestamp) {
    let claim = observed
        .state
        .stored()
        .and_then(|stored| stored.record.claim.clone());
    let known = observed.memory.claim_of_another.take();
    observed.memory.claim_of_another = claim.map(|claim| match known {
        Some((known, since)) if known == claim => (known, since),
        _ => (claim, now),
    });
}

/// By our write, whose answer may have been lost, or by another process.
fn notice_another_login(observed: &mut Observed) {
    let Some(stored) = observed.state.stored() else {
        return;
    };
    let login = stored.record.seed.clone();
    let claim = stored.record.claim.as_ref();
    let by_us = claim.is_some_and(|claim| claim.by == observed.identity);
    let before = observed.memory.login.replace(login);
    if before.is_some() && before != observed.memory.login {
        observed.memory.happened.seed_adopted |= by_us;
        // It was that of the login before.
        observed.memory.failure = None;
        observed.memory.failures = 0;
        observed.memory.unknown_outcomes = 0;
    }
}

/// Where the stored token is no longer the one that was sent, the stored one wins: it is ours, if the answer to the write was
/// lost, or the successor that another process got.
fn settle_pending(observed: &mut Observed) {
    if matches!(observed.state, State::Foreign) {
        let why = Unstored::Refused(WriteError::ForeignState);
        return pending_not_stored(&mut observed.memory, why);
    }
    let (Some(pending), Some(stored)) = (&mut observed.memory.pending, observed.state.stored())
    else {
        return;
    };
    let (generation, of) = &mut pending.after;
    let moved_on = stored.record.generation != *generation;
    if stored.of() != *of {
        observed.memory.pending = None;
    } else if moved_on && pending.stored.of() == *of {
        // Nothing was rotated, so the later answer is as good.
        observed.memory.pending = None;
    } else if moved_on {
        // Another process got an answer without a new refresh token: ours has the one that lives on.
        *generation = stored.record.generation;
        pending.stored = pending.stored.renumbered(generation.saturating_add(1));
    }
}

pub(super) fn stored(observed: &mut Observed, secret: StateSecret, claims: bool, now: Timestamp) {
    let record = &secret.stored.record;
    observed.memory.claim_is_idle = false;
    if claims {
        observed.memory.unspent.clone_from(&record.claim);
    }
    observed.state = State::Present(Box::new(secret));
    notice_another_login(observed);
    observed.memory.state_unwritable = None;
    observed.memory.pending = None;
    if let Some(rejected) = observed.memory.rejection.take() {
        exchange::rejected(observed, rejected.what, now);
    }
    notice_a_lost_login(observed);
    take_token(observed);
}

pub(super) fn not_stored(observed: &mut Observed, why: Unstored, now: Timestamp) {
    observed.state = State::Unread;
    if observed.memory.pending.is_some() {
        return pending_not_stored(&mut observed.memory, why);
    }
    match why {
        Unstored::Conflict | Unstored::Gone => {}
        Unstored::Refused(why) | Unstored::Unknown(why) => {
            let earlier = observed.memory.state_unwritable.as_ref();
            let reason = Reason::StateNotWritable;
            observed.memory.state_unwritable =
                Some(unwritable(observed, earlier, reason, &why.to_string(), now));
        }
    }
}

fn pending_not_stored(memory: &mut Memory, why: Unstored) {
    let Some(pending) = &mut memory.pending else {
        return;
    };
    match why {
        Unstored::Gone => memory.pending = None,
        Unstored::Conflict => rest(memory),
        // An API server that is just away needs no person.
        Unstored::Unknown(_) if pending.tries < TRIES_BEFORE_TELLING => rest(memory),
        Unstored::Refused(why) | Unstored::Unknown(why) => {
            pending.trouble = Some(why.to_string());
            rest(memory);
        }
    }
}

/// The look, the write or the report did not work: after a pause the write is tried again.
pub(super) fn interrupted(observed: &mut Observed) {
    if let Some(pending) = &mut observed.memory.pending {
        pending.trouble = None;
    }
    rest(&mut observed.memory);
}

fn rest(memory: &mut Memory) {
    if let Some(pending) = &mut memory.pending {
        pending.tries = pending.tries.saturating_add(1);
        pending.resting = true;
    }
}

pub(super) fn rested(observed: &mut Observed) {
    if let Some(pending) = &mut observed.memory.pending {
        pending.resting = false;
    }
    observed.state = State::Unread;
}

fn notice_a_lost_login(observed: &mut Observed) {
    let stored = observed.state.stored();
    let rejection = stored.and_then(|stored| stored.record.rejection.as_ref());
    observed.memory.login_lost = rejection.is_some_and(|rejection| rejection.lost);
}

/// Takes the stored access token in hand, if consumers do not have it yet.
pub(super) fn take_token(observed: &mut Observed) {
    let found = observed.state.stored().and_then(|stored| {
        Some(Holding {
            token: stored.access_token.clone()?,
            record: stored.record.issued.clone()?,
        })
    });
    let Some(found) = found else { return };
    let on_target = match &observed.target {
        Target::Present(secret) => secret.confirmed_record(),
        _ => None,
    };
    let in_hand = observed
        .memory
        .holding
        .as_ref()
        .map(|holding| &holding.record);
    let newer = |other: &Record| found.record.is_newer_than(other);
    if on_target.as_ref().is_none_or(newer) && in_hand.is_none_or(newer) {
        observed.memory.holding = Some(found);
        observed.memory.unpublished = true;
    }
}
