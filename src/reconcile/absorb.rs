//! Absorbs the outcome of a step into the observation.

mod consumers;
mod exchange;
mod login;
mod probe;
mod target;

use jiff::Timestamp;

use super::{
    observed::Observed,
    plan::Outcome,
    source::{CaBundle, SecretKey, Source, client, preflight},
    target::{PodsSeen, Target},
    token::TokenInputs,
};
use crate::api::{ConditionStatus, ConditionType, CubeCredentialStatus};

/// Takes in what the status says, before the first decision of a reconcile.
pub(super) fn recall(observed: &mut Observed) {
    target::recall(observed);
    notice_an_unlisted_grant(observed);
}

/// A status that was written for this spec says that the warning was given.
fn notice_an_unlisted_grant(observed: &mut Observed) {
    let unlisted = observed
        .settings
        .as_ref()
        .is_ok_and(|settings| settings.grant_unlisted_by.is_some());
    let reported = observed.credential.status.observed_generation;
    if unlisted && reported != Some(observed.credential.generation) {
        observed.memory.reporting.grant_not_listed();
    }
}

/// Takes in the outcome of a step. Nothing is read or written here.
pub fn absorb(observed: &mut Observed, outcome: Outcome, now: Timestamp) {
    match outcome {
        Outcome::Target(reading) => {
            target::read(observed, reading);
            target::notice_inheritance(observed, now);
            // The state may have been read before the target turned out to lack its token.
            login::take_token(observed, now);
        }
        Outcome::Previous { name, reading } => target::previous_read(observed, &name, reading),
        Outcome::Consumers { secrets, pods } => {
            let seen = PodsSeen::new(&secrets, &pods, now);
            observed.memory.target.see_pods(seen);
        }
        Outcome::Source(source) => {
            source_read(observed, source, now);
            target::notice_inheritance(observed, now);
        }
        Outcome::Seed(source) => {
            observed.seed = source;
            subject_read(observed);
            // It may prove that the token of a state that was read before belongs to this object.
            login::take_token(observed, now);
        }
        Outcome::State(reading) => login::read(observed, reading, now),
        Outcome::OtherStates(token_use) => login::others_read(observed, token_use),
        Outcome::CaBundle(bundle) => ca_bundle_read(observed, bundle),
        Outcome::Permit(request, permit) => exchange::permit(observed, request, permit),
        Outcome::Slot(slot) => exchange::slot(observed, slot),
        Outcome::AccountToken(role, result) => {
            exchange::account_token(observed, role, result, now);
        }
        Outcome::Exchanged(exchanged) => exchange::exchanged(observed, *exchanged, now),
        Outcome::Probed(probed) => probe::probed(observed, probed, now),
        Outcome::Stored { secret, claims } => login::stored(observed, secret, claims, now),
        Outcome::NotStored(why) => login::not_stored(observed, why, now),
        Outcome::Waited { object_is_gone } => login::waited(observed, object_is_gone),
        Outcome::Interrupted(error) => login::interrupted(observed, error),
        Outcome::Published(secret) => {
            target::published(observed, secret);
            consumers::judge_restarts(observed, now);
        }
        Outcome::PodsRefreshed { fingerprint, error } => {
            observed.memory.target.pods_refreshed(&fingerprint);
            observed.memory.reporting.pods_refreshed(error);
        }
        Outcome::Workloads { mark, readings } => {
            consumers::workloads_read(observed, &mark, readings, now);
        }
        Outcome::Restarted { mark, of, error } => {
            consumers::restarted(observed, &mark, &of, error, now);
        }
        Outcome::Announced => {
            if let Some(memory) = &mut observed.memory.restart {
                memory.announced();
            }
        }
        Outcome::TargetExists => observed.target = Target::Unknown,
        Outcome::Record(reading) => target::record_read(observed, reading),
        Outcome::Recorded(record) => target::recorded(observed, record),
        Outcome::RecordDeleted { refused } => target::record_deleted(observed, refused),
        Outcome::RecordChanged => target::record_changed(observed),
        Outcome::NotWritable(why) => target::not_writable(observed, why, now),
        Outcome::Deleted(name) => target::deleted(observed, &name),
        Outcome::Reported { status, .. } => reported(observed, status),
    }
}

/// The source Secret was read. If it has another version but the values of the failed attempt, only a label was edited.
fn source_read(observed: &mut Observed, source: Source, now: Timestamp) {
    observed.source = source;
    let (Ok(settings), Source::Read(secret)) = (&observed.settings, &observed.source) else {
        return;
    };
    // Without its provider object, the inputs are not those of any attempt.
    if preflight::provider(settings).is_err() {
        return;
    }
    // The order of two client secrets does not matter here.
    if let Ok(client) = client::usable(settings, &observed.source, SecretKey::First, now) {
        let inputs = TokenInputs::new(settings, &client).digest();
        let exchange = &mut observed.memory.exchange;
        exchange.source_read(&secret.version, inputs);
    }
}

/// The Secret of the subject token was read. If it has another version but the token of the failed attempt, only a label was edited.
fn subject_read(observed: &mut Observed) {
    if let (Some(subject), Some(version)) = (observed.subject_hash(), observed.seed.version()) {
        let exchange = &mut observed.memory.exchange;
        exchange.subject_read(version, &subject);
    }
}

fn ca_bundle_read(observed: &mut Observed, bundle: CaBundle) {
    let hash = preflight::ca_bundle_hash(&bundle);
    observed.memory.exchange.ca_bundle_read(hash.as_ref());
    observed.ca_bundle = bundle;
}

fn reported(observed: &mut Observed, status: CubeCredentialStatus) {
    let refreshed =
        status
            .condition(ConditionType::Refreshed)
            .and_then(|refreshed| match refreshed.status {
                ConditionStatus::True => Some(true),
                ConditionStatus::False => Some(false),
                ConditionStatus::Unknown => None,
            });
    target::notice_a_missing_target(observed);
    let memory = &mut observed.memory;
    memory.login.storing(|unstored| Some(unstored.reported()));
    if refreshed == Some(true) {
        memory.exchange.forget_failure();
    }
    memory.reporting.reported(refreshed);
    if status.token_fingerprint != observed.credential.status.token_fingerprint {
        consumers::token_replaced(observed);
    }
    observed.credential.status = status;
}
