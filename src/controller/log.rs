//! The log lines of a changed status.

use crate::{
    api::{ConditionStatus, ConditionType, CubeCredentialStatus, Reason},
    reconcile::Credential,
};

/// Logs one line for each change. A failed exchange was logged when it failed, and waiting is not a failure.
pub(super) fn log_change(before: &Credential, after: &CubeCredentialStatus) {
    let (namespace, name) = (&before.namespace, &before.name);
    if after.expires_at.is_some() && after.issued_at != before.status.issued_at {
        let expires_at = after.expires_at.map(|time| time.to_string());
        tracing::info!(namespace, name, expires_at, "token published");
    }
    for r#type in [ConditionType::Ready, ConditionType::Refreshed] {
        let Some(condition) = after.condition(r#type) else {
            continue;
        };
        let quiet = Reason::from_name(&condition.reason)
            .is_some_and(|reason| reason.is_exchange_failure() || reason.is_waiting());
        let logged_before = before
            .status
            .condition(r#type)
            .is_some_and(|before| before.reason == condition.reason);
        if condition.status == ConditionStatus::False && !quiet && !logged_before {
            tracing::warn!(namespace, name, condition = ?r#type, reason = condition.reason, "{}", condition.message);
        }
    }
}
