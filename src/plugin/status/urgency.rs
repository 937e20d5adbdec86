//! The urgency of each `CubeCredential`. Pure: from an object and the time to a row, and from two rows to their order.

use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{
    api::{Condition, ConditionStatus, ConditionType, Reason, RetryClass},
    plugin::object::Object,
    reconcile::{Fact, LOGIN_ENDS_SOON, StatusFact, conditions},
    scrub::visible,
};

/// An operator that runs writes a first status within this time.
const NEW: SignedDuration = SignedDuration::from_secs(60);

/// The urgency of a `CubeCredential`, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) enum Urgency {
    /// It stays as it is until a person acts.
    NeedsPerson,
    /// It fails, and is retried.
    Failing,
    /// It waits for its first token, its turn, or the end of a suspension.
    Waiting,
    /// All is well.
    Good,
}

/// A `CubeCredential` as one line.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) urgency: Urgency,
    /// True if consumers have a token.
    pub(super) is_ready: bool,
    /// The cause in one word.
    pub(super) reason: String,
    /// The fault and its remedy; empty if all is well.
    pub(super) message: String,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) refresh_at: Option<Timestamp>,
    pub(super) secret: String,
}

struct Standing {
    urgency: Urgency,
    reason: String,
    message: String,
}

impl Standing {
    fn new(urgency: Urgency, reason: &str, message: &str) -> Self {
        Self {
            urgency,
            reason: reason.to_owned(),
            message: message.to_owned(),
        }
    }
}

impl Row {
    /// The row of an object.
    pub(super) fn of(object: &Object, now: Timestamp) -> Self {
        let status = &object.status;
        let Standing {
            urgency,
            reason,
            message,
        } = standing(object, now);
        let is_live = status.expires_at.is_none_or(|at| at > now);
        Self {
            namespace: visible(object.namespace()),
            name: visible(object.name()),
            urgency,
            is_ready: is_true(object, ConditionType::Ready) && is_live,
            reason: visible(&reason),
            message: visible(&message),
            expires_at: status.expires_at,
            refresh_at: status.refresh_at,
            secret: visible(&object.target()),
        }
    }
}

/// The order of rows: the most urgent first, an outage before a warning, then what expires first.
pub(super) fn order(a: &Row, b: &Row) -> Ordering {
    let rank = |row: &Row| (row.urgency, row.is_ready);
    // A token of which no end is known is not the one to look at first if all is well.
    let expiry = |row: &Row| (row.expires_at.is_none(), row.expires_at);
    rank(a)
        .cmp(&rank(b))
        .then_with(|| expiry(a).cmp(&expiry(b)))
        .then_with(|| a.namespace.cmp(&b.namespace))
        .then_with(|| a.name.cmp(&b.name))
}

fn is_true(object: &Object, r#type: ConditionType) -> bool {
    let condition = object.status.condition(r#type);
    condition.is_some_and(|condition| condition.status == ConditionStatus::True)
}

fn standing(object: &Object, now: Timestamp) -> Standing {
    use Urgency::{Good, NeedsPerson, Waiting};
    if object.is_deleting() {
        return Standing::new(Waiting, "Deleting", "it is being deleted");
    }
    let stopped = conditions(&object.status, object.generation(), now)
        .into_iter()
        .find_map(|finding| {
            let reason = match &finding.fact {
                Fact::Status(StatusFact::NotObserved) => "NotObserved",
                Fact::Status(StatusFact::Expired { .. }) => "Expired",
                Fact::Status(StatusFact::Overdue { .. }) => "Overdue",
                _ => return None,
            };
            Some((reason, finding.to_string()))
        });
    if let Some((reason, message)) = stopped {
        return stopped_operator(object, reason, &message, now);
    }
    let status = &object.status;
    let (Some(ready), Some(refreshed)) = (
        status.condition(ConditionType::Ready),
        status.condition(ConditionType::Refreshed),
    ) else {
        return Standing::new(NeedsPerson, "NotObserved", "");
    };
    if ready.status != ConditionStatus::True || refreshed.status == ConditionStatus::False {
        return failing(object, ready, refreshed);
    }
    if let Some(at) = status.login_expires_at
        && status.login_fixed
        && at.duration_since(now) < LOGIN_ENDS_SOON
    {
        let message = format!("the login ends at {at}, and no refresh extends it: sign in again");
        return Standing::new(NeedsPerson, "LoginEnding", &message);
    }
    if object.is_suspended() {
        return Standing::new(Waiting, "Suspended", &ready.message);
    }
    let reason = status.reason.as_deref().unwrap_or(&ready.reason);
    Standing::new(Good, reason, "")
}

/// The status is not kept up to date.
fn stopped_operator(object: &Object, reason: &str, message: &str, now: Timestamp) -> Standing {
    if !object.unread.is_empty() {
        let fields = object.unread.join(", ");
        let message = format!("another version wrote the status: {fields} cannot be read");
        return Standing::new(Urgency::NeedsPerson, "Unreadable", &message);
    }
    let created = object.created_at();
    let is_new = created.is_some_and(|at| now.duration_since(at) < NEW);
    if reason == "NotObserved" && is_new {
        return Standing::new(Urgency::Waiting, "Pending", "it has just been created");
    }
    Standing::new(Urgency::NeedsPerson, reason, message)
}

/// Something is in the way of a token, or of the next one.
fn failing(object: &Object, ready: &Condition, refreshed: &Condition) -> Standing {
    let is_outage = ready.status != ConditionStatus::True;
    let cause = if is_outage { ready } else { refreshed };
    // Ready names the cause in a few words, Refreshed has the remedy.
    let detail = if refreshed.status == ConditionStatus::False && refreshed.reason == cause.reason {
        refreshed
    } else {
        cause
    };
    let stalled = is_true(object, ConditionType::Stalled);
    let urgency = match Reason::from_name(&cause.reason) {
        _ if stalled => Urgency::NeedsPerson,
        Some(reason) => urgency_of(reason),
        // A reason of another version.
        None if is_true(object, ConditionType::Reconciling) => Urgency::Failing,
        None if is_outage => Urgency::NeedsPerson,
        None => Urgency::Failing,
    };
    Standing::new(urgency, &cause.reason, &detail.message)
}

fn urgency_of(reason: Reason) -> Urgency {
    match reason.retry_class() {
        Some(RetryClass::Terminal | RetryClass::Slow) => Urgency::NeedsPerson,
        None if reason.is_waiting() => Urgency::Waiting,
        Some(RetryClass::Fast | RetryClass::RateLimited) | None => Urgency::Failing,
    }
}

#[cfg(test)]
mod tests;
