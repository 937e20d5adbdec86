//! The status that a verdict becomes, following the Kubernetes API conventions.

use jiff::Timestamp;

use super::{
    case::Case,
    observed::{Content, Observed, TargetSecret},
    verdict::{Fact, Pressure, Verdict},
};
use crate::api::{Condition, ConditionStatus, ConditionType, CubeCredentialStatus, TargetStatus};

/// The whole status of a credential whose spec can be read.
pub(super) fn status(case: &Case<'_>, verdict: &Verdict) -> CubeCredentialStatus {
    let target = case.target();
    let record = target.and_then(TargetSecret::confirmed_record);
    CubeCredentialStatus {
        issued_at: record.as_ref().map(|record| record.issued_at),
        expires_at: record.as_ref().map(|record| record.expires_at),
        scopes: record
            .as_ref()
            .map(|record| record.scopes.clone())
            .unwrap_or_default(),
        refresh_request: record.and_then(|record| record.refresh_request),
        token_fingerprint: target.and_then(|secret| match &secret.content {
            Content::Confirmed(fingerprint) => Some(fingerprint.clone()),
            _ => None,
        }),
        target: target.map(|secret| TargetStatus {
            name: secret.name.clone(),
            resource_version: secret.version.clone(),
        }),
        ..bare(case.seen, verdict, case.now)
    }
}

/// The part of a status that needs no target.
pub(super) fn bare(seen: &Observed, verdict: &Verdict, now: Timestamp) -> CubeCredentialStatus {
    let memory = &seen.memory;
    // A token that was published since for what is wanted now makes an older failure history.
    let failure = memory
        .failure
        .as_ref()
        .filter(|_| verdict.refreshed.status != ConditionStatus::True);
    CubeCredentialStatus {
        observed_generation: Some(seen.credential.generation),
        conditions: conditions(seen, verdict, now),
        refresh_at: verdict.refresh_at,
        last_attempt_at: memory.last_attempt_at,
        failures: failure.map(|_| memory.failures).filter(|count| *count > 0),
        attempted: failure.map(|failure| failure.attempted.clone()),
        ..CubeCredentialStatus::default()
    }
}

fn conditions(seen: &Observed, verdict: &Verdict, now: Timestamp) -> Vec<Condition> {
    let mut conditions = vec![
        condition(seen, ConditionType::Ready, &verdict.ready, now),
        condition(seen, ConditionType::Refreshed, &verdict.refreshed, now),
    ];
    let pressure = match verdict.pressure {
        Pressure::None => None,
        Pressure::Reconciling => Some(ConditionType::Reconciling),
        Pressure::Stalled => Some(ConditionType::Stalled),
    };
    if let Some(r#type) = pressure {
        let fact = Fact {
            status: ConditionStatus::True,
            ..verdict.ready.clone()
        };
        conditions.push(condition(seen, r#type, &fact, now));
    }
    conditions
}

fn condition(seen: &Observed, r#type: ConditionType, fact: &Fact, now: Timestamp) -> Condition {
    let before = seen.credential.status.condition(r#type);
    Condition {
        r#type,
        status: fact.status,
        reason: fact.reason.to_string(),
        // The schema's bound: a webhook's own words can be of any length.
        message: fact.message.chars().take(2048).collect(),
        observed_generation: seen.credential.generation,
        // Moves only when the status flips.
        last_transition_time: before
            .filter(|before| before.status == fact.status)
            .map_or(now, |before| before.last_transition_time),
    }
}
