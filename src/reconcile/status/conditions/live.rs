//! Conditions of a credential whose token is as it should be.

use jiff::Timestamp;

use super::model::{Condition, Conditions, Progress};
use crate::{
    api::{ConditionStatus, Reason},
    reconcile::{case::Case, status::message, token::TokenMetadata},
};

impl Conditions {
    pub(in crate::reconcile) fn good(case: &Case<'_>, token: &TokenMetadata) -> Self {
        let refresh_at = case.refresh_at(token);
        let synced = message::synced(&case.settings.target_name, token.expires_at);
        Self {
            ready: Condition::new(ConditionStatus::True, Reason::Synced, synced),
            refreshed: issued(token, refresh_at),
            progress: Progress::None,
            refresh_at: Some(refresh_at),
            wake_at: Some(refresh_at.min(token.expires_at)),
        }
    }

    /// The token has expired before the next one may be requested.
    pub(in crate::reconcile) fn short_lived(case: &Case<'_>, token: &TokenMetadata) -> Self {
        let refresh_at = case.refresh_at(token);
        let message = format!(
            "the token has expired after {}: ask the provider for tokens that live longer; the next one is requested at \
             {refresh_at}",
            message::span(token.expires_at.duration_since(token.issued_at))
        );
        Self {
            ready: Condition::failed(Reason::Pending, message),
            refreshed: issued(token, refresh_at),
            progress: Progress::Reconciling,
            refresh_at: Some(refresh_at),
            wake_at: Some(refresh_at),
        }
    }
}

fn issued(token: &TokenMetadata, refresh_at: Timestamp) -> Condition {
    let message = format!(
        "a token was issued at {}; the next one is requested at {refresh_at}",
        token.issued_at
    );
    Condition::new(ConditionStatus::True, Reason::TokenIssued, message)
}
