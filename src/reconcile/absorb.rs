//! From the outcome of a step to the next observation.

mod exchange;
mod state;

use jiff::Timestamp;

use super::{
    attempt::{Memory, Unwritable, later},
    inputs, local, message,
    news::Changes,
    observed::{CaBundle, Observed, Source, Target, TargetSecret},
    plan::{Outcome, TargetReading},
    schedule,
    target::{DesiredMetadata, Owner, Record},
};
use crate::api::{ConditionStatus, ConditionType, CubeCredentialStatus, Reason};

/// Takes in what came of a step. Pure: nothing is read or written here.
pub fn absorb(observed: &mut Observed, outcome: Outcome, now: Timestamp) {
    match outcome {
        Outcome::Target(reading) => {
            observed.target = match reading {
                Some(reading) => Target::Present(read_token(observed, reading)),
                None => Target::Absent,
            };
            // The state may have been looked at before the target turned out to lack its token.
            state::take_token(observed);
        }
        Outcome::Previous(reading) => {
            observed.previous = reading
                .map(|reading| read_token(observed, reading))
                .filter(|secret| secret.owner(&observed.credential) == Owner::This);
        }
        Outcome::Source(source) => {
            observed.source = source;
            recognise_a_label_edit(observed);
        }
        Outcome::Seed(source) => observed.seed = source,
        Outcome::State(reading) => state::looked_at(observed, reading, now),
        Outcome::Stored { secret, claims } => state::stored(observed, secret, claims, now),
        Outcome::NotStored(why) => state::not_stored(observed, why, now),
        Outcome::Waited => state::rested(observed),
        Outcome::Interrupted(_) => state::interrupted(observed),
        Outcome::CaBundle(bundle) => {
            recognise_the_same_bundle(&mut observed.memory, &bundle);
            observed.ca_bundle = bundle;
        }
        Outcome::Permit(request, turn) => exchange::turn(observed, request, turn),
        Outcome::Exchanged {
            sent_at,
            result,
            refresh_token,
            date,
        } => exchange::exchanged(observed, sent_at, result, refresh_token, date, now),
        Outcome::Published(secret) => published(observed, secret),
        Outcome::NotWritable(why) => not_writable(observed, &why.to_string(), now),
        Outcome::Deleted(name) => {
            if observed
                .previous
                .as_ref()
                .is_some_and(|secret| secret.name == name)
            {
                observed.previous = None;
            } else {
                // Its token is in no Secret now: it must outlive this reconcile until it is published again.
                observed.memory.unpublished = observed.memory.holding.is_some();
                observed.target = Target::Absent;
            }
        }
        Outcome::Reported { status, .. } => {
            if let Some(pending) = &mut observed.memory.pending {
                pending.trouble = None;
            }
            if reported_target(observed).is_some() && matches!(observed.target, Target::Absent) {
                observed.memory.missing = Some(observed.credential.status.clone());
            }
            let refreshed = status.condition(ConditionType::Refreshed);
            match refreshed.map(|refreshed| refreshed.status) {
                Some(ConditionStatus::False) => observed.memory.told_failure = true,
                Some(ConditionStatus::True) => {
                    observed.memory.told_failure = false;
                    observed.memory.failure = None;
                    observed.memory.failures = 0;
                }
                _ => {}
            }
            observed.credential.status = status;
            observed.memory.happened = Changes::default();
        }
    }
}

/// Takes the token in hand, if the Secret is ours, is whole, and no other and newer token waits to be published.
fn read_token(observed: &mut Observed, reading: TargetReading) -> TargetSecret {
    let TargetReading { mut secret, data } = reading;
    if secret.owner(&observed.credential) != Owner::Foreign {
        let found = secret.inspect(&data);
        let waits = observed
            .memory
            .holding
            .as_ref()
            .filter(|_| observed.memory.unpublished);
        if waits.is_none_or(|waiting| found.as_ref().is_some_and(|found| found.replaces(waiting))) {
            observed.memory.published();
            observed.memory.holding = found;
        }
    }
    secret
}

/// The source Secret has another version: if the used values are the same as in the failed attempt, it is no news.
fn recognise_a_label_edit(observed: &mut Observed) {
    let (Ok(settings), Source::Read(secret)) = (&observed.settings, &observed.source) else {
        return;
    };
    let Ok(client) = local::client(settings, &observed.source) else {
        return;
    };
    let Some(failure) = &mut observed.memory.failure else {
        return;
    };
    let attempted = &mut failure.attempted;
    let digest = inputs::digest(settings, &client);
    if observed.memory.tried.is_none() && attempted.source_resource_version == secret.version {
        // A new process sees what the one before it has tried.
        observed.memory.tried = Some(digest);
    } else if observed.memory.tried == Some(digest) {
        if let Some(refuted) = &mut observed.memory.refuted
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

fn not_writable(observed: &mut Observed, why: &str, now: Timestamp) {
    observed.memory.unwritable = Some(unwritable(
        observed,
        observed.memory.unwritable.as_ref(),
        Reason::TargetNotWritable,
        why,
        now,
    ));
}

/// A Secret that the API server refused, perhaps once more.
fn unwritable(
    observed: &Observed,
    earlier: Option<&Unwritable>,
    reason: Reason,
    why: &str,
    now: Timestamp,
) -> Unwritable {
    let tries = earlier.map_or(0, |earlier| earlier.tries).saturating_add(1);
    let delay = schedule::retry_delay(reason, None, false, tries, &observed.credential.uid);
    let next_try = delay.map_or(now, |delay| later(now, delay));
    Unwritable {
        message: message::not_writable(why, next_try),
        next_try,
        tries,
        generation: observed.credential.generation,
    }
}

fn published(observed: &mut Observed, secret: TargetSecret) {
    let record = secret.record();
    if is_repair(observed, &secret, record.as_ref()) {
        observed.memory.happened.repaired = true;
    }
    // A failure of other inputs than those of this token is no longer a fact.
    if let (Some(failure), Some(record)) = (&observed.memory.failure, &record) {
        let attempted = &failure.attempted;
        if attempted.generation != record.generation
            || attempted.source_resource_version != record.source_version
        {
            observed.memory.failure = None;
            observed.memory.failures = 0;
        }
    }
    observed.memory.written = match (&observed.settings, &record) {
        (Ok(settings), Some(record)) => Some((
            secret.version.clone(),
            DesiredMetadata::new(&observed.credential, settings, record),
        )),
        _ => None,
    };
    observed.target = Target::Present(secret);
    observed.memory.published();
    observed.memory.holding = None;
    observed.memory.unwritable = None;
    observed.memory.missing = None;
}

/// Whether a target that was reported before had been deleted or edited. A write that follows from a new spec is no repair.
fn is_repair(observed: &Observed, written: &TargetSecret, record: Option<&Record>) -> bool {
    let name = Some(written.name.as_str());
    let missing = observed.memory.missing.as_ref();
    if missing.is_some_and(|status| target_name(status) == name) {
        return true;
    }
    let edited = match &observed.target {
        Target::Present(before) => {
            // With the same record, only labels or annotations differed, and not because the inputs changed.
            !before.is_confirmed() || before.record().as_ref() == record
        }
        Target::Absent | Target::Unknown => true,
    };
    reported_target(observed) == name && edited
}

/// The name of the target that the status tells of, if it is of the current spec.
fn reported_target(observed: &Observed) -> Option<&str> {
    let status = &observed.credential.status;
    let current = status.observed_generation == Some(observed.credential.generation);
    target_name(status).filter(|_| current)
}

fn target_name(status: &CubeCredentialStatus) -> Option<&str> {
    status.target.as_ref().map(|target| target.name.as_str())
}
