//! Recalls the memory of the exchange from the status that an earlier process wrote.

use jiff::Timestamp;

use super::{ExchangeMemory, Failed, Failure, FailureCause};
use crate::{
    api::{Condition, ConditionStatus, ConditionType, CubeCredentialStatus, Reason, RetryClass},
    reconcile::{pace::retry::longest_delay, time::later},
};

impl ExchangeMemory {
    pub(in crate::reconcile::memory) fn recall(
        status: &CubeCredentialStatus,
        now: Timestamp,
    ) -> Self {
        let failure = failure(status, now);
        Self {
            ca_bundle_touched: failure.is_some(),
            failed: failure.map(|failure| {
                Box::new(Failed {
                    failure,
                    count: status.failures.unwrap_or(0).max(0),
                    saves_token: status.expires_at.is_some(),
                    inputs: None,
                    subject: None,
                })
            }),
            last_attempt_at: status.last_attempt_at,
            ..Self::default()
        }
    }
}

fn failure(status: &CubeCredentialStatus, now: Timestamp) -> Option<Failure> {
    let mut attempted = status.attempted.clone()?;
    let refreshed = status.condition(ConditionType::Refreshed)?;
    let cause = match failed(refreshed) {
        Some(cause) => cause,
        // The credential was suspended or rejected since: only the pause is left.
        None if attempted.paused_until.is_some_and(|until| now < until) => FailureCause::Paused,
        None => return None,
    };
    let latest = later(now, longest_delay(cause.reason()));
    attempted.paused_until = attempted.paused_until.map(|until| until.min(latest));
    let planned = status.refresh_at.or(attempted.paused_until).unwrap_or(now);
    Some(Failure {
        clock_skew: None,
        cause,
        outcome_unknown: false,
        next_attempt: Some(planned.min(latest)),
        attempted,
    })
}

/// The cause of a failure that condition Refreshed still shows. A dead refresh token is recorded in the state, which nobody edits
/// by mistake.
fn failed(refreshed: &Condition) -> Option<FailureCause> {
    let reason = Reason::from_name(&refreshed.reason)?;
    let recalled = refreshed.status == ConditionStatus::False
        && reason.is_exchange_failure()
        && reason.retry_class() != Some(RetryClass::Terminal);
    recalled.then(|| FailureCause::Recalled {
        reason,
        sentence: refreshed.message.clone(),
    })
}
