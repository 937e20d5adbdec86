//! Absorbs reads and writes of the state.

use jiff::Timestamp;

use super::{exchange, target};
use crate::api_error::ApiError;
use crate::reconcile::{
    case::Case,
    login::{State, StateReading, StateSecret, StoredLogin, TokenUse},
    memory::{Change, Setback, Unstored},
    observed::Observed,
    plan::NotStored,
};

pub(super) fn read(observed: &mut Observed, reading: Option<StateReading>, now: Timestamp) {
    let settings = observed.settings.as_ref();
    if settings.is_ok_and(|settings| settings.grant.refresh_token().is_none()) {
        return left_behind(observed, reading);
    }
    observed.state = State::of(reading, &observed.credential);
    let readable = match observed.state {
        State::Foreign | State::Elsewhere(_) | State::Damaged { .. } => None,
        State::Unread | State::Absent | State::Present(_) => Some(observed.credential.generation),
    };
    notice_another_login(observed);
    let stored = observed.state.stored();
    let login = &mut observed.memory.login;
    login.read_for(readable);
    login.observe_claim(stored.and_then(|stored| stored.record.claim.as_ref()), now);
    login.storing(|unstored| unstored.compared_with(&observed.state));
    login.recheck_rejected(stored.map(StoredLogin::token_hash).as_ref());
    notice_a_lost_login(observed);
    take_token(observed, now);
}

/// A token that another object may be sending is not sent: the claim on it must not say that it was.
pub(super) fn others_read(observed: &mut Observed, token_use: TokenUse) {
    observed.token_use = token_use;
    if matches!(observed.token_use, TokenUse::Elsewhere { .. }) {
        observed.memory.login.release_claim();
    }
}

/// A grant without a refresh token uses no state. A state that is left is worth an event.
fn left_behind(observed: &mut Observed, reading: Option<StateReading>) {
    let found = match State::of(reading, &observed.credential) {
        State::Present(_) | State::Damaged { .. } => true,
        State::Unread | State::Absent | State::Foreign | State::Elsewhere(_) => false,
    };
    observed.memory.login.look_left_behind(found);
    if found {
        observed.memory.reporting.note(Change::RefreshTokenLeft);
    }
}

pub(super) fn stored(observed: &mut Observed, secret: StateSecret, claims: bool, now: Timestamp) {
    let claim = secret.stored.record.claim.as_ref();
    observed.memory.login.stored(claim, claims);
    if claims {
        // Another object may have claimed the same token since it was looked for.
        observed.token_use = TokenUse::Unread;
    }
    observed.state = State::Present(Box::new(secret));
    notice_another_login(observed);
    if observed.memory.login.forget_rejected() {
        exchange::rejected(observed, now);
    }
    notice_a_lost_login(observed);
    take_token(observed, now);
}

pub(super) fn not_stored(observed: &mut Observed, why: NotStored, now: Timestamp) {
    observed.state = State::Unread;
    let login = &mut observed.memory.login;
    if login.unstored().is_some() {
        return login.storing(|unstored| unstored_after(unstored, why));
    }
    match why {
        NotStored::Conflict | NotStored::Gone => {}
        NotStored::Refused(why) | NotStored::Unknown(why) => {
            let credential = &observed.credential;
            login.refused(why, (credential.generation, &credential.uid), now);
        }
    }
}

fn unstored_after(unstored: Unstored, why: NotStored) -> Option<Unstored> {
    let setback = match why {
        // Nobody can use the token any more.
        NotStored::Gone => return None,
        NotStored::Conflict => Setback::Passing,
        NotStored::Unknown(why) => Setback::NoResponse(why),
        NotStored::Refused(why) => Setback::Refused(why),
    };
    Some(unstored.failed(setback))
}

/// A read, a write or a report failed: the write is retried after a pause.
pub(super) fn interrupted(observed: &mut Observed, error: ApiError) {
    let login = &mut observed.memory.login;
    login.storing(|unstored| Some(unstored.interrupted(error)));
}

pub(super) fn waited(observed: &mut Observed, object_is_gone: bool) {
    let login = &mut observed.memory.login;
    login.storing(|unstored| unstored.waited(object_is_gone));
    observed.credential.deleting |= object_is_gone;
    observed.state = State::Unread;
    // The driver has given the slot to others.
    observed.slot = None;
}

/// Another login begins with a write by us, whose response may have been lost, or by another process.
fn notice_another_login(observed: &mut Observed) {
    let Some(stored) = observed.state.stored() else {
        return;
    };
    let claim = stored.record.claim.as_ref();
    let by_us = claim.is_some_and(|claim| claim.by == observed.identity);
    let memory = &mut observed.memory;
    if !memory.login.observe_seed(&stored.record.seed) {
        return;
    }
    if by_us {
        memory.reporting.note(Change::SeedAdopted);
    }
    memory.exchange.another_login();
}

fn notice_a_lost_login(observed: &mut Observed) {
    let rejection = observed
        .state
        .stored()
        .and_then(|stored| stored.record.rejection.as_ref());
    let lost = rejection.is_some_and(|rejection| rejection.lost);
    observed.memory.login.set_lost(lost);
}

/// Takes the stored access token in hand, if consumers do not have it yet. The access token of a predecessor is left alone before the
/// owner of its initial refresh token has consented again.
pub(super) fn take_token(observed: &mut Observed, now: Timestamp) {
    let Some(case) = Case::of(observed, now) else {
        return;
    };
    if let Some(found) = case.adoptable_login().and_then(StoredLogin::token) {
        target::take_token_from_beside(observed, found);
    }
}
