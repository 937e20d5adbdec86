//! Conditions of a credential whose new token its API has not accepted.

use super::model::{Condition, Conditions, Progress};
use crate::{
    api::{ConditionStatus, Reason, RetryClass},
    reconcile::{case::Case, memory::ProbeFailure, status::message, token::TokenMetadata},
};

impl Conditions {
    /// The new token stays unpublished for now.
    pub(in crate::reconcile) fn held_back(
        case: &Case<'_>,
        token: &TokenMetadata,
        failure: &ProbeFailure,
    ) -> Self {
        let progress = match failure.class {
            RetryClass::Fast | RetryClass::RateLimited => Progress::Reconciling,
            RetryClass::Slow | RetryClass::Terminal => Progress::Stalled,
        };
        let refresh_at = Some(case.refresh_at(token));
        Self::from_published_token(case, failed(case, failure), progress, refresh_at)
    }

    /// The token was published although its API has not accepted it, because there was no other.
    pub(super) fn unproven(case: &Case<'_>, token: &TokenMetadata, failure: &ProbeFailure) -> Self {
        let refresh_at = case.refresh_at(token);
        let ready = message::unproven(&case.settings.target_name, token.expires_at);
        Self {
            ready: Condition::new(ConditionStatus::True, Reason::Synced, ready),
            refreshed: failed(case, failure),
            progress: Progress::None,
            usable_until: Some(token.expires_at),
            refresh_at: Some(refresh_at),
            wake_at: Some(refresh_at.min(token.expires_at)),
        }
    }
}

fn failed(case: &Case<'_>, failure: &ProbeFailure) -> Condition {
    let message = message::probe_failed(failure, case.settings);
    Condition::failed(Reason::ProbeFailed, message)
}
