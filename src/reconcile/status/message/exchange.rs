//! The messages of failed exchanges.

use jiff::Timestamp;

use super::retrying;
use crate::{
    api::Reason,
    reconcile::{
        login::RejectedToken,
        memory::{Failure, FailureCause},
        settings::Settings,
        status::{
            inputs::sign_in_command,
            remedy::{of_clock, of_response, remedy},
        },
    },
};

const EXPIRED: &str = "token endpoint issued a token that had already expired";
/// A provider revokes all tokens of a login if a consumed refresh token is sent again. Then the login was lost before.
const MAY_BE_CONSUMED: &str =
    "if the retry fails too, the refresh token was consumed: sign in again";

/// A failed exchange. `worked`: an earlier one succeeded. `postponed` is the time of its next attempt, where that waits for a permit.
pub(in crate::reconcile::status) fn failure(
    failure: &Failure,
    worked: bool,
    postponed: Option<Timestamp>,
) -> String {
    match &failure.cause {
        FailureCause::Exchange(error, settings) => {
            let remedy = remedy(error, settings, worked);
            let remedy = match failure.clock_skew {
                Some(skew) => format!("{}; else {remedy}", of_clock(skew)),
                None => remedy,
            };
            exchange(&error.to_string(), &remedy, failure, postponed)
        }
        FailureCause::ExpiredOnArrival(settings) => {
            let remedy = of_response(failure.cause.reason(), settings, worked);
            exchange(EXPIRED, &remedy, failure, postponed)
        }
        FailureCause::Rejected(rejection, settings) => {
            let sentence = rejected_token(rejection, settings);
            match rejection.next_attempt() {
                None => sentence + &postponed.map(retrying).unwrap_or_default(),
                Some(_) => sentence,
            }
        }
        // It states the time that the earlier process planned.
        FailureCause::Recalled { sentence, .. } => sentence.clone(),
        FailureCause::Paused => {
            let until = postponed.or(failure.attempted.paused_until);
            let next = until.map(retrying).unwrap_or_default();
            format!("the provider asked this client to pause: no action needed{next}")
        }
    }
}

fn exchange(cause: &str, remedy: &str, failure: &Failure, postponed: Option<Timestamp>) -> String {
    // Where the outcome is unknown, people want to know what a retry risks.
    let remedy = match (failure.outcome_unknown, failure.cause.reason()) {
        (false, _) => remedy.to_owned(),
        (true, Reason::NoResponse | Reason::Unavailable) => MAY_BE_CONSUMED.into(),
        (true, _) => format!("{remedy}; the refresh token may have been consumed"),
    };
    let next = match postponed.or(failure.next_attempt) {
        Some(at) => retrying(at),
        None => "; retrying only after a change".into(),
    };
    format!("{cause}: {remedy}{next}")
}

/// A dead refresh token.
pub(in crate::reconcile::status) fn rejected_token(
    rejection: &RejectedToken,
    settings: &Settings,
) -> String {
    let next = rejection.next_attempt();
    let next = next.map_or_else(String::new, |at| format!("; last retry at {at}"));
    format!(
        "{}: sign in again with {}{next}",
        rejection.what,
        sign_in_command(settings)
    )
}
