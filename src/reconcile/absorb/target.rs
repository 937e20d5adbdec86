//! Absorbs reads, writes and deletions of the target.

use jiff::Timestamp;
use secrecy::ExposeSecret;

use crate::{
    api::{ConditionType, CubeCredentialStatus, Reason},
    reconcile::{
        case::{Case, Inheritance},
        login::{State, StateReading},
        memory::{Change, Written},
        observed::Observed,
        record::{Record, RecordSecret},
        target::{
            Content, DesiredMetadata, Found, Target, TargetOwner, TargetReading, TargetSecret,
        },
        token::{Token, TokenMetadata, fingerprint},
        write_error::WriteError,
    },
};

/// The status saves a read of the target: the version that it names holds the token that it names, and there is no target if it
/// names none. That may be wrong of a foreign Secret, which is noticed when the target is created, because nothing is
/// written over it. Only a refresh token is worth a look before it is used.
pub(super) fn recall(observed: &mut Observed) {
    if let Some(known) = &observed.memory.target.record {
        observed.record = Record::known((**known).clone());
    }
    let fingerprint = reported_content(observed);
    if matches!(observed.target, Target::Unknown) && was_never_published(observed) {
        observed.target = Target::Absent;
    } else if let (Target::Present(secret), Some(fingerprint)) = (&mut observed.target, fingerprint)
    {
        secret.content = Content::Confirmed(fingerprint);
    }
}

/// The fingerprint of the token in this version of the target, according to the status.
fn reported_content(observed: &Observed) -> Option<String> {
    let secret = observed.target.present()?;
    let status = &observed.credential.status;
    let reported = status.target.as_ref()?;
    // A token at hand may be older than the one that another process has published since.
    let known = observed.memory.target.token().is_none()
        && secret.content == Content::Unread
        && secret.owner(&observed.credential) == TargetOwner::This
        && reported.name == secret.name
        && reported.resource_version == secret.version;
    status.token_fingerprint.clone().filter(|_| known)
}

fn was_never_published(observed: &Observed) -> bool {
    let status = &observed.credential.status;
    status.target.is_none()
        && !status.has_reason(ConditionType::Ready, Reason::TargetConflict)
        && !has_refresh_token(observed)
}

fn has_refresh_token(observed: &Observed) -> bool {
    let settings = observed.settings.as_ref();
    settings.is_ok_and(|settings| settings.grant.refresh_token().is_some())
}

pub(super) fn read(observed: &mut Observed, reading: Option<TargetReading>) {
    observed.target = match reading {
        Some(reading) => Target::Present(take_token(observed, reading)),
        None => Target::Absent,
    };
}

/// Remembers that a predecessor's token proves this object's right to its Secret, before another token is at hand.
pub(super) fn notice_inheritance(observed: &mut Observed, now: Timestamp) {
    let inheritance = Case::of(observed, now).and_then(|case| case.inheritance());
    if let Some(Inheritance::Proven(uid)) = inheritance {
        observed.memory.target.inherit(uid);
    }
}

pub(super) fn previous_read(observed: &mut Observed, name: &str, reading: Option<TargetReading>) {
    let found = reading
        .map(|reading| take_token(observed, reading))
        .filter(|secret| secret.written_for() == Some(&observed.credential.uid));
    observed.previous.retain(|secret| secret.name != name);
    observed.previous.extend(found);
}

/// Takes the token in hand, if the Secret is ours, is whole, and no other and newer token waits to be published.
fn take_token(observed: &mut Observed, reading: TargetReading) -> TargetSecret {
    let TargetReading { mut secret, data } = reading;
    if secret.owner(&observed.credential) != TargetOwner::Foreign {
        let found = secret.inspect(&data);
        if let Some(Found::Rendered { key, .. }) = &found {
            observed.target_key = Some(key.clone());
        }
        if observed.memory.target.found(found) {
            observed.memory.reporting.note(Change::Issued);
        }
    }
    secret
}

/// Takes a token in hand that is kept beside the target, if consumers do not have it yet, or if templates hide it on the target.
pub(super) fn take_token_from_beside(observed: &mut Observed, found: Token) {
    let memory = &mut observed.memory.target;
    if let Some(at_hand) = memory.token()
        && at_hand.value.expose_secret() == found.value.expose_secret()
    {
        memory.describe(found.details);
        return;
    }
    let target = observed.target.present();
    let hidden = target.is_some_and(|target| {
        target.is_rendered() && target.content == Content::Confirmed(fingerprint(&found.value))
    });
    if hidden && memory.token().is_none() {
        return memory.read(found);
    }
    let on_target = target.and_then(TargetSecret::confirmed_metadata);
    let newer = |other: &TokenMetadata| found.metadata.is_newer_than(other);
    if on_target.as_ref().is_none_or(newer)
        && memory.token().is_none_or(|other| newer(&other.metadata))
    {
        memory.receive(found);
    }
}

pub(super) fn record_read(observed: &mut Observed, reading: Option<StateReading>) {
    keep_record(observed, Record::of(reading, &observed.credential));
    let Some(found) = observed.record.token().cloned() else {
        return;
    };
    // The token of a predecessor is not this object's, but for one on a target that may be taken over.
    let ours = found.metadata.owner_uid == observed.credential.uid;
    let on_target = observed.target.present().map(|target| &target.content);
    if ours || on_target == Some(&Content::Confirmed(fingerprint(&found.value))) {
        take_token_from_beside(observed, found);
    }
}

pub(super) fn recorded(observed: &mut Observed, record: RecordSecret) {
    keep_record(observed, Record::Present(record));
}

/// The record is not what it was when it was last read or written.
pub(super) fn record_changed(observed: &mut Observed) {
    keep_record(observed, Record::Unread);
}

pub(super) fn record_deleted(observed: &mut Observed, refused: bool) {
    let record = match &observed.record {
        Record::Present(record) if refused => Record::Present(RecordSecret {
            undeletable: true,
            ..record.clone()
        }),
        _ => Record::Absent,
    };
    keep_record(observed, record);
}

fn keep_record(observed: &mut Observed, record: Record) {
    observed.memory.target.record = record.present().map(|secret| Box::new(secret.known()));
    observed.record = record;
}

pub(super) fn published(observed: &mut Observed, secret: TargetSecret) {
    let token = secret.metadata();
    if is_repair(observed, &secret, token.as_ref()) {
        observed.memory.reporting.note(Change::Repaired);
    }
    if let Some(token) = &token {
        observed.memory.exchange.published(token);
        observed.memory.probe.published(token);
    }
    let written = written(observed, &secret, token.as_ref());
    if observed.memory.target.published(written) {
        observed.memory.reporting.note(Change::Issued);
    }
    if observed.target.is_absent() && token.is_some_and(|token| token.rotation.is_some()) {
        // Unlike a write over another version, nothing tells that another process has published a newer token and that was deleted
        // since: who creates the target looks at the state once more.
        observed.memory.login.read_for(None);
        observed.state = State::Unread;
        observed.watched_state = None;
    }
    observed.target = Target::Present(secret);
    observed.target_key = None;
}

fn written(
    observed: &Observed,
    secret: &TargetSecret,
    token: Option<&TokenMetadata>,
) -> Option<Written> {
    let settings = observed.settings.as_ref().ok()?;
    Some(Written {
        version: secret.version.as_str().into(),
        metadata: DesiredMetadata::new(&observed.credential, settings, token?)
            .over(observed.target.present())
            .digest(),
    })
}

pub(super) fn not_writable(observed: &mut Observed, why: WriteError, now: Timestamp) {
    let credential = &observed.credential;
    let of = (credential.generation, credential.uid.as_str());
    observed.memory.target.refused(why, of, now);
}

pub(super) fn deleted(observed: &mut Observed, name: &str) {
    if observed.previous.iter().any(|secret| secret.name == name) {
        observed.previous.retain(|secret| secret.name != name);
        let memory = &mut observed.memory;
        // The name may come back, and other pods with it.
        memory.target.forget_pods();
        let secret = name.to_owned();
        memory.reporting.note(Change::Moved { secret });
        return;
    }
    observed.memory.target.deleted();
    observed.target = Target::Absent;
}

/// Keeps the last status that named a target which is now missing, because its repair may have to wait.
pub(super) fn notice_a_missing_target(observed: &mut Observed) {
    if reported_target(observed).is_some() && observed.target.is_absent() {
        let status = &observed.credential.status;
        observed.memory.target.miss(status);
    }
}

/// Returns whether a target that was reported before had been deleted or edited. A write because of a new spec is not a repair.
fn is_repair(observed: &Observed, written: &TargetSecret, token: Option<&TokenMetadata>) -> bool {
    let name = Some(written.name.as_str());
    let missing = observed.memory.target.missing();
    if missing.is_some_and(|status| target_name(status) == name) {
        return true;
    }
    let edited = match &observed.target {
        // With the same token, only labels or annotations differed, and not because the inputs changed.
        Target::Present(before) => !before.is_confirmed() || before.metadata().as_ref() == token,
        Target::Absent | Target::Unknown => true,
    };
    edited && reported_target(observed) == name
}

/// The name of the target in the status, if the status is of the current spec.
fn reported_target(observed: &Observed) -> Option<&str> {
    let status = &observed.credential.status;
    let current = status.observed_generation == Some(observed.credential.generation);
    target_name(status).filter(|_| current)
}

fn target_name(status: &CubeCredentialStatus) -> Option<&str> {
    status.target.as_ref().map(|target| target.name.as_str())
}
