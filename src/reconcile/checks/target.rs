//! The checks of the target: its owner, its content, and whether it must be written.

use super::step::{Step, act, read, settle};
use crate::{
    api::Reason,
    reconcile::{
        case::{Case, Inheritance, Inputs, Unrendered},
        plan::{Action, Next, Read},
        record::{self, Record},
        source::{Rejection, Source},
        status::Conditions,
        target::{Content, DesiredMetadata, Target, TargetConflict, TargetSecret, desired},
        token::{Token, TokenMetadata},
        write_error::WriteError,
    },
};

pub(super) fn a_deleted_credential_is_left_alone(case: &Case<'_>) -> Option<Step> {
    case.observed
        .credential
        .deleting
        .then_some(Step::Do(Next::Done { wake_at: None }))
}

pub(super) fn an_older_credential_owns_the_target(case: &Case<'_>) -> Option<Step> {
    let conflict = case.older_rival()?;
    Some(settle(Conditions::target_conflict(case, &conflict)))
}

pub(super) fn the_target_is_read(case: &Case<'_>) -> Option<Step> {
    let unread = match &case.observed.target {
        Target::Unknown => true,
        Target::Absent => false,
        Target::Present(_) => case.target()?.content == Content::Unread,
    };
    unread.then(|| read(Read::target(case.settings, &case.observed.target)))
}

pub(super) fn a_foreign_secret_is_left_alone(case: &Case<'_>) -> Option<Step> {
    let conflict = case.foreign_target()?;
    Some(settle(Conditions::target_conflict(case, &conflict)))
}

pub(super) fn a_predecessors_secret_is_not_taken_over(case: &Case<'_>) -> Option<Step> {
    match case.inheritance()? {
        Inheritance::Unconfirmed(what) => Some(read(what)),
        Inheritance::Refused(conflict) => {
            Some(settle(Conditions::target_conflict(case, &conflict)))
        }
        Inheritance::Proven(_) => None,
    }
}

/// A previous target that was confirmed earlier is read again, because its token is not kept between reconciles.
pub(super) fn a_moved_target_is_read(case: &Case<'_>) -> Option<Step> {
    let previous = case.newest_earlier_target()?;
    let wanted = case.observed.target.is_absent() && case.observed.memory.target.token().is_none();
    if !wanted {
        return None;
    }
    // The product of the templates is not the token.
    if previous.is_rendered() {
        return case.read_beside_target().map(read);
    }
    Some(read(Read::previous(previous)))
}

/// Writes a token that the target does not hold yet, and repairs a target with other metadata than it should have.
pub(super) fn the_token_is_published(case: &Case<'_>) -> Option<Step> {
    if case.held_back().is_some() {
        return None;
    }
    let memory = &case.observed.memory.target;
    let metadata = TokenMetadata {
        unproven: case.token_to_probe().is_some(),
        ..publishable(case)?
    };
    let current = case.target();
    let wanted = DesiredMetadata::new(&case.observed.credential, case.settings, &metadata);
    let wanted = wanted.over(current);
    if current.is_some_and(|secret| secret.is_confirmed() && secret.has(&wanted)) {
        return None;
    }
    if let Some(step) = an_unwritable_target_waits(case) {
        return Some(step);
    }
    // This is our own write, which a webhook or policy has altered: repeating it would not end.
    if current.is_some_and(|secret| memory.wrote(secret, &wanted)) {
        return None;
    }
    let Some(at_hand) = memory.token() else {
        // A token that nothing holds any more is replaced when it is due.
        return case.read_of_token().map(read);
    };
    let token = Token {
        metadata: metadata.clone(),
        ..at_hand.clone()
    };
    // The templates may hide it, so it is kept first.
    if let Some(step) = the_token_is_recorded(case, &token) {
        return Some(step);
    }
    let content = match case.content_of(&token) {
        Ok(content) => content,
        Err(Unrendered::Unconfirmed(what)) => return Some(read(what)),
        Err(Unrendered::Forgotten) => return None,
        Err(Unrendered::Rejected(rejection)) => {
            return a_token_that_cannot_be_rendered_rests(case, &token, &rejection);
        }
    };
    // The type of a Secret is immutable.
    let retyped = current.filter(|secret| is_retyped(case, secret));
    if let Some(secret) = retyped {
        if let Some(step) = a_target_that_is_being_deleted_is_waited_for(case) {
            return Some(step);
        }
        return Some(act(Action::Delete(secret.secret_version())));
    }
    let target = desired(case.settings, &token, content, &wanted, current);
    Some(act(Action::Publish(target)))
}

fn the_token_is_recorded(case: &Case<'_>, token: &Token) -> Option<Step> {
    if !case.wants_record() || case.is_recorded(token) {
        return None;
    }
    let observed = case.observed;
    Some(match &observed.record {
        Record::Unread => read(Read::record(case.settings)),
        Record::Foreign => return an_unusable_record_is_left_alone(case),
        Record::Absent | Record::Present(_) => {
            let desired =
                record::desired(&observed.credential, case.settings, token, &observed.record);
            act(Action::Record(Box::new(desired)))
        }
    })
}

/// The next response may be another one, so it is asked for when the token is due.
fn a_token_that_cannot_be_rendered_rests(
    case: &Case<'_>,
    token: &Token,
    rejection: &Rejection,
) -> Option<Step> {
    let refresh_at = case.refresh_at(&token.metadata);
    let due =
        case.requested(&token.metadata) || case.now >= refresh_at || case.is_of_other_inputs(token);
    (!due).then(|| settle(Conditions::rejected_inputs(case, rejection).wake_by(refresh_at)))
}

pub(super) fn an_unusable_record_is_left_alone(case: &Case<'_>) -> Option<Step> {
    let foreign = matches!(case.observed.record, Record::Foreign);
    let conflict = TargetConflict::Record {
        name: case.settings.record_name.clone(),
    };
    (foreign && case.wants_record()).then(|| settle(Conditions::target_conflict(case, &conflict)))
}

/// The record of a token that is on no target may be newer than what the watch shows of the target.
pub(super) fn the_record_is_read(case: &Case<'_>) -> Option<Step> {
    let observed = case.observed;
    let wanted = case.wants_record()
        && observed.watched_record.is_some()
        && observed.memory.target.token().is_none()
        && case.live_token().is_none();
    (wanted && observed.record.is_unread()).then(|| read(Read::record(case.settings)))
}

/// A record that nothing needs any more is deleted, whichever process left it.
pub(super) fn an_unneeded_record_is_deleted(case: &Case<'_>) -> Option<Step> {
    let observed = case.observed;
    if observed.watched_record.is_none() || !case.is_record_over() {
        return None;
    }
    match &observed.record {
        Record::Unread => Some(read(Read::record(case.settings))),
        Record::Absent | Record::Foreign => None,
        Record::Present(record) if record.undeletable => None,
        Record::Present(record) => Some(act(Action::DeleteRecord(record.version.clone()))),
    }
}

fn is_retyped(case: &Case<'_>, secret: &TargetSecret) -> bool {
    secret.secret_type() != Some(&case.settings.target.r#type)
}

/// A target with another type has to be gone before it can be created again. Until then a new token could not be published.
pub(super) fn a_target_that_is_being_deleted_is_waited_for(case: &Case<'_>) -> Option<Step> {
    let target = case.target()?;
    let finalizers = target.held_by.as_ref()?;
    if !is_retyped(case, target) {
        // Consumers still use it, and it can be written like any other one.
        return None;
    }
    Some(settle(Conditions::held_by_finalizers(
        case, target, finalizers,
    )))
}

/// The metadata to publish the token at hand with; `None`: it should not be published.
fn publishable(case: &Case<'_>) -> Option<TokenMetadata> {
    let found = case.live_token()?;
    match case.inputs(found) {
        Inputs::Current => Some(confirmed(case, found.clone())),
        // Without a usable source Secret there is nothing to confirm it with; the published token stays what it is.
        Inputs::Unavailable if found.owner_uid == case.observed.credential.uid => {
            Some(found.clone())
        }
        Inputs::Unavailable | Inputs::Changed | Inputs::Unconfirmed(_) => {
            let unpublished = case.observed.memory.target.unpublished();
            unpublished.map(|_| found.clone())
        }
    }
}

/// The metadata as confirmed for the current generation and source version, unless the preflight checks reject these: rejected
/// inputs are checked again, and not recorded as confirmed.
fn confirmed(case: &Case<'_>, token: TokenMetadata) -> TokenMetadata {
    let observed = case.observed;
    let rejected = matches!(observed.source, Source::Read(_))
        && super::exchange::early_rejection(case).is_some();
    let token = TokenMetadata {
        owner_uid: observed.credential.uid.clone(),
        ..token
    };
    match observed.source.version() {
        Some(version) if !rejected => TokenMetadata {
            generation: observed.credential.generation,
            source_version: version.to_owned(),
            seed_version: observed.login_version(),
            provider_version: observed.provider_version(),
            ..token
        },
        _ => token,
    }
}

fn an_unwritable_target_waits(case: &Case<'_>) -> Option<Step> {
    let unwritable = case.observed.memory.target.unwritable()?;
    let is_target = |name: &String| *name == case.settings.target_name;
    let deleted = matches!(&unwritable.why, WriteError::Immutable { name, .. } if is_target(name))
        && case.target().is_none();
    if deleted || !unwritable.waits(case.observed.credential.generation, case.now) {
        return None;
    }
    let reason = Reason::TargetNotWritable;
    Some(settle(Conditions::not_writable(case, reason, unwritable)))
}

/// Pods that still use it would not start again without it, so it stays until none does. Where pods are not known, it stays as long
/// as its token can be of use.
pub(super) fn a_moved_target_is_deleted_when_no_pod_uses_it(case: &Case<'_>) -> Option<Step> {
    case.target()?;
    case.good_token()?;
    let names: Vec<_> = case
        .earlier_targets()
        .map(|secret| secret.name.clone())
        .collect();
    if names.is_empty() {
        return None;
    }
    let pods = case.observed.memory.target.pods();
    let known = pods.is_some_and(|pods| {
        pods.are_current(case.now) && names.iter().all(|secret| pods.covers(secret))
    });
    if case.observed.access.lists_pods && !known {
        return Some(read(Read::Consumers { secrets: names }));
    }
    let unused = case
        .earlier_targets()
        .find(|secret| case.kept_for(secret).is_none())?;
    Some(act(Action::Delete(unused.secret_version())))
}
