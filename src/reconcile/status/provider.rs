//! The status of a provider object: whether it can be used, and what to do if not.

use jiff::Timestamp;

use crate::{
    api::{ProviderCondition, ProviderConditionType, ProviderReason, ProviderStatus},
    reconcile::provider::ShownProvider,
};

/// The status of a provider object that so many credentials name; `None`: that is not counted in it. It is the one that the object
/// has, if nothing has changed.
#[must_use]
pub(crate) fn provider_status(
    shown: &ShownProvider,
    credentials: Option<i64>,
    now: Timestamp,
) -> ProviderStatus {
    let (reason, message) = ready(shown);
    let before = shown.status.conditions.iter();
    let before = before
        .filter(|condition| condition.r#type == ProviderConditionType::Ready)
        .find(|condition| condition.status == reason.status());
    let condition = ProviderCondition {
        r#type: ProviderConditionType::Ready,
        status: reason.status(),
        reason: reason.name().into(),
        message,
        observed_generation: shown.generation,
        last_transition_time: before.map_or(now, |condition| condition.last_transition_time),
    };
    ProviderStatus {
        observed_generation: Some(shown.generation),
        conditions: vec![condition],
        credentials,
    }
}

fn ready(shown: &ShownProvider) -> (ProviderReason, String) {
    match &shown.object {
        Err(why) => (
            ProviderReason::Unusable,
            format!("this object cannot be used: {why}: correct it"),
        ),
        Ok(object) => (
            ProviderReason::Usable,
            format!("tokens come from {}", object.shown_endpoint()),
        ),
    }
}

#[cfg(test)]
mod tests;
