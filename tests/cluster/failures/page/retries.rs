//! What happens for each reason if nobody acts.

use cube_operator::api::{Reason, RetryClass};

const NO_FAILURE: [Reason; 6] = [
    Reason::TokenTooShort,
    Reason::Suspended,
    Reason::Pending,
    Reason::RateBudget,
    Reason::TokenIssued,
    Reason::Synced,
];

/// The next attempt, in the words of the index.
pub(super) fn summary(reason: Reason) -> &'static str {
    match (reason, reason.retry_class()) {
        (reason, _) if NO_FAILURE.contains(&reason) => "",
        (Reason::RefreshTokenRejected, _) => "once, after 5 min",
        (
            Reason::TargetConflict
            | Reason::TargetDuplicate
            | Reason::StateConflict
            | Reason::RefreshTokenInUse,
            _,
        ) => "checked every minute",
        (Reason::ProbeFailed, _) => "after seconds, later every hour",
        (_, Some(RetryClass::Fast)) => "after seconds",
        (_, Some(RetryClass::Slow)) => "after 5 min, later every hour",
        (_, Some(RetryClass::RateLimited)) => "when the pause is over",
        (_, Some(RetryClass::Terminal) | None) => "only after a change",
    }
}

/// The next attempt, in a sentence.
pub(super) fn next(reason: Reason) -> &'static str {
    match (reason, reason.retry_class()) {
        (Reason::TokenIssued | Reason::Synced, _) => "The token is replaced before it expires.",
        (Reason::Suspended, _) => "No token is requested. The published token expires at its time.",
        (Reason::Pending | Reason::RateBudget | Reason::TokenTooShort, _) => {
            "The operator continues by itself at the time in the message."
        }
        (Reason::RefreshTokenRejected, _) => {
            "The refresh token is sent once more after 5 minutes, because a provider may err, and then never again. A published token may \
             work until it expires."
        }
        (Reason::RefreshTokenLost, _) => {
            "Nothing more is sent. The published token does not count as valid, because a provider mostly revokes it at the \
             refresh."
        }
        (
            Reason::TargetConflict
            | Reason::TargetDuplicate
            | Reason::StateConflict
            | Reason::RefreshTokenInUse,
            _,
        ) => {
            "The operator checks every minute, and immediately when the CubeCredential changes. Nothing is sent to the provider."
        }
        (Reason::TargetNotWritable | Reason::StateNotWritable, _) => {
            "The Secret is written again after 10, 20, 40, 80, 160, then every 300 seconds (±20 %), and immediately when the spec \
             changes. A response that exists only in memory is written again every 30 s or sooner, for as long as the CubeCredential \
             exists."
        }
        (Reason::ProbeFailed, _) => {
            "The same token is sent to the API again after 10, 20, 40, 80 and 160 seconds, then after 5, 15, 30, then every 60 minutes \
             (±20 %), or every 5 minutes if the response is a 5xx or missing. After a 429 it is sent again after 1, 2, 4, 8, then every 15 \
             minutes. A change of `spec.probe` or of the annotation retries immediately. No retry requests a token."
        }
        (Reason::Unreachable, _) => {
            "The operator retries after 10, 20, 40, 80, 160, then every 300 seconds (±20 %)."
        }
        (_, Some(RetryClass::Fast)) => {
            "The operator retries after 10, 20, 40, 80, 160, then every 300 seconds (±20 %); with a stored refresh token, which may have \
             been consumed, after 2, 8, 20, 60, 120, then every 300 seconds."
        }
        (_, Some(RetryClass::Slow)) => {
            "The operator retries after 5, 15, 30, then every 60 minutes (±20 %), and immediately when the client Secret, the spec, the CA \
             bundle or the annotation changes. A credential that has worked and still has a valid token retries sooner: after 10, 20, \
             40, 80 and 160 seconds, and once more just before the token expires."
        }
        (_, Some(RetryClass::RateLimited)) => {
            "The operator retries when the pause is over: after the provider's `Retry-After` (10 s to 1 h), else after 1, 2, 4, 8, then \
             15 minutes, plus up to 10 s."
        }
        (Reason::HostNotAllowed, _) => {
            "Nothing is sent until something that the message names changes. Then the operator retries immediately. A name that \
             resolves to refused addresses is looked up again after 5 minutes (±20 %), and before the published token expires."
        }
        (_, Some(RetryClass::Terminal) | None) => {
            "Nothing is sent until something that the message names changes. Then the operator retries immediately."
        }
    }
}
