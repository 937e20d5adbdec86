//! What the log says of a changed status.

use crate::{
    api::{ConditionStatus, ConditionType, CubeCredentialStatus, Reason},
    reconcile::Credential,
};

/// One line a change. A failed exchange has had its line when it failed, and waiting is no failure.
pub(super) fn log_change(before: &Credential, after: &CubeCredentialStatus) {
    let (namespace, name) = (&before.namespace, &before.name);
    if after.expires_at.is_some() && after.issued_at != before.status.issued_at {
        let expires_at = after.expires_at.map(|time| time.to_string());
        tracing::info!(namespace, name, expires_at, "token published");
    }
    for r#type in [ConditionType::Ready, ConditionType::Refreshed] {
        let Some(fact) = after.condition(r#type) else {
            continue;
        };
        let quiet = Reason::from_name(&fact.reason)
            .is_some_and(|reason| reason.is_exchange_failure() || reason.is_waiting());
        let known = before
            .status
            .condition(r#type)
            .is_some_and(|before| before.reason == fact.reason);
        if fact.status == ConditionStatus::False && !quiet && !known {
            tracing::warn!(namespace, name, condition = ?r#type, reason = fact.reason, "{}", fact.message);
        }
    }
}
