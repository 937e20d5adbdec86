//! The status that conditions become, following the Kubernetes API conventions.

use jiff::Timestamp;

use super::{
    conditions::{Condition, Conditions, Progress},
    events::events,
};
use crate::{
    api::{
        self, ConditionStatus, ConditionType, CubeCredentialStatus, MOST_PREVIOUS_TARGETS,
        TargetStatus,
    },
    reconcile::{
        case::Case,
        login::State,
        observed::Observed,
        plan::Action,
        target::{Content, TargetSecret},
        token::TokenMetadata,
    },
    scrub::visible,
};

/// The longest message that the schema accepts: a webhook's own words can have any length.
const LONGEST_MESSAGE: usize = 2048;

/// The report of these conditions; `None`: the status says all of it already. Without a case, the spec cannot be read.
pub(in crate::reconcile) fn report(
    observed: &Observed,
    case: Option<&Case<'_>>,
    conditions: &Conditions,
    now: Timestamp,
) -> Option<Action> {
    let bare = bare(observed, conditions, now);
    let status = match case.and_then(Case::target) {
        Some(target) => with_target(bare, target, case.and_then(Case::token_on_target)),
        None => bare,
    };
    let status = CubeCredentialStatus {
        previous_targets: case.map(earlier_targets).unwrap_or_default(),
        state_version: case.and_then(state_version),
        restarted_for: case.and_then(Case::restarted_for),
        unproven: case.is_some_and(Case::published_is_unproven),
        client_secret_key: case.and_then(Case::working_secret),
        ..status
    };
    (status != observed.credential.status).then(|| Action::Report {
        events: events(observed, case, conditions),
        status,
    })
}

/// The names of the Secrets under earlier names of the target. The schema limits their number.
fn earlier_targets(case: &Case<'_>) -> Vec<String> {
    let earlier = case.observed.previous.iter().take(MOST_PREVIOUS_TARGETS);
    earlier.map(|secret| secret.name.clone()).collect()
}

/// The version of the state. A state that is not read in this reconcile keeps its version.
fn state_version(case: &Case<'_>) -> Option<String> {
    case.settings.grant.refresh_token()?;
    match &case.observed.state {
        State::Unread => case.observed.credential.status.state_version.clone(),
        State::Present(secret) => Some(secret.version.clone()),
        State::Absent | State::Foreign | State::Elsewhere(_) | State::Damaged { .. } => None,
    }
}

/// The part of a status that needs no target.
fn bare(observed: &Observed, conditions: &Conditions, now: Timestamp) -> CubeCredentialStatus {
    let exchange = &observed.memory.exchange;
    // A token that was published since then for the current inputs ends an older failure.
    let failure = exchange
        .failure()
        .filter(|_| conditions.refreshed.status != ConditionStatus::True);
    CubeCredentialStatus {
        observed_generation: Some(observed.credential.generation),
        reason: Some(conditions.foremost_reason().to_string()),
        conditions: api_conditions(observed, conditions, now),
        refresh_at: conditions.refresh_at,
        last_attempt_at: exchange.last_attempt_at(),
        failures: failure
            .map(|_| exchange.failures())
            .filter(|count| *count > 0),
        attempted: failure.map(|failure| failure.attempted.clone()),
        ..CubeCredentialStatus::default()
    }
}

fn with_target(
    status: CubeCredentialStatus,
    target: &TargetSecret,
    token: Option<&TokenMetadata>,
) -> CubeCredentialStatus {
    let status = CubeCredentialStatus {
        token_fingerprint: match &target.content {
            Content::Confirmed(fingerprint) => Some(fingerprint.clone()),
            Content::Unread | Content::Damaged => None,
        },
        target: Some(TargetStatus {
            name: target.name.clone(),
            resource_version: target.version.clone(),
        }),
        ..status
    };
    match token {
        Some(token) => CubeCredentialStatus {
            issued_at: Some(token.issued_at),
            expires_at: Some(token.expires_at),
            login_expires_at: token.login.map(|login| login.at),
            login_fixed: token.login.is_some_and(|login| login.fixed),
            scopes: token.scopes.iter().map(|scope| visible(scope)).collect(),
            refresh_request: token.refresh_request.clone(),
            ..status
        },
        None => status,
    }
}

fn api_conditions(
    observed: &Observed,
    conditions: &Conditions,
    now: Timestamp,
) -> Vec<api::Condition> {
    let condition = |r#type, condition: &Condition| stamped(observed, r#type, condition, now);
    let progress = match conditions.progress {
        Progress::None => None,
        Progress::Reconciling => Some(ConditionType::Reconciling),
        Progress::Stalled => Some(ConditionType::Stalled),
    };
    let progress = progress.map(|r#type| condition(r#type, &conditions.progress_condition()));
    let ready = condition(ConditionType::Ready, &conditions.ready);
    let refreshed = condition(ConditionType::Refreshed, &conditions.refreshed);
    [ready, refreshed].into_iter().chain(progress).collect()
}

/// A message may repeat texts of webhooks, and of Secrets and statuses that somebody has edited.
fn shown(message: &str) -> String {
    let text = visible(message);
    if text.len() <= LONGEST_MESSAGE {
        return text;
    }
    text.chars().take(LONGEST_MESSAGE).collect()
}

fn stamped(
    observed: &Observed,
    r#type: ConditionType,
    condition: &Condition,
    now: Timestamp,
) -> api::Condition {
    let before = observed.credential.status.condition(r#type);
    api::Condition {
        r#type,
        status: condition.status,
        reason: condition.reason.to_string(),
        message: shown(&condition.message),
        observed_generation: observed.credential.generation,
        // The time changes only when the status flips.
        last_transition_time: before
            .filter(|before| before.status == condition.status)
            .map_or(now, |before| before.last_transition_time),
    }
}
