//! What came of a look at the state, or of a write of it.

use jiff::Timestamp;

use super::{exchange, unwritable};
use crate::{
    api::Reason,
    reconcile::{
        attempt::Memory,
        observed::{Observed, Target},
        plan::Unstored,
        state::{State, StateReading, StateSecret, Stored},
        target::{Holding, Record},
    },
};

/// How often an answer is written again, 0.2 s to 3 s apart, before people are told.
const TRIES_BEFORE_TELLING: u32 = 5;

pub(super) fn looked_at(seen: &mut Observed, reading: Option<StateReading>, now: Timestamp) {
    seen.state = State::of(reading, &seen.credential);
    seen.memory.state_seen = match seen.state {
        State::Foreign | State::Damaged { .. } => None,
        _ => Some(seen.credential.generation),
    };
    notice_another_login(seen);
    notice_another_claim(seen, now);
    settle_pending(seen);
    if let Some(rejected) = &seen.memory.rejection {
        let of = seen.state.stored().map(Stored::of);
        if of.as_ref() != Some(&rejected.of) {
            // Somebody stored a successor, so it was no more than a replay; or a person deleted the state.
            seen.memory.rejection = None;
        }
    }
    notice_a_lost_login(seen);
    take_token(seen);
}

/// Since when it stands: the clock of its pod may be wrong, and with it the end that it states.
fn notice_another_claim(seen: &mut Observed, now: Timestamp) {
    let claim = seen
        .state
        .stored()
        .and_then(|stored| stored.record.claim.clone());
    let known = seen.memory.claim_of_another.take();
    seen.memory.claim_of_another = claim.map(|claim| match known {
        Some((known, since)) if known == claim => (known, since),
        _ => (claim, now),
    });
}

/// By our write, whose answer may have been lost, or by another process.
fn notice_another_login(seen: &mut Observed) {
    let Some(stored) = seen.state.stored() else {
        return;
    };
    let login = stored.record.seed.clone();
    let claim = stored.record.claim.as_ref();
    let by_us = claim.is_some_and(|claim| claim.by == seen.identity);
    let before = seen.memory.login.replace(login);
    if before.is_some() && before != seen.memory.login {
        seen.memory.happened.seed_adopted |= by_us;
        // It was that of the login before.
        seen.memory.failure = None;
        seen.memory.failures = 0;
        seen.memory.doubts = 0;
    }
}

/// Where the stored token is no longer the one that was sent, the stored one wins: it is ours, if the answer to the write was
/// lost, or the successor that another process got.
fn settle_pending(seen: &mut Observed) {
    if matches!(seen.state, State::Foreign) {
        let what = "a Secret that does not belong to this CubeCredential has the name of its state";
        return pending_not_stored(&mut seen.memory, Unstored::Refused(what.into()));
    }
    let (Some(pending), Some(stored)) = (&mut seen.memory.pending, seen.state.stored()) else {
        return;
    };
    let (generation, of) = &mut pending.after;
    let moved_on = stored.record.generation != *generation;
    if stored.of() != *of {
        seen.memory.pending = None;
    } else if moved_on && pending.stored.of() == *of {
        // Nothing was rotated, so the later answer is as good.
        seen.memory.pending = None;
    } else if moved_on {
        // Another process got an answer without a new refresh token: ours has the one that lives on.
        *generation = stored.record.generation;
        pending.stored = pending.stored.renumbered(generation.saturating_add(1));
    }
}

pub(super) fn stored(seen: &mut Observed, secret: StateSecret, claims: bool, now: Timestamp) {
    let record = &secret.stored.record;
    seen.memory.claim_is_idle = false;
    if claims {
        seen.memory.unspent.clone_from(&record.claim);
    }
    seen.state = State::Present(Box::new(secret));
    notice_another_login(seen);
    seen.memory.state_unwritable = None;
    seen.memory.pending = None;
    if let Some(rejected) = seen.memory.rejection.take() {
        exchange::rejected(seen, rejected.what, now);
    }
    notice_a_lost_login(seen);
    take_token(seen);
}

pub(super) fn not_stored(seen: &mut Observed, why: Unstored, now: Timestamp) {
    seen.state = State::Unread;
    if seen.memory.pending.is_some() {
        return pending_not_stored(&mut seen.memory, why);
    }
    match why {
        Unstored::Conflict | Unstored::Gone => {}
        Unstored::Refused(why) | Unstored::Unknown(why) => {
            let earlier = seen.memory.state_unwritable.as_ref();
            let reason = Reason::StateNotWritable;
            seen.memory.state_unwritable = Some(unwritable(seen, earlier, reason, &why, now));
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
            pending.trouble = Some(why);
            rest(memory);
        }
    }
}

/// The look, the write or the report did not work: after a pause the write is tried again.
pub(super) fn interrupted(seen: &mut Observed) {
    if let Some(pending) = &mut seen.memory.pending {
        pending.trouble = None;
    }
    rest(&mut seen.memory);
}

fn rest(memory: &mut Memory) {
    if let Some(pending) = &mut memory.pending {
        pending.tries = pending.tries.saturating_add(1);
        pending.resting = true;
    }
}

pub(super) fn rested(seen: &mut Observed) {
    if let Some(pending) = &mut seen.memory.pending {
        pending.resting = false;
    }
    seen.state = State::Unread;
}

fn notice_a_lost_login(seen: &mut Observed) {
    let stored = seen.state.stored();
    let rejection = stored.and_then(|stored| stored.record.rejection.as_ref());
    seen.memory.login_lost = rejection.is_some_and(|rejection| rejection.lost);
}

/// Takes the stored access token in hand, if consumers do not have it yet.
pub(super) fn take_token(seen: &mut Observed) {
    let found = seen.state.stored().and_then(|stored| {
        Some(Holding {
            token: stored.access_token.clone()?,
            record: stored.record.issued.clone()?,
        })
    });
    let Some(found) = found else { return };
    let on_target = match &seen.target {
        Target::Present(secret) => secret.confirmed_record(),
        _ => None,
    };
    let in_hand = seen.memory.holding.as_ref().map(|holding| &holding.record);
    let newer = |other: &Record| found.record.is_newer_than(other);
    if on_target.as_ref().is_none_or(newer) && in_hand.is_none_or(newer) {
        seen.memory.holding = Some(found);
        seen.memory.unpublished = true;
    }
}
