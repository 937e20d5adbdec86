//! The memory of the exchange: the last failure, its count, and the place in the queue.

mod account_token;
mod failure;
mod recall;
mod repeats;
mod secrets;

use jiff::Timestamp;

use super::Versions;
use crate::{
    api::{Attempted, Reason},
    reconcile::{
        pace::{
            PermitRequest,
            retry::{
                Saves, delay_after_pause, delay_within_grace, is_within_grace, next_attempt,
                next_unsent_attempt,
            },
        },
        time::later,
        token::{InputsDigest, TokenMetadata},
    },
};
use account_token::AccountTokenMemory;
pub(in crate::reconcile) use failure::{FailedAttempt, Failure, FailureCause};
use repeats::Repeats;
use secrets::SecretsMemory;

/// The exchange's part of the memory. The parts that most credentials do not have are on the heap.
#[derive(Clone, Debug, Default)]
pub(in crate::reconcile) struct ExchangeMemory {
    failed: Option<Box<Failed>>,
    /// The attempts in a row whose outcome is unknown: a provider's grace period covers the first of them only.
    unknown_outcomes: i32,
    last_attempt_at: Option<Timestamp>,
    /// The time at which the last token arrived: tokens of a slow provider may be due on arrival, and must not be requested
    /// without end.
    last_token_at: Option<Timestamp>,
    /// Versions whose inputs are known to differ from the inputs of the published token.
    refuted: Option<Box<Versions>>,
    /// How long before its end the provider issues another token than the published one, where it does not at any time.
    repeats: Option<Box<Repeats>>,
    queued: Option<Box<Queued>>,
    /// The inputs for which it waits for a slot.
    waits_for_slot: Option<Box<Versions>>,
    /// The CA bundle may have changed since the last failed attempt.
    ca_bundle_touched: bool,
    /// The two client secrets, if the spec names two.
    pub(in crate::reconcile) secrets: SecretsMemory,
    pub(in crate::reconcile) account_token: AccountTokenMemory,
}

/// A failure that no success has followed yet.
#[derive(Clone, Debug)]
struct Failed {
    failure: Failure,
    /// The number of attempts in a row that have failed.
    count: i32,
    /// True if there was a live token of the same inputs when an attempt failed.
    saves_token: bool,
    /// The inputs of the attempt, which distinguish a changed secret from a label edit. A new process does not know them.
    inputs: Option<InputsDigest>,
    /// A hash of the subject token that was sent, with the grant that exchanges one, for the same reason.
    subject: Option<String>,
}

/// The facts about the live token when an attempt fails. It may not be published yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reconcile) enum Published {
    /// There is none, or it has ended.
    Ended,
    /// It was issued for the same inputs, and ends then.
    Live(Timestamp),
    /// It was issued for other inputs than those of these versions.
    Other(Versions),
}

/// A place in the queue of the client's budget.
#[derive(Clone, Debug)]
pub(in crate::reconcile) struct Queued {
    pub(in crate::reconcile) request: PermitRequest,
    /// The inputs that it was taken for.
    pub(in crate::reconcile) versions: Versions,
}

/// Attempts and their results.
impl ExchangeMemory {
    /// A request was sent at this time.
    pub(in crate::reconcile) fn sent(&mut self, at: Timestamp) {
        self.last_attempt_at = Some(at);
    }

    /// A token arrived.
    pub(in crate::reconcile) fn succeeded(&mut self, now: Timestamp) {
        self.last_token_at = Some(now);
        self.failed = None;
        self.unknown_outcomes = 0;
        self.refuted = None;
    }

    /// An attempt failed. `token` is what is known of the live token.
    pub(in crate::reconcile) fn failed(
        &mut self,
        attempt: FailedAttempt,
        token: Published,
        uid: &str,
        now: Timestamp,
    ) {
        // Changed inputs start the count again; another reason does not.
        let (earlier, had_token) = match &self.failed {
            Some(failed) if failed.failure.was_made_with(&attempt.attempted) => {
                (failed.count, failed.saves_token)
            }
            _ => (0, false),
        };
        let saves = match token {
            Published::Live(end) => Saves::Until(end),
            Published::Ended if had_token => Saves::Ended,
            Published::Ended | Published::Other(_) => Saves::Nothing,
        };
        let count = earlier.saturating_add(i32::from(attempt.counts));
        let outcome_unknown = attempt.outcome_unknown;
        self.unknown_outcomes = self
            .unknown_outcomes
            .saturating_add(i32::from(outcome_unknown));
        let nth = if outcome_unknown {
            self.unknown_outcomes
        } else {
            count
        };
        let reason = attempt.cause.reason();
        let next_attempt = match attempt.pause {
            Some(pause) => Some(later(now, delay_after_pause(pause, nth, uid))),
            None if attempt.cause.is_of_this_cluster() => {
                Some(next_unsent_attempt(saves, uid, now))
            }
            None => next_attempt(reason, outcome_unknown, nth, saves, uid, now),
        };
        let ends_in_grace = outcome_unknown
            && reason == Reason::Unavailable
            && is_within_grace(self.unknown_outcomes);
        let in_pause = attempt.pause.filter(|_| ends_in_grace);
        let in_pause = in_pause.map(|pause| later(now, delay_within_grace(pause, nth, uid)));
        self.refuted = match token {
            Published::Other(versions) => Some(Box::new(versions)),
            Published::Live(_) | Published::Ended => None,
        };
        self.failed = Some(Box::new(Failed {
            count,
            saves_token: saves != Saves::Nothing,
            inputs: attempt.inputs.clone(),
            subject: attempt.subject.clone(),
            failure: attempt.into_failure(next_attempt, in_pause),
        }));
    }

    /// The provider issued the published token again, which ends then.
    pub(in crate::reconcile) fn repeated(&mut self, end: Timestamp, now: Timestamp) {
        self.repeats = Some(Box::new(Repeats::again(end, now)));
    }

    /// Another token took the place of this one.
    pub(in crate::reconcile) fn replaced(&mut self, before: Option<&TokenMetadata>, at: Timestamp) {
        self.repeats = match (self.repeats.take(), before) {
            (Some(repeats), Some(before)) => repeats.next(before.expires_at, at).map(Box::new),
            _ => None,
        };
    }

    /// The time before which the provider would issue this token again.
    pub(in crate::reconcile) fn repeated_before(&self, token: &TokenMetadata) -> Option<Timestamp> {
        let repeats = self.repeats.as_ref()?;
        Some(repeats.over_at(token.expires_at))
    }

    /// The failure is over: a token came from elsewhere.
    pub(in crate::reconcile) fn forget_failure(&mut self) {
        self.failed = None;
    }

    /// Another login has begun: its predecessor's failures are over.
    pub(in crate::reconcile) fn another_login(&mut self) {
        self.failed = None;
        self.unknown_outcomes = 0;
    }

    /// A token with this metadata was published. A failure of other inputs is over, but for the pause that the provider asked for.
    pub(in crate::reconcile) fn published(&mut self, token: &TokenMetadata) {
        let differs = |attempted: &Attempted| {
            let same = attempted.generation == token.generation
                && attempted.source_resource_version == token.source_version
                && attempted.provider_version == token.provider_version;
            !same && attempted.paused_until.is_none()
        };
        if self
            .failure()
            .is_some_and(|failure| differs(&failure.attempted))
        {
            self.failed = None;
        }
    }

    pub(in crate::reconcile) fn failure(&self) -> Option<&Failure> {
        self.failed.as_ref().map(|failed| &failed.failure)
    }

    /// The number of attempts in a row that have failed.
    pub(in crate::reconcile) fn failures(&self) -> i32 {
        self.failed.as_ref().map_or(0, |failed| failed.count)
    }

    pub(in crate::reconcile) fn unknown_outcomes(&self) -> i32 {
        self.unknown_outcomes
    }

    pub(in crate::reconcile) fn last_attempt_at(&self) -> Option<Timestamp> {
        self.last_attempt_at
    }

    pub(in crate::reconcile) fn last_token_at(&self) -> Option<Timestamp> {
        self.last_token_at
    }
}

/// The inputs of the failed attempt.
impl ExchangeMemory {
    pub(in crate::reconcile) fn is_refuted(&self, versions: &Versions) -> bool {
        self.refuted.as_deref() == Some(versions)
    }

    /// Returns whether the inputs of the failed attempt are known.
    pub(in crate::reconcile) fn knows_failed_inputs(&self) -> bool {
        self.failed
            .as_ref()
            .is_some_and(|failed| failed.inputs.is_some())
    }

    /// The subject's Secret was read in this version, with this token. If the failed attempt sent it, nothing changed.
    pub(in crate::reconcile) fn subject_read(&mut self, version: &str, subject: &str) {
        if let Some(failed) = &mut self.failed
            && failed.subject.as_deref() == Some(subject)
        {
            let attempted = &mut failed.failure.attempted.seed_resource_version;
            *attempted = Some(version.to_owned());
        }
    }

    /// The source Secret was read in this version, with these inputs. If the failed attempt had the same inputs, nothing changed.
    pub(in crate::reconcile) fn source_read(&mut self, version: &str, inputs: InputsDigest) {
        let Some(failed) = &mut self.failed else {
            return;
        };
        let attempted = &mut failed.failure.attempted.source_resource_version;
        if failed.inputs.is_none() && attempted == version {
            // A new process learns the inputs of the earlier process's attempt.
            failed.inputs = Some(inputs);
            return;
        }
        if failed.inputs != Some(inputs) {
            return;
        }
        if let Some(refuted) = &mut self.refuted
            && refuted.source_version == *attempted
        {
            version.clone_into(&mut refuted.source_version);
        }
        version.clone_into(attempted);
    }

    pub(in crate::reconcile) fn is_ca_bundle_touched(&self) -> bool {
        self.ca_bundle_touched
    }

    pub(super) fn touch_ca_bundle(&mut self) {
        self.ca_bundle_touched = true;
    }

    pub(in crate::reconcile) fn forget_ca_bundle_touch(&mut self) {
        self.ca_bundle_touched = false;
    }

    /// The CA bundle was read, with this hash. If it is the hash of the failed attempt, nothing changed.
    pub(in crate::reconcile) fn ca_bundle_read(&mut self, hash: Option<&String>) {
        let attempted = self.failure().map(|failure| &failure.attempted);
        if attempted.is_some_and(|attempted| attempted.ca_bundle_hash.as_ref() == hash) {
            self.ca_bundle_touched = false;
        }
    }
}

/// The queue.
impl ExchangeMemory {
    pub(in crate::reconcile) fn queued(&self) -> Option<&Queued> {
        self.queued.as_deref()
    }

    /// A credential that waits remembers its request: nothing has to be read to ask again.
    pub(in crate::reconcile) fn queue(&mut self, request: PermitRequest, versions: Versions) {
        self.queued = Some(Box::new(Queued { request, versions }));
    }

    pub(in crate::reconcile) fn leave_queue(&mut self) {
        self.queued = None;
    }

    /// Returns whether it waits for a slot with these inputs, so that nothing has to be read to ask again.
    pub(in crate::reconcile) fn waits_for_slot(&self, versions: &Versions) -> bool {
        self.waits_for_slot.as_deref() == Some(versions)
    }

    /// It waits for a slot with these inputs, or does not wait any more.
    pub(in crate::reconcile) fn wait_for_slot(&mut self, versions: Option<Versions>) {
        self.waits_for_slot = versions.map(Box::new);
    }
}
