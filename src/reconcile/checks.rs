//! The decision, as an ordered list of checks. The first one that has something to say decides.

use super::{
    budget::{Permit, PermitRequest},
    case::{BackoffBypass, Case, Inputs, Login},
    local,
    observed::{CaBundle, Content, Source, Target},
    plan::{Action, Next, Read, SecretVersion},
    rotation, schedule,
    target::{DesiredMetadata, Holding, Owner, Record, desired},
    verdict::Conditions,
};
use crate::{api::Reason, oauth::response::TokenError};

/// What a check says.
pub(super) enum Step {
    /// Do this, then decide again.
    Do(Next),
    /// Nothing is to be done now; this is what the status says.
    Settle(Conditions),
}

/// In this order: whose the target is, what it holds, whether an exchange is due, whether it can be made. Those of `rotation`
/// have something to say of a stored refresh token only.
pub(super) const CHECKS: [fn(&Case<'_>) -> Option<Step>; 24] = [
    an_older_credential_owns_the_target,
    the_target_is_looked_at,
    a_foreign_secret_is_left_alone,
    a_moved_target_is_read,
    rotation::the_state_is_looked_at,
    rotation::a_rejection_is_stored,
    the_inputs_are_confirmed,
    the_token_is_published,
    a_moved_target_is_deleted,
    rotation::the_state_follows_the_deletion_policy,
    a_suspended_credential_rests,
    a_good_token_rests_until_it_is_due,
    rotation::an_unspent_claim_is_released,
    a_failure_waits,
    a_token_of_a_few_seconds_is_not_replaced_at_once,
    a_place_in_the_queue_is_kept,
    what_the_request_needs_is_read,
    rotation::an_unusable_state_is_left_alone,
    rotation::a_rejected_token_is_not_sent_again,
    rotation::the_claim_of_another_is_waited_for,
    rotation::an_unwritable_state_waits,
    the_budget_is_waited_for,
    rotation::the_refresh_token_is_claimed,
    an_exchange_is_made_if_nothing_refuses_it,
];

#[expect(clippy::unnecessary_wraps, reason = "what a check returns")]
pub(super) fn read(what: Read) -> Option<Step> {
    Some(Step::Do(Next::Read(what)))
}

#[expect(clippy::unnecessary_wraps, reason = "what a check returns")]
pub(super) fn act(action: Action) -> Option<Step> {
    Some(Step::Do(Next::Act(Box::new(action))))
}

pub(super) fn an_older_credential_owns_the_target(case: &Case<'_>) -> Option<Step> {
    let rival = case.observed.older_rival.as_ref()?;
    let message = format!(
        "CubeCredential {rival:?} is older and has the same target Secret {:?}: set spec.target.name of one of the two to \
         another name; it is looked at again when one of them changes, and every minute",
        case.settings.target_name
    );
    Some(Step::Settle(Conditions::target_trouble(
        case,
        Reason::TargetDuplicate,
        message,
    )))
}

fn the_target_is_looked_at(case: &Case<'_>) -> Option<Step> {
    match &case.observed.target {
        Target::Unknown => read(Read::target(case.observed, case.settings)),
        Target::Present(_) if case.target()?.content == Content::Unread => {
            read(Read::target(case.observed, case.settings))
        }
        _ => None,
    }
}

pub(super) fn a_foreign_secret_is_left_alone(case: &Case<'_>) -> Option<Step> {
    let Target::Present(secret) = &case.observed.target else {
        return None;
    };
    if secret.owner(&case.observed.credential) != Owner::Foreign {
        return None;
    }
    let message = format!(
        "Secret {:?} exists and does not belong to this CubeCredential, so it is left alone: delete it, or set \
         spec.target.name to another name; it is looked at again every minute",
        secret.name
    );
    Some(Step::Settle(Conditions::target_trouble(
        case,
        Reason::TargetConflict,
        message,
    )))
}

fn a_moved_target_is_read(case: &Case<'_>) -> Option<Step> {
    let previous = case.observed.previous.as_ref()?;
    // Also one that was confirmed earlier: its token is not kept between reconciles.
    let wanted = matches!(case.observed.target, Target::Absent)
        && case.observed.memory.holding.is_none()
        && previous.content != Content::Damaged;
    wanted.then(|| read(Read::previous(previous))).flatten()
}

fn the_inputs_are_confirmed(case: &Case<'_>) -> Option<Step> {
    match case.inputs(&case.live_record()?) {
        Inputs::Unconfirmed(what) => read(what),
        _ => None,
    }
}

/// Writes a token that the target does not show, and mends a target whose metadata is not as it should be.
fn the_token_is_published(case: &Case<'_>) -> Option<Step> {
    let found = case.live_record()?;
    let record = match case.inputs(&found) {
        Inputs::Current => confirmed(case, &found),
        // Without a usable source Secret there is nothing to confirm it with; the published token stays what it is.
        Inputs::Unavailable if found.owner_uid == case.observed.credential.uid => found,
        _ if case.observed.memory.unpublished => found,
        _ => return None,
    };
    let wanted = DesiredMetadata::new(&case.observed.credential, case.settings, &record);
    let current = case.target();
    if current.is_some_and(|secret| secret.is_confirmed() && secret.has(&wanted)) {
        return None;
    }
    if let Some(step) = an_unwritable_target_waits(case) {
        return Some(step);
    }
    // Our own write, which somebody else's rules have altered: to repeat it would not end.
    if current.is_some_and(|secret| case.observed.memory.wrote(secret, &wanted)) {
        return None;
    }
    let Some(holding) = &case.observed.memory.holding else {
        return read(Read::target(case.observed, case.settings));
    };
    let version = current.map(|secret| SecretVersion {
        name: secret.name.clone(),
        uid: secret.uid.clone(),
        version: secret.version.clone(),
    });
    // The type of a Secret is immutable.
    let retyped =
        current.is_some_and(|secret| secret.secret_type() != Some(&case.settings.target.r#type));
    match version {
        Some(version) if retyped => act(Action::Delete(version)),
        replaces => {
            let holding = Holding {
                token: holding.token.clone(),
                record,
            };
            let mut target = desired(&case.observed.credential, case.settings, &holding);
            target.replaces = replaces;
            act(Action::Publish(target))
        }
    }
}

fn an_unwritable_target_waits(case: &Case<'_>) -> Option<Step> {
    let unwritable = case.observed.memory.unwritable.as_ref()?;
    let waits = unwritable.generation == case.observed.credential.generation
        && case.now < unwritable.next_try;
    waits.then(|| {
        Step::Settle(Conditions::not_writable(
            case,
            Reason::TargetNotWritable,
            unwritable,
        ))
    })
}

/// The record as confirmed for the current generation and source version, unless a local check refuses these: what is
/// refused is looked at again, and not recorded as seen.
fn confirmed(case: &Case<'_>, record: &Record) -> Record {
    let credential = &case.observed.credential;
    let refused = matches!(case.observed.source, Source::Read(_)) && early_refusal(case).is_some();
    let record = Record {
        owner_uid: credential.uid.clone(),
        ..record.clone()
    };
    match case.observed.source.version() {
        Some(version) if !refused => Record {
            generation: credential.generation,
            source_version: version.to_owned(),
            seed_version: case.seed_version(),
            ..record
        },
        _ => record,
    }
}

fn a_moved_target_is_deleted(case: &Case<'_>) -> Option<Step> {
    let previous = case.observed.previous.as_ref()?;
    case.target()?;
    case.good_record()?;
    let version = SecretVersion {
        name: previous.name.clone(),
        uid: previous.uid.clone(),
        version: previous.version.clone(),
    };
    act(Action::Delete(version))
}

fn a_suspended_credential_rests(case: &Case<'_>) -> Option<Step> {
    case.settings
        .suspend
        .then(|| Step::Settle(Conditions::suspended(case)))
}

fn a_good_token_rests_until_it_is_due(case: &Case<'_>) -> Option<Step> {
    let record = case.good_record()?;
    // Whatever a failure says: nothing is due, so nothing is tried again.
    if case.requested(&record) || case.now >= case.refresh_at(&record) {
        return None;
    }
    Some(Step::Settle(match early_refusal(case) {
        Some(refusal) => Conditions::refused(case, &refusal),
        None => Conditions::good(case, &record),
    }))
}

/// What would refuse the next exchange, where the source Secret was read anyway. A CA bundle is judged when it is needed.
fn early_refusal(case: &Case<'_>) -> Option<TokenError> {
    if matches!(case.observed.source, Source::Unread(_)) {
        return None;
    }
    local::check(case)
        .err()
        .filter(|refusal| refusal.reason != Reason::CABundleInvalid)
}

fn a_failure_waits(case: &Case<'_>) -> Option<Step> {
    let failure = case.observed.memory.failure.as_ref()?;
    match case.woken(failure) {
        BackoffBypass::Unsure(what) => read(what),
        BackoffBypass::No if failure.next_try.is_none_or(|next_try| case.now < next_try) => {
            Some(Step::Settle(Conditions::failed(case, failure)))
        }
        _ => None,
    }
}

/// A token that has expired by now, or before it could be published, would be asked for again and again without a pause.
fn a_token_of_a_few_seconds_is_not_replaced_at_once(case: &Case<'_>) -> Option<Step> {
    let record = case.record()?;
    let refresh_at = case.refresh_at(&record);
    let waits = case.now < refresh_at
        && record.expires_at <= case.now
        && !case.requested(&record)
        && case.inputs(&record) == Inputs::Current;
    waits.then(|| Step::Settle(Conditions::short_lived(case, &record)))
}

fn what_the_request_needs_is_read(case: &Case<'_>) -> Option<Step> {
    if matches!(case.observed.source, Source::Unread(_)) {
        return read(Read::source(case.observed, case.settings));
    }
    if let Some(bundle) = Read::ca_bundle(case.settings)
        && matches!(case.observed.ca_bundle, CaBundle::Unread)
    {
        return read(bundle);
    }
    let seed = Read::seed(case.observed, case.settings)?;
    match case.login() {
        Login::Unconfirmed(what) => read(what),
        // The owner's consent and list of hosts are asked for each time.
        _ if matches!(case.observed.seed, Source::Unread(_)) => read(seed),
        _ => None,
    }
}

/// Nothing has to be read to wait on.
fn a_place_in_the_queue_is_kept(case: &Case<'_>) -> Option<Step> {
    let (request, versions) = case.observed.memory.queued.as_ref()?;
    let request = PermitRequest {
        peek: true,
        ..request.clone()
    };
    (*versions == case.observed.versions())
        .then(|| take_turn(case, request))
        .flatten()
}

/// Before a refresh token is claimed: a claim holds for seconds, a turn may be minutes away.
fn the_budget_is_waited_for(case: &Case<'_>) -> Option<Step> {
    let request = PermitRequest {
        // What is refused needs no turn; the last check says why.
        client: case.client_key()?,
        uid: case.observed.credential.uid.clone(),
        priority: rotation::may_have_arrived(case)
            && schedule::is_in_grace(case.observed.memory.unknown_outcomes),
        peek: false,
    };
    take_turn(case, request)
}

fn take_turn(case: &Case<'_>, request: PermitRequest) -> Option<Step> {
    match &case.observed.turn {
        Some((asked, Permit::Now { until }))
            if case.now <= *until && (request.peek || !asked.peek) =>
        {
            None
        }
        Some((_, Permit::Later { at, paused })) if case.now < *at => {
            Some(Step::Settle(Conditions::waits_for_turn(case, *at, *paused)))
        }
        _ => act(Action::TakePermit(request)),
    }
}

fn an_exchange_is_made_if_nothing_refuses_it(case: &Case<'_>) -> Option<Step> {
    match local::request(case) {
        Ok(request) => act(Action::Exchange(request)),
        Err(refusal) => Some(Step::Settle(Conditions::refused(case, &refusal))),
    }
}
