//! What happens for each reason if nobody acts.

use cube_operator::api::{Reason, RetryClass};

const NO_FAILURE: [Reason; 5] = [
    Reason::Suspended,
    Reason::Pending,
    Reason::RateBudget,
    Reason::TokenIssued,
    Reason::Synced,
];

/// When it is tried again, in the words of the index.
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
        ) => "looked at every minute",
        (_, Some(RetryClass::Fast)) => "after seconds",
        (_, Some(RetryClass::Slow)) => "after 5 min, later every hour",
        (_, Some(RetryClass::RateLimited)) => "when the pause is over",
        (_, Some(RetryClass::Terminal) | None) => "only after a change",
    }
}

/// When it is tried again, in a sentence.
pub(super) fn next(reason: Reason) -> &'static str {
    match (reason, reason.retry_class()) {
        (Reason::TokenIssued | Reason::Synced, _) => "The token is replaced before it expires.",
        (Reason::Suspended, _) => "It stays so. The published token expires in its time.",
        (Reason::Pending | Reason::RateBudget, _) => {
            "It goes on by itself, at the time in the message."
        }
        (Reason::RefreshTokenRejected, _) => {
            "The refresh token is sent once more after 5 minutes, as a provider may err, and then never again. A published token may \
             work until it expires."
        }
        (Reason::RefreshTokenLost, _) => {
            "Nothing more is sent. The published token is not `Ready`, because a provider mostly ends it together with the lost refresh."
        }
        (
            Reason::TargetConflict
            | Reason::TargetDuplicate
            | Reason::StateConflict
            | Reason::RefreshTokenInUse,
            _,
        ) => {
            "It is looked at every minute, and at once when the `CubeCredential` changes. Nothing is sent to the provider."
        }
        (Reason::TargetNotWritable | Reason::StateNotWritable, _) => {
            "The Secret is written again after 10, 20, 40, 80, 160, then every 300 seconds (±20 %), and at once when the spec changes. \
             An answer that is in memory alone is written again after pauses of at most 30 s, for as long as the CubeCredential exists."
        }
        (Reason::Unreachable, _) => {
            "It is tried again after 10, 20, 40, 80, 160, then every 300 seconds (±20 %)."
        }
        (_, Some(RetryClass::Fast)) => {
            "It is tried again after 10, 20, 40, 80, 160, then every 300 seconds (±20 %); with a stored refresh token, which may be \
             spent, after 2, 8, 20, 60, 120, then every 300 seconds."
        }
        (_, Some(RetryClass::Slow)) => {
            "It is tried again after 5, 15, 30, then every 60 minutes (±20 %), and at once when the client's Secret, the spec, the CA \
             bundle or the annotation changes. A credential that has worked, and still has a live token, is tried again sooner: after 10, \
             20, 40, 80 and 160 seconds, and once more just before the token ends."
        }
        (_, Some(RetryClass::RateLimited)) => {
            "It is tried again when the pause is over: the provider's `Retry-After` (at least 10 s, at most an hour), else 1, 2, 4, 8, \
             then 15 minutes, and up to 10 s more."
        }
        (_, Some(RetryClass::Terminal) | None) => {
            "Nothing is sent, and nothing is tried, until what the message names has changed. Then it is tried at once."
        }
    }
}
