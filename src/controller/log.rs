//! The log lines of a changed status, and of a token that its API does not accept.

use crate::{
    api::{Condition, ConditionStatus, ConditionType, CubeCredentialStatus, Reason},
    reconcile::{Credential, Observed, Probed},
};

/// Logs one line for each change. A failed exchange was logged when it failed, and waiting is not a failure.
pub(super) fn log_change(before: &Credential, after: &CubeCredentialStatus) {
    let (namespace, name) = (&before.namespace, &before.name);
    if after.expires_at.is_some() && after.issued_at != before.status.issued_at {
        let expires_at = after.expires_at.map(|time| time.to_string());
        tracing::info!(namespace, name, expires_at, "token published");
    }
    let failure = |r#type| {
        after
            .condition(r#type)
            .filter(|now| is_new_failure(before, now))
    };
    let (ready, refreshed) = (
        failure(ConditionType::Ready),
        failure(ConditionType::Refreshed),
    );
    // Where both begin to fail for one reason, Refreshed says it with the remedy.
    let ready = ready.filter(|ready| refreshed.is_none_or(|also| also.reason != ready.reason));
    for condition in ready.into_iter().chain(refreshed) {
        let (r#type, reason) = (condition.r#type, &condition.reason);
        tracing::warn!(namespace, name, condition = ?r#type, reason, "{}", condition.message);
    }
}

/// The status may hide what is logged here.
pub(super) fn log_probe(observed: &Observed, probed: &Probed) {
    let settings = observed.settings.as_ref().ok();
    let Some(probe) = settings.and_then(|settings| settings.probe.as_ref()) else {
        return;
    };
    let Some(error) = probed.error(probe) else {
        return;
    };
    let Credential {
        namespace, name, ..
    } = &observed.credential;
    let host = probe.endpoint.authority();
    tracing::warn!(
        namespace,
        name,
        host,
        "the probe did not prove the new token: {error}"
    );
}

fn is_new_failure(before: &Credential, now: &Condition) -> bool {
    let quiet = Reason::from_name(&now.reason)
        .is_some_and(|reason| reason.is_exchange_failure() || reason.is_waiting());
    let before = before.status.condition(now.r#type);
    let logged_before = before.is_some_and(|before| before.reason == now.reason);
    now.status == ConditionStatus::False && !quiet && !logged_before
}
