//! The sentences of conditions: the cause, the remedy, and the next attempt.

use jiff::{SignedDuration, Timestamp};

use super::remedy::{of_response, remedy};
use crate::{
    api::{Reason, annotation},
    reconcile::{
        login::{RejectedToken, StateConflict},
        memory::{Failure, FailureCause},
        pace::Wait,
        settings::{Settings, SettingsError},
        source::ca_bundle_name,
        target::{EarlierUse, Kept, TargetConflict},
        write_error::WriteError,
    },
};

const NEXT_TRY: &str = "; next try at ";

pub(super) fn synced(target: &str, expires_at: Timestamp) -> String {
    format!("Secret {target:?} holds a token that expires at {expires_at}")
}

/// The target holds a token, and the next one cannot be obtained.
pub(super) fn synced_until(target: &str, expires_at: Timestamp) -> String {
    let synced = synced(target, expires_at);
    format!("{synced}; it cannot be replaced so far, and condition Refreshed says why")
}

/// The credential is not ready, but consumers can still use the token of the earlier inputs for a while.
pub(super) fn until(trouble: &str, target: &str, expires_at: Timestamp) -> String {
    format!(
        "{trouble}; until {expires_at} Secret {target:?} still holds the token that was issued before the last change"
    )
}

pub(super) fn unusable_spec(error: &SettingsError) -> String {
    format!("{error}; it is looked at again as soon as the spec changes")
}

pub(super) fn suspended() -> &'static str {
    "spec.suspend is true, so no token is requested: set it to false to go on"
}

/// A failed exchange. `postponed` is the time of its next attempt, where that waits for a permit.
pub(super) fn failure(failure: &Failure, postponed: Option<Timestamp>) -> String {
    const EXPIRED: &str =
        "the token endpoint issued a token that had expired when its answer was there";
    match &failure.cause {
        FailureCause::Exchange(error, settings) => {
            let remedy = remedy(error, settings);
            exchange(&error.to_string(), &remedy, failure, settings, postponed)
        }
        FailureCause::ExpiredOnArrival(settings) => {
            let remedy = of_response(failure.cause.reason(), settings);
            exchange(EXPIRED, &remedy, failure, settings, postponed)
        }
        FailureCause::Rejected(rejection, settings) => {
            let sentence = rejected_token(rejection, settings);
            let postponed = postponed.map(|at| format!("{NEXT_TRY}{}", time(at)));
            format!("{sentence}{}", postponed.unwrap_or_default())
        }
        // It states the time that the earlier process planned.
        FailureCause::Recalled { sentence, .. } => sentence.clone(),
        FailureCause::Paused => {
            let until = postponed.or(failure.attempted.paused_until);
            let next = until.map(not_before).unwrap_or_default();
            format!("the provider has asked this client to pause: wait{next}")
        }
    }
}

fn exchange(
    cause: &str,
    remedy: &str,
    failure: &Failure,
    settings: &Settings,
    postponed: Option<Timestamp>,
) -> String {
    let unknown = if failure.outcome_unknown {
        "; it may have used up the refresh token, which is sent again to find out"
    } else {
        ""
    };
    let reason = failure.cause.reason();
    let sooner = sooner(reason, settings);
    let next = match (failure.next_attempt, postponed) {
        (Some(planned), _) if failure.attempted.paused_until.is_some() => {
            not_before(postponed.unwrap_or(planned))
        }
        (Some(planned), _) => format!(
            "{NEXT_TRY}{}, or at once when {sooner} changes",
            time(postponed.unwrap_or(planned))
        ),
        (None, None) => format!("; it is not tried again until {sooner} changes"),
        (None, Some(at)) => format!(
            "; it is not tried again until {sooner} changes{NEXT_TRY}{}",
            time(at)
        ),
    };
    format!("{cause}{unknown}: {remedy}{next}")
}

/// The changes that cut the delay short. The annotation is for repairs by other people, which the cluster cannot see.
fn sooner(reason: Reason, settings: &Settings) -> String {
    let bundle = match (&settings.ca_bundle, reason) {
        (Some(bundle), Reason::TLSUntrusted | Reason::CABundleInvalid) => {
            format!(", {}", ca_bundle_name(bundle))
        }
        _ => String::new(),
    };
    format!(
        "Secret {:?}{bundle}, the spec or annotation {}",
        settings.source.name,
        annotation::REFRESH_REQUESTED_AT
    )
}

fn not_before(at: Timestamp) -> String {
    format!("{NEXT_TRY}{}, and not before", time(at))
}

/// `too_late`: there is a token, and it does not last until then.
pub(super) fn waits_for_permit(at: Timestamp, wait: Wait, too_late: bool) -> String {
    let time = time(at);
    let waits = match wait {
        Wait::Pause => format!(
            "the provider has asked this client to pause, so the next token request waits until {time}"
        ),
        Wait::Turn => format!(
            "the next token request waits for its turn, at {time} or later, because those of all CubeCredentials with this client \
             id and token URL are sent one after the other"
        ),
        Wait::Refused => format!(
            "the next token request waits for its turn, at {time} or later, because the provider has refused this client secret, and \
             others go first"
        ),
    };
    if !too_late {
        return format!("{waits}: nothing has to be done");
    }
    let remedy = match wait {
        Wait::Pause => "look for other users of this client id",
        Wait::Turn | Wait::Refused => {
            "let those that need the same token share a CubeCredential, or get another client id for some of them"
        }
    };
    format!("{waits}; the token does not last until then: if this comes again, {remedy}")
}

/// It names no time and no number: they would change the status again and again.
pub(super) fn waits_for_slot() -> &'static str {
    "waiting for other token requests of this namespace to end, because only so many run at the same time: no action needed; if \
     this persists, look for token endpoints in this namespace that do not respond"
}

/// A dead refresh token.
pub(super) fn rejected_token(rejection: &RejectedToken, settings: &Settings) -> String {
    let initial = settings.grant.refresh_token();
    let (name, key) = initial.map_or(("", ""), |initial| (&initial.name, &initial.key));
    let why = if rejection.lost {
        "the provider used up the refresh token in an earlier request whose answer was lost"
    } else {
        "the refresh token was revoked, has expired, or was used by somebody else"
    };
    let next = match rejection.next_attempt() {
        Some(at) => format!(
            "sent once more at {}, to make sure, and then never",
            time(at)
        ),
        None => "never sent again".into(),
    };
    format!(
        "{}: {why}: sign in at the provider again and write the new refresh token into key {key:?} of Secret {name:?}, where it \
         is used at once; the old one is {next}",
        rejection.what
    )
}

/// The grant has no refresh token any more.
/// A grant that may not work at its provider; `None`: nothing is known against it.
pub(super) fn unlisted_grant(settings: &Settings) -> Option<String> {
    let provider = settings.grant_unlisted_by?;
    let grant = settings.grant.name();
    Some(format!(
        "{provider}'s metadata does not list the {grant} grant: ask its support whether your client may use it"
    ))
}

pub(super) fn refresh_token_left(settings: &Settings) -> String {
    let (state, namespace) = (&settings.state_name, &settings.namespace);
    format!(
        "Secret {state:?} still holds the refresh token of the earlier grant: unless you will set spec.grant back, sign out at the \
         provider and run `kubectl delete secret {state} -n {namespace}`"
    )
}

pub(super) fn claimed(until: Timestamp) -> String {
    format!(
        "another process of the operator has claimed the refresh token; what came of it is looked at when its claim ends, at {}",
        time(until)
    )
}

/// This message must keep people from a restart, which they usually attempt first.
pub(super) fn storing(why: &WriteError) -> String {
    let remedy = match why {
        // Its content is older than what is in memory.
        WriteError::Immutable { namespace, name } => delete_secret(namespace, name),
        _ => "remove what is in the way".into(),
    };
    format!(
        "do not restart the operator: the new refresh token is in its memory alone; {why}: {remedy}; it is \
         written again every 30 s"
    )
}

pub(super) fn target_conflict(conflict: &TargetConflict) -> String {
    match conflict {
        TargetConflict::OlderRival { .. } => format!(
            "{conflict}: set spec.target.name of one of the two to another name; it is looked at again when one of them changes, \
             and every minute"
        ),
        TargetConflict::Foreign { .. } | TargetConflict::Copy { .. } => format!(
            "{conflict}: delete it, or set spec.target.name to another name; it is looked at again every minute"
        ),
        TargetConflict::Retained {
            name,
            namespace,
            uid,
        } => format!(
            "{conflict}: delete it, or let this CubeCredential replace its token: `kubectl annotate --overwrite secret {name} \
             -n {namespace} {}={uid}`; it is looked at again every minute",
            annotation::ADOPTABLE_BY
        ),
    }
}

/// A Secret under an earlier name of the target.
pub(super) fn kept_target(secret: &str, kept: &Kept, target: &str) -> Option<String> {
    Some(match kept {
        Kept::Unknown => return None,
        Kept::InUse(used) => format!(
            "{}: mount Secret {target:?} instead",
            earlier_target(secret, Some(used))
        ),
        Kept::Until(expires_at) => format!(
            "Secret {secret:?} is kept until its token expires at {expires_at}, and not refreshed: mount Secret {target:?} instead"
        ),
    })
}

/// What is said of a Secret under an earlier name of the target.
pub(super) fn earlier_target(secret: &str, used: Option<&EarlierUse>) -> String {
    let Some(EarlierUse { pod, more }) = used else {
        return format!(
            "Secret {secret:?} is kept from before spec.target.name changed, and not refreshed"
        );
    };
    let others = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("Secret {secret:?} is kept for pod {pod:?}{others}, and not refreshed")
}

pub(super) fn state_conflict(conflict: &StateConflict) -> String {
    match conflict {
        StateConflict::Foreign { .. } => format!(
            "{conflict}: delete it, or give this CubeCredential another name; it is looked at again every minute"
        ),
        StateConflict::Elsewhere {
            name,
            namespace,
            uid,
            ..
        } => format!(
            "{conflict}: if nobody else uses it, move the login here (docs/backup.md): `kubectl annotate --overwrite secret {name} \
             -n {namespace} {}={uid}`; it is looked at again every minute",
            annotation::ADOPTABLE_BY
        ),
        StateConflict::Damaged { .. } => format!(
            "{conflict}: restore it, or delete it and sign in again; it is looked at again every minute"
        ),
    }
}

/// The API server's own words name the quota or the policy.
pub(super) fn not_writable(why: &WriteError, reason: Reason, next_attempt: Timestamp) -> String {
    let remedy = match why {
        WriteError::Immutable { namespace, name } if reason == Reason::StateNotWritable => format!(
            "save it with `kubectl get secret {name} -n {namespace} -o yaml`, delete it, and create it again without the field \
             immutable: it holds the login"
        ),
        WriteError::Immutable { namespace, name } => {
            format!(
                "{}, and it is created again",
                delete_secret(namespace, name)
            )
        }
        _ => "raise the quota, or have the policy or the role permit this Secret".into(),
    };
    format!(
        "{why}: {remedy}{NEXT_TRY}{}, or at once when the spec changes",
        time(next_attempt)
    )
}

fn delete_secret(namespace: &str, name: &str) -> String {
    format!("run `kubectl delete secret {name} -n {namespace}`")
}

/// The target must be gone before it can be created with another type. A few finalizers say enough.
pub(super) fn held_by_finalizers(target: &str, finalizers: &[String]) -> String {
    let finalizers: Vec<_> = finalizers
        .iter()
        .take(3)
        .map(|name| format!("{name:?}"))
        .collect();
    format!(
        "Secret {target:?} is being deleted because spec.target.type changed, and waits for finalizer {}: have its owner remove the \
         finalizer, or change spec.target.type back; the Secret is created again as soon as it is gone",
        finalizers.join(", ")
    )
}

fn time(at: Timestamp) -> String {
    at.strftime("%H:%M:%SZ").to_string()
}

/// A span of time in whole seconds, as people write it.
pub(super) fn span(duration: SignedDuration) -> String {
    format!("{duration:#}")
}
