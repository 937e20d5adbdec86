//! The status that a verdict becomes, following the Kubernetes API conventions.

use jiff::Timestamp;

use super::{
    case::Case,
    observed::{Content, Observed, TargetSecret},
    verdict::{Condition, Conditions, Progress},
};
use crate::api::{self, ConditionStatus, ConditionType, CubeCredentialStatus, TargetStatus};

/// The whole status of a credential whose spec can be read.
pub(super) fn status(case: &Case<'_>, verdict: &Conditions) -> CubeCredentialStatus {
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
        ..bare(case.observed, verdict, case.now)
    }
}

/// The part of a status that needs no target.
pub(super) fn bare(
    observed: &Observed,
    verdict: &Conditions,
    now: Timestamp,
) -> CubeCredentialStatus {
    let memory = &observed.memory;
    // A token that was published since for what is wanted now makes an older failure history.
    let failure = memory
        .failure
        .as_ref()
        .filter(|_| verdict.refreshed.status != ConditionStatus::True);
    CubeCredentialStatus {
        observed_generation: Some(observed.credential.generation),
        conditions: conditions(observed, verdict, now),
        refresh_at: verdict.refresh_at,
        last_attempt_at: memory.last_attempt_at,
        failures: failure.map(|_| memory.failures).filter(|count| *count > 0),
        attempted: failure.map(|failure| failure.attempted.clone()),
        ..CubeCredentialStatus::default()
    }
}

fn conditions(observed: &Observed, verdict: &Conditions, now: Timestamp) -> Vec<api::Condition> {
    let mut conditions = vec![
        condition(observed, ConditionType::Ready, &verdict.ready, now),
        condition(observed, ConditionType::Refreshed, &verdict.refreshed, now),
    ];
    let pressure = match verdict.pressure {
        Progress::None => None,
        Progress::Reconciling => Some(ConditionType::Reconciling),
        Progress::Stalled => Some(ConditionType::Stalled),
    };
    if let Some(r#type) = pressure {
        let fact = Condition {
            status: ConditionStatus::True,
            ..verdict.ready.clone()
        };
        conditions.push(condition(observed, r#type, &fact, now));
    }
    conditions
}

fn condition(
    observed: &Observed,
    r#type: ConditionType,
    fact: &Condition,
    now: Timestamp,
) -> api::Condition {
    let before = observed.credential.status.condition(r#type);
    api::Condition {
        r#type,
        status: fact.status,
        reason: fact.reason.to_string(),
        // The schema's bound: a webhook's own words can be of any length.
        message: fact.message.chars().take(2048).collect(),
        observed_generation: observed.credential.generation,
        // Moves only when the status flips.
        last_transition_time: before
            .filter(|before| before.status == fact.status)
            .map_or(now, |before| before.last_transition_time),
    }
}
