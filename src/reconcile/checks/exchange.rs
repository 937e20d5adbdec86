//! The checks of the exchange: whether it is due, and whether it may be made.

use jiff::SignedDuration;

use super::step::{Step, act, read, rest, settle};
use crate::{
    api::Reason,
    reconcile::{
        case::{BackoffBypass, Case, Inputs, NextLogin},
        pace::{Permit, PermitRequest, Slot, deadline, delays, retry, schedule, slot},
        plan::{Action, Next, Read},
        provider::ProviderFlaw,
        record::Record,
        source::{CaBundle, Rejection},
        status::Conditions,
        time::later,
        token::TokenMetadata,
    },
};

pub(super) fn the_inputs_are_confirmed(case: &Case<'_>) -> Option<Step> {
    match case.inputs(case.live_token()?) {
        Inputs::Unconfirmed(what) => Some(read(what)),
        Inputs::Current | Inputs::Changed | Inputs::Unavailable => None,
    }
}

pub(super) fn a_suspended_credential_rests(case: &Case<'_>) -> Option<Step> {
    if !case.settings.suspend {
        return None;
    }
    // Until the providers are listed, nothing says if its token is still the right one.
    if case.settings.provider_flaw() == Some(&ProviderFlaw::Unlisted) {
        return Some(rest(later(case.now, delays::UNWATCHED)));
    }
    Some(settle(Conditions::suspended(case)))
}

/// The watches show when the provider object can be used.
pub(super) fn an_unusable_provider_is_waited_for(case: &Case<'_>) -> Option<Step> {
    let flaw = case.settings.provider_flaw()?;
    if *flaw == ProviderFlaw::Unlisted {
        // Nothing is wrong: a report now would only be in the way of the next one.
        return Some(rest(later(case.now, delays::UNWATCHED)));
    }
    let rejection = Rejection::Provider(flaw.clone());
    Some(settle(Conditions::rejected_inputs(case, &rejection)))
}

pub(super) fn a_good_token_rests_until_it_is_due(case: &Case<'_>) -> Option<Step> {
    let token = case.good_token()?;
    if case.requested(token) || case.now >= case.refresh_at(token) {
        return None;
    }
    Some(settle(match early_rejection(case) {
        Some(rejection) => Conditions::rejected_inputs(case, &rejection),
        None => Conditions::good(case, token),
    }))
}

/// The rejection of the next exchange, where the source Secret was read anyway. A CA bundle is judged when it is needed.
pub(super) fn early_rejection(case: &Case<'_>) -> Option<Rejection> {
    if case.observed.source.is_unread() {
        return None;
    }
    case.preflight()
        .err()
        .filter(|rejection| rejection.reason() != Reason::CABundleInvalid)
}

pub(super) fn a_failure_waits(case: &Case<'_>) -> Option<Step> {
    let failure = case.observed.memory.exchange.failure()?;
    match case.backoff_bypass(failure) {
        BackoffBypass::Unsure(what) => Some(read(what)),
        BackoffBypass::Yes => None,
        BackoffBypass::No => {
            let next_attempt = failure.next_attempt;
            let waits = next_attempt.is_none_or(|at| schedule::is_early(at, case.now));
            waits.then(|| settle(Conditions::failed(case, failure)))
        }
    }
}

/// A token that has expired by now, or before it could be published, would be asked for again and again without a pause.
pub(super) fn a_token_of_a_few_seconds_is_not_replaced_immediately(
    case: &Case<'_>,
) -> Option<Step> {
    let token = case.token()?;
    let refresh_at = case.refresh_at(token);
    let waits = case.now < refresh_at
        && token.expires_at <= case.now
        && !case.requested(token)
        && case.inputs(token) == Inputs::Current;
    if !waits {
        return None;
    }
    // A provider that repeats a token until its end is asked a second later: that is not worth a status.
    if refresh_at <= later(token.expires_at, SignedDuration::from_secs(1)) {
        return Some(rest(refresh_at));
    }
    Some(settle(Conditions::short_lived(case, token)))
}

pub(super) fn a_place_in_the_queue_is_kept(case: &Case<'_>) -> Option<Step> {
    let queued = case.observed.memory.exchange.queued()?;
    let interval = case.settings.request_interval();
    if queued.versions != case.observed.versions() || queued.request.client.interval() != interval {
        return None;
    }
    take_permit(
        case,
        PermitRequest {
            peek: true,
            ..queued.request.clone()
        },
    )
}

pub(super) fn the_needs_of_the_request_are_read(case: &Case<'_>) -> Option<Step> {
    let observed = case.observed;
    if observed.source.is_unread() {
        return Some(read(Read::source(case.settings, &observed.source)));
    }
    if let Some(bundle) = Read::ca_bundle(case.settings)
        && matches!(observed.ca_bundle, CaBundle::Unread)
    {
        return Some(read(bundle));
    }
    // An earlier process may have kept a newer token, or a response that the templates cannot render.
    if case.wants_record() && matches!(observed.record, Record::Unread) {
        return Some(read(Read::record(case.settings)));
    }
    let seed = Read::seed(case.settings, &observed.seed)?;
    if case.settings.grant.token_exchange().is_some() {
        return observed.seed.is_unread().then(|| read(seed));
    }
    match case.next_login() {
        NextLogin::Unconfirmed(what) => Some(read(what)),
        // The owner's consent and list of hosts count at every request.
        NextLogin::Stored | NextLogin::New(_) | NextLogin::Withheld(_) => {
            observed.seed.is_unread().then(|| read(seed))
        }
    }
}

pub(super) fn a_slot_is_still_waited_for(case: &Case<'_>) -> Option<Step> {
    let waits = case
        .observed
        .memory
        .exchange
        .waits_for_slot(&case.observed.versions());
    if waits { take_slot(case) } else { None }
}

pub(super) fn a_slot_is_waited_for(case: &Case<'_>) -> Option<Step> {
    if case.observed.slot == Some(Slot::Taken) {
        return None;
    }
    // Rejected inputs need no slot; the last check says why they are rejected.
    case.preflight().ok()?;
    take_slot(case)
}

pub(super) fn take_slot(case: &Case<'_>) -> Option<Step> {
    match case.observed.slot {
        Some(Slot::Taken) => None,
        Some(Slot::Later { since }) => {
            let reported_at = slot::reported_at(since);
            if case.now < reported_at {
                return Some(rest(reported_at));
            }
            Some(settle(Conditions::waits_for_slot(case)))
        }
        None => {
            let expires_at = case.token().map(TokenMetadata::first_end);
            let deadline = deadline(expires_at, case.now);
            Some(Step::Do(Next::TakeSlot { deadline }))
        }
    }
}

pub(super) fn the_budget_is_waited_for(case: &Case<'_>) -> Option<Step> {
    let unknown_outcomes = case.observed.memory.exchange.unknown_outcomes();
    let request = PermitRequest {
        // Rejected inputs need no permit; the last check says why they are rejected.
        client: case.client_key()?,
        uid: case.observed.credential.uid.as_str().into(),
        namespace: case.observed.credential.namespace.clone(),
        expires_at: case.live_token().map(TokenMetadata::first_end),
        priority: case.outcome_is_unknown() && retry::is_within_grace(unknown_outcomes),
        peek: false,
    };
    take_permit(case, request)
}

/// The budget and the API server are not asked each time that something else changes.
pub(super) fn a_refused_account_token_waits(case: &Case<'_>) -> Option<Step> {
    let memory = &case.observed.memory.exchange.account_token;
    let (role, why, again) = memory.refused(&case.observed.versions(), case.now)?;
    let account = case.settings.account_token(role)?;
    // Other faults of the inputs come first.
    case.preflight().ok()?;
    let rejection = account.refused(role, why.clone());
    Some(settle(
        Conditions::rejected_inputs(case, &rejection).wake_by(again),
    ))
}

/// One after the other: if the first is not issued, nobody needs the second.
pub(super) fn the_account_tokens_are_requested(case: &Case<'_>) -> Option<Step> {
    let issued = &case.observed.account_tokens;
    let mut needed = case.settings.account_tokens();
    let (role, account) = needed.find(|(role, _)| issued.of(*role).is_none())?;
    // Rejected inputs need no token; the last check says why they are rejected.
    case.preflight().ok()?;
    Some(act(Action::RequestAccountToken(role, account.clone())))
}

fn take_permit(case: &Case<'_>, request: PermitRequest) -> Option<Step> {
    match &case.observed.permit {
        Some((asked, Permit::Now { until }))
            if case.now <= *until && (request.peek || !asked.peek) =>
        {
            None
        }
        Some((_, Permit::Later { at, wait })) if case.now < *at => {
            Some(settle(Conditions::waits_for_permit(case, *at, *wait)))
        }
        _ => Some(act(Action::TakePermit(request))),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every check returns an option")]
pub(super) fn an_exchange_is_made_unless_the_inputs_are_rejected(case: &Case<'_>) -> Option<Step> {
    Some(match case.exchange() {
        Ok(exchange) => act(Action::Exchange(exchange)),
        Err(rejection) => settle(Conditions::rejected_inputs(case, &rejection)),
    })
}
