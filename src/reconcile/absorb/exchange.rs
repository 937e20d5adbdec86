//! What came of an exchange: a token in hand, or a failure with its next try.

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use crate::{
    api::{Reason, RetryClass},
    oauth::{error::TokenError, response::Issued},
    reconcile::{
        attempt::{Failure, Pending, Rejected, later},
        budget::{Permit, PermitRequest},
        case::{Case, Inputs},
        inputs, local, message,
        observed::Observed,
        schedule,
        settings::Settings,
        state::{State, Stored},
        target::{Holding, Record},
    },
};

/// How long a kubelet may take to show a changed Secret to a pod that mounts it; measured: 90 s at most, 47 s mostly.
const PROPAGATION: SignedDuration = SignedDuration::from_secs(90);
/// A difference between two clocks that is worth telling.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// Who waits remembers with what: nothing has to be read again to ask again.
pub(super) fn turn(observed: &mut Observed, request: PermitRequest, turn: Permit) {
    observed.memory.queued = match turn {
        Permit::Now { .. } => None,
        Permit::Later { .. } => {
            // A claim holds for seconds, and this may take minutes.
            observed.memory.claim_is_idle = observed.memory.unspent.is_some();
            Some((request.clone(), observed.versions()))
        }
    };
    observed.turn = Some((request, turn));
}

pub(super) fn exchanged(
    observed: &mut Observed,
    sent_at: Timestamp,
    result: Result<Issued, TokenError>,
    refresh_token: Option<SecretString>,
    date: Option<Timestamp>,
    now: Timestamp,
) {
    let Ok(settings) = observed.settings.clone() else {
        return;
    };
    observed.memory.ca_touched = false;
    // It is spent.
    observed.turn = None;
    let asked = observed.state.stored().cloned();
    let outcome_unknown = result.as_ref().is_err_and(TokenError::outcome_unknown);
    if outcome_unknown || result.is_ok() {
        observed.memory.unspent = None;
    }
    let published = Case {
        observed,
        settings: &settings,
        now,
    }
    .record()
    .and_then(|record| record.rotation);
    observed.memory.claim_is_idle = observed.memory.unspent.is_some();
    match result.and_then(|issued| unexpired(issued, sent_at, now)) {
        Ok(issued) => {
            let skew = date
                .map(|date| date.duration_since(now))
                .filter(|skew| skew.abs() > CLOCK_SKEW);
            observed.memory.happened.clock_skew = skew
                .filter(|_| !observed.memory.told.clock_skew)
                .map(|skew| skew.as_secs());
            observed.memory.told.clock_skew = skew.is_some();
            observed.memory.last_attempt_at = Some(sent_at);
            observed.memory.answered_at = Some(now);
            if let Some(holding) = succeeded(observed, &settings, sent_at, issued) {
                if let Some(asked) = asked {
                    let issued = Some((holding.token, holding.record));
                    store(
                        observed,
                        &asked,
                        asked.succeeded(refresh_token, issued, published),
                    );
                } else {
                    observed.memory.holding = Some(holding);
                    observed.memory.unpublished = true;
                }
            }
        }
        Err(refusal) if refusal.reason() == Reason::RefreshTokenRejected && asked.is_some() => {
            observed.memory.last_attempt_at = Some(sent_at);
            observed.memory.unspent = None;
            // Somebody else may have stored a successor since: then it was only a replay.
            observed.memory.rejection = asked.map(|asked| Rejected {
                of: asked.of(),
                what: refusal.to_string(),
            });
            observed.state = State::Unread;
        }
        Err(refusal) => {
            let mut outcome_unknown = refusal.outcome_unknown();
            // The provider has used up the token that was sent, however useless the rest of its answer is.
            if let (Some(asked), Some(token)) = (&asked, refresh_token) {
                store(
                    observed,
                    asked,
                    asked.succeeded(Some(token), None, published),
                );
                outcome_unknown = false;
            }
            let reason = refusal.reason();
            let was_sent = reason.retry_class() != Some(RetryClass::Terminal);
            if was_sent {
                observed.memory.last_attempt_at = Some(sent_at);
            }
            let failed_attempt = FailedAttempt {
                reason,
                pause: refusal.pause(),
                asks_for_pause: refusal.asks_for_pause(),
                outcome_unknown,
                was_sent,
                message: &|next_try| {
                    message::failure(&refusal, outcome_unknown, &settings, next_try)
                },
            };
            failed(observed, &settings, &failed_attempt, now);
        }
    }
}

/// What is to be stored before anything else happens.
fn store(observed: &mut Observed, asked: &Stored, stored: Stored) {
    observed.memory.pending = Some(Pending {
        stored,
        after: (asked.record.generation, asked.of()),
        tries: 0,
        resting: false,
        trouble: None,
    });
}

/// The state says that the refresh token is dead.
pub(super) fn rejected(observed: &mut Observed, now: Timestamp) {
    let (Ok(settings), Some(stored)) = (observed.settings.clone(), observed.state.stored()) else {
        return;
    };
    let Some(rejection) = stored.record.rejection.clone() else {
        return;
    };
    let (reason, message) = message::rejected(&rejection, &settings);
    let failed_attempt = FailedAttempt {
        reason,
        pause: None,
        asks_for_pause: false,
        outcome_unknown: false,
        was_sent: true,
        message: &|_| message.clone(),
    };
    failed(observed, &settings, &failed_attempt, now);
    if let Some(failure) = &mut observed.memory.failure {
        failure.next_try = rejection.next_try();
    }
}

/// A token that is of no use to anybody is a failure: to ask for the next one at once would not end.
fn unexpired(issued: Issued, sent_at: Timestamp, now: Timestamp) -> Result<Issued, TokenError> {
    match issued.lifetime {
        Some(lifetime) if later(sent_at, lifetime) <= now => Err(TokenError::Expired),
        _ => Ok(issued),
    }
}

fn succeeded(
    observed: &mut Observed,
    settings: &Settings,
    sent_at: Timestamp,
    issued: Issued,
) -> Option<Holding> {
    let client = local::client(settings, &observed.source).ok()?;
    let case = Case {
        observed,
        settings,
        now: sent_at,
    };
    let seed_version = case.seed_version();
    let before = case.record();
    let served = before
        .as_ref()
        .and_then(|before| before.refresh_request.clone());
    let requested = observed.credential.refresh_request.clone();
    let record = Record {
        owner_uid: observed.credential.uid.clone(),
        issued_at: sent_at,
        expires_at: later(
            sent_at,
            issued.lifetime.unwrap_or(settings.assumed_lifetime),
        ),
        inputs_hash: inputs::hash(&issued.access_token, settings, &client),
        generation: observed.credential.generation,
        source_version: observed.source.version().unwrap_or_default().to_owned(),
        seed_version,
        rotation: None,
        refresh_request: requested.clone().or(served.clone()),
        scopes: issued.scopes,
    };
    let status = &observed.credential.status;
    let status = observed.memory.missing.as_ref().unwrap_or(status);
    // The status may already speak of a new spec that had to wait for this token.
    let (scopes, generation) = match &before {
        Some(before) => (&before.scopes, Some(before.generation)),
        None => (&status.scopes, status.observed_generation),
    };
    let scopes_told = *scopes == record.scopes && generation == Some(record.generation);
    let request_told = requested == served || requested == status.refresh_request;
    let memory = &mut observed.memory;
    memory.happened.expiry_unknown = issued.lifetime.is_none() && !memory.told.expiry_unknown;
    memory.told.expiry_unknown = issued.lifetime.is_none();
    let margin = schedule::margin(&record, settings);
    let short_lived = margin < PROPAGATION;
    memory.happened.short_lived = (short_lived && !memory.told.short_lived).then_some(margin);
    memory.told.short_lived = short_lived;
    memory.happened.scope_narrowed = issued.narrowed && !scopes_told;
    memory.happened.served_request = requested.is_some() && !request_told;
    memory.failure = None;
    memory.failures = 0;
    memory.unknown_outcomes = 0;
    memory.tried = None;
    memory.refuted = None;
    Some(Holding {
        token: issued.access_token,
        record,
    })
}

/// An attempt that gave no token.
struct FailedAttempt<'a> {
    reason: Reason,
    pause: Option<SignedDuration>,
    asks_for_pause: bool,
    outcome_unknown: bool,
    was_sent: bool,
    message: &'a dyn Fn(Option<Timestamp>) -> String,
}

fn failed(
    observed: &mut Observed,
    settings: &Settings,
    attempt: &FailedAttempt<'_>,
    now: Timestamp,
) {
    let case = Case {
        observed,
        settings,
        now,
    };
    let mut attempted = local::attempted(&case);
    let changed = case
        .live_record()
        .is_some_and(|record| case.inputs(&record) == Inputs::Changed);
    let same = |failure: &Failure| {
        failure.attempted.generation == attempted.generation
            && failure.attempted.source_resource_version == attempted.source_resource_version
            && failure.attempted.ca_bundle_hash == attempted.ca_bundle_hash
    };
    // Changed inputs start the count again; another reason does not. With another login the failure itself was forgotten.
    let earlier = if observed.memory.failure.as_ref().is_some_and(same) {
        observed.memory.failures
    } else {
        0
    };
    let failures = if attempt.was_sent {
        earlier.saturating_add(1)
    } else {
        earlier
    };
    let outcome_unknown = attempt.outcome_unknown && settings.seed().is_some();
    let unknown_outcomes = observed
        .memory
        .unknown_outcomes
        .saturating_add(i32::from(outcome_unknown));
    let delay = schedule::retry_delay(
        attempt.reason,
        attempt.pause,
        outcome_unknown,
        if outcome_unknown {
            unknown_outcomes
        } else {
            failures
        },
        &observed.credential.uid,
    );
    let next_try = delay.map(|delay| later(now, delay));
    attempted.paused_until = next_try.filter(|_| attempt.asks_for_pause);
    let tried = local::client(settings, &observed.source)
        .ok()
        .map(|client| inputs::digest(settings, &client));

    let versions = observed.versions();
    let memory = &mut observed.memory;
    memory.refuted = changed.then_some(versions);
    memory.failure = Some(Failure {
        reason: attempt.reason,
        message: (attempt.message)(next_try),
        next_try,
        attempted,
    });
    memory.failures = failures;
    memory.unknown_outcomes = unknown_outcomes;
    memory.tried = tried;
    memory.holding = None;
    memory.unpublished = false;
}
