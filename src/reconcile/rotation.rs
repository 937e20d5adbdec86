//! The checks of a stored refresh token: it is claimed before it is sent, and what the provider answered is stored before
//! anything else happens. `state` says what each write makes of the Secret.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::{
    attempt::Pending,
    case::{Case, Login},
    checks::{Step, act, read},
    decide::settle,
    inputs, local, message,
    observed::Source,
    plan::{Action, DesiredSecret, DesiredState, Next, Plan, Read, SecretVersion},
    report,
    state::{Claim, STATE_TYPE, Standing, State, Stored},
    verdict::Conditions,
};
use crate::api::{Reason, annotation, label};

/// Between the tries to store an answer: 0.2 s, doubling to 5 s, for ever.
const STORE_PAUSES: [i64; 6] = [200, 400, 800, 1600, 3200, 5000];

/// The provider's answer is in this process alone: nothing else happens, not even the end of the process, before it is stored.
pub(super) fn store_the_answer_first(case: &Case<'_>, pending: &Pending) -> Plan {
    let next = if pending.resting {
        if pending.trouble.is_some() {
            let verdict = Conditions::storing(case, pending);
            let plan = settle(case.observed, &verdict, report::status(case, &verdict));
            if matches!(plan.next, Next::Act(_)) {
                return plan;
            }
        }
        let index = (pending.tries.max(1) - 1).min(5) as usize;
        Next::Wait(SignedDuration::from_millis(STORE_PAUSES[index]))
    } else if matches!(case.observed.state, State::Unread) {
        Next::Read(Read::state(case.settings))
    } else {
        Next::Act(Box::new(write(case, pending.stored.clone(), false)))
    };
    Plan {
        next,
        wake_at: None,
    }
}

/// The state with this content, replacing the version that was read.
fn write(case: &Case<'_>, stored: Stored, claims: bool) -> Action {
    let name = case.settings.state_name.clone();
    let credential = &case.observed.credential;
    let present = match &case.observed.state {
        State::Present(secret) => Some((&secret.uid, &secret.version)),
        State::Damaged { uid, version } => Some((uid, version)),
        State::Unread | State::Absent | State::Foreign => None,
    };
    let replaces = present.map(|(uid, version)| SecretVersion {
        name: name.clone(),
        uid: uid.clone(),
        version: version.clone(),
    });
    let marks = |marks: [(&str, &str); 2]| marks.map(|(name, value)| (name.into(), value.into()));
    Action::Store(Box::new(DesiredState {
        secret: DesiredSecret {
            name,
            r#type: STATE_TYPE.into(),
            labels: BTreeMap::from([(label::STATE.into(), label::TRUE.into())]),
            annotations: BTreeMap::from(marks([
                (annotation::OWNER_NAME, &credential.name),
                (annotation::OWNER_UID, &credential.uid),
            ])),
            data: stored.data(),
            owned: case.settings.owns_target(),
            replaces,
        },
        stored,
        claims,
    }))
}

fn store(case: &Case<'_>, stored: Stored) -> Option<Step> {
    act(write(case, stored, false))
}

/// Once for each process and generation: the token on it may be newer than the target's, and its owner reference follows the
/// spec. Else where no token is known to be live and published, or where it has to say what a rejection means.
pub(super) fn the_state_is_looked_at(case: &Case<'_>) -> Option<Step> {
    case.settings.seed.as_ref()?;
    let memory = &case.observed.memory;
    let wanted = memory.state_seen != Some(case.observed.credential.generation)
        || memory.rejection.is_some()
        // What waits in memory may have been overtaken by another process.
        || memory.unpublished
        || case.live_record().is_none();
    (wanted && matches!(case.observed.state, State::Unread))
        .then(|| read(Read::state(case.settings)))
        .flatten()
}

/// A dead token is dead for every process: it is never sent again because a status was wiped.
pub(super) fn a_rejection_is_stored(case: &Case<'_>) -> Option<Step> {
    let rejected = case.observed.memory.rejection.as_ref()?;
    if let Some(step) = an_unwritable_state_waits(case) {
        return Some(step);
    }
    let stored = case.observed.state.stored()?;
    // In a reconcile after the one of the exchange.
    if matches!(case.observed.source, Source::Unread(_)) {
        return read(Read::source(case.observed, case.settings));
    }
    let inputs = hash_of_inputs(case, stored).unwrap_or_default();
    let request = case.observed.credential.refresh_request.clone();
    store(
        case,
        stored.rejected(&rejected.what, inputs, request, case.now),
    )
}

/// Keyed with the refresh token: it says nothing about a client secret to whoever does not know that.
fn hash_of_inputs(case: &Case<'_>, stored: &Stored) -> Option<String> {
    let client = local::client(case.settings, &case.observed.source).ok()?;
    Some(inputs::hash(&stored.refresh_token, case.settings, &client))
}

pub(super) fn the_state_follows_the_deletion_policy(case: &Case<'_>) -> Option<Step> {
    case.settings.seed.as_ref()?;
    if case.observed.memory.state_unwritable.is_some() {
        return None;
    }
    let State::Present(secret) = &case.observed.state else {
        return None;
    };
    (secret.owned != case.settings.owns_target())
        .then(|| store(case, secret.stored.clone()))
        .flatten()
}

/// So that the next try is no try in doubt.
pub(super) fn an_unspent_claim_is_released(case: &Case<'_>) -> Option<Step> {
    if case.observed.memory.state_unwritable.is_some() {
        return None;
    }
    let stored = case.observed.state.stored()?;
    let unspent = case.observed.memory.unspent.as_ref()?;
    (case.observed.memory.claim_is_idle && stored.record.claim.as_ref() == Some(unspent))
        .then(|| store(case, stored.released()))
        .flatten()
}

pub(super) fn an_unusable_state_is_left_alone(case: &Case<'_>) -> Option<Step> {
    case.settings.seed.as_ref()?;
    let name = &case.settings.state_name;
    let message = match case.observed.state {
        State::Foreign => message::foreign_state(name),
        State::Damaged { .. } => message::damaged_state(name),
        _ => return None,
    };
    Some(Step::Settle(Conditions::state_conflict(case, message)))
}

/// A dead token cannot heal, and each replay may alarm the provider: only other inputs, a request by hand and the one
/// confirmation send it again.
pub(super) fn a_rejected_token_is_not_sent_again(case: &Case<'_>) -> Option<Step> {
    let stored = case.observed.state.stored()?;
    let rejection = stored.record.rejection.as_ref()?;
    let client = local::client(case.settings, &case.observed.source);
    let changed =
        client.is_ok() && hash_of_inputs(case, stored).as_ref() != Some(&rejection.inputs);
    let request = &case.observed.credential.refresh_request;
    let requested = request.is_some() && *request != rejection.request;
    let confirmed = rejection
        .next_try()
        .is_some_and(|next_try| case.now >= next_try);
    // A seed that cannot be used may be a new sign-in: what is wrong with it comes first.
    let unusable = local::seed(case).is_err();
    if changed || requested || confirmed || unusable || matches!(case.login(), Login::New(_)) {
        return None;
    }
    Some(Step::Settle(Conditions::rejected(case, rejection)))
}

pub(super) fn the_claim_of_another_is_waited_for(case: &Case<'_>) -> Option<Step> {
    let Standing::Others(until) = standing(case, case.observed.state.stored()?) else {
        return None;
    };
    let (_, observed) = case.observed.memory.claim_of_another.as_ref()?;
    let until = until.min(Claim::latest_end(*observed));
    (case.now < until).then(|| Step::Settle(Conditions::claimed(case, until)))
}

/// Whether the refresh token was sent before, and may have been used up.
pub(super) fn may_have_arrived(case: &Case<'_>) -> bool {
    let stored = case.observed.state.stored();
    stored.is_some_and(|stored| {
        matches!(case.login(), Login::Stored)
            && (stored.record.outcome_unknown || standing(case, stored) == Standing::OutcomeUnknown)
    })
}

fn standing(case: &Case<'_>, stored: &Stored) -> Standing {
    let unspent = case.observed.memory.unspent.as_ref();
    stored.standing(&case.observed.identity, unspent, case.now)
}

pub(super) fn an_unwritable_state_waits(case: &Case<'_>) -> Option<Step> {
    let unwritable = case.observed.memory.state_unwritable.as_ref()?;
    let waits = unwritable.generation == case.observed.credential.generation
        && case.now < unwritable.next_try;
    let reason = Reason::StateNotWritable;
    waits.then(|| Step::Settle(Conditions::not_writable(case, reason, unwritable)))
}

/// Nothing is sent without a claim that was stored a moment ago.
pub(super) fn the_refresh_token_is_claimed(case: &Case<'_>) -> Option<Step> {
    case.settings.seed.as_ref()?;
    // What is refused is not claimed; the next check says why.
    local::check(case).ok()?;
    let stored = match case.login() {
        Login::New(stored) => *stored,
        _ => case.observed.state.stored()?.clone(),
    };
    match standing(case, &stored) {
        Standing::Ours(until) if Claim::suffices(until, case.now) => None,
        _ => {
            let unspent = case.observed.memory.unspent.as_ref();
            let hosts = case.seed_hosts().map(Into::into);
            let (identity, seed) = (&case.observed.identity, (case.seed_version(), hosts));
            let claimed = stored.claimed(identity, seed, unspent, case.now);
            act(write(case, claimed, true))
        }
    }
}
