//! Absorbs an exchange that brought no token.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::{ends::Times, token::keep_successor};
use crate::{
    api::{ClientAuthentication, Reason, RetryClass},
    oauth::{assertion, error::TokenError},
    reconcile::{
        case::{Case, Inputs},
        login::State,
        memory::{FailedAttempt, FailureCause, Published, RejectedHere},
        observed::Observed,
        plan::Attempt,
    },
};

pub(super) fn refused(
    observed: &mut Observed,
    attempt: &Attempt,
    error: TokenError,
    refresh_token: Option<SecretString>,
    times: Times,
) {
    let Times { sent_at, now, .. } = times;
    if let Some(sent) = &attempt.login
        && error.reason() == Reason::RefreshTokenRejected
    {
        observed.memory.exchange.sent(sent_at);
        // Another process may have stored a successor since: then this was only a replay.
        observed.memory.login.reject(RejectedHere {
            of: sent.token_hash(),
            error,
            inputs: attempt.inputs.evidence(&sent.refresh_token),
        });
        observed.state = State::Unread;
        return;
    }
    let error = if observed.hides_network_detail {
        error.without_network_detail(&attempt.settings.endpoint)
    } else {
        error
    };
    let kept = keep_successor(observed, attempt, refresh_token, now);
    let outcome_unknown = error.outcome_unknown() && attempt.login.is_some() && !kept;
    let counts = error.reason().retry_class() != Some(RetryClass::Terminal);
    if counts {
        observed.memory.exchange.sent(sent_at);
    }
    let failed = FailedAttempt {
        outcome_unknown,
        clock_skew: clock_skew(&error, attempt, times),
        pause: error.pause(),
        counts,
        attempted: attempt.attempted.clone(),
        inputs: Some(attempt.inputs.digest()),
        subject: observed.subject_hash(),
        cause: FailureCause::Exchange(error, Arc::new(attempt.settings_for_a_remedy())),
    };
    let token = token_at_stake(&Case::of_attempt(observed, attempt, now));
    record(observed, failed, token, now);
}

pub(super) fn expired_on_arrival(
    observed: &mut Observed,
    attempt: &Attempt,
    sent_at: Timestamp,
    refresh_token: Option<SecretString>,
    now: Timestamp,
) {
    keep_successor(observed, attempt, refresh_token, now);
    observed.memory.exchange.sent(sent_at);
    let failed = FailedAttempt {
        outcome_unknown: false,
        clock_skew: None,
        pause: None,
        counts: true,
        attempted: attempt.attempted.clone(),
        inputs: Some(attempt.inputs.digest()),
        subject: observed.subject_hash(),
        cause: FailureCause::ExpiredOnArrival(Arc::new(attempt.settings.without_templates())),
    };
    let token = match token_at_stake(&Case::of_attempt(observed, attempt, now)) {
        // Another attempt soon would save nothing: this provider issues tokens that are of no use.
        Published::Live(_) => Published::Ended,
        other => other,
    };
    record(observed, failed, token, now);
}

/// How far the provider's clock is ahead, where it refused a client whose assertion it takes for one of another time.
fn clock_skew(error: &TokenError, attempt: &Attempt, times: Times) -> Option<SignedDuration> {
    let settings = &attempt.settings;
    let signs = settings.authentication == ClientAuthentication::PrivateKeyJwt;
    let refused = match error.reason() {
        Reason::InvalidClient => signs,
        // The assertion of the grant is refused with this one (RFC 7521, section 4.1.1).
        Reason::InvalidGrant => settings.grant.assertion().is_some(),
        _ => false,
    };
    if !refused {
        return None;
    }
    let skew = times.skew()?;
    (!assertion::is_valid_at(skew)).then_some(skew)
}

/// Records the failure of a refresh token that is dead according to the state.
pub(in crate::reconcile::absorb) fn rejected(observed: &mut Observed, now: Timestamp) {
    let (Ok(settings), Some(stored)) = (&observed.settings, observed.state.stored()) else {
        return;
    };
    let Some(rejection) = stored.record.rejection.clone() else {
        return;
    };
    let case = Case::with(observed, settings, now);
    let failed = FailedAttempt {
        outcome_unknown: false,
        clock_skew: None,
        pause: None,
        counts: true,
        attempted: case.attempted(),
        inputs: case.token_inputs().ok().map(|inputs| inputs.digest()),
        subject: None,
        cause: FailureCause::Rejected(rejection, Arc::new(settings.without_templates())),
    };
    let token = token_at_stake(&case);
    record(observed, failed, token, now);
}

/// The facts about the live token, published or not.
fn token_at_stake(case: &Case<'_>) -> Published {
    let Some(token) = case.live_token() else {
        return Published::Ended;
    };
    match case.inputs(token) {
        Inputs::Changed => Published::Other(case.observed.versions()),
        Inputs::Current | Inputs::Unconfirmed(_) | Inputs::Unavailable => {
            let ends = [token.first_end(), token.expires_at];
            let next = ends.into_iter().find(|end| *end > case.now);
            Published::Live(next.unwrap_or(token.expires_at))
        }
    }
}

fn record(observed: &mut Observed, failed: FailedAttempt, token: Published, now: Timestamp) {
    let uid = &observed.credential.uid;
    let memory = &mut observed.memory;
    memory.exchange.failed(failed, token, uid, now);
    memory.target.forget_read_token();
    memory.target.forget_expired_token(now);
}
