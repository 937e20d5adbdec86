//! From the outcome of a step to the next observation.

use jiff::{SignedDuration, Timestamp};

use super::{
    attempt::{Failure, Memory, Unwritable, later},
    case::{Case, Inputs},
    inputs, local, message,
    news::Happened,
    observed::{CaBundle, Content, Observed, Source, Target, TargetSecret},
    plan::{Outcome, TargetReading},
    schedule,
    settings::Settings,
    target::{DesiredMetadata, Holding, Owner, Record},
};
use crate::{
    api::{Class, ConditionStatus, ConditionType, Reason},
    oauth::answer::{Issued, Refusal},
};

/// A difference between two clocks that is worth telling.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(60);

/// Takes in what came of a step. Pure: nothing is read or written here.
pub fn absorb(seen: &mut Observed, outcome: Outcome, now: Timestamp) {
    match outcome {
        Outcome::Target(reading) => {
            seen.target = match reading {
                Some(reading) => Target::Present(read_token(seen, reading)),
                None => Target::Absent,
            }
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
        Outcome::CaBundle(bundle) => {
            recognise_the_same_bundle(&mut seen.memory, &bundle);
            seen.ca_bundle = bundle;
        }
        Outcome::Exchanged {
            sent_at,
            result,
            date,
        } => exchanged(seen, sent_at, result, date, now),
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
            let refreshed = status.condition(ConditionType::Refreshed);
            if refreshed.is_some_and(|refreshed| refreshed.status == ConditionStatus::True) {
                seen.memory.failure = None;
                seen.memory.failures = 0;
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
    if let Some(failure) = &mut seen.memory.failure
        && seen.memory.tried == Some(inputs::digest(settings, &client))
    {
        let attempted = &mut failure.attempted;
        if let Some((_, version)) = &mut seen.memory.refuted
            && *version == attempted.source_resource_version
        {
            version.clone_from(&secret.version);
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

fn exchanged(
    seen: &mut Observed,
    sent_at: Timestamp,
    result: Result<Issued, Refusal>,
    date: Option<Timestamp>,
    now: Timestamp,
) {
    let Ok(settings) = seen.settings.clone() else {
        return;
    };
    seen.memory.ca_touched = false;
    match result.and_then(|issued| unexpired(issued, sent_at, now)) {
        Ok(issued) => {
            let skew = date
                .map(|date| date.duration_since(now))
                .filter(|skew| skew.abs() > CLOCK_SKEW);
            seen.memory.happened.clock_skew = skew
                .filter(|_| !seen.memory.told.clock_skew)
                .map(|skew| skew.as_secs());
            seen.memory.told.clock_skew = skew.is_some();
            seen.memory.last_attempt_at = Some(sent_at);
            seen.memory.answered_at = Some(now);
            succeeded(seen, &settings, sent_at, issued);
        }
        Err(refusal) => {
            let was_sent = refusal.reason.class() != Class::Terminal;
            if was_sent {
                seen.memory.last_attempt_at = Some(sent_at);
            }
            failed(seen, &settings, &refusal, was_sent, now);
        }
    }
}

/// A token that is of no use to anybody is a failure: to ask for the next one at once would not end.
fn unexpired(issued: Issued, sent_at: Timestamp, now: Timestamp) -> Result<Issued, Refusal> {
    match issued.lifetime {
        Some(lifetime) if later(sent_at, lifetime) <= now => Err(Refusal::new(
            Reason::UnexpectedResponse,
            "the token endpoint issued a token that had expired when its answer was there",
        )),
        _ => Ok(issued),
    }
}

fn succeeded(seen: &mut Observed, settings: &Settings, sent_at: Timestamp, issued: Issued) {
    let Ok(client) = local::client(settings, &seen.source) else {
        return;
    };
    let served = Case {
        seen,
        settings,
        now: sent_at,
    }
    .record()
    .and_then(|record| record.refresh_request);
    let requested = seen.credential.refresh_request.clone();
    let record = Record {
        owner_uid: seen.credential.uid.clone(),
        issued_at: sent_at,
        expires_at: later(
            sent_at,
            issued.lifetime.unwrap_or(settings.assumed_lifetime),
        ),
        inputs_hash: inputs::hash(&issued.access_token, settings, &client),
        generation: seen.credential.generation,
        source_version: seen.source.version().unwrap_or_default().to_owned(),
        refresh_request: requested.clone().or(served.clone()),
        scopes: issued.scopes,
    };
    let before = &seen.credential.status;
    let scopes_told = before.scopes == record.scopes
        && before.observed_generation == Some(seen.credential.generation);
    let memory = &mut seen.memory;
    memory.happened.expiry_unknown = issued.lifetime.is_none() && !memory.told.expiry_unknown;
    memory.told.expiry_unknown = issued.lifetime.is_none();
    memory.happened.scope_narrowed = issued.narrowed && !scopes_told;
    memory.happened.served_request =
        requested.is_some() && requested != served && requested != before.refresh_request;
    memory.holding = Some(Holding {
        token: issued.access_token,
        record,
    });
    memory.unpublished = true;
    memory.failure = None;
    memory.failures = 0;
    memory.tried = None;
    memory.refuted = None;
}

fn failed(
    seen: &mut Observed,
    settings: &Settings,
    refusal: &Refusal,
    was_sent: bool,
    now: Timestamp,
) {
    let case = Case {
        seen,
        settings,
        now,
    };
    let attempted = local::attempted(&case);
    let changed = case
        .live_record()
        .is_some_and(|record| case.inputs(&record) == Inputs::Changed);
    let same = |failure: &Failure| {
        failure.attempted.generation == attempted.generation
            && failure.attempted.source_resource_version == attempted.source_resource_version
            && failure.attempted.ca_bundle_hash == attempted.ca_bundle_hash
    };
    // Changed inputs start the count again; another reason does not.
    let earlier = if seen.memory.failure.as_ref().is_some_and(same) {
        seen.memory.failures
    } else {
        0
    };
    let failures = if was_sent {
        earlier.saturating_add(1)
    } else {
        earlier
    };
    let delay = schedule::retry_delay(
        refusal.reason,
        refusal.pause,
        failures,
        &seen.credential.uid,
    );
    let next_try = delay.map(|delay| later(now, delay));
    let tried = local::client(settings, &seen.source)
        .ok()
        .map(|client| inputs::digest(settings, &client));

    let memory = &mut seen.memory;
    memory.refuted = changed.then(|| {
        (
            attempted.generation,
            attempted.source_resource_version.clone(),
        )
    });
    memory.failure = Some(Failure {
        reason: refusal.reason,
        message: message::failure(refusal, settings, next_try),
        next_try,
        attempted,
        asked_for_pause: refusal.pause.is_some(),
    });
    memory.failures = failures;
    memory.tried = tried;
    memory.holding = None;
    memory.unpublished = false;
}

fn not_writable(seen: &mut Observed, why: &str, now: Timestamp) {
    let earlier = seen
        .memory
        .unwritable
        .as_ref()
        .map_or(0, |earlier| earlier.tries);
    let (tries, uid) = (earlier.saturating_add(1), &seen.credential.uid);
    let delay = schedule::retry_delay(Reason::TargetNotWritable, None, tries, uid);
    let next_try = delay.map_or(now, |delay| later(now, delay));
    seen.memory.unwritable = Some(Unwritable {
        message: message::not_writable(why, next_try),
        next_try,
        tries,
        generation: seen.credential.generation,
    });
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
}

/// Whether a target that was reported before had been deleted or edited. A write that follows from a new spec is no repair.
fn is_repair(seen: &Observed, written: &TargetSecret, record: Option<&Record>) -> bool {
    let status = &seen.credential.status;
    let reported = status.observed_generation == Some(seen.credential.generation)
        && status
            .target
            .as_ref()
            .is_some_and(|target| target.name == written.name);
    let edited = match &seen.target {
        Target::Present(before) => {
            let confirmed = matches!(before.content, Content::Confirmed(_));
            // With the same record, only labels or annotations differed, and not because the inputs changed.
            !confirmed || before.record().as_ref() == record
        }
        Target::Absent | Target::Unknown => true,
    };
    reported && edited
}
