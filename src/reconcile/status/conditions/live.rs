//! Conditions of a credential whose token is as it should be.

use jiff::Timestamp;

use super::model::{Condition, Conditions, Progress};
use crate::{
    api::{ConditionStatus, Reason},
    reconcile::{case::Case, status::message, token::TokenMetadata},
};

impl Conditions {
    pub(in crate::reconcile) fn good(case: &Case<'_>, token: &TokenMetadata) -> Self {
        if let Some(failure) = case.probe_failure(token) {
            return Self::unproven(case, token, failure);
        }
        let refresh_at = case.refresh_at(token);
        let synced = message::valid(&case.settings.target_name, token.expires_at);
        Self {
            ready: Condition::new(ConditionStatus::True, Reason::Synced, synced),
            refreshed: issued(token, refresh_at),
            progress: Progress::None,
            usable_until: Some(token.expires_at),
            refresh_at: Some(refresh_at),
            wake_at: Some(refresh_at.min(token.expires_at)),
        }
    }

    /// The token has expired before the next one may be requested.
    pub(in crate::reconcile) fn short_lived(case: &Case<'_>, token: &TokenMetadata) -> Self {
        let refresh_at = case.refresh_at(token);
        let ready = message::short_lived(&case.settings.target_name, token);
        Self {
            ready: Condition::failed(Reason::TokenTooShort, ready),
            refreshed: issued(token, refresh_at),
            progress: Progress::Reconciling,
            usable_until: None,
            refresh_at: Some(refresh_at),
            wake_at: Some(refresh_at),
        }
    }
}

fn issued(token: &TokenMetadata, refresh_at: Timestamp) -> Condition {
    let message = format!(
        "token issued at {}; next request at {refresh_at}",
        token.issued_at
    );
    Condition::new(ConditionStatus::True, Reason::TokenIssued, message)
}
