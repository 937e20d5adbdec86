//! The messages about the Secrets that the operator writes: the target, and the state with the refresh token.

use jiff::Timestamp;

use super::retrying;
use crate::{
    api::{Reason, annotation},
    reconcile::{
        login::StateConflict,
        settings::Settings,
        status::denial::explained,
        target::{EarlierUse, Kept, TargetConflict},
        write_error::WriteError,
    },
};

/// The grant has no refresh token any more.
pub(in crate::reconcile::status) fn refresh_token_left(settings: &Settings) -> String {
    format!(
        "Secret {:?} holds a refresh token that is no longer used: sign out at the provider, then delete it",
        settings.state_name
    )
}

/// This message must keep people from a restart, which they usually attempt first.
pub(in crate::reconcile::status) fn storing(why: &WriteError) -> String {
    let (cause, remedy) = explained(why);
    format!("do not restart the operator, or the new refresh token is lost; {cause}: {remedy}")
}

pub(in crate::reconcile::status) fn target_conflict(conflict: &TargetConflict) -> String {
    let remedy = match conflict {
        TargetConflict::OlderRival { .. } => "set another spec.target.name in this one".into(),
        TargetConflict::Foreign { .. } => {
            "set spec.target.name to another name, or delete that Secret if nobody uses it".into()
        }
        TargetConflict::Record { .. } => "delete it, or remove spec.target.data".into(),
        TargetConflict::Copy { .. } => {
            "set spec.target.name to another name, or delete the copy".into()
        }
        TargetConflict::Retained { uid, .. } => {
            let mark = annotation::ADOPTABLE_BY;
            format!("change spec.target.name, or annotate it with {mark}={uid}")
        }
    };
    format!("no token is published: {conflict}: {remedy}")
}

/// A Secret under an earlier name of the target.
pub(in crate::reconcile::status) fn kept_target(
    secret: &str,
    kept: &Kept,
    target: &str,
) -> Option<String> {
    Some(match kept {
        Kept::Unknown => return None,
        Kept::InUse(used) => format!(
            "{}: mount Secret {target:?} instead",
            earlier_target(secret, Some(used))
        ),
        Kept::Until(expires_at) => format!(
            "Secret {secret:?} is kept until {expires_at}, but not refreshed: mount Secret {target:?} instead"
        ),
    })
}

/// A Secret that is kept from before `spec.target.name` changed.
pub(in crate::reconcile::status) fn earlier_target(
    secret: &str,
    used: Option<&EarlierUse>,
) -> String {
    let Some(EarlierUse { pod, more }) = used else {
        return format!("Secret {secret:?} is kept under its earlier name, but not refreshed");
    };
    let others = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("Secret {secret:?} is kept for pod {pod:?}{others}, but not refreshed")
}

pub(in crate::reconcile::status) fn state_conflict(conflict: &StateConflict) -> String {
    match conflict {
        StateConflict::Foreign { .. } => format!(
            "{conflict}: recreate this CubeCredential under another name, or delete that Secret if nobody uses it"
        ),
        StateConflict::Elsewhere { uid, .. } => format!(
            "{conflict}: if nothing else uses it, annotate it with {}={uid}",
            annotation::ADOPTABLE_BY
        ),
        StateConflict::Damaged { .. } => {
            format!("{conflict}: restore it from a backup, or sign in again and then delete it")
        }
    }
}

/// The API server did not accept a Secret. Its own words may name the quota or the policy.
pub(in crate::reconcile::status) fn not_writable(
    why: &WriteError,
    reason: Reason,
    next_attempt: Timestamp,
) -> String {
    let (cause, remedy) = explained(why);
    let remedy = match why {
        WriteError::Immutable { .. } if reason == Reason::StateNotWritable => {
            "save it (it holds the login), delete it, and create it again without field immutable"
        }
        _ => remedy,
    };
    format!("{cause}: {remedy}{}", retrying(next_attempt))
}

/// The target must be gone before it can be created with another type.
pub(in crate::reconcile::status) fn held_by_finalizers(
    target: &str,
    finalizers: &[String],
) -> String {
    let finalizer = finalizers.first().map_or("", String::as_str);
    format!(
        "Secret {target:?} is being deleted because spec.target.type changed, and waits for finalizer {finalizer:?}: its owner must \
         remove it, or change the type back"
    )
}
