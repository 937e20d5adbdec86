//! From the outcome of a step to the next observation.

mod exchange;
mod state;

use jiff::Timestamp;

use super::{
    attempt::{Memory, Unwritable, later},
    inputs, local, message,
    news::Happened,
    observed::{CaBundle, Observed, Source, Target, TargetSecret},
    plan::{Outcome, TargetReading},
    schedule,
    target::{DesiredMetadata, Owner, Record},
};
use crate::api::{ConditionStatus, ConditionType, CubeCredentialStatus, Reason};

/// Takes in what came of a step. Pure: nothing is read or written here.
pub fn absorb(seen: &mut Observed, outcome: Outcome, now: Timestamp) {
    match outcome {
        Outcome::Target(reading) => {
            seen.target = match reading {
                Some(reading) => Target::Present(read_token(seen, reading)),
                None => Target::Absent,
            };
            // The state may have been looked at before the target turned out to lack its token.
            state::take_token(seen);
        }
        Outcome::Previous(reading) => {
            seen.previous = reading
                .map(|reading| read_token(seen, reading))
                .filter(|secret| secret.owner(&seen.credential) == Owner::This);
        }
        Outcome::Source(source) => {
            seen.source = source;
            recognise_a_label_edit(seen);
        }
        Outcome::Seed(source) => seen.seed = source,
        Outcome::State(reading) => state::looked_at(seen, reading, now),
        Outcome::Stored { secret, claims } => state::stored(seen, secret, claims, now),
        Outcome::NotStored(why) => state::not_stored(seen, why, now),
        Outcome::Paused => state::rested(seen),
        Outcome::Interrupted(_) => state::interrupted(seen),
        Outcome::CaBundle(bundle) => {
            recognise_the_same_bundle(&mut seen.memory, &bundle);
            seen.ca_bundle = bundle;
        }
        Outcome::Turn(request, turn) => exchange::turn(seen, request, turn),
        Outcome::Exchanged {
            sent_at,
            result,
            refresh_token,
            date,
        } => exchange::exchanged(seen, sent_at, result, refresh_token, date, now),
        Outcome::Published(secret) => published(seen, secret),
        Outcome::NotWritable(why) => not_writable(seen, &why, now),
        Outcome::Deleted(name) => {
            if seen
                .previous
                .as_ref()
                .is_some_and(|secret| secret.name == name)
            {
                seen.previous = None;
            } else {
                // Its token is in no Secret now: it must outlive this reconcile until it is published again.
                seen.memory.unpublished = seen.memory.holding.is_some();
                seen.target = Target::Absent;
            }
        }
        Outcome::Reported { status, .. } => {
            if let Some(pending) = &mut seen.memory.pending {
                pending.trouble = None;
            }
            if reported_target(seen).is_some() && matches!(seen.target, Target::Absent) {
                seen.memory.missing = Some(seen.credential.status.clone());
            }
            let refreshed = status.condition(ConditionType::Refreshed);
            match refreshed.map(|refreshed| refreshed.status) {
                Some(ConditionStatus::False) => seen.memory.told_failure = true,
                Some(ConditionStatus::True) => {
                    seen.memory.told_failure = false;
                    seen.memory.failure = None;
                    seen.memory.failures = 0;
                }
                _ => {}
            }
            seen.credential.status = status;
            seen.memory.happened = Happened::default();
        }
    }
}

/// Takes the token in hand, if the Secret is ours, is whole, and no other and newer token waits to be published.
fn read_token(seen: &mut Observed, reading: TargetReading) -> TargetSecret {
    let TargetReading { mut secret, data } = reading;
    if secret.owner(&seen.credential) != Owner::Foreign {
        let found = secret.inspect(&data);
        let waits = seen
            .memory
            .holding
            .as_ref()
            .filter(|_| seen.memory.unpublished);
        if waits.is_none_or(|waiting| found.as_ref().is_some_and(|found| found.replaces(waiting))) {
            seen.memory.published();
            seen.memory.holding = found;
        }
    }
    secret
}

/// The source Secret has another version: if the used values are the same as in the failed attempt, it is no news.
fn recognise_a_label_edit(seen: &mut Observed) {
    let (Ok(settings), Source::Read(secret)) = (&seen.settings, &seen.source) else {
        return;
    };
    let Ok(client) = local::client(settings, &seen.source) else {
        return;
    };
    let Some(failure) = &mut seen.memory.failure else {
        return;
    };
    let attempted = &mut failure.attempted;
    let digest = inputs::digest(settings, &client);
    if seen.memory.tried.is_none() && attempted.source_resource_version == secret.version {
        // A new process sees what the one before it has tried.
        seen.memory.tried = Some(digest);
    } else if seen.memory.tried == Some(digest) {
        if let Some(refuted) = &mut seen.memory.refuted
            && refuted.source_version == attempted.source_resource_version
        {
            refuted.source_version.clone_from(&secret.version);
        }
        attempted
            .source_resource_version
            .clone_from(&secret.version);
    }
}

fn recognise_the_same_bundle(memory: &mut Memory, bundle: &CaBundle) {
    let found = match bundle {
        CaBundle::Pem(pem) => Some(local::ca_hash(pem)),
        _ => None,
    };
    let tried = memory
        .failure
        .as_ref()
        .map(|failure| failure.attempted.ca_bundle_hash.clone());
    if tried == Some(found) {
        memory.ca_touched = false;
    }
}

fn not_writable(seen: &mut Observed, why: &str, now: Timestamp) {
    seen.memory.unwritable = Some(unwritable(
        seen,
        seen.memory.unwritable.as_ref(),
        Reason::TargetNotWritable,
        why,
        now,
    ));
}

/// A Secret that the API server refused, perhaps once more.
fn unwritable(
    seen: &Observed,
    earlier: Option<&Unwritable>,
    reason: Reason,
    why: &str,
    now: Timestamp,
) -> Unwritable {
    let tries = earlier.map_or(0, |earlier| earlier.tries).saturating_add(1);
    let delay = schedule::retry_delay(reason, None, false, tries, &seen.credential.uid);
    let next_try = delay.map_or(now, |delay| later(now, delay));
    Unwritable {
        message: message::not_writable(why, next_try),
        next_try,
        tries,
        generation: seen.credential.generation,
    }
}

fn published(seen: &mut Observed, secret: TargetSecret) {
    let record = secret.record();
    if is_repair(seen, &secret, record.as_ref()) {
        seen.memory.happened.repaired = true;
    }
    // A failure of other inputs than those of this token is no longer a fact.
    if let (Some(failure), Some(record)) = (&seen.memory.failure, &record) {
        let attempted = &failure.attempted;
        if attempted.generation != record.generation
            || attempted.source_resource_version != record.source_version
        {
            seen.memory.failure = None;
            seen.memory.failures = 0;
        }
    }
    seen.memory.written = match (&seen.settings, &record) {
        (Ok(settings), Some(record)) => Some((
            secret.version.clone(),
            DesiredMetadata::new(&seen.credential, settings, record),
        )),
        _ => None,
    };
    seen.target = Target::Present(secret);
    seen.memory.published();
    seen.memory.holding = None;
    seen.memory.unwritable = None;
    seen.memory.missing = None;
}

/// Whether a target that was reported before had been deleted or edited. A write that follows from a new spec is no repair.
fn is_repair(seen: &Observed, written: &TargetSecret, record: Option<&Record>) -> bool {
    let name = Some(written.name.as_str());
    let missing = seen.memory.missing.as_ref();
    if missing.is_some_and(|status| target_name(status) == name) {
        return true;
    }
    let edited = match &seen.target {
        Target::Present(before) => {
            // With the same record, only labels or annotations differed, and not because the inputs changed.
            !before.is_confirmed() || before.record().as_ref() == record
        }
        Target::Absent | Target::Unknown => true,
    };
    reported_target(seen) == name && edited
}

/// The name of the target that the status tells of, if it is of the current spec.
fn reported_target(seen: &Observed) -> Option<&str> {
    let status = &seen.credential.status;
    let current = status.observed_generation == Some(seen.credential.generation);
    target_name(status).filter(|_| current)
}

fn target_name(status: &CubeCredentialStatus) -> Option<&str> {
    status.target.as_ref().map(|target| target.name.as_str())
}
