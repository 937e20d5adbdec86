//! The checks of a stored refresh token: it is claimed before it is sent, and the provider's response is stored before anything
//! else happens. `reconcile::login` has the picture of its states.

use super::step::{Step, act, read, settle};
use crate::{
    api::Reason,
    reconcile::{
        case::{Case, NextLogin},
        login::{self, Claim, ClaimState, Rejected, State, StoredLogin, TokenUse},
        memory::StorePhase,
        pace::schedule::is_early,
        plan::{Action, DesiredState, Next, Read},
        status::{self, Conditions},
    },
};

pub(super) fn a_response_is_stored_first(case: &Case<'_>) -> Option<Step> {
    let unstored = case.observed.memory.login.unstored()?;
    let wait = || Step::Do(Next::Wait(unstored.pause()));
    Some(match unstored.phase() {
        StorePhase::Write if case.observed.state.is_unread() => read(Read::state(case.settings)),
        StorePhase::Write => store(case, unstored.login().clone()),
        StorePhase::Wait => wait(),
        StorePhase::Report(why) => {
            let conditions = Conditions::storing(case, why);
            let report = status::report(case.observed, Some(case), &conditions, case.now);
            report.map_or_else(wait, act)
        }
    })
}

/// The state is read once for each process and generation, because its token may be newer than the target's and its owner
/// reference follows the spec, unless the status of a process before vouches for it. It is also read while no live token is known
/// to be published, and to find out what a rejection means.
pub(super) fn the_state_is_read(case: &Case<'_>) -> Option<Step> {
    case.settings.grant.refresh_token()?;
    let memory = &case.observed.memory;
    let was_read = memory
        .login
        .was_read_for(case.observed.credential.generation);
    let wanted = !(was_read || case.state_is_as_reported())
        || memory.login.rejected().is_some()
        // Another process may have overtaken what waits in memory.
        || memory.target.unpublished().is_some()
        || case.live_token().is_none();
    (wanted && case.observed.state.is_unread()).then(|| read(Read::state(case.settings)))
}

/// A token that came with a refresh token shows that the grant has changed. Nothing else would say that its state is left, and may
/// hold a refresh token that still works.
pub(super) fn a_state_of_an_earlier_grant_is_looked_for(case: &Case<'_>) -> Option<Step> {
    let login = &case.observed.memory.login;
    if case.settings.grant.refresh_token().is_some() || login.left_behind().is_some() {
        return None;
    }
    case.token()?.rotation?;
    Some(read(Read::state(case.settings)))
}

/// A dead token is dead for every process: it is never sent again because a status was wiped.
pub(super) fn a_rejection_is_stored(case: &Case<'_>) -> Option<Step> {
    let rejected = case.observed.memory.login.rejected()?;
    if let Some(step) = an_unwritable_state_waits(case) {
        return Some(step);
    }
    let stored = case.observed.state.stored()?;
    let rejected = Rejected {
        what: rejected.error.to_string(),
        inputs: rejected.inputs.clone(),
        request: case.observed.credential.refresh_request.clone(),
    };
    Some(store(case, stored.rejected(rejected, case.now)))
}

pub(super) fn the_state_follows_the_deletion_policy(case: &Case<'_>) -> Option<Step> {
    case.settings.grant.refresh_token()?;
    let State::Present(secret) = &case.observed.state else {
        return None;
    };
    let follows = secret.owned == case.settings.owns_state() && secret.marked;
    // One that was given is not this object's before its token was looked for elsewhere.
    if follows || secret.given || case.observed.memory.login.unwritable().is_some() {
        return None;
    }
    // A write makes it this object's.
    if !case.has_own_state() {
        // The claim of another object would look like one of this process that ended.
        if matches!(case.claim_state(&secret.stored), ClaimState::Others { .. }) {
            return None;
        }
        match case.next_login() {
            NextLogin::Unconfirmed(what) => return Some(read(what)),
            NextLogin::Stored => {}
            NextLogin::New(_) | NextLogin::Withheld(_) => return None,
        }
    }
    Some(store(case, secret.stored.clone()))
}

pub(super) fn an_idle_claim_is_released(case: &Case<'_>) -> Option<Step> {
    let login = &case.observed.memory.login;
    let stored = case.observed.state.stored()?;
    let idle = login.idle_claim()?;
    if login.unwritable().is_some() || stored.record.claim.as_ref() != Some(idle) {
        return None;
    }
    Some(store(case, stored.released()))
}

pub(super) fn an_unusable_state_is_left_alone(case: &Case<'_>) -> Option<Step> {
    let conflict = case.state_conflict()?;
    Some(settle(Conditions::state_conflict(case, &conflict)))
}

/// A dead token cannot heal, and each replay may alarm the provider. It is sent again only with other inputs, after a refresh
/// request, and once for confirmation.
pub(super) fn a_rejected_token_is_not_sent_again(case: &Case<'_>) -> Option<Step> {
    let stored = case.observed.state.stored()?;
    let rejection = stored.record.rejection.as_ref()?;
    let inputs = case.inputs_hash(stored);
    let changed = inputs.is_some_and(|inputs| inputs != rejection.inputs);
    let request = &case.observed.credential.refresh_request;
    let requested = request.is_some() && *request != rejection.request;
    let confirmed = rejection
        .next_attempt()
        .is_some_and(|at| !is_early(at, case.now));
    // An initial refresh token that cannot be used may come from a new sign-in: its flaw is reported first.
    let unusable = case.check_own_token().is_err();
    let another = matches!(case.next_login(), NextLogin::New(_));
    if changed || requested || confirmed || unusable || another {
        return None;
    }
    Some(settle(Conditions::rejected_token(case, rejection)))
}

pub(super) fn the_claim_of_another_is_waited_for(case: &Case<'_>) -> Option<Step> {
    let ClaimState::Others { until } = case.claim_state(case.observed.state.stored()?) else {
        return None;
    };
    let until = case.observed.memory.login.claim_ends(until)?;
    (case.now < until).then(|| settle(Conditions::claimed(case, until)))
}

/// A request with the refresh token of another login ends that login, and mostly returns nothing.
pub(super) fn a_refresh_token_of_another_login_is_not_sent(case: &Case<'_>) -> Option<Step> {
    // Rejected inputs send nothing; the last check says why they are rejected.
    case.preflight().ok()?;
    let token_hashes = case.unproven_tokens()?;
    if let Some(rejection) = case.other_login() {
        return Some(settle(Conditions::rejected_inputs(case, &rejection)));
    }
    let unread = case.observed.token_use == TokenUse::Unread;
    unread.then(|| read(Read::other_states(case.settings, token_hashes)))
}

pub(super) fn an_unwritable_state_waits(case: &Case<'_>) -> Option<Step> {
    let unwritable = case.observed.memory.login.unwritable()?;
    if !unwritable.waits(case.observed.credential.generation, case.now) {
        return None;
    }
    let reason = Reason::StateNotWritable;
    Some(settle(Conditions::not_writable(case, reason, unwritable)))
}

/// Nothing is sent without a claim that was stored just before.
pub(super) fn the_refresh_token_is_claimed(case: &Case<'_>) -> Option<Step> {
    case.settings.grant.refresh_token()?;
    // Rejected inputs need no claim; the next check says why they are rejected.
    case.preflight().ok()?;
    let stored = match case.next_login() {
        NextLogin::New(login) => *login,
        NextLogin::Stored => case.observed.state.stored()?.clone(),
        NextLogin::Unconfirmed(_) | NextLogin::Withheld(_) => return None,
    };
    if let ClaimState::Ours { until } = case.claim_state(&stored)
        && Claim::suffices(until, case.now)
    {
        return None;
    }
    let seed = case.seed_now(&stored);
    let unused = case.observed.memory.login.unused_claim();
    let claimed = stored.claimed(&case.observed.identity, seed, unused, case.now);
    Some(claim(case, claimed))
}

/// Stores this login.
fn store(case: &Case<'_>, login: StoredLogin) -> Step {
    write(case, login, false)
}

/// Stores this login, with its claim for a request that follows.
fn claim(case: &Case<'_>, login: StoredLogin) -> Step {
    write(case, login, true)
}

fn write(case: &Case<'_>, stored: StoredLogin, claims: bool) -> Step {
    let observed = case.observed;
    let secret = login::desired(
        &observed.credential,
        case.settings,
        &observed.state,
        &stored,
    );
    act(Action::Store(Box::new(DesiredState {
        secret,
        stored,
        claims,
    })))
}
