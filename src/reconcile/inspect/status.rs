//! The present status, and whether an operator keeps it up to date.

use jiff::Timestamp;

use crate::{
    api::{Condition, ConditionStatus, ConditionType, CubeCredentialStatus},
    reconcile::finding::{Finding, StatusFact},
};

/// An exchange that is planned for a time so long ago is not going to be made: a timer comes five minutes late at most.
const OVERDUE_SECONDS: i64 = 360;
/// An operator that runs reports the end of a token within this time.
const REPORTED_WITHIN_SECONDS: i64 = 10;

/// The present status of an object of this generation.
pub(crate) fn conditions(
    status: &CubeCredentialStatus,
    generation: i64,
    now: Timestamp,
) -> Vec<Finding> {
    let condition = |r#type| status.condition(r#type);
    let (Some(ready), Some(refreshed)) = (
        condition(ConditionType::Ready),
        condition(ConditionType::Refreshed),
    ) else {
        return vec![Finding::bad(StatusFact::NotObserved)];
    };
    let is_ready = ready.status == ConditionStatus::True;
    let expired = |at: &Timestamp| now.duration_since(*at).as_secs() > REPORTED_WITHIN_SECONDS;
    let expired = status.expires_at.filter(|at| is_ready && expired(at));
    let mut findings = vec![match expired {
        Some(expired_at) => Finding::bad(StatusFact::Expired { expired_at, now }),
        None => told(ready, Finding::bad),
    }];
    // With a live token it is a warning, and no outage yet.
    let failed = match ready.status {
        ConditionStatus::True => Finding::notice,
        _ => Finding::bad,
    };
    findings.push(told(refreshed, failed));
    if status.observed_generation != Some(generation) {
        findings.push(Finding::notice(StatusFact::SpecNotObserved));
    }
    let overdue = |at: &Timestamp| now.duration_since(*at).as_secs() > OVERDUE_SECONDS;
    if let Some(planned) = status.refresh_at.filter(overdue) {
        findings.push(Finding::bad(StatusFact::Overdue { planned }));
    }
    findings
}

fn told(condition: &Condition, failed: fn(StatusFact) -> Finding) -> Finding {
    let fact = StatusFact::Condition(condition.clone());
    match condition.status {
        ConditionStatus::True => Finding::good(fact),
        ConditionStatus::False => failed(fact),
        ConditionStatus::Unknown => Finding::unseen(fact),
    }
}
