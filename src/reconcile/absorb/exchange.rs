//! Absorbs a permit of the budget, a slot, and the token or failure of an exchange.

mod ends;
mod failure;
mod secrets;
mod token;

use jiff::Timestamp;
use secrecy::SecretString;

use crate::reconcile::{
    observed::Observed,
    pace::{Permit, PermitRequest, Slot},
    plan::Exchanged,
    source::{AccountRole, AccountTokens, NoAccountToken},
};
pub(super) use failure::rejected;

pub(super) fn permit(observed: &mut Observed, request: PermitRequest, permit: Permit) {
    match permit {
        Permit::Now { .. } => observed.memory.exchange.leave_queue(),
        Permit::Later { .. } => {
            // The turn may be minutes away, and a claim holds for seconds.
            observed.memory.login.release_claim();
            let versions = observed.versions();
            observed.memory.exchange.queue(request.clone(), versions);
        }
    }
    let before = observed.permit.replace((request, permit));
    if let Some((asked, Permit::Now { .. })) = before
        && !asked.peek
    {
        // It has expired, because the API server is slow.
        observed.source.read_again();
        observed.seed.read_again();
    }
}

pub(super) fn slot(observed: &mut Observed, slot: Slot) {
    let versions = match slot {
        Slot::Taken => None,
        Slot::Later { .. } => {
            // The turn may be minutes away, and a claim holds for seconds.
            observed.memory.login.release_claim();
            Some(observed.versions())
        }
    };
    observed.memory.exchange.wait_for_slot(versions);
    observed.slot = Some(slot);
}

pub(super) fn account_token(
    observed: &mut Observed,
    role: AccountRole,
    result: Result<SecretString, NoAccountToken>,
    now: Timestamp,
) {
    let versions = observed.versions();
    let memory = &mut observed.memory.exchange.account_token;
    match result {
        Ok(token) => {
            memory.forget();
            observed.account_tokens.put(role, token);
        }
        Err(why) => memory.refuse(role, why, versions, now),
    }
}

pub(super) fn exchanged(observed: &mut Observed, exchanged: Exchanged, now: Timestamp) {
    if secrets::continues_with_the_other(observed, &exchanged) {
        return;
    }
    let memory = &mut observed.memory;
    memory.exchange.forget_ca_bundle_touch();
    // The permit has been used, and the tokens of ServiceAccounts were sent.
    observed.permit = None;
    observed.account_tokens = AccountTokens::default();
    match &exchanged.result {
        Err(error) if !error.outcome_unknown() => memory.login.release_claim(),
        Ok(_) | Err(_) => memory.login.use_claim(),
    }
    let Exchanged {
        attempt,
        sent_at,
        result,
        refresh_token,
        date,
    } = exchanged;
    let times = ends::Times { sent_at, date, now };
    match result {
        Ok(issued) => {
            let assumed = attempt.settings.assumed_lifetime;
            let lifetime = ends::Lifetime::of(&issued, assumed, times);
            if lifetime.is_over(times) {
                failure::expired_on_arrival(observed, &attempt, sent_at, refresh_token, now);
            } else {
                token::issued(observed, &attempt, issued, refresh_token, lifetime, times);
            }
        }
        Err(error) => failure::refused(observed, &attempt, error, refresh_token, times),
    }
}
