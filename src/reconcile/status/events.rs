//! The changes that become events, and their sentences.

use jiff::Timestamp;

use super::{
    conditions::{Condition, Conditions},
    inputs,
    message::{self, span},
    restarts,
};
use crate::{
    api::{ConditionStatus, ConditionType, Reason},
    reconcile::{
        case::Case,
        event::{Event, EventKind},
        memory::{Change, LifetimeSource},
        observed::Observed,
        settings::Settings,
        source::ca_bundle_name,
        target::TargetSecret,
    },
};

/// The events of a report with these conditions.
pub(super) fn events(
    observed: &Observed,
    case: Option<&Case<'_>>,
    conditions: &Conditions,
) -> Vec<Event> {
    let settings = observed.settings.as_ref().ok();
    let mut events = failures(observed, conditions);
    events.extend(first_token(observed, settings));
    events.extend(recovery(observed, conditions, settings));
    let mut changes = observed.memory.reporting.changes().to_vec();
    // They are reported in the order of their declaration.
    changes.sort_unstable();
    events.extend(
        changes
            .into_iter()
            .filter_map(|change| of_change(change, settings)),
    );
    events.extend(case.into_iter().flat_map(kept_targets));
    events
}

/// One event for each Secret that is kept under an earlier name of the target.
fn kept_targets(case: &Case<'_>) -> Vec<Event> {
    let reported = &case.observed.credential.status.previous_targets;
    let target = &case.settings.target_name;
    let news = case
        .earlier_targets()
        .filter(|secret| !reported.contains(&secret.name));
    let event = |secret: &TargetSecret| {
        let kept = case.kept_for(secret)?;
        Some(Event {
            kind: EventKind::TargetKept,
            note: message::kept_target(&secret.name, &kept, target)?,
        })
    };
    news.filter_map(event).collect()
}

/// One event for each new reason of a failure. Ready and Refreshed with the same reason are one failure.
fn failures(observed: &Observed, conditions: &Conditions) -> Vec<Event> {
    let (ready, refreshed) = (&conditions.ready, &conditions.refreshed);
    let until = conditions.usable_until;
    let mut events = Vec::new();
    if ready.reason != refreshed.reason {
        events.extend(failure(observed, ConditionType::Ready, ready, until));
    }
    events.extend(failure(
        observed,
        ConditionType::Refreshed,
        refreshed,
        until,
    ));
    events
}

fn failure(
    observed: &Observed,
    r#type: ConditionType,
    condition: &Condition,
    usable_until: Option<Timestamp>,
) -> Option<Event> {
    let Condition { status, reason, .. } = condition;
    if *status != ConditionStatus::False || reason.is_waiting() {
        return None;
    }
    let before = observed.credential.status.condition(r#type);
    let reported_before = before
        .is_some_and(|before| before.status == *status && before.reason == reason.to_string());
    (!reported_before).then(|| Event {
        kind: EventKind::Failed(*reason),
        note: failed_note(*reason, usable_until),
    })
}

/// The cause, and whether it is an outage. The conditions have the details, which an event would only repeat.
fn failed_note(reason: Reason, usable_until: Option<Timestamp>) -> String {
    let cause = reason.meaning();
    match usable_until {
        Some(at) => format!("{cause}; the token is valid until {at}"),
        // The spec does not say which Secret has the token.
        None if reason == Reason::InvalidSpec => cause.into(),
        None if matches!(reason, Reason::TargetConflict | Reason::TargetDuplicate) => {
            format!("{cause}; no token was published")
        }
        None => format!("{cause}; there is no valid token"),
    }
}

/// Returns whether the token that is reported is the first one, perhaps after failures. An absent target does not say so:
/// another client may have deleted it.
fn is_first_token(observed: &Observed) -> bool {
    let changes = observed.memory.reporting.changes();
    let status = &observed.credential.status;
    let none_before = status.issued_at.is_none() && !changes.contains(&Change::Repaired);
    // A first token waits while the Secret by its target's name belongs to another owner.
    let waited = status.has_reason(ConditionType::Ready, Reason::TargetConflict);
    let tried_before = status.last_attempt_at.is_some() && !failed_before(observed) && !waited;
    changes.contains(&Change::Issued) && none_before && !tried_before
}

fn first_token(observed: &Observed, settings: Option<&Settings>) -> Option<Event> {
    is_first_token(observed).then(|| Event {
        kind: EventKind::TokenIssued,
        note: format!("the first token is in Secret {:?}", target(settings)),
    })
}

fn recovery(
    observed: &Observed,
    conditions: &Conditions,
    settings: Option<&Settings>,
) -> Option<Event> {
    let works = conditions.refreshed.status == ConditionStatus::True;
    let recovered = works && failed_before(observed) && !is_first_token(observed);
    recovered.then(|| Event {
        kind: EventKind::Recovered,
        note: format!(
            "the failure is over: Secret {:?} has a valid token",
            target(settings)
        ),
    })
}

fn failed_before(observed: &Observed) -> bool {
    let refreshed = observed
        .credential
        .status
        .condition(ConditionType::Refreshed);
    observed.memory.reporting.failure_reported()
        || refreshed.is_some_and(|refreshed| refreshed.status == ConditionStatus::False)
}

fn target(settings: Option<&Settings>) -> &str {
    settings.map_or("", |settings| &settings.target_name)
}

fn of_change(change: Change, settings: Option<&Settings>) -> Option<Event> {
    let target = target(settings);
    let (kind, note) = match change {
        // Only the first token is worth an event: see `first_token`.
        Change::Issued => return None,
        Change::Repaired => (
            EventKind::TargetRepaired,
            format!("Secret {target:?} was deleted or edited by another client, and is restored"),
        ),
        Change::Moved { secret } => (
            EventKind::TargetMoved,
            format!("Secret {secret:?} was deleted, because spec.target.name is now {target:?}"),
        ),
        Change::ServedRequest => (
            EventKind::RefreshRequested,
            "a token was issued as requested by annotation".into(),
        ),
        Change::SeedAdopted => {
            let name = settings.map_or("", |settings| inputs::initial(settings).0);
            let note = format!("the login continues with the refresh token of Secret {name:?}");
            (EventKind::SeedAdopted, note)
        }
        Change::RefreshTokenLeft => {
            let note = settings.map(message::refresh_token_left);
            (EventKind::RefreshTokenLeft, note.unwrap_or_default())
        }
        Change::GrantNotListed => {
            let note = settings.and_then(message::unlisted_grant);
            (EventKind::GrantNotListed, note.unwrap_or_default())
        }
        Change::ExpiryUnknown { from } => {
            let assumed = settings.map(|settings| span(settings.assumed_lifetime));
            let note = expiry_unknown(from, &assumed.unwrap_or_default());
            (EventKind::ExpiryUnknown, note)
        }
        Change::LongLived { lifetime } => {
            let note = format!(
                "the response states a lifetime of {}: if tokens expire earlier, set spec.maximumLifetime",
                span(lifetime)
            );
            (EventKind::LongLivedToken, note)
        }
        Change::Repeated { end } => {
            let note = format!(
                "the provider issued the same token again; it expires at {end}, and the next request is made later: no action \
                 needed"
            );
            (EventKind::TokenRepeated, note)
        }
        Change::ScopeNarrowed => (
            EventKind::ScopeNarrowed,
            "the provider granted fewer scopes than spec.scopes requests: see status.scopes".into(),
        ),
        Change::ClockSkew { seconds } => (EventKind::ClockSkew, clock_skew(seconds)),
        Change::ShortLived { margin } => {
            let remedy = match settings {
                Some(settings) if settings.refresh_before <= margin => "raise spec.refreshBefore",
                _ => "ask the provider for longer ones",
            };
            let note = format!(
                "pods see a new token after up to 90 s, and the old one expires before that: {remedy}"
            );
            (EventKind::ShortLivedToken, note)
        }
        Change::TokenHostsMissing { role } => {
            let note = settings.map(|settings| inputs::unlimited_secret(role, settings));
            (EventKind::TokenHostsMissing, note.unwrap_or_default())
        }
        Change::CaBundleIncomplete { left_out } => {
            let bundle = settings.and_then(|settings| settings.ca_bundle.as_ref());
            let bundle = bundle.map(ca_bundle_name).unwrap_or_default();
            let note = format!("a part of {bundle} is ignored: {left_out}");
            (EventKind::CABundleIncomplete, note)
        }
        Change::PodsNotRefreshed { why } => (
            EventKind::PodsNotRefreshed,
            restarts::pods_not_refreshed(&why),
        ),
        Change::RestartsNotAllowed => (
            EventKind::WorkloadNotRestarted,
            restarts::NOT_ALLOWED.into(),
        ),
        Change::RestartTooLate { why } => {
            let note = settings.map(|settings| restarts::too_late(why, settings));
            (EventKind::RestartTooLate, note.unwrap_or_default())
        }
    };
    Some(Event { kind, note })
}

fn expiry_unknown(from: LifetimeSource, assumed: &str) -> String {
    let taken = match from {
        LifetimeSource::ExpiresIn => "expires_in".into(),
        LifetimeSource::Field(name) => format!("its {name}"),
        LifetimeSource::Jwt => "the exp claim of the access token".into(),
        LifetimeSource::Assumed => format!("spec.assumedLifetime ({assumed})"),
    };
    format!("the response has no usable expires_in: using {taken}")
}

fn clock_skew(seconds: i64) -> String {
    let direction = if seconds > 0 { "ahead of" } else { "behind" };
    format!(
        "the provider's clock is {} s {direction} this cluster's: check the nodes' time synchronization",
        seconds.abs()
    )
}
