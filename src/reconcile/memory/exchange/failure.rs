//! A failed exchange, as data. `status` makes the sentences.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::{
    api::{Attempted, Reason},
    oauth::error::{NetworkError, TokenError},
    reconcile::{login::RejectedToken, settings::Settings, token::InputsDigest},
};

/// A failed exchange, and its next attempt.
#[derive(Clone, Debug)]
pub(in crate::reconcile) struct Failure {
    pub(in crate::reconcile) cause: FailureCause,
    /// True if the provider may have consumed the refresh token.
    pub(in crate::reconcile) outcome_unknown: bool,
    /// How far the provider's clock is ahead, where that may be why it refused an assertion.
    pub(in crate::reconcile) clock_skew: Option<SignedDuration>,
    /// The time of the next attempt without a change.
    pub(in crate::reconcile) next_attempt: Option<Timestamp>,
    /// The inputs of the attempt, as the status records them.
    pub(in crate::reconcile) attempted: Attempted,
}

/// The cause of a failed exchange.
#[derive(Clone, Debug)]
pub(in crate::reconcile) enum FailureCause {
    /// The provider refused, or could not be reached. The settings of the attempt are kept for the remedy.
    Exchange(TokenError, Arc<Settings>),
    /// The token had expired when its response arrived.
    ExpiredOnArrival(Arc<Settings>),
    /// The provider rejected the stored refresh token, as the state records.
    Rejected(RejectedToken, Arc<Settings>),
    /// An earlier process failed, and its status has only the sentence.
    Recalled { reason: Reason, sentence: String },
    /// An earlier process was asked to pause, and its status no longer shows the failure.
    Paused,
}

/// An attempt that has just failed.
#[derive(Debug)]
pub(in crate::reconcile) struct FailedAttempt {
    pub(in crate::reconcile) cause: FailureCause,
    pub(in crate::reconcile) outcome_unknown: bool,
    /// How far the provider's clock is ahead, where that may be why it refused an assertion.
    pub(in crate::reconcile) clock_skew: Option<SignedDuration>,
    /// The pause that the provider asked for.
    pub(in crate::reconcile) pause: Option<SignedDuration>,
    /// True if it counts as a failed attempt.
    pub(in crate::reconcile) counts: bool,
    pub(in crate::reconcile) attempted: Attempted,
    pub(in crate::reconcile) inputs: Option<InputsDigest>,
    /// A hash of the subject token that was sent, with the grant that exchanges one.
    pub(in crate::reconcile) subject: Option<String>,
}

impl FailureCause {
    pub(in crate::reconcile) fn reason(&self) -> Reason {
        match self {
            Self::Exchange(error, _) => error.reason(),
            Self::ExpiredOnArrival(_) => Reason::UnexpectedResponse,
            Self::Rejected(rejection, _) if rejection.lost => Reason::RefreshTokenLost,
            Self::Rejected(..) => Reason::RefreshTokenRejected,
            Self::Recalled { reason, .. } => *reason,
            Self::Paused => Reason::RateLimited,
        }
    }

    /// Returns whether nothing was sent because of what this cluster found, which may be over without a change of any object.
    pub(super) fn is_of_this_cluster(&self) -> bool {
        let Self::Exchange(TokenError::Network(error), _) = self else {
            return false;
        };
        match error {
            NetworkError::RefusedNetwork { looked_up, .. } => *looked_up,
            error => *error == NetworkError::NoTlsClient,
        }
    }

    /// Returns whether nothing may be sent for this client for a while.
    fn asks_for_pause(&self) -> bool {
        match self {
            Self::Exchange(error, _) => error.asks_for_pause(),
            Self::ExpiredOnArrival(_)
            | Self::Rejected(..)
            | Self::Recalled { .. }
            | Self::Paused => false,
        }
    }
}

impl Failure {
    /// Returns whether the provider is unavailable. Only a rate limit forbids every request in its pause.
    pub(in crate::reconcile) fn is_unavailable(&self) -> bool {
        self.cause.reason() == Reason::Unavailable
    }

    pub(super) fn was_made_with(&self, attempted: &Attempted) -> bool {
        let own = &self.attempted;
        own.generation == attempted.generation
            && own.source_resource_version == attempted.source_resource_version
            && own.ca_bundle_hash == attempted.ca_bundle_hash
            && own.provider_version == attempted.provider_version
    }
}

impl FailedAttempt {
    /// The failure, with its next attempt. `in_pause`: another one comes before the end of the pause that the provider asked for.
    pub(super) fn into_failure(
        self,
        next_attempt: Option<Timestamp>,
        in_pause: Option<Timestamp>,
    ) -> Failure {
        let next_attempt = match &self.cause {
            FailureCause::Rejected(rejection, _) => rejection.next_attempt(),
            _ => next_attempt,
        };
        let paused_until = next_attempt.filter(|_| self.cause.asks_for_pause());
        Failure {
            cause: self.cause,
            outcome_unknown: self.outcome_unknown,
            clock_skew: self.clock_skew,
            next_attempt: in_pause.or(next_attempt),
            attempted: Attempted {
                paused_until,
                ..self.attempted
            },
        }
    }
}
